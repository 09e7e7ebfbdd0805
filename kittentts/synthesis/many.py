"""Many texts -> many waveforms: the chunks of all texts share the cores; a text that fails does not stop the others."""

from __future__ import annotations

import itertools
import logging
import reprlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kittentts.errors import EspeakError, SettingError, StoppedError, TextTypeError
from kittentts.synthesis.request import nothing_to_speak
from kittentts.synthesis.results import Item, Result

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from kittentts.alignment.speech import Speech
    from kittentts.runtime.chunks import SynthesizedChunk
    from kittentts.synthesis.progress import TextReporter
    from kittentts.synthesis.request import Request
    from kittentts.synthesis.scheduler import Outcome, Scheduler

    Assemble = Callable[[Sequence[Request], Sequence[SynthesizedChunk]], tuple[NDArray[np.float32], Speech | None]]
    Check = Callable[[Item], list[Request]]

logger = logging.getLogger(__name__)

_ORDERS = ("input", "completed")
_ITEM_LENGTHS = range(2, 6)


@dataclass(eq=False)
class _Job:
    """A text that is begun and not yet yielded."""

    index: int
    id: Any
    text: Any
    requests: dict[int, Request] = field(default_factory=dict)
    """By number; several where the text has markup."""
    totals: dict[int, int] = field(default_factory=dict)
    """How many chunks each request has, when all of them are made."""
    chunks: dict[tuple[int, int], SynthesizedChunk] = field(default_factory=dict)
    """By number and place."""
    error: Exception | None = None

    @property
    def is_made(self) -> bool:
        return len(self.totals) == len(self.requests)

    @property
    def is_done(self) -> bool:
        return self.error is not None or (self.is_made and sum(self.totals.values()) == len(self.chunks))


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
        check: item -> its requests; None stands for the voice, speed or markup of the call.
        assemble: (requests, all their chunks) -> audio and, if times are wanted, speech.
        window: how many texts may be begun and not yet yielded.
        in_order: yield the results in the order of the texts; else as soon as they are there.
    """
    jobs: dict[int, _Job] = {}
    owners: dict[int, _Job] = {}  # by number of the request
    numbers = itertools.count()
    source = enumerate(texts)
    is_complete = False
    try:
        scheduler.permit()
        while jobs or not is_complete:
            job = _next_done(jobs, in_order=in_order)
            if job is not None:
                result = _result(jobs.pop(job.index), assemble)
                for number in job.requests:
                    del owners[number]
                reporter.record(result)
                yield result
            elif is_complete or len(jobs) == window:
                _take(scheduler.wait(), owners, scheduler)
            elif outcome := scheduler.poll():
                _take(outcome, owners, scheduler)
            elif (item := next(source, None)) is None:
                is_complete = True
                scheduler.end()
            else:
                job = jobs[item[0]] = _begin(*item, check, numbers)
                for number, request in job.requests.items():
                    owners[number] = job
                    scheduler.feed(request, number)
    finally:
        scheduler.close()
        reporter.close()


def _begin(index: int, given: Any, check: Check, numbers: Iterator[int]) -> _Job:
    job = _Job(index, None, given)
    try:
        item = _item(given)
        job.id, job.text = item.id, item.text
        job.requests = {next(numbers): request for request in check(item)}
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
    raise TextTypeError(
        f"{reprlib.repr(given)} is neither a str nor (id, text), (id, text, voice, speed) or (..., markup)"
    )


def _take(outcome: Outcome, owners: Mapping[int, _Job], scheduler: Scheduler) -> None:
    """Add an outcome to the job of its text."""
    scheduler.permit()
    number, error = outcome.request, outcome.error
    job = None if number is None else owners.get(number)
    if number is None or job is None or job.error is not None:
        # it has failed before
        return
    if outcome.chunk is not None:
        job.chunks[number, outcome.place] = outcome.chunk
    elif error is None:
        job.totals[number] = outcome.total or 0
        if job.is_made and not any(job.totals.values()):
            job.error = nothing_to_speak(job.requests[number].texts[0])
    elif isinstance(error, EspeakError | StoppedError) or not isinstance(error, Exception):
        # it is about all texts
        raise error
    else:
        job.error = _without_stack(error)
        for one in job.requests:
            scheduler.drop(one)


def _next_done(jobs: Mapping[int, _Job], *, in_order: bool) -> _Job | None:
    for job in jobs.values():
        if job.is_done:
            return job
        if in_order:
            break
    return None


def _result(job: _Job, assemble: Assemble) -> Result:
    if job.error is not None:
        return Result(job.index, job.id, job.text, None, job.error)
    audio, speech = assemble([*job.requests.values()], [job.chunks[key] for key in sorted(job.chunks)])
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
