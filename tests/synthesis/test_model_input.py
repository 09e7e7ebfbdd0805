"""Texts of chunks -> inputs of the graph: pieces, style rows, speeds, and what is too long."""

import numpy as np
import pytest
import tiny_model
from recording import Recording

from kittentts import KittenTTS
from kittentts.errors import SettingError, SynthesisError, TextError
from kittentts.phonemes.espeak import Phonemizer

VOICE = "expr-voice-5-m"


@pytest.fixture
def model(tiny_directory):
    model = KittenTTS(tiny_directory, max_workers=2)
    model.model.session = Recording(model.model.session)
    return model


def rows(model):
    """The rows of the voice's array that the runs took."""
    array = tiny_model.make_voices()[VOICE]
    return [int(np.argmin(np.abs(array - inputs["style"]).sum(axis=1))) for inputs in model.model.session.inputs]


def test_a_chunk_takes_the_row_of_its_length(model):
    for text in ("Hello there.", "a" * 150 + "."):
        model.generate(text)
    assert rows(model) == [12, 151]


def test_each_piece_of_a_dense_chunk_takes_the_row_of_its_share(model):
    text = "$ " * 150
    model.generate(text)
    found = rows(model)
    assert len(found) > 2
    # the chunk gets a comma, and has no white space at its end
    assert abs(sum(found) - len(text)) <= len(found)
    assert max(found) < len(text) / 2


def test_no_pause_between_the_pieces_of_a_chunk(tiny):
    dense = "$ " * 150
    plain, paused = (tiny.generate(f"Hi. {dense}. Ho.", sentence_silence=silence) for silence in (0, 0.1))
    assert len(paused) - len(plain) == 2 * 2400


def test_a_piece_without_a_sound_is_left_out_and_moves_nothing(tiny_directory, monkeypatch):
    monkeypatch.setattr("kittentts.synthesis.model_input.split_symbols", lambda _: ["hə", ", — ", "loʊ"])
    model = KittenTTS(tiny_directory)
    monkeypatch.setattr(model.model.phonemizer, "phonemize", lambda _: ["hə, — loʊ"])
    inputs = list(model.model._make_inputs(model.model._request("Hello", _options())))
    assert [(one.first_symbol, one.symbols, one.is_last) for one in inputs] == [(0, "hə", False), (6, "loʊ", True)]


def _options():
    from kittentts.synthesis.speech_options import SpeechOptions

    return SpeechOptions(VOICE)


def test_the_speed_bounds_the_length_of_a_run(model):
    """A run takes memory in proportion to its tokens, divided by its speed."""
    with pytest.raises(SettingError, match=r"'Hello\.' is too long for this speed: its 11 tokens need .* 0\.0043"):
        model.generate("Hello.", speed=0.0001)
    assert model.model.session.inputs == []
    assert len(model.generate("Hello.", speed=0.0044)) > 0
    # 2,560 tokens at the voice's own pace are the most: here 10 at a 256th
    assert len(model.generate("wˈʌnt", phonemes=True, speed=1 / 256)) > 0
    assert model.model.session.inputs[-1]["input_ids"].size == 10
    # with the prior of Jasper, 0.5, it is half as fast
    with pytest.raises(SettingError, match="is too long for this speed"):
        model.generate("Hello.", "Jasper", 0.0044)
    # the longest chunk at a fifth of the pace
    assert len(model.generate("7" * 100, speed=0.2)) > 0
    results = list(model.generate_many([("slow", "Hello.", None, 0.0001), "Hello."]))
    assert isinstance(results[0].error, SettingError)
    assert results[1].error is None


def test_inputs_of_one_run_only(tiny):
    with pytest.raises(TextError, match="too many tokens for one run"):
        tiny.model._prepare_inputs("7" * 390, VOICE)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_waveform_that_is_not_finite_is_an_error_of_its_chunk(tiny_directory, bad):
    model = KittenTTS(tiny_directory)
    session = model.model.session

    class Broken:
        def run(self, names, inputs, *options):
            waveform, *rest = session.run(names, inputs, *options)
            if inputs["input_ids"].size > 20:
                waveform[7] = bad
            return [waveform, *rest]

    model.model.session = Broken()
    assert len(model.generate("One. Two.")) > 0
    with pytest.raises(SynthesisError, match="chunk 2 of 2, 'This one is a longer"):
        model.generate("One. This one is a longer sentence.")


def test_a_lexicon_heeds_capitals_unless_the_cleaning_takes_them(tiny_directory):
    model = KittenTTS(tiny_directory, lexicon={"US": "jˌuːˈɛs"})
    said = {
        "as it is": model.generate("The US is us."),
        "cleaned": model.generate("The US is us.", clean_text=True),
        "own": model.generate("The US is us.", clean_text=str),
    }
    both = KittenTTS(tiny_directory, lexicon={"us": "jˌuːˈɛs"}).generate("the us is us.")
    assert said["cleaned"].tobytes() == both.tobytes()
    assert said["own"].tobytes() == said["as it is"].tobytes() != said["cleaned"].tobytes()


def test_phonemes_are_not_cleaned(tiny):
    # capitals, which cleaning makes small, are other phonemes
    phonemes = Phonemizer().phonemize(["Hello there, friend."])[0] + " O, ɹˈIt!"
    plain = tiny.generate(phonemes, phonemes=True)
    assert plain.tobytes() != tiny.generate(phonemes.lower(), phonemes=True).tobytes()
    for clean_text in (True, lambda _: "something else"):
        assert tiny.generate(phonemes, phonemes=True, clean_text=clean_text).tobytes() == plain.tobytes()
