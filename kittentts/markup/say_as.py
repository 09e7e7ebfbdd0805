"""`say-as`: how digits and letters are read. Returns None where the text is nothing that can be read so."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from kittentts.preprocess import normalize_text
from kittentts.preprocess.numbers import cardinal, digit_by_digit, number_run, ordinal, year

if TYPE_CHECKING:
    from collections.abc import Callable


class Word(NamedTuple):
    """One or more words."""

    text: str
    is_phonemes: bool = False


# The names of the letters, as espeak-ng's voice en-us says them when each stands alone.
_LETTERS = {
    "a": "ˈeɪ", "b": "bˈiː", "c": "sˈiː", "d": "dˈiː", "e": "ˈiː", "f": "ˈɛf", "g": "dʒˈiː", "h": "ˈeɪtʃ", "i": "ˈaɪ",
    "j": "dʒˈeɪ", "k": "kˈeɪ", "l": "ˈɛl", "m": "ˈɛm", "n": "ˈɛn", "o": "ˈoʊ", "p": "pˈiː", "q": "kjˈuː", "r": "ˈɑːɹ",
    "s": "ˈɛs", "t": "tˈiː", "u": "jˈuː", "v": "vˈiː", "w": "dˈʌbəljˌuː", "x": "ˈɛks", "y": "wˈaɪ", "z": "zˈiː",
}  # fmt: skip
_SYMBOLS = {
    ".": "dot", ",": "comma", ":": "colon", ";": "semicolon", "!": "exclamation mark", "?": "question mark",
    "-": "dash", "–": "dash", "—": "dash", "_": "underscore", "/": "slash", "\\": "backslash", "|": "vertical bar",
    "'": "apostrophe", "’": "apostrophe", '"': "quote", "(": "open parenthesis", ")": "close parenthesis",
    "[": "open bracket", "]": "close bracket", "{": "open brace", "}": "close brace", "<": "less than",
    ">": "greater than", "+": "plus", "=": "equals", "*": "star", "&": "and", "#": "hash", "%": "percent", "@": "at",
    "~": "tilde", "^": "caret", "`": "backtick", "$": "dollar", "€": "euro", "£": "pound", "¥": "yen",
}  # fmt: skip
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_CURRENCIES = {"USD": "$", "US$": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹"}
_SYMBOL = re.compile("[$€£¥₹]")
# no number of more digits is read; they bound what the patterns below look at
_NUMBER = re.compile(r"(?P<sign>[-−+]?)(?P<digits>[0-9][0-9,]{0,99}(?:\.[0-9]{1,99})?|\.[0-9]{1,99})")
_RANK = re.compile(r"([0-9][0-9,]{0,99})(?:st|nd|rd|th)?", re.IGNORECASE)
_CLOCK = re.compile(
    r"(?P<hour>[01]?[0-9]|2[0-4])(?:[:.](?P<minute>[0-5][0-9])(?:[:.](?P<second>[0-5][0-9]))?)?"
    r"\s?(?:(?P<half>[ap])\.?m\.?)?",
    re.IGNORECASE,
)
_PHONE = re.compile(r"\+?[0-9A-Za-z()\s./-]{1,99}")
_DATE_SEPARATOR = re.compile(r"[-/.,\s]+")
_DATE_FORMATS = ("mdy", "dmy", "ymd", "md", "dm", "ym", "my", "d", "m", "y")
_YEAR_DIGITS = range(1, 5)
_LAST_DAY = 31


def _number(text: str, _: str) -> list[Word] | None:
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    sign = {"": "", "+": "plus "}.get(match["sign"], "negative ")
    return [Word(sign + number_run(match["digits"]))]


def _ordinal(text: str, _: str) -> list[Word] | None:
    match = _RANK.fullmatch(text)
    return [Word(ordinal(match[1].lstrip("0,") or "0"))] if match else None


def spelled(text: str, _: str = "") -> list[Word] | None:
    """Return the names of characters; a letter with an accent is read as the one without."""
    words = []
    for character in text:
        plain = unicodedata.normalize("NFD", character)[0].lower()
        if plain in _LETTERS:
            words.append(Word(_LETTERS[plain], is_phonemes=True))
        elif character.isascii() and character.isdigit():
            words.append(Word(digit_by_digit(character)))
        elif name := _SYMBOLS.get(character):
            words.append(Word(name))
        elif not character.isspace():
            words.append(Word(character))
    return words or None


def _telephone(text: str, _: str) -> list[Word] | None:
    if not _PHONE.fullmatch(text):
        return None
    words = [Word("plus")] if text.startswith("+") else []
    groups = re.findall(r"[0-9]+|[A-Za-z]+", text)
    for number, group in enumerate(groups, 1):
        if group.lower() in {"ext", "x"}:
            words.append(Word("extension"))
        elif group.isdigit():
            words.append(Word(digit_by_digit(group) + ("," if number < len(groups) else "")))
        else:
            words += spelled(group) or []
    return words or None


def _date(text: str, order: str) -> list[Word] | None:
    fields = [field for field in _DATE_SEPARATOR.split(text) if field]
    if not order:
        if fields and len(fields[0]) == len("1999") and fields[0].isdigit():
            order = "ymd"
        else:
            order = "dmy" if len(fields) > 1 and fields[1].isalpha() else "mdy"
    if order not in _DATE_FORMATS or len(order) != len(fields):
        return None
    read = {"y": _year, "m": _month, "d": _day}
    found = {unit: read[unit](field) for unit, field in zip(order, fields, strict=True)}
    if None in found.values():
        return None
    day = " ".join(words for unit in "md" if (words := found.get(unit)))
    comma = ", " if "d" in found and "y" in found else " "
    return [Word(comma.join(words for words in (day, found.get("y")) if words))]


def _year(text: str) -> str | None:
    return year(text) if text.isascii() and text.isdigit() and len(text) in _YEAR_DIGITS else None


def _month(text: str) -> str | None:
    if text.isascii() and text.isdigit():
        return _MONTHS[int(text) - 1] if len(text) < _YEAR_DIGITS.stop and 1 <= int(text) <= len(_MONTHS) else None
    # at least three letters, of which "Sept" is the longest abbreviation
    short = text.capitalize()
    return next((name for name in _MONTHS if len(short) >= len("May") and name.startswith(short)), None)


def _day(text: str) -> str | None:
    match = _RANK.fullmatch(text)
    digits = match[1] if match else ""
    is_day = len(digits) in {1, 2} and digits.isdigit() and 1 <= int(digits) <= _LAST_DAY
    return ordinal(str(int(digits))) if is_day else None


def _time(text: str, _: str) -> list[Word] | None:
    match = _CLOCK.fullmatch(text)
    if match is None or not (match["minute"] or match["half"]):
        return None
    words = [Word(normalize_text(":".join(filter(None, match.group("hour", "minute", "second")))))]
    if match["half"]:
        hour = cardinal(str(int(match["hour"])))
        if match["minute"] in {None, "00"} and not match["second"]:
            words = [Word(hour)]
        words += spelled(f"{match['half']}m") or []
    return words


def _currency(text: str, _: str) -> list[Word] | None:
    for code, symbol in _CURRENCIES.items():
        if code in text.upper():
            rest = text.upper().replace(code, "", 1).strip()
            text = f"{symbol}{rest}"
            break
    spoken = normalize_text(text)
    is_read = _SYMBOL.search(text) and not _SYMBOL.search(spoken) and not any(map(str.isdigit, spoken))
    return [Word(spoken)] if is_read else None


SAY_AS: dict[str, Callable[[str, str], list[Word] | None]] = {
    "characters": spelled,
    "cardinal": _number,
    "number": _number,
    "ordinal": _ordinal,
    "date": _date,
    "time": _time,
    "telephone": _telephone,
    "currency": _currency,
}
"""interpret-as -> (text, format) -> words."""
FORMATS = {"date": _DATE_FORMATS, "time": ("hms12", "hms24")}
"""interpret-as -> the values of `format`, which may always be left out."""
