"""Texts of chunks -> what the graph takes: token ids, style and speed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from kittentts.errors import SettingError
from kittentts.models.voices_file import style_row
from kittentts.phonemes.vocabulary import is_speakable, split_symbols, to_symbols, to_token_ids
from kittentts.runtime.chunks import ModelInput
from kittentts.synthesis.request import excerpt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kittentts.phonemes.vocabulary import TextCleaner
    from kittentts.synthesis.request import Request, Stretch

# What the longest chunk takes at a fifth of the voice's own pace: some 5 GB of memory with 82M parameters.
_MOST_TOKENS_AT_SPEED_1 = 2_560


def make_model_inputs(request: Request, phonemize: Callable[[str], str], cleaner: TextCleaner) -> Iterator[ModelInput]:
    """Phonemize the texts of a request in order, as far as asked for. What has no sound, like "...", is left out.

    Args:
        request: what to speak.
        phonemize: text -> phonemes.
        cleaner: symbols -> token ids.

    Raises:
        SettingError: at this speed a chunk would take too much memory.
    """
    stretch = request.stretch
    for index, text in enumerate(request.texts, stretch.first_index):
        symbols = to_symbols(phonemize(text))
        pieces = _speakable_pieces(symbols)
        for number, (first, piece) in enumerate(pieces, 1):
            # a piece counts as that part of the text which its share of the symbols is
            length = round(len(text) * len(piece) / len(symbols))
            token_ids = to_token_ids(piece, cleaner)
            if len(token_ids) / float(request.speed) > _MOST_TOKENS_AT_SPEED_1:
                least = math.ceil(1e4 * len(token_ids) / _MOST_TOKENS_AT_SPEED_1) / 1e4
                raise SettingError(
                    f"{excerpt(text)} is too long for this speed: its {len(token_ids)} tokens need a speed of at "
                    f"least {least:g} (with the voice's speed prior it is {float(request.speed):.2g}), so that its "
                    "audio fits into memory"
                )
            yield ModelInput(
                index=index,
                text=text,
                all_symbols=symbols,
                first_symbol=first,
                symbols=piece,
                is_last=number == len(pieces),
                continues=stretch.continues and index == stretch.first_index and number == 1,
                joint=_silence_after(stretch, float(request.speed))
                if index == request.last_index and number == len(pieces)
                else None,
                lead=stretch.lead if index == stretch.first_index and number == 1 else 0.0,
                token_ids=np.array([token_ids], np.int64),
                style=style_row(request.voice, length),
                speed=np.array([request.speed], np.float32),
            )


def _silence_after(stretch: Stretch, speed: float) -> float | None:
    """Return the seconds of silence after a stretch; None where its end is cut as that of any sentence."""
    if stretch.pause is not None:
        return stretch.pause
    return None if stretch.joint is None else stretch.joint / speed


def run_seed(seed: int, model_input: ModelInput) -> int:
    """Return a seed of the run's own, 32 bits, so that not all runs of a call have the same noise."""
    place = model_input.index, model_input.first_symbol
    return int(np.random.SeedSequence([seed, *place]).generate_state(1)[0])


def _speakable_pieces(symbols: str) -> list[tuple[int, str]]:
    """Return the pieces that fit into the model's positions and have a sound, each with the place where it begins."""
    found = []
    first = 0
    for piece in split_symbols(symbols):
        if is_speakable(piece):
            found.append((first, piece))
        first += len(piece)
    return found
