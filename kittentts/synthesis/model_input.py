"""Text of a chunk -> what the graph takes: token ids, style and speed; and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kittentts.models.voices_file import style_row
from kittentts.phonemes.vocabulary import is_speakable, split_symbols, to_symbols, to_token_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from numpy.typing import NDArray

    from kittentts.phonemes.vocabulary import TextCleaner
    from kittentts.synthesis.request import Request


@dataclass(frozen=True, eq=False)
class Chunk:
    """What one run of the graph speaks."""

    index: int
    """Place in the text, from 0. The pieces of a chunk that exceeded the model's positions share it."""
    text: str
    all_symbols: str
    """The phonemes of the text, one symbol a token."""
    first_symbol: int
    """Where the symbols of this piece begin."""
    symbols: str
    """Those of this piece."""
    is_last: bool
    """Whether no further piece shares the index."""
    token_ids: NDArray[np.int64]
    """Shape `(1, n)`, n <= 512."""
    style: NDArray[np.float32]
    """Shape `(1, 256)`."""
    speed: NDArray[np.float32]
    """Shape `(1,)`."""


class Part(NamedTuple):
    """What one run has made."""

    chunk: Chunk
    waveform: NDArray[np.float32]
    """Trimmed."""
    edges: NDArray[np.int64] | None
    """The samples at which the tokens begin, and the last one ends: shape `(n + 1,)`; None if that is not wanted, or
    the graph does not tell it."""


def make_chunks(
    request: Request,
    voice: NDArray[np.float32],
    spell: Callable[[str], str],
    cleaner: TextCleaner,
    which: Iterable[int] | None = None,
) -> Iterator[Chunk]:
    """Phonemize the texts of a request in order, as far as asked for. What has no sound, like "...", is left out.

    Args:
        request: what to speak.
        voice: the array of its voice.
        spell: text -> phonemes.
        cleaner: symbols -> token ids.
        which: the places of the texts to phonemize; None is all.
    """
    for index in range(len(request.texts)) if which is None else which:
        text = request.texts[index]
        symbols = to_symbols(spell(text))
        pieces = _speakable_pieces(symbols)
        for number, (first, piece) in enumerate(pieces, 1):
            # a piece counts as that part of the text which its share of the symbols is
            length = round(len(text) * len(piece) / len(symbols))
            yield Chunk(
                index=index,
                text=text,
                all_symbols=symbols,
                first_symbol=first,
                symbols=piece,
                is_last=number == len(pieces),
                token_ids=np.array([to_token_ids(piece, cleaner)], np.int64),
                style=style_row(voice, length),
                speed=np.array([request.speed], np.float32),
            )


def _speakable_pieces(symbols: str) -> list[tuple[int, str]]:
    """Return the pieces that fit into the model's positions and have a sound, each with the place where it begins."""
    found = []
    first = 0
    for piece in split_symbols(symbols):
        if is_speakable(piece):
            found.append((first, piece))
        first += len(piece)
    return found


def with_pauses(parts: Iterable[Part], pause: NDArray[np.float32]) -> Generator[NDArray[np.float32], None, None]:
    """Yield the waveforms, a pause before each new chunk, not between the pieces of one."""
    previous = None
    for part in parts:
        yield np.concatenate([pause if previous not in (None, part.chunk.index) else pause[:0], part.waveform])
        previous = part.chunk.index
