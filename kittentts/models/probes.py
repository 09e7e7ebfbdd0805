"""A few inputs of one chunk each, without espeak-ng: for comparing and measuring graphs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kittentts.models.voices_file import load_voices, style_row
from kittentts.phonemes.vocabulary import TextCleaner, to_token_ids

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

# phonemes and speed: of different lengths
_PROBES = (
    ("hˈaɪ.", 1.0),
    ("wˈʌn, tˈuː!", 1.3),
    ("ðə kwˈɪk bɹˈaʊn fˈɑːks dʒˈʌmps; hˌaʊ ɪz ðˈæt?", 2.0),
)


def probes(voices_path: str | os.PathLike[str], token_input: str) -> list[dict[str, NDArray[Any]]]:
    """Return inputs for a graph, with different lengths, voices and speeds.

    Args:
        voices_path: the voices file.
        token_input: the name of the input that takes the token ids.
    """
    voices = list(load_voices(voices_path).values())
    return [
        {
            token_input: np.array([to_token_ids(phonemes, TextCleaner())], np.int64),
            "style": style_row(voices[index * (len(voices) - 1) // (len(_PROBES) - 1)], len(phonemes)),
            "speed": np.array([speed], np.float32),
        }
        for index, (phonemes, speed) in enumerate(_PROBES)
    ]
