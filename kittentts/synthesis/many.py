"""Many texts -> many waveforms: the chunks of all texts share the cores; a text that fails does not stop the others."""

from __future__ import annotations

import logging
import reprlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kittentts.errors import EspeakError, SettingError, StoppedError, TextTypeError
from kittentts.synthesis.request import nothing_to_speak
from kittentts.synthesis.results import Item, Result

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from kittentts.alignment.speech import Speech
    from kittentts.runtime.chunks import SynthesizedChunk
    from kittentts.synthesis.progress import TextReporter
    from kittentts.synthesis.request import Request
    from kittentts.synthesis.scheduler import Outcome, Scheduler

    Assemble = Callable[[Request, Sequence[SynthesizedChunk]], tuple[NDArray[np.float32], Speech | None]]
    Check = Callable[[str, str | None, float | None], Request]

logger = logging.getLogger(__name__)

_ORDERS = ("input", "completed")
_ITEM_LENGTHS = range(2, 5)


@dataclass(eq=False)
class _Job:
    """A text that is begun and not yet yielded."""

    index: int
    id: Any
    text: Any
    request: Request | None = None
    count: int | None = None
    """Of its chunks, when all are made."""
    chunks: dict[int, SynthesizedChunk] = field(default_factory=dict)
    """By place."""
    error: Exception | None = None

    @property
    def is_done(self) -> bool:
        return self.error is not None or self.count == len(self.chunks)


def check_many(texts: object, order: str) -> None:
    """Raise `TextTypeError` or `SettingError` for what cannot be many texts or an order."""
    if isinstance(texts, str | bytes) or not hasattr(texts, "__iter__"):
        raise TextTypeError(f"texts is of type {type(texts).__name__}; a list or another iterable of texts is needed")
    if order not in _ORDERS:
        raise SettingError(f"order={order!r} is unknown; use one of {', '.join(map(repr, _ORDERS))}")


def run_many(
    texts: Iterable[str | tuple[Any, ...]],
    check: Check,
    assemble: Assemble,
    scheduler: Scheduler,
    reporter: TextReporter,
    *,
    window: int,
    in_order: bool,
) -> Generator[Result, None, None]:
    """Yield what becomes of each text; see `KittenTTS.generate_many`.

    Args:
        texts: read in the caller's thread, no further ahead than the window.
        check: (text, voice, speed) -> request; None stands for the voice or speed of the call.
        assemble: (request, all its chunks) -> audio and, if times are wanted, speech.
        window: how many texts may be begun and not yet yielded.
        in_order: yield the results in the order of the texts; else as soon as they are there.
    """
    jobs: dict[int, _Job] = {}
    source = enumerate(texts)
    is_complete = False
    try:
        scheduler.permit()
        while jobs or not is_complete:
            job = _next_done(jobs, in_order=in_order)
            if job is not None:
                result = _result(jobs.pop(job.index), assemble)
                reporter.record(result)
                yield result
            elif is_complete or len(jobs) == window:
                _take(scheduler.wait(), jobs, scheduler)
            elif outcome := scheduler.poll():
                _take(outcome, jobs, scheduler)
            elif (item := next(source, None)) is None:
                is_complete = True
                scheduler.end()
            else:
                job = jobs[item[0]] = _begin(*item, check)
                if job.request is not None:
                    scheduler.feed(job.request, job.index)
    finally:
        scheduler.close()
        reporter.close()


def _begin(index: int, given: Any, check: Check) -> _Job:
    job = _Job(index, None, given)
    try:
        item = _item(given)
        job.id, job.text = item.id, item.text
        job.request = check(item.text, item.voice, item.speed)
    except StoppedError:
        raise
    except Exception as error:  # noqa: BLE001 (also that of the user's clean_text; it becomes the result)
        job.error = _without_stack(error)
    return job


def _item(given: object) -> Item:
    if isinstance(given, str):
        return Item(None, given)
    if isinstance(given, tuple | list) and len(given) in _ITEM_LENGTHS:
        return Item(*given)
    raise TextTypeError(f"{reprlib.repr(given)} is neither a str nor (id, text), (id, text, voice, speed)")


def _take(outcome: Outcome, jobs: Mapping[int, _Job], scheduler: Scheduler) -> None:
    """Add an outcome to the job of its text."""
    scheduler.permit()
    job, error = jobs.get(outcome.request) if outcome.request is not None else None, outcome.error
    if job is None or job.error is not None:
        # it has failed before
        return
    if outcome.chunk is not None:
        job.chunks[outcome.place] = outcome.chunk
    elif error is None:
        job.count = outcome.total
        if job.count == 0 and job.request is not None:
            job.error = nothing_to_speak(job.request.texts[0])
    elif isinstance(error, EspeakError | StoppedError) or not isinstance(error, Exception):
        # it is about all texts
        raise error
    else:
        job.error = _without_stack(error)
        scheduler.drop(job.index)


def _next_done(jobs: Mapping[int, _Job], *, in_order: bool) -> _Job | None:
    for job in jobs.values():
        if job.is_done:
            return job
        if in_order:
            break
    return None


def _result(job: _Job, assemble: Assemble) -> Result:
    if job.error is not None or job.request is None:
        return Result(job.index, job.id, job.text, None, job.error)
    audio, speech = assemble(job.request, [job.chunks[place] for place in range(len(job.chunks))])
    return Result(job.index, job.id, job.text, audio, None, speech)


def _without_stack(error: Exception) -> Exception:
    """Log the stack of an error and of its causes, and take it off, for it would hold the model as long as itself."""
    logger.debug("a text failed", exc_info=error)
    links: list[BaseException | None] = [error]
    seen: set[int] = set()
    while links:
        link = links.pop()
        if link is not None and id(link) not in seen:
            seen.add(id(link))
            link.__traceback__ = None
            links += [link.__cause__, link.__context__]
    return error
