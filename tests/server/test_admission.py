"""The queue of requests that both servers have."""

import asyncio

import pytest

from kittentts.service.admission import AdmissionQueue


@pytest.mark.parametrize("steps", range(6))
def test_who_leaves_at_the_moment_of_admission_leaves(steps):
    """A cancellation is not taken for an admission, and the place is free for the next, however both meet."""

    async def run():
        queue = AdmissionQueue(concurrency=1, queue=1, wait_timeout=60)
        entered = []

        async def enter():
            async with queue.admit():
                entered.append(True)
                await asyncio.Event().wait()

        async with queue.admit():
            waiting = asyncio.create_task(enter())
            await asyncio.sleep(0)
            assert queue.waiting == 1
        for _ in range(steps):
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait({waiting}, timeout=10)
        assert waiting.cancelled()
        assert (queue.active, queue.waiting) == (0, 0)
        # without waiting
        async with queue.admit():
            return len(entered)

    assert asyncio.run(run()) in {0, 1}
