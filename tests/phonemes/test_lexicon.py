"""A user's lexicon."""

import pytest
import tiny_model

from kittentts import KittenTTS, KittenTTSError
from kittentts.phonemes.espeak import Phonemizer
from kittentts.phonemes.lexicon import check_lexicon, phonemize_with_lexicon

PHONEMIZER = Phonemizer()


def test_a_word_is_spoken_as_the_lexicon_says():
    found = phonemize_with_lexicon("The ONNX graph, please.", PHONEMIZER, {"ONNX": "ˈɑːnɪks"}, any_case=False)
    assert "ˈɑːnɪks" in found
    assert "ɡɹˈæf" in found
    assert found.rstrip().endswith(".")


@pytest.mark.parametrize(
    ("key", "text", "any_case", "hit"),
    [
        ("read", "Read it.", False, True),
        ("read", "ready", False, False),
        ("US", "Join us.", False, False),
        ("US", "the US army", False, True),
        ("US", "the us army", True, True),
    ],
)
def test_case(key, text, any_case, hit):
    assert ("ɡˈuːɡuː" in phonemize_with_lexicon(text, PHONEMIZER, {key: "ɡˈuːɡuː"}, any_case=any_case)) is hit


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("any_case", [True, False])
@pytest.mark.parametrize(("text", "said"), [("us", "lˈoʊ"), ("US", "kˈæp")])
def test_of_two_keys_that_fit_the_one_that_is_spelled_like_the_word_goes_first(order, any_case, text, said):
    lexicon = dict([("us", "lˈoʊ"), ("US", "kˈæp")][::order])
    assert phonemize_with_lexicon(text, PHONEMIZER, lexicon, any_case=any_case).split() == [said]


@pytest.mark.parametrize(
    ("key", "value", "text", "said"),
    [
        ("ONNX", "ˈɑːnɪks", "ONNX's", "ˈɑːnɪksᵻz"),
        ("cat", "kˈɑt", "the cat’s", "kˈɑts"),
        ("dog", "dˈɑɡ", "the Dog's", "dˈɑɡz"),
        ("Bush", "bˈʌʃ", "Bush's", "bˈʌʃᵻz"),
        ("garage", "ɡˈɑʒ", "the garage's", "ɡˈɑʒᵻz"),
        ("Ralph", "ɹˈɑf", "Ralph's", "ɹˈɑfs"),
        ("Beth", "bˈɑθ", "Beth's", "bˈɑθs"),
        ("don't", "dˈɑnt", "don’t", "dˈɑnt"),
        ("café", "kˈɑfeɪ", "cafe\u0301", "kˈɑfeɪ"),
    ],
)
def test_possessives_and_ways_of_writing(key, value, text, said):
    found = phonemize_with_lexicon(text, PHONEMIZER, check_lexicon({key: value}), any_case=False)
    assert found.split()[-1] == said


def test_an_entry_with_an_s_goes_before_the_one_without():
    lexicon = {"cat's": "kˈɑts", "cat": "kˈæp"}
    assert phonemize_with_lexicon("cat's", PHONEMIZER, lexicon, any_case=False).split() == ["kˈɑts"]


def test_a_hyphen_after_a_word_is_no_minus():
    found = phonemize_with_lexicon("GPT-4", PHONEMIZER, {"gpt": "ɡˈɑ"}, any_case=False)
    assert found.split() == ["ɡˈɑ", PHONEMIZER.phonemize(["4"])[0].strip()]


@pytest.mark.parametrize(
    "entry", [{"two words": "a"}, {"a-b": "a"}, {"": "a"}, {1: "a"}, {"a": ""}, {"a": "7"}, {"a": "."}, {"a": "aж"}]
)
def test_wrong_entries_are_refused(entry):
    with pytest.raises(KittenTTSError, match="lexicon"):
        check_lexicon(entry)


def test_a_model_speaks_as_its_lexicon_says(tmp_path):
    # one row a voice: the style does not depend on the length of the text
    directory = tiny_model.make_directory(tmp_path, shape=(1, 256))
    plain, other = KittenTTS(directory), KittenTTS(directory, lexicon={"ONNX": "ˈɑːnɪks"})
    said = plain.generate("ˈɑːnɪks.", phonemes=True).tobytes()
    assert other.generate("ONNX.").tobytes() == said
    assert other.generate("ONNX.", clean_text=True).tobytes() == said
    assert other.generate("Hello.").tobytes() == plain.generate("Hello.").tobytes()
