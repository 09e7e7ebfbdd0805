"""What a person at a terminal sees on stderr: progress bars, messages, log records."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

from kittentts.progress_bar import open_bar

if TYPE_CHECKING:
    import argparse

    from typing_extensions import Self

    from kittentts.synthesis.progress import Progress


class ProgressBar:
    """A function for `progress=` that shows a bar on stderr if that is a terminal and there are several chunks.

    Attributes:
        last: the last `Progress` that it was called with.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self.last: Progress | None = None
        self._is_shown = not options.quiet and sys.stderr.isatty()
        self._bar: Any = None

    def __call__(self, progress: Progress) -> None:
        """Show the progress."""
        self.last = progress
        if self._is_shown and progress.total_chunks != 1:
            if self._bar is None:
                self._bar = open_status_bar(progress.total_chunks, "chunks")
            self._bar.set_postfix_str(
                f"{progress.audio_seconds:.0f} s of audio, {progress.times_real_time:.1f} times real time",
                refresh=False,
            )
            self._bar.update(progress.chunks - self._bar.n)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()


def print_status(message: str) -> None:
    """Print a line to stderr, above the bar if there is one."""
    line = f"kittentts: {message}"
    if "tqdm" in sys.modules:
        from tqdm import tqdm

        tqdm.write(line, file=sys.stderr)
    else:
        print(line, file=sys.stderr)


class StderrHandler(logging.Handler):
    """Prints log records as lines of `print_status`."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record."""
        print_status(self.format(record))


def open_status_bar(total: int | None, unit: str) -> Any:
    """Return a tqdm bar on stderr that counts up to `total`, with the time it took and the time that is left."""
    layout = f"{{n_fmt}}/{{total_fmt}} {unit} |{{bar:30}}| {{elapsed}}<{{remaining}}{{postfix}}"
    return open_bar(total=total, bar_format=layout, dynamic_ncols=True)
