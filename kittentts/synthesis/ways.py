"""The ways to run the chunks of one request: in turn, ahead of the caller, or all at the same time by a plan."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Protocol

from kittentts.runtime.resources import runs_in_memory
from kittentts.synthesis.parallel import make_plan, map_ordered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from kittentts.runtime.call import Call
    from kittentts.runtime.chunks import ModelInput, SynthesizedChunk
    from kittentts.synthesis.request import Request

# so many waveforms for each worker may wait to be used, where the text may be a book
_WINDOW = 4
# so many chunks for each worker, and the last one takes little of the time
_MANY = 16


class Run(Protocol):
    """Runs a chunk, in any thread."""

    def __call__(self, chunk: ModelInput, *, one_core: bool, shrink: bool) -> SynthesizedChunk:
        """Run it on one core or on all, and give the memory of its session back or not."""


class Speaking:
    """A request that is being spoken; each way yields the parts in the order of the text.

    Args:
        request: what to speak.
        call: stops the runs, and notes what is done.
        chunks: makes the chunks of these texts, in the caller's thread; None is all.
        run: runs one.
        workers: how many run at a time.
    """

    def __init__(
        self,
        request: Request,
        call: Call,
        chunks: Callable[[Iterable[int] | None], Iterator[ModelInput]],
        run: Run,
        workers: int,
    ) -> None:
        self._call = call
        self._chunks = chunks
        self._run = run
        self._workers = workers
        self._sizes = [len(text) for text in request.texts]
        self._speed = float(request.speed)

    def in_turn(self) -> Iterator[SynthesizedChunk]:
        """Run one chunk after another, each when it is asked for."""
        for chunk in self._chunks(None):
            # from a thread of its own, so that this one can look, and be interrupted
            yield from self._mapped(self._speak, [chunk], 1)

    def ahead(self) -> Iterator[SynthesizedChunk]:
        """Run the first chunk on all cores, so that it comes soonest, and then the others at the same time.

        They run while the caller uses what came before, but in the order of the text and no more than a window ahead.
        """
        if len(self._sizes) == 1:
            yield from self.in_turn()
            return
        chunks = self._chunks(None)
        first = list(itertools.islice(chunks, 1))
        spoken = list(self._mapped(self._speak, first, 1))
        sizes = self._sizes[1:]
        plan = make_plan(sizes, self._workers, runs_in_memory(max(sizes) / self._speed))
        workers = max(1, plan.workers)
        one_core = plan.pooled > 0 and plan.one_core_each
        left = itertools.count(len(sizes) - 1, -1)
        # the first waits in the window, too, so that the next are begun before it is yielded
        yield from self._mapped(
            lambda chunk: (
                spoken.pop() if chunk in first else self._speak(chunk, one_core=one_core, workers=workers, left=left)
            ),
            itertools.chain(first, chunks),
            workers,
            size=lambda _: 0,
            window=_WINDOW * self._workers,
        )

    def by_plan(self, *, windowed: bool = False) -> Iterator[SynthesizedChunk]:
        """Run the chunks at the same time, as `make_plan` says.

        Args:
            windowed: let only so many waveforms exist that are not yet yielded; else any number.
        """
        if len(self._sizes) == 1:
            yield from self.in_turn()
            return
        plan = make_plan(self._sizes, self._workers, runs_in_memory(max(self._sizes) / self._speed))
        pooled = plan.pooled
        if pooled == len(self._sizes) >= _MANY * plan.workers:
            # The last one alone and on all cores, when the others are done: so the memory goes back that the session
            # with all cores has from an earlier call. Beside others it would crowd them, and need memory of its own.
            pooled -= 1
        for texts, workers, one_core in (
            (range(pooled), plan.workers, plan.one_core_each),
            (range(pooled, len(self._sizes)), 1, False),
        ):
            if texts:
                left = itertools.count(len(texts) - 1, -1)
                yield from self._mapped(
                    lambda chunk, one_core=one_core, workers=workers, left=left: self._speak(  # type: ignore[misc]
                        chunk, one_core=one_core, workers=workers, left=left
                    ),
                    self._chunks(texts),
                    workers,
                    window=_WINDOW * self._workers if windowed else None,
                )

    def _mapped(
        self,
        speak: Callable[[ModelInput], SynthesizedChunk],
        chunks: Iterable[ModelInput],
        workers: int,
        *,
        size: Callable[[ModelInput], float] | None = None,
        window: int | None = None,
    ) -> Iterator[SynthesizedChunk]:
        return map_ordered(
            speak, chunks, workers, size=size or _size, stop=self._call.stop, check=self._call.check, window=window
        )

    def _speak(
        self, chunk: ModelInput, *, one_core: bool = False, workers: int = 1, left: Iterator[int] | None = None
    ) -> SynthesizedChunk:
        """Run one chunk, beside others.

        The last `workers` to begin give the memory of their session back.

        Args:
            chunk: what to speak.
            one_core: run on one core; else on all.
            workers: how many run at a time.
            left: counts the runs that are still to begin after this one; None for a run that stands alone.
        """
        after = workers if left is None else next(left)
        part = self._run(chunk, one_core=one_core, shrink=after < workers)
        self._call.note(chunk.index, len(part.waveform))
        return part


def _size(chunk: ModelInput) -> float:
    return chunk.token_ids.size
