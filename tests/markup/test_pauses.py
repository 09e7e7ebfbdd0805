"""`[pause 0.5s]` in a text."""

import numpy as np
import pytest
from marked_up import ids_of, one_by_one

from kittentts.errors import SilentTextError, TextError


@pytest.fixture(scope="module")
def model(tiny_directory):
    return one_by_one(tiny_directory)


@pytest.mark.parametrize(
    ("mark", "seconds"),
    [
        ("[pause 0.5s]", 0.5),
        ("[pause 300ms]", 0.3),
        ("[PAUSE:2S]", 2.0),
        ("[pause: .25 s]", None),
        ("[pause  1.5s]", 1.5),
    ],
)
def test_the_silence_is_that_long(model, mark, seconds):
    text = f"One two {mark} three. {mark}Four.{mark}"
    if seconds is None:
        with pytest.raises(TextError, match=r"line 1: after '\[pause' a time is needed"):
            model.generate(text, markup="pauses")
        return
    speech = model.synthesize(text, markup="pauses", sentence_silence=5.0)
    first, second, third = speech.chunks
    assert second.start - first.end == pytest.approx(seconds, abs=1e-6)
    assert third.start - second.end == pytest.approx(seconds, abs=1e-6)
    assert len(speech.audio) / 24000 - third.end == pytest.approx(seconds, abs=1e-6)
    assert not speech.audio[round(first.end * 24000) : round(second.start * 24000)].any()
    assert ids_of(model, text, markup="pauses") == [
        ids for part in ("One two", "three.", "Four.") for ids in ids_of(model, part)
    ]
    assert [chunk.text for chunk in speech.chunks] == ["One two", "three.", "Four."]
    assert [text[slice(*word.span)] for chunk in speech.chunks for word in chunk.words] == [
        word.text for chunk in speech.chunks for word in chunk.words
    ]


def test_phonemes_may_have_pauses(model):
    found = ids_of(model, "həlˈoʊ [pause 1s] wˈɜːld", markup="pauses", phonemes=True)
    assert found == [*ids_of(model, "həlˈoʊ", phonemes=True), *ids_of(model, "wˈɜːld", phonemes=True)]


def test_other_brackets_and_no_markup_are_text(model):
    text = "See [note 1] and [paused]."
    assert ids_of(model, text, markup="pauses") == ids_of(model, text)
    assert len(model.synthesize("One [pause 1s] two.").chunks) == 1


def test_a_part_that_the_cleaning_removes_is_silence(model):
    text = "One.[pause 1s]https://example.com/x[pause 0.5s]Two."
    speech = model.synthesize(text, markup="pauses", clean_text=True)
    first, second = speech.chunks
    assert second.start - first.end == pytest.approx(1.5, abs=1e-6)
    stream = list(model.generate_stream(text, markup="pauses", clean_text=True, low_latency=True))
    assert len(np.concatenate(stream)) == len(speech.audio)
    with pytest.raises(SilentTextError):
        model.generate("https://example.com/x[pause 0.5s]", markup="pauses", clean_text=True)


@pytest.mark.parametrize(
    ("text", "markup"),
    [
        ("Hello there. ... [pause 2s]", "pauses"),
        ("Hello there. ! [pause 2s]Good day.", "pauses"),
        ('<speak>Hello there. <mark name="a"/> ) <break time="1s"/> </speak>', "ssml"),
        ('<speak>Hello there. ! <mark name="a"/><break time="2s"/>Good day.</speak>', "ssml"),
    ],
)
def test_what_has_no_sound_before_a_pause_takes_nothing_away_in_pieces(model, text, markup):
    whole = model.synthesize(text, markup=markup)
    stream = list(model.synthesize_stream(text, markup=markup, low_latency=True))
    assert np.array_equal(np.concatenate([speech.audio for speech in stream]), whole.audio)
    assert tuple(mark for speech in stream for mark in speech.marks) == whole.marks


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("One\n\n[pause]two", r"line 3: after '\[pause' a time is needed, as in \[pause 0.5s\] or \[pause 300ms\]"),
        ("[pause soon] two", "line 1: after"),
        ("One [pause 61s] two", "line 1: 61 s of silence at one place are more than 60"),
        ("[pause 1s] ... [pause 1s]", "nothing in this text with markup='pauses' has a word"),
    ],
)
def test_what_is_wrong_is_named(model, text, message):
    with pytest.raises(TextError, match=message):
        model.generate(text, markup="pauses")
