"""Many texts -> many waveforms: the chunks of all texts share the cores; a text that fails does not stop the others."""

from __future__ import annotations

import contextlib
import logging
import reprlib
import time
from collections.abc import Sized
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kittentts.defaults import SAMPLE_RATE
from kittentts.errors import EspeakError, SettingError, StoppedError, TextTypeError
from kittentts.progress_bar import open_bar
from kittentts.runtime.call import check_progress
from kittentts.synthesis.model_input import with_pauses
from kittentts.synthesis.parallel import fan_out
from kittentts.synthesis.request import silent

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from numpy.typing import NDArray

    from kittentts.alignment.speech import Speech
    from kittentts.runtime.call import Call
    from kittentts.runtime.chunks import ModelInput, SynthesizedChunk
    from kittentts.synthesis.parallel import Calls
    from kittentts.synthesis.request import Request

    Samples = NDArray[np.float32]

logger = logging.getLogger(__name__)

_ORDERS = ("input", "completed")
# so many texts, and chunks, for each worker may be on their way
_WINDOW = 4
_ITEM_LENGTHS = range(2, 5)


class Item(NamedTuple):
    """A text with a name, and with a voice and a speed of its own where they are not None; any such tuple will do."""

    id: Any
    text: str
    voice: str | None = None
    speed: float | None = None


@dataclass(frozen=True, eq=False)
class Result:
    """What became of one text: either `audio` or `error` is None."""

    index: int
    """The place of the text in the iterable, from 0."""
    id: Any
    """That of the item; None for a text alone."""
    text: Any
    """The text as it was given."""
    audio: Samples | None
    """The waveform that `generate` returns, float32 of shape `(samples,)` at 24 000 Hz."""
    error: Exception | None
    """What `generate` would have raised, without its stack (which is logged at level DEBUG)."""
    speech: Speech | None = None
    """With `timings=True` what `synthesize` returns, of which `audio` is the waveform."""


@dataclass(frozen=True)
class ManyProgress:
    """How far a `generate_many` has come."""

    texts: int
    """Texts that are done, failed ones included."""
    failed: int
    total_texts: int | None
    """None where the iterable has no length."""
    characters: int
    """Characters of the texts that are spoken."""
    audio_seconds: float
    """Length of what is spoken."""
    seconds: float
    """Since the call began."""

    @property
    def times_real_time(self) -> float:
        """Seconds of audio made in one second."""
        return self.audio_seconds / self.seconds if self.seconds else 0.0


class Steps(NamedTuple):
    """What the engine does for a text, step by step."""

    check: Callable[[str, str | None, float | None], Request]
    """(text, voice, speed) -> what to speak; None stands for the voice or speed of the call."""
    chunks: Callable[[Request], Iterator[ModelInput]]
    """Phonemizes, in the caller's thread."""
    run: Callable[..., SynthesizedChunk]
    """(chunk, request, one_core=, shrink=) -> what it makes, in any thread."""
    speech: Callable[[Request, list[SynthesizedChunk]], Speech]
    """All parts of a text -> the whole with its times, in the caller's thread."""


class Tally:
    """Counts the results of a call and reports them.

    Args:
        texts: the iterable; its length, if it has one, is the total.
        progress: True for a bar on stderr, or a function that gets a `ManyProgress`.

    Raises:
        SettingError: `progress` is something else.
    """

    def __init__(self, texts: object, progress: bool | Callable[[ManyProgress], object]) -> None:
        check_progress(progress)
        self._total = len(texts) if isinstance(texts, Sized) else None
        self._report = progress if callable(progress) else self._show
        self._bar: Any = None
        if progress is True:
            self._bar = open_bar(total=self._total, unit="text", desc="speaking")
        self._began = time.perf_counter()
        self._texts = self._failed = self._characters = self._samples = 0

    def note(self, result: Result) -> None:
        """Count a result and report it."""
        self._texts += 1
        if result.audio is None:
            self._failed += 1
        else:
            self._characters += len(result.text)
            self._samples += len(result.audio)
        self._report(
            ManyProgress(
                texts=self._texts,
                failed=self._failed,
                total_texts=self._total,
                characters=self._characters,
                audio_seconds=self._samples / SAMPLE_RATE,
                seconds=time.perf_counter() - self._began,
            )
        )

    def close(self) -> None:
        """Leave the progress bar as it is."""
        if self._bar is not None:
            self._bar.close()

    def _show(self, progress: ManyProgress) -> None:
        if self._bar is not None:
            self._bar.set_postfix_str(f"{progress.times_real_time:.1f} times real time", refresh=False)
            self._bar.update()


@dataclass(eq=False)
class _Job:
    """A text on its way."""

    index: int
    id: Any
    text: Any
    request: Request | None = None
    chunks: int = 0
    """How many were made."""
    complete: bool = False
    """Whether no more will be made."""
    parts: dict[int, SynthesizedChunk] = field(default_factory=dict)
    """By the place of the chunk."""
    error: Exception | None = None

    @property
    def is_done(self) -> bool:
        return self.complete and (self.error is not None or len(self.parts) == self.chunks)


class _Run(NamedTuple):
    job: _Job
    place: int
    """Of the chunk among those of the text, from 0."""
    chunk: ModelInput
    cost: float
    """Characters of the chunk at speed 1.0: what its time and memory are proportional to."""


