"""One call of a user: what stops its runs, and what it reports of its progress."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kittentts.defaults import SAMPLE_RATE
from kittentts.errors import SettingError, StoppedError
from kittentts.progress_bar import open_bar
from kittentts.runtime import onnx_graph

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True)
class Progress:
    """How far a call has come."""

    chunks: int
    """Chunks that are spoken."""
    total_chunks: int
    characters: int
    """Characters of the chunks that are spoken."""
    total_characters: int
    audio_seconds: float
    """Length of what is spoken."""
    seconds: float
    """Since the call began."""

    @property
    def times_real_time(self) -> float:
        """Seconds of audio made in one second."""
        return self.audio_seconds / self.seconds if self.seconds else 0.0


def check_progress(progress: object) -> None:
    """Raise `SettingError` unless it is a way to report progress."""
    if progress not in (True, False, None) and not callable(progress):
        raise SettingError(f"progress={progress!r} is neither True nor False nor a function")


class Call:
    """The runs of one call, which stop together.

    Args:
        texts: the chunks' texts.
        cancel: a `threading.Event`, or anything with its `is_set`; when it is set, the call raises `StoppedError`.
        progress: True for a bar on stderr, or a function that is called with a `Progress` in the caller's thread.
        wake: called when the call stops, for runs that have not yet begun.

    Raises:
        SettingError: `cancel` or `progress` is something else.
    """

    def __init__(
        self,
        texts: Sequence[str],
        cancel: threading.Event | None,
        progress: bool | Callable[[Progress], object],
        wake: Callable[[], None],
    ) -> None:
        if cancel is not None and not callable(getattr(cancel, "is_set", None)):
            raise SettingError(f"cancel={cancel!r} has no is_set(); a threading.Event is needed")
        check_progress(progress)
        self._texts = texts
        self._cancel = cancel
        self._wake = wake
        self._options = onnx_graph.run_options()
        self._shrinking = onnx_graph.run_options(shrink=True)
        self.is_daemon = threading.current_thread().daemon
        self._bar = open_bar(total=sum(map(len, texts)), unit="char", desc="speaking") if progress is True else None
        self._report = progress if callable(progress) else self._show
        self._began = time.perf_counter()
        self._spoken: dict[int, float] = {}
        # so that the first report says that the call began
        self._reported = -1

    def options(self, *, shrink: bool = False) -> Any:
        """Return the options for a run."""
        return self._shrinking if shrink else self._options

    def stop(self) -> None:
        """End the runs that run, and those that come as soon as they begin."""
        self._options.terminate = self._shrinking.terminate = True
        self._wake()

    def is_stopped(self) -> bool:
        """Whether `stop` was called."""
        return bool(self._options.terminate)

    def note(self, index: int, samples: int) -> None:
        """Count a chunk's waveform. Thread-safe."""
        self._spoken[index] = self._spoken.get(index, 0.0) + samples / SAMPLE_RATE

    def check(self) -> None:
        """Report progress, if there is any, and raise `StoppedError` when the call is to end."""
        if self._cancel is not None and self._cancel.is_set():
            raise StoppedError("the call was cancelled")
        if self.is_stopped():
            raise StoppedError("the model was closed, or the program ended, while it spoke")
        if len(self._spoken) != self._reported:
            spoken = dict(self._spoken)
            self._reported = len(spoken)
            self._report(
                Progress(
                    chunks=len(spoken),
                    total_chunks=len(self._texts),
                    characters=sum(len(self._texts[index]) for index in spoken),
                    total_characters=sum(map(len, self._texts)),
                    audio_seconds=sum(spoken.values()),
                    seconds=time.perf_counter() - self._began,
                )
            )

    def close(self) -> None:
        """Leave the progress bar as it is."""
        if self._bar is not None:
            self._bar.close()

    def _show(self, progress: Progress) -> None:
        if self._bar is not None:
            self._bar.set_postfix_str(f"{progress.times_real_time:.1f} times real time", refresh=False)
            self._bar.update(progress.characters - self._bar.n)
