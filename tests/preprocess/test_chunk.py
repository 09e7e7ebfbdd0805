"""chunk_text and ensure_punctuation."""

import json
from pathlib import Path

import pytest

from kittentts.errors import SettingError, TextTypeError
from kittentts.preprocess import chunk_text, ensure_punctuation

COMPAT = json.loads((Path(__file__).parent.parent / "data" / "chunk.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", COMPAT, ids=lambda case: case["text"][:30])
def test_compat(case):
    assert chunk_text(case["text"]) == case["expected"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dr. Lee met Ms. May. They talked.", ["Dr. Lee met Ms. May.", "They talked."]),
        ("mr. smith paid. he left.", ["mr. smith paid.", "he left."]),
        ("See Fig. 2 and fig. three. Done.", ["See Fig. 2 and fig. three.", "Done."]),
        ("The Hon. Lee, our Rep. Then a rep. They left.", ["The Hon. Lee, our Rep. Then a rep.", "They left."]),
        ("In St. Louis. Really.", ["In St. Louis.", "Really."]),
        ("Use e.g. Python. Or not.", ["Use e.g. Python.", "Or not."]),
        ("Cats vs. Dogs. Cats won.", ["Cats vs. Dogs.", "Cats won."]),
        ("It costs $3.50. Pay now.", ["It costs $3.50.", "Pay now."]),
        ("She said no. He left.", ["She said no.", "He left."]),
        ("Bus No. 5 came. It was late.", ["Bus No. 5 came.", "It was late."]),
        ("bus no. five came. it left.", ["bus no. five came.", "it left."]),
        ("She said no. One left.", ["She said no.", "One left."]),
        ("gen. lee met sen. smith.", ["gen. lee met sen. smith."]),
        ("at nine a m. on Monday", ["at nine a m. on Monday,"]),
        ("Wait a sec. She left.", ["Wait a sec.", "She left."]),
        ("Apples, etc. They rot.", ["Apples, etc.", "They rot."]),
        ("Apples, etc. and pears.", ["Apples, etc. and pears."]),
        ("Apples, etc. 5 pears.", ["Apples, etc. 5 pears."]),
        ("The U.S. “economy” grew.", ["The U.S. “economy” grew."]),
        ("Ask Foo Inc. 日本。", ["Ask Foo Inc. 日本。,"]),
        ("The U.S. economy grew. It did.", ["The U.S. economy grew.", "It did."]),
        ("He met Al. They talked.", ["He met Al.", "They talked."]),
        ("A supermr. Smith.", ["A supermr.", "Smith."]),
        ("xxxxxxxxxxmr. Smith.", ["xxxxxxxxxxmr.", "Smith."]),
        ("(Mr. X came.) Then", ["(Mr. X came.) Then,"]),
        ("It ended in Dec.", ["It ended in Dec."]),
        ("Really?! Yes!", ["Really?!", "Yes!"]),
        ("... .. .", ["...", "..", "."]),
        ("a.b.c", ["a.b.c,"]),
        ("Fin…", ["Fin…,"]),
        ("One.\u00a0Two.\u2003Three.", ["One.", "Two.", "Three."]),
        ("", []),
        ("\n\t ", []),
    ],
)
def test_sentences(text, expected):
    assert chunk_text(text) == expected


def test_a_sentence_of_exactly_max_len_stays_whole():
    assert chunk_text("a b c d", max_len=7) == ["a b c d,"]
    assert chunk_text("a b c d", max_len=6) == ["a b c,", "d,"]
    assert chunk_text("a b c d e f g", max_len=3) == ["a b,", "c d,", "e f,", "g,"]
    assert chunk_text("ab c de f g", max_len=4) == ["ab c,", "de f,", "g,"]


def test_a_word_longer_than_max_len_stays_whole():
    assert chunk_text("abc de", max_len=2) == ["abc,", "de,"]
    assert chunk_text("a bcd", max_len=1) == ["a,", "bcd,"]


@pytest.mark.parametrize("max_len", [0, -1, 1.5, "400", None, True])
def test_max_len_must_be_a_positive_int(max_len):
    with pytest.raises(SettingError, match=r"at least 1, not"):
        chunk_text("Hello", max_len)


@pytest.mark.parametrize("text", [None, b"Hello.", 5, ["Hello."]])
def test_text_must_be_a_str(text):
    with pytest.raises(TextTypeError, match=r"must be a str"):
        chunk_text(text)
    with pytest.raises(TextTypeError, match=r"must be a str"):
        ensure_punctuation(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Hi", "Hi,"), (" Hi! ", "Hi!"), ("", ""), ("  ", ""), ("a;", "a;"), ("a)", "a),"), ("a:", "a:"), ("a…", "a…,")],
)
def test_ensure_punctuation(text, expected):
    assert ensure_punctuation(text) == expected
