"""The ranges of what a user passes, at their edges."""

import math

import pytest

from kittentts.errors import SettingError
from kittentts.synthesis.request import check_options
from kittentts.synthesis.speech_options import SpeechOptions


@pytest.mark.parametrize(
    "good",
    [
        {"speed": 1e-30},
        {"speed": 1e30},
        {"sentence_silence": 0},
        {"sentence_silence": 60},
        {"trim": "exact"},
        {"seed": 0},
        {"seed": 2**80},
        {"clean_text": str.lower},
    ],
)
def test_good(good):
    check_options(SpeechOptions(**good))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"speed": 9.9e-31}, "speed=9.9e-31"),
        ({"speed": 1.1e30}, "speed=1.1e"),
        ({"sentence_silence": math.nextafter(60, 61)}, "from 0 to 60"),
        ({"sentence_silence": math.nan}, "sentence_silence=nan"),
        ({"trim": "no"}, "trim='no' is unknown; use one of 'fixed', 'exact'"),
        ({"seed": -1}, "seed=-1"),
        ({"seed": True}, "seed=True"),
        ({"seed": 1.0}, "seed=1.0"),
        ({"clean_text": None}, "clean_text=None"),
    ],
)
def test_bad(bad, message):
    with pytest.raises(SettingError, match=message):
        check_options(SpeechOptions(**bad))


@pytest.mark.parametrize("phonemes", [False, True])
def test_a_chunk_without_a_sound_counts_for_nothing(tiny, phonemes):
    seen = []
    tiny.generate("One. ... Two. ?!", phonemes=phonemes, progress=seen.append)
    assert (seen[-1].chunks, seen[-1].total_chunks) == (2, 2)
    assert seen[-1].total_characters == len("One.Two.")
