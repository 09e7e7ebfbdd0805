"""The consumer of calls that speak one text: what becomes of its chunks, in the order of the text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kittentts.synthesis.request import nothing_to_speak

if TYPE_CHECKING:
    from collections.abc import Generator

    from kittentts.runtime.chunks import SynthesizedChunk
    from kittentts.synthesis.progress import ChunkReporter
    from kittentts.synthesis.scheduler import Scheduler


def run_in_order(
    scheduler: Scheduler, reporter: ChunkReporter, text: str | None
) -> Generator[SynthesizedChunk, None, None]:
    """Yield what becomes of the chunks of all requests that the scheduler was fed with, in order.

    An error of a request comes when the requests before it are yielded.

    Args:
        text: for the message where nothing has a sound; None is one that has not been kept.

    Raises:
        TextError: no chunk has a sound.
    """
    ready: dict[tuple[int, int], SynthesizedChunk] = {}
    totals: dict[int, int] = {}  # of the chunks, by request
    errors: dict[int, BaseException] = {}  # by request
    end: int | None = None  # how many requests there are
    number = place = count = 0
    try:
        scheduler.permit()
        while number != end or number in errors:
            if (number, place) in ready:
                yield ready.pop((number, place))
                scheduler.permit()
                place, count = place + 1, count + 1
            elif number in errors:
                # neither here nor below may this frame, which the error's stack holds, hold the error
                raise errors.pop(number)
            elif place == totals.get(number):
                del totals[number]
                number, place = number + 1, 0
            else:
                outcome = scheduler.wait(reporter.report)
                if outcome.request is None:
                    end = outcome.total
                elif outcome.error is not None:
                    errors[outcome.request] = outcome.error
                elif outcome.chunk is None:
                    totals[outcome.request] = outcome.total or 0
                    scheduler.permit()
                else:
                    ready[outcome.request, outcome.place] = outcome.chunk
                    reporter.record(outcome.chunk)
                del outcome
        reporter.report()
        if count == 0:
            raise nothing_to_speak(text)
    finally:
        scheduler.close()
        reporter.close()
