"""number_to_words, float_to_words and roman_to_int."""

import pytest

from kittentts.errors import TextError, TextTypeError
from kittentts.preprocess import float_to_words, number_to_words, roman_to_int


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, "zero"),
        (True, "one"),
        (-5, "negative five"),
        (13, "thirteen"),
        (40, "forty"),
        (99, "ninety-nine"),
        (100, "one hundred"),
        (101, "one hundred one"),
        (1000, "one thousand"),
        (1001, "one thousand one"),
        (1100, "eleven hundred"),
        (1200, "twelve hundred"),
        (1900, "nineteen hundred"),
        (2000, "two thousand"),
        (2100, "two thousand one hundred"),
        (1_200_000, "one million two hundred thousand"),
        (1_000_001, "one million one"),
        (10**9, "one billion"),
        (10**63, "one vigintillion"),
        (10**66 - 1, None),
        (10**66, "one" + " zero" * 66),
        (-(10**70), "negative one" + " zero" * 70),
        (3.0, "three"),
        ("1,234", "one thousand two hundred thirty-four"),
        ("-7", "negative seven"),
    ],
)
def test_number_to_words(number, expected):
    spoken = number_to_words(number)
    assert spoken == expected if expected else spoken.startswith("nine hundred ninety-nine vigintillion")


def test_more_digits_than_python_converts():
    assert number_to_words(10**5000) == "one" + " zero" * 5000
    assert float_to_words(-(10**5000)) == "negative one" + " zero" * 5000
    assert number_to_words(-(10**20_000) - 7) == "negative one" + " zero" * 19_999 + " seven"


@pytest.mark.parametrize("number", [1.5, float("nan"), float("inf"), "abc", "", None, "1.5"])
def test_number_to_words_refuses_what_is_not_whole(number):
    with pytest.raises(TextError, match=r"float_to_words"):
        number_to_words(number)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (3.14, "three point one four"),
        ("1.50", "one point five zero"),
        (-0.5, "negative zero point five"),
        (".25", "zero point two five"),
        ("1,234.5", "one thousand two hundred thirty-four point five"),
        (5, "five"),
        (-5, "negative five"),
        (1e-7, "one times ten to the negative seven"),
        ("2e0", "two times ten to the zero"),
    ],
)
def test_float_to_words(number, expected):
    assert float_to_words(number) == expected


def test_float_to_words_has_another_word_for_the_point():
    assert float_to_words("1.5", decimal_sep="dot") == "one dot five"


@pytest.mark.parametrize("number", [float("nan"), float("-inf"), "", "abc", ".", "1.2.3", None, "e5", ","])
def test_float_to_words_refuses_what_is_no_number(number):
    with pytest.raises(TextError, match=r"finite numbers"):
        float_to_words(number)


@pytest.mark.parametrize(
    ("numeral", "value"),
    [("I", 1), ("IV", 4), ("xiv", 14), ("MCMXCIV", 1994), ("MMXXVI", 2026), ("IIII", 4), ("M" * 10_000, 10_000_000)],
)
def test_roman_to_int(numeral, value):
    assert roman_to_int(numeral) == value


@pytest.mark.parametrize("numeral", ["", "ABC", "X V", "12", "ſ"])
def test_roman_to_int_refuses_other_letters(numeral):
    with pytest.raises(TextError, match=r"not a roman numeral"):
        roman_to_int(numeral)


def test_roman_to_int_refuses_other_types():
    with pytest.raises(TextTypeError, match=r"must be a str|is a str"):
        roman_to_int(4)
