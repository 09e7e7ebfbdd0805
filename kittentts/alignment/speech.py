"""What `synthesize` returns: a waveform, and what sounds in it when."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kittentts.alignment import subtitles
from kittentts.defaults import SAMPLE_RATE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Phoneme:
    """One symbol of the phonemes; stress, length and punctuation marks are symbols of their own."""

    symbol: str
    start: float
    """In seconds, like all times here."""
    end: float


@dataclass(frozen=True)
class Word:
    """A word, or several that are spoken as one, like "3:05 p.m."."""

    text: str
    """As it was written, without the punctuation around it."""
    start: float
    end: float
    span: tuple[int, int]
    """Where it is in the text that was given: `text[span[0]:span[1]]`."""


@dataclass(frozen=True)
class Mark:
    """A place in a document with markup that has a name."""

    name: str
    time: float


@dataclass(frozen=True)
class SpokenChunk:
    """What was spoken in one go: a sentence, or a part of a long one."""

    text: str
    """As it was written; of a document with markup without the marks."""
    start: float
    """Of its waveform, without the silence before it, and after it."""
    end: float
    span: tuple[int, int]
    """Where it is in the text that was given."""
    words: tuple[Word, ...] | None
    """In order, not overlapping; None where the model does not tell how long its tokens sound."""
    phonemes: tuple[Phoneme, ...] | None
    marks: tuple[Mark, ...] = ()
    """With markup: those in it, and those between it and the chunk before; of the last one, also those after it."""


@dataclass(frozen=True, eq=False)
class Speech:
    """A waveform and its chunks. All times are seconds from the beginning of the waveform (or of the stream)."""

    audio: NDArray[np.float32]
    """What `generate` returns: shape `(samples,)`, about within [-1, 1]."""
    chunks: tuple[SpokenChunk, ...]
    sample_rate: int = SAMPLE_RATE
    """In Hz."""

    @property
    def marks(self) -> tuple[Mark, ...]:
        """Those of all chunks, in order."""
        return tuple(mark for chunk in self.chunks for mark in chunk.marks)

    def to_srt(self, *, words: bool = False) -> str:
        """Return subtitles in the SubRip format; see `subtitles.to_srt`."""
        return subtitles.to_srt(self.chunks, words=words)

    def to_vtt(self, *, words: bool = False) -> str:
        """Return subtitles in the WebVTT format; see `subtitles.to_vtt`."""
        return subtitles.to_vtt(self.chunks, words=words)

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the audio, as JSON knows it."""
        return {
            "sample_rate": self.sample_rate,
            "seconds": len(self.audio) / self.sample_rate,
            "chunks": [dataclasses.asdict(chunk) for chunk in self.chunks],
        }


def joined(speeches: Iterable[Speech]) -> Speech:
    """Return the parts of a stream as a whole."""
    parts = list(speeches)
    chunks = tuple(chunk for part in parts for chunk in part.chunks)
    return Speech(np.concatenate([part.audio for part in parts]), chunks)
