"""How far a call has come: what is counted, and how it is reported, to a function or on a bar."""

from __future__ import annotations

import time
from collections.abc import Sized
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from kittentts.defaults import SAMPLE_RATE
from kittentts.errors import SettingError
from kittentts.progress_bar import open_bar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kittentts.runtime.chunks import SynthesizedChunk
    from kittentts.synthesis.results import Result


@dataclass(frozen=True)
class _Spoken:
    characters: int
    """Characters of what is spoken."""
    audio_seconds: float
    """Length of what is spoken."""
    seconds: float
    """Since the call began."""

    @property
    def times_real_time(self) -> float:
        """Seconds of audio made in one second."""
        return self.audio_seconds / self.seconds if self.seconds else 0.0


@dataclass(frozen=True)
class Progress(_Spoken):
    """How far a call that speaks one text has come."""

    total_characters: int | None
    """None where the text is still being written."""
    chunks: int
    """Chunks that are spoken."""
    total_chunks: int | None
    """None where the text is still being written."""


@dataclass(frozen=True)
class ManyProgress(_Spoken):
    """How far a `generate_many` has come."""

    texts: int
    """Texts that are done, failed ones included."""
    failed: int
    total_texts: int | None
    """None where the iterable has no length."""


P = TypeVar("P", Progress, ManyProgress)


class _Reporter(Generic[P]):
    """Reports to a function, or on a bar on stderr, which is opened when there is something to report.

    Args:
        progress: True for a bar, or the function, which is called in the caller's thread; else nothing is reported.
        bar: options of the bar.

    Raises:
        SettingError: `progress` is something else.
    """

    def __init__(self, progress: bool | Callable[[P], object], **bar: Any) -> None:
        if progress not in (True, False, None) and not callable(progress):
            raise SettingError(f"progress={progress!r} is neither True nor False nor a function")
        self._progress: bool | Callable[[P], object] = progress
        self._bar_options = bar
        self._bar: Any = None
        self._began = time.perf_counter()

    def _report(self, progress: P, done: int) -> None:
        if callable(self._progress):
            self._progress(progress)
        elif self._progress:
            if self._bar is None:
                self._bar = open_bar(desc="speaking", **self._bar_options)
            self._bar.set_postfix_str(f"{progress.times_real_time:.1f} times real time", refresh=False)
            self._bar.update(done - self._bar.n)

    def _seconds(self) -> float:
        return time.perf_counter() - self._began

    def close(self) -> None:
        """Leave the bar as it is."""
        if self._bar is not None:
            self._bar.close()


class ChunkReporter(_Reporter[Progress]):
    """Counts the chunks of one text.

    Args:
        texts: of the chunks; None where they are not known yet.
        progress: as for `_Reporter`.
    """

    def __init__(self, texts: Sequence[str] | None, progress: bool | Callable[[Progress], object]) -> None:
        self._total_characters = None if texts is None else sum(map(len, texts))
        self._total_chunks = None if texts is None else len(texts)
        super().__init__(progress, total=self._total_characters, unit="char")
        self._characters = self._chunks = self._samples = 0
        self._records = 0
        # so that the first report says that the call began
        self._reported = -1

    def record(self, chunk: SynthesizedChunk) -> None:
        """Count a chunk, or a piece of one, that is spoken."""
        self._records += 1
        self._samples += len(chunk.waveform)
        if chunk.input.is_last:
            self._chunks += 1
            self._characters += len(chunk.input.text)

    def report(self) -> None:
        """Report what came since the last report, if anything came."""
        if self._records == self._reported or not self._progress:
            return
        self._reported = self._records
        self._report(
            Progress(
                characters=self._characters,
                audio_seconds=self._samples / SAMPLE_RATE,
                seconds=self._seconds(),
                total_characters=self._total_characters,
                chunks=self._chunks,
                total_chunks=self._total_chunks,
            ),
            self._characters,
        )


class TextReporter(_Reporter[ManyProgress]):
    """Counts the texts of a `generate_many`.

    Args:
        texts: the iterable; its length, if it has one, is the total.
        progress: as for `_Reporter`.
    """

    def __init__(self, texts: object, progress: bool | Callable[[ManyProgress], object]) -> None:
        self._total = len(texts) if isinstance(texts, Sized) else None
        super().__init__(progress, total=self._total, unit="text")
        self._texts = self._failed = self._characters = self._samples = 0

    def record(self, result: Result) -> None:
        """Count a text that is done, and report it."""
        self._texts += 1
        if result.audio is None:
            self._failed += 1
        else:
            self._characters += len(result.text)
            self._samples += len(result.audio)
        self._report(
            ManyProgress(
                characters=self._characters,
                audio_seconds=self._samples / SAMPLE_RATE,
                seconds=self._seconds(),
                texts=self._texts,
                failed=self._failed,
                total_texts=self._total,
            ),
            self._texts,
        )
