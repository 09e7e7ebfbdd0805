"""Addresses are spelled: web, e-mail, IP and telephone."""

from __future__ import annotations

import re

from kittentts.preprocess.numbers import digit_by_digit
from kittentts.preprocess.rule import START, Rule

_SYMBOL_NAMES = {
    ".": "dot",
    "/": "slash",
    ":": "colon",
    "@": "at",
    "-": "dash",
    "_": "underscore",
    "~": "tilde",
    "+": "plus",
    "=": "equals",
    "&": "and",
    "?": "question mark",
    "#": "hash",
    "%": "percent",
}

# The last character is no punctuation, but for a balanced parenthesis: that belongs to the sentence around the address.
URL = (
    r"""(?i:(?<![\w@])(?:(?:https?|ftps?)://|www\.)"""
    r"""(?:[^\s<>"“”\x00()]|\([^\s<>"“”\x00()]*\))+(?<![.,;:!?\]}'’…]))"""
)
EMAIL = r"(?i:(?<![\w.+%-])mailto:)?(?<![\w.+%-])[\w.+%-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IP = rf"{START}{_OCTET}(?:\.{_OCTET}){{3}}(?!\w)(?!\.[0-9])"

_PHONE_START = r"(?=[(+0-9])(?<![\w+])(?<![0-9][-.,/])"
_PHONE_END = r"(?!\w)(?![-.,/][0-9])"
_PHONE = (
    rf"{_PHONE_START}(?:(?:\+?1[-. ]?)?(?:\([0-9]{{3}}\)[- ]?|[0-9]{{3}}[-.])[0-9]{{3}}[-.][0-9]{{4}}"
    r"|\+[0-9]{1,3}(?:[-. ]?\([0-9]{1,4}\)|[-. ][0-9]{2,8}){1,5}"
    r"|\+[0-9]{7,15}"
    rf"|(?<![0-9] )[0-9]{{3}} [0-9]{{3}} [0-9]{{4}}){_PHONE_END}"
)
_LOCAL_PHONE = rf"{_PHONE_START}(?P<prefix>[0-9]{{3}})-(?P<line>[0-9]{{4}}){_PHONE_END}"
_FEWEST_PHONE_DIGITS = 7


def _spell(match: re.Match[str]) -> str:
    address = re.sub(r"\A(?:(?:https?|ftps?)://|mailto:)(?=.*?[^\W_])", "", match[0], flags=re.IGNORECASE)
    return " ".join(_spelled_character(character) for character in address)


def _spelled_character(character: str) -> str:
    if character.isascii() and character.isdigit():
        return digit_by_digit(character)
    return _SYMBOL_NAMES.get(character, character.lower())


def _ip(match: re.Match[str]) -> str:
    return " dot ".join(digit_by_digit(octet) for octet in match[0].split("."))


def _phone(match: re.Match[str]) -> str | None:
    digits = re.sub("[^0-9]", "", match[0])
    if len(digits) < _FEWEST_PHONE_DIGITS:
        return None
    return ("plus " if match[0].startswith("+") else "") + digit_by_digit(digits)


def _local_phone(match: re.Match[str]) -> str | None:
    # 555-0123 is a telephone number; 500-1000 and pp. 998-1003 are ranges.
    before = match.string[max(0, match.start() - len(" pages ")) : match.start()].split()
    if (match["prefix"].endswith("0") and match["line"].endswith("0")) or before[-1:] in (["pp."], ["pages"]):
        return None
    return digit_by_digit(match["prefix"] + match["line"])


ADDRESS_RULES = (
    Rule("url", "url", URL, _spell, needs=":."),
    Rule("email", "url", EMAIL, _spell, needs="@"),
    Rule("ip_address", "number", _IP, _ip, flags=("expand_ip_addresses",), needs="."),
    Rule("phone_number", "number", _PHONE, _phone, flags=("expand_phone_numbers",)),
    Rule("phone_number", "number", _LOCAL_PHONE, _local_phone, flags=("expand_phone_numbers",)),
)
