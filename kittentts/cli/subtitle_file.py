"""`--subtitles`: a filter that passes the audio on, keeps its times, and writes them to a file at the end."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    import os
    from collections.abc import Callable, Generator, Iterable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from kittentts.alignment.speech import Speech, SpokenChunk

    AudioOf = Callable[[Iterable[Speech]], Generator[NDArray[np.float32], None, None]]


@contextlib.contextmanager
def open_subtitle_file(path: str | os.PathLike[str], *, words: bool) -> Iterator[AudioOf]:
    """Yield a function that takes the chunks of a text and yields their waveforms; at the end the file is written.

    Args:
        path: of the file; its suffix names the format.
        words: time each word.

    Raises:
        SettingError: the suffix names no format; or, by the function, words are wanted and the model tells no times.
        OSError: the folder does not exist, is not writable, or is full.
    """
    from kittentts.alignment.subtitles import find_subtitle_format
    from kittentts.audio.files import atomic_write

    path = Path(path)
    to_text = find_subtitle_format(path)
    chunks: list[SpokenChunk] = []

    def audio_of(speeches: Iterable[Speech]) -> Generator[NDArray[np.float32], None, None]:
        for speech in speeches:
            # the first one shows what is wrong
            to_text(speech.chunks, words=words)
            chunks.extend(speech.chunks)
            yield speech.audio

    with atomic_write(path) as file:
        yield audio_of
        # what is no character at all, half of a surrogate pair, becomes a question mark
        file.write(to_text(chunks, words=words).encode("utf-8", "replace"))


def add_words_option(group: argparse._ArgumentGroup) -> None:
    """Add `--subtitles-words`."""
    group.add_argument(
        "--subtitles-words",
        action="store_true",
        help="a cue for each word; in .vtt the time of each word inside the cues",
    )
