"""`align`: where each word is in what espeak-ng made of all of them together."""

import itertools
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from work import CountedText

from kittentts.alignment.word_times import align


def parts(isolated, symbols):
    return [symbols[part.start : part.stop] for part in align(isolated, symbols)]


@pytest.mark.parametrize(
    ("isolated", "symbols", "expected"),
    [
        (["ʌv", "ðə", "kˈæt ."], "ʌvðə kˈæt .", ["ʌv", "ðə", "kˈæt"]),
        (["tˈuː", "biː", "ɔːɹ", "nˌɑːt"], "təbi ɔːɹ nˌɑːt", ["tə", "bi", "ɔːɹ", "nˌɑːt"]),
        (["fˈoːɹɾi tˈuː", "kˈæts"], "fˈoːɹɾi tˈuː kˈæts .", ["fˈoːɹɾi tˈuː", "kˈæts"]),
        (["eɪ", "dˈɑːɡ ,", "eɪ", "kˈæt"], "ɐ dˈɑːɡ , ɐ kˈæt .", ["ɐ", "dˈɑːɡ", "ɐ", "kˈæt"]),
        (["kˈæt ."], "kˈæt .", ["kˈæt"]),
        (["ɪt", "ɪz"], "ɪts", ["ɪt", "s"]),
        ([], "", []),
        (["a", "b"], "", ["", ""]),
        # nothing in common: each has its share
        (["xx", "yy"], "abcdef", ["abc", "def"]),
        (["kxx", "yyt"], "kabcdeft", ["kabc", "deft"]),
        # where a space is near, it is the border
        (["ab", "cd"], "a bcd", ["a", "bcd"]),
    ],
)
def test_words_are_found_in_what_espeak_made_of_them_together(isolated, symbols, expected):
    assert parts(isolated, symbols) == expected


def test_words_that_are_repeated_are_all_found():
    # espeak-ng says "a" otherwise in a sentence than alone, but for the last; the longest stretch in common misleads
    spoken = ["sˈɛvən", "ɐ"] * 19 + ["sˈɛvən", "ˈeɪ"]
    assert parts(["sˈɛvən", "ˈeɪ"] * 20, " ".join(spoken)) == spoken


def test_thousands_of_symbols_are_cut_in_proportion():
    assert parts(["a" * 900, "b" * 900], "a" * 900 + "b" * 300) == ["a" * 900, "b" * 300]
    assert parts(["a" * 1500, "b" * 1500], "a" * 1500 + "b" * 600) == ["a" * 1050, "a" * 450 + "b" * 600]
    # at the nearest space
    words = [letter * 250 for letter in "abcdefghij"]
    assert parts(["x" * 250] * 10, " ".join(words)) == words
    assert parts(["x" * 1500, "y" * 1500], "a" * 999 + " " + "b" * 900 + " " + "c" * 400) == [
        "a" * 999,
        "b" * 900 + " " + "c" * 400,
    ]
    assert parts(["x" * 1500, "y" * 1500], "a" * 400 + " " + "b" * 900 + " " + "c" * 999) == [
        "a" * 400 + " " + "b" * 900,
        "c" * 999,
    ]


@pytest.mark.parametrize(("isolated", "symbols"), [("sˈɛvən", "sˈɛvən "), ("eɪ", "ɐ "), ("eɪ", "ɐ")])
def test_the_work_is_in_proportion_to_the_words(isolated, symbols):
    def read(count):
        text = CountedText(symbols * count)
        align([isolated] * count, text)
        return text.read

    assert read(8000) < 5 * read(2000)


SYMBOLS = st.text("aæɐkt ˈː,.", max_size=30)


@settings(deadline=None, max_examples=300, database=None)
@given(st.lists(SYMBOLS, max_size=8), SYMBOLS)
def test_whatever_the_symbols(isolated, symbols):
    found = align(isolated, symbols)
    assert len(found) == len(isolated)
    for before, after in itertools.pairwise([range(0), *(part for part in found if part)]):
        assert before.stop <= after.start
    for part in filter(None, found):
        assert 0 <= part.start < part.stop <= len(symbols)
        assert {unicodedata.category(symbols[i])[0] for i in (part.start, part.stop - 1)} <= {"L", "M"}


@settings(deadline=None, max_examples=100, database=None)
@given(st.lists(st.text("aæɐktˈ", min_size=1, max_size=5).map("k{}".format), min_size=1, max_size=8))
def test_words_that_are_spoken_as_alone_are_found_whole(words):
    assert parts(words, " ".join(words)) == words
