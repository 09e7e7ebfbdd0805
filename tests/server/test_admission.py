"""The queue of requests that both servers have."""

import asyncio

import pytest

from kittentts.errors import QueueTimeoutError
from kittentts.service.admission import AdmissionQueue


async def check_that_it_is_free(queue):
    assert (queue.active, queue.waiting) == (0, 0)
    async with queue.admit():
        assert queue.active == 1


@pytest.mark.parametrize("steps", range(6))
def test_who_leaves_at_the_moment_of_admission_leaves(steps):
    """A cancellation is not taken for an admission, and the place is free for the next, however both meet."""

    async def run():
        queue = AdmissionQueue(concurrency=1, queue=1, wait_timeout=60)

        async def enter():
            async with queue.admit():
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
        await check_that_it_is_free(queue)

    asyncio.run(run())


def test_who_has_waited_too_long_takes_no_place_later():
    async def run():
        queue = AdmissionQueue(concurrency=1, queue=1, wait_timeout=0.01)
        async with queue.admit():
            with pytest.raises(QueueTimeoutError):
                async with queue.admit():
                    pass
        await asyncio.sleep(0)
        await check_that_it_is_free(queue)

    asyncio.run(run())