def check_many(texts: object, order: str) -> None:
    """Raise `TextTypeError` or `SettingError` for what cannot be many texts or an order."""
    if isinstance(texts, str | bytes) or not hasattr(texts, "__iter__"):
        raise TextTypeError(f"texts is of type {type(texts).__name__}; a list or another iterable of texts is needed")
    if order not in _ORDERS:
        raise SettingError(f"order={order!r} is unknown; use one of {', '.join(map(repr, _ORDERS))}")


def speak_many(
    texts: Iterable[str | tuple[Any, ...]], steps: Steps, call: Call, tally: Tally, *, workers: int, in_order: bool
) -> Generator[Result, None, None]:
    """Yield what becomes of each text; see `KittenTTS.generate_many`.

    Args:
        texts: read in the caller's thread, no further ahead than the window.
        steps: of the engine.
        call: stops the runs.
        tally: counts the results.
        workers: how many runs at a time.
        in_order: yield the results in the order of the texts; else as soon as they are there.
    """
    pool = _Pool(steps, workers)
    window = _WINDOW * workers
    # those that are begun and not yet yielded, in the order of the texts
    jobs: dict[int, _Job] = {}
    source = _read(texts, steps)
    run: _Run | None = None
    # whether there are more texts, and whether the one that was begun last has more chunks
    more, reading = True, False
    with (
        contextlib.closing(tally),
        contextlib.closing(pool),
        fan_out(pool.speak, workers, size=_cost, stop=call.stop) as pool.calls,
    ):
        while more or jobs:
            call.check()
            for result in _finished(jobs, steps, in_order=in_order):
                tally.note(result)
                yield result
            wait = True
            if run is None and more and len(pool.calls.unfinished) < window and (reading or len(jobs) < window):
                job, run = next(source, (None, None))
                wait, more, reading = False, job is not None, run is not None
                if job is None:
                    pool.calls.complete()
                else:
                    jobs[job.index] = job
            if run is not None:
                pool.calls.submit(run)
                run = None
            elif wait and jobs:
                pool.calls.results(call.check)


class _Pool:
    """Where the chunks of all texts run.

    Each thread that is free takes the largest that waits. While there are as many as workers, each runs on one core;
    fewer share all cores.
    """

    calls: Calls[_Run, None]

    def __init__(self, steps: Steps, workers: int) -> None:
        self._steps = steps
        self._workers = workers

    def close(self) -> None:
        """Let go of the calls, which hold this pool, so that with the last reference to the model its memory goes."""
        del self.calls

    def speak(self, run: _Run) -> None:
        """Run a chunk, in a thread, and give the job its waveform or error."""
        job = run.job
        if job.request is None or job.error is not None:
            return
        count, last = self.calls.company(self._workers)
        try:
            part = self._steps.run(
                run.chunk,
                job.request,
                one_core=1 < self._workers <= count,
                # the last runs to begin give the session's memory back
                shrink=last and count < 2 * self._workers,
            )
        except Exception as error:  # noqa: BLE001 (it becomes the result)
            job.error = _without_stack(error)
        else:
            job.parts[run.place] = part


def _finished(jobs: dict[int, _Job], steps: Steps, *, in_order: bool) -> Iterator[Result]:
    """Take the jobs whose results may be yielded."""
    for job in list(jobs.values()):
        if job.is_done:
            yield _result(jobs.pop(job.index), steps)
        elif in_order:
            return


def _read(texts: Iterable[str | tuple[Any, ...]], steps: Steps) -> Iterator[tuple[_Job, _Run | None]]:
    """Yield the runs of each text as they are made, and a None after the last of each."""
    for index, given in enumerate(texts):
        job = _Job(index, None, given)
        try:
            item = _item(given)
            job.id, job.text = item.id, item.text
            job.request = steps.check(item.text, item.voice, item.speed)
            for place, chunk in enumerate(steps.chunks(job.request)):
                job.chunks += 1
                yield job, _Run(job, place, chunk, len(chunk.text) / float(job.request.speed))
                if job.error is not None:
                    break
            if job.chunks == 0:
                job.error = silent(job.request.texts[0])
        except (StoppedError, EspeakError):
            raise
        except Exception as error:  # noqa: BLE001 (also that of the user's clean_text; it becomes the result)
            job.error = _without_stack(error)
        job.complete = True
        yield job, None


def _item(given: object) -> Item:
    if isinstance(given, str):
        return Item(None, given)
    if isinstance(given, tuple | list) and len(given) in _ITEM_LENGTHS:
        return Item(*given)
    raise TextTypeError(f"{reprlib.repr(given)} is neither a str nor (id, text), (id, text, voice, speed)")


def _result(job: _Job, steps: Steps) -> Result:
    if job.error is not None or job.request is None:
        return Result(job.index, job.id, job.text, None, job.error)
    parts = [job.parts[place] for place in range(job.chunks)]
    if not job.request.sources:
        audio = np.concatenate(list(with_pauses(parts, job.request.silence)))
        return Result(job.index, job.id, job.text, audio, None)
    speech = steps.speech(job.request, parts)
    return Result(job.index, job.id, job.text, speech.audio, None, speech)


def _without_stack(error: Exception) -> Exception:
    """Log the stack of an error and of its causes, and take it off, for it would hold the model as long as itself."""
    logger.debug("a text failed", exc_info=error)
    link: BaseException | None = error
    while link is not None:
        link.__traceback__ = None
        link = link.__cause__ or link.__context__
    return error


def _cost(run: _Run) -> float:
    return run.cost
