"""Numbers in words: integers, decimals, ordinals, years and roman numerals.

Everything works on strings of ASCII digits, so that no number is too long: CPython refuses to convert integers of
more than 4300 digits and is slow well before that. A number of more than `MAX_NAMED_DIGITS` digits has no name and
is spoken digit by digit.
"""

from __future__ import annotations

import math
import re

from kittentts.errors import TextError, TextTypeError
from kittentts.preprocess.text import word_list

_UNITS = word_list(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TENS = word_list("twenty thirty forty fifty sixty seventy eighty ninety")
_BELOW_HUNDRED = (*_UNITS, *(f"{tens}-{unit}".removesuffix("-zero") for tens in _TENS for unit in _UNITS[:10]))
_SCALES = word_list(
    "thousand million billion trillion quadrillion quintillion sextillion septillion octillion nonillion decillion "
    "undecillion duodecillion tredecillion quattuordecillion quindecillion sexdecillion septendecillion "
    "octodecillion novemdecillion vigintillion"
)
_IRREGULAR_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
_ROMAN_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}

# Up to 999 vigintillion: three digits for the units and three for every scale.
MAX_NAMED_DIGITS = 3 * (len(_SCALES) + 1)
# Shorter than CPython's own limit of digits for one conversion.
_DIGITS_PER_CONVERSION = 4000

_FIRST_SPOKEN_YEAR, _LAST_SPOKEN_YEAR = "1100", "2099"

# 1234, 1,234 and the Indian 12,34,567; anything else with commas is a list or a slip.
_GROUPED = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}")
_DECIMAL = re.compile(r"([-−]?)(?=\.?[0-9])([0-9,]*)(?:\.([0-9]+))?(?:[eE]([+-]?)([0-9]+))?")


def number_to_words(n: float | str) -> str:
    """Say an integer: `number_to_words(-1234)` is "negative one thousand two hundred thirty-four".

    Never fails for an `int`, however large; from 10**66 on the digits are said one by one. 1100 to 1900 are said in
    hundreds ("eleven hundred"). Whole floats and strings of digits are accepted as well.

    Raises:
        TextError: the value is not a whole number.

    """
    if isinstance(n, int):
        sign, digits = ("negative ", _decimal_digits(-n)) if n < 0 else ("", _decimal_digits(+n))  # +True is 1
        return sign + cardinal(digits)
    whole = re.fullmatch(r"\s*([-+]?)0*([0-9]+)\s*", n.replace(",", "")) if isinstance(n, str) else None
    if whole:
        return ("negative " if whole[1] == "-" else "") + cardinal(whole[2])
    if isinstance(n, float) and math.isfinite(n) and n == int(n):
        return number_to_words(int(n))
    raise TextError(f"number_to_words says whole numbers, not {n!r}; float_to_words says the others.")


def float_to_words(value: float | str, decimal_sep: str = "point") -> str:
    """Say a decimal number, the digits behind the point one by one.

    A string keeps its trailing zeros: `float_to_words("1.50")` is "one point five zero". `decimal_sep` is the
    word for the point.

    Raises:
        TextError: the value is not a finite number.

    """
    if isinstance(value, int):
        return number_to_words(value)
    number = _DECIMAL.fullmatch(str(value).strip())
    if number is None:
        raise TextError(f"float_to_words says finite numbers such as 3.14 or '1.50', not {value!r}.")
    minus, whole, fraction, exponent_sign, exponent = number.groups()
    words = ("negative " if minus else "") + integer(whole or "0")
    if fraction:
        words += f" {decimal_sep} {digit_by_digit(fraction)}"
    if exponent:
        words += " times ten to the " + ("negative " if exponent_sign == "-" else "") + cardinal(exponent.lstrip("0"))
    return words


def roman_to_int(s: str) -> int:
    """Compute the value of a roman numeral in either case: `roman_to_int("XIV")` is 14.

    A smaller letter before a larger one is subtracted; whether Romans would have written it so is not checked.

    Raises:
        TextError: the text is empty or has other letters than I, V, X, L, C, D, M.

    """
    if not isinstance(s, str):
        raise TextTypeError(f"a roman numeral is a str such as 'XIV', not {type(s).__name__}")
    if not s or not set(s.upper()) <= _ROMAN_VALUES.keys():
        raise TextError(f"{s!r} is not a roman numeral: write it with the letters I, V, X, L, C, D, M, as in 'XIV'.")
    values = [_ROMAN_VALUES[letter] for letter in s.upper()]
    pairs = zip(values, [*values[1:], 0], strict=True)
    return sum(-value if value < following else value for value, following in pairs)


