"""Text of a chunk -> what the graph takes: token ids, style and speed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kittentts.models.voices_file import style_row
from kittentts.phonemes.espeak import is_speakable, split_symbols, to_symbols, to_token_ids
from kittentts.runtime.chunks import ModelInput

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from numpy.typing import NDArray

    from kittentts.phonemes.espeak import TextCleaner
    from kittentts.runtime.chunks import SynthesizedChunk
    from kittentts.synthesis.request import Request


def make_chunks(
    request: Request,
    voice: NDArray[np.float32],
    spell: Callable[[str], str],
    cleaner: TextCleaner,
    which: Iterable[int] | None = None,
) -> Iterator[ModelInput]:
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
            yield ModelInput(
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


def with_pauses(
    parts: Iterable[SynthesizedChunk], pause: NDArray[np.float32]
) -> Generator[NDArray[np.float32], None, None]:
    """Yield the waveforms, a pause before each new chunk, not between the pieces of one."""
    previous = None
    for part in parts:
        yield np.concatenate([pause if previous not in (None, part.input.index) else pause[:0], part.waveform])
        previous = part.input.index
