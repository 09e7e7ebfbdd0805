"""Text of a chunk -> what the graph takes: token ids, style and speed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kittentts.phonemes import is_speakable, phonemize_with_lexicon, split_symbols, to_symbols, to_token_ids
from kittentts.voices import style_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from kittentts.phonemes import Phonemizer, TextCleaner
    from kittentts.request import Request


@dataclass(frozen=True, eq=False)
class Chunk:
    """What one run of the graph speaks."""

    index: int
    """Place in the text, from 0. The pieces of a chunk that exceeded the model's positions share it."""
    text: str
    token_ids: NDArray[np.int64]
    """Shape `(1, n)`, n <= 512."""
    style: NDArray[np.float32]
    """Shape `(1, 256)`."""
    speed: NDArray[np.float32]
    """Shape `(1,)`."""


def make_chunks(
    request: Request,
    voice: NDArray[np.float32],
    phonemizer: Phonemizer,
    cleaner: TextCleaner,
    lexicon: Mapping[str, str],
    which: Iterable[int] | None = None,
) -> Iterator[Chunk]:
    """Phonemize the texts of a request in order, as far as asked for. What has no sound, like "...", is left out.

    Args:
        request: what to speak.
        voice: the array of its voice.
        phonemizer: for what is not in the lexicon.
        cleaner: symbols -> token ids.
        lexicon: word -> phonemes; from `check_lexicon`.
        which: the places of the texts to phonemize; None is all.
    """
    for index in range(len(request.texts)) if which is None else which:
        text = request.texts[index]
        if request.phonemes:
            phonemes = text
        elif lexicon:
            phonemes = phonemize_with_lexicon(text, phonemizer, lexicon, any_case=request.any_case)
        else:
            phonemes = "".join(phonemizer.phonemize([text]))
        symbols = to_symbols(phonemes)
        for piece in filter(is_speakable, split_symbols(symbols)):
            # a piece counts as that part of the text which its share of the symbols is
            length = round(len(text) * len(piece) / len(symbols))
            yield Chunk(
                index=index,
                text=text,
                token_ids=np.array([to_token_ids(piece, cleaner)], np.int64),
                style=style_row(voice, length),
                speed=np.array([request.speed], np.float32),
            )