def cardinal(digits: str) -> str:
    """Say ASCII digits as one number; with a leading zero ("007"), or too long for a name, digit by digit."""
    if len(digits) > MAX_NAMED_DIGITS or (len(digits) > 1 and digits[0] == "0"):
        return digit_by_digit(digits)
    n = int(digits or "0")
    if n < len(_BELOW_HUNDRED):
        return _BELOW_HUNDRED[n]
    hundreds, rest = divmod(n, 100)
    if rest == 0 and 10 < hundreds < 20:  # noqa: PLR2004 (eleven hundred ... nineteen hundred)
        return f"{_UNITS[hundreds]} hundred"
    words = []
    for scale in ("", *_SCALES):
        n, group = divmod(n, 1000)
        if group:
            words.append(f"{_below_thousand(group)} {scale}".rstrip())
        if n == 0:
            break
    return " ".join(reversed(words))


def digit_by_digit(digits: str) -> str:
    """Say every digit: "192" is "one nine two"."""
    return " ".join(_UNITS[int(digit)] for digit in digits)


def integer(text: str) -> str:
    """Say digits with or without commas; groups that make no number ("1,1,1") are said one after another."""
    if "," not in text or _GROUPED.fullmatch(text):
        return cardinal(text.replace(",", ""))
    return ", ".join(cardinal(group) for group in text.split(",") if group)


def decimal(text: str) -> str:
    """Say what `NUMBER` in rule.py matches: an integer, a decimal, or a decimal without its zero (".5")."""
    whole, _, fraction = text.partition(".")
    words = integer(whole or "0")
    return f"{words} point {digit_by_digit(fraction)}" if fraction else words


def version(text: str) -> str:
    """Say each component of a version as a number: "3.10" is "three point ten"."""
    return " point ".join(cardinal(part) for part in text.split("."))


def number_run(text: str) -> str:
    """Say any digits joined by commas and points: a number, a decimal, a version, or a list of them."""
    if text.isdecimal():  # most of them
        return cardinal(text)
    whole, _, fraction = text.partition(".")
    if "." not in fraction and "," not in fraction and ("," not in whole or _GROUPED.fullmatch(whole)):
        return decimal(text)
    parts = [version(part) if part.count(".") > 1 else decimal(part) for part in text.split(",")]
    return ", ".join(parts)


def ordinal(text: str) -> str:
    """Say digits, with or without commas, as a rank: "22" is "twenty-second"."""
    words = integer(text)
    last = re.split(r"[ -]", words)[-1]
    stem = words[: len(words) - len(last)]
    if last in _IRREGULAR_ORDINALS:
        return stem + _IRREGULAR_ORDINALS[last]
    return stem + (last[:-1] + "ieth" if last.endswith("y") else last + "th")


def year(digits: str) -> str:
    """Say four digits, or the last two, as a year: "1905" is "nineteen oh five"; outside 1100 to 2099 as a number."""
    if len(digits) == len("05") and digits[0] == "0":
        return "oh " + cardinal(digits[1])
    if not is_spoken_year(digits) or digits.startswith("200"):
        return cardinal(digits)
    century, rest = cardinal(digits[:2]), digits[2:]
    if rest == "00":
        return f"{century} hundred"
    return f"{century} {year(rest)}"


def is_spoken_year(digits: str) -> bool:
    """Whether a number of exactly these digits is said in two halves, as years are."""
    return len(digits) == len("2000") and digits.isdecimal() and _FIRST_SPOKEN_YEAR <= digits <= _LAST_SPOKEN_YEAR


def plural(words: str) -> str:
    """Form the plural of the last number word: "twenty" is "twenties", "six" is "sixes"."""
    if words.endswith("y"):
        return words[:-1] + "ies"
    return words + ("es" if words.endswith("x") else "s")


def _below_thousand(n: int) -> str:
    hundreds, rest = divmod(n, 100)
    if not hundreds:
        return _BELOW_HUNDRED[rest]
    return f"{_UNITS[hundreds]} hundred {_BELOW_HUNDRED[rest]}" if rest else f"{_UNITS[hundreds]} hundred"


def _decimal_digits(n: int) -> str:
    """`str(n)` for an n >= 0 that may exceed CPython's limit of digits."""
    # log10(2) is just above 0.301: a lower bound of the number of digits.
    digits = int(n.bit_length() * 0.301)
    if digits < _DIGITS_PER_CONVERSION:
        return str(n)
    low_digits = digits // 2
    high, low = divmod(n, 10**low_digits)
    return _decimal_digits(high) + _decimal_digits(low).zfill(low_digits)
