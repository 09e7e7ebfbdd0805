"""The name of a voice -> the raw voice."""

import numpy as np
import pytest

from kittentts.errors import VoiceError
from kittentts.models.voices_file import find_voice

RAW = ["expr-voice-2-f", "expr-voice-2-m", "expr-voice-5-m"]
ALIASES = {"Bella": "expr-voice-2-f", "Jasper": "expr-voice-2-m", "Leo": "expr-voice-5-m"}


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("Bella", "expr-voice-2-f"),
        ("bella", "expr-voice-2-f"),
        ("JASPER", "expr-voice-2-m"),
        ("expr-voice-5-m", "expr-voice-5-m"),
        ("Expr-Voice-5-M", "expr-voice-5-m"),
    ],
)
def test_a_name_matches_in_any_case(name, raw):
    assert find_voice(name, ALIASES, RAW) == raw


def test_an_exact_name_wins_over_one_in_other_capitals():
    # an alias that differs from a raw voice in capitals only, and two aliases that do
    raw = ["anna", "ben", "cleo"]
    aliases = {"Anna": "ben", "Max": "ben", "max": "cleo"}
    assert [find_voice(name, aliases, raw) for name in ("anna", "Anna", "Max", "max")] == ["anna", "ben", "ben", "cleo"]
    with pytest.raises(VoiceError, match="voice='MAX' may be 'Max' or 'max'; write one"):
        find_voice("MAX", aliases, raw)


def test_two_names_of_one_voice_are_no_choice():
    assert find_voice("LEO", {"Leo": "leo"}, ["leo"]) == "leo"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Lio", r"voice='Lio' is unknown \(did you mean 'Leo'\?\); this model has Bella, Jasper, Leo$"),
        ("bela", r"did you mean 'Bella'\?"),
        ("expr-voice-5-x", r"did you mean 'expr-voice-5-m'\?\); this model has Bella, Jasper, Leo$"),
        ("Nobody", r"voice='Nobody' is unknown; this model has Bella, Jasper, Leo$"),
        ("", "voice='' is unknown; this"),
        (None, "voice=None is unknown; this"),
        (["Leo"], r"voice=\['Leo'\] is unknown; this"),
    ],
)
def test_an_unknown_name(name, message):
    with pytest.raises(VoiceError, match=message):
        find_voice(name, ALIASES, RAW)


def test_raw_voices_are_listed_where_there_are_no_others():
    with pytest.raises(VoiceError, match=r"this model has expr-voice-2-f, expr-voice-2-m, expr-voice-5-m$"):
        find_voice("Nobody", {}, RAW)


def test_all_methods_take_it(tiny, tmp_path):
    expected = tiny.generate("Hello.", "Bella")
    assert np.array_equal(tiny.generate("Hello.", "bella"), expected)
    assert np.array_equal(tiny.model.generate_single_chunk("Hello.", "BELLA"), expected)
    (result,) = tiny.generate_many([("x", "Hello.", "bELLA")])
    assert np.array_equal(result.audio, expected)
    # with its own speed, which is half of the others'
    assert np.array_equal(tiny.generate("Hello.", "jasper"), tiny.generate("Hello.", "Jasper"))
    with pytest.raises(VoiceError, match="did you mean 'Jasper'"):
        tiny.generate_to_file("Hello.", tmp_path / "x.wav", "jaspr")


def test_the_command_takes_it(kitten, tiny, tiny_directory, tmp_path):
    assert (
        kitten("say", "Hello.", "-m", tiny_directory, "-v", "bella", "--format", "raw", "-o", "x.raw").returncode == 0
    )
    assert (tmp_path / "x.raw").stat().st_size == 2 * len(tiny.generate("Hello.", "Bella"))
    result = kitten("say", "Hello.", "-m", tiny_directory, "-v", "bela", "-o", "y.wav")
    assert result.returncode == 1
    assert "did you mean 'Bella'?" in result.stderr
