"""Apply rules to a text: which rule takes which characters, and the text that results."""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from kittentts.preprocess.rule import TAKEN, Rule
from kittentts.preprocess.text import check_is_text

if TYPE_CHECKING:
    from collections.abc import Iterable


_SPACE = "[ \u00a0\u2009\u202f]"
_SPACED_THOUSANDS = (
    rf"(?<![\w+])(?<![0-9][.,:/-])(?<![0-9]\s)[1-9][0-9]{{0,2}}(?:{_SPACE}[0-9]{{3}})+(?!{_SPACE}?[0-9])(?!\w)"
)


class Replacement(NamedTuple):
    """The characters `start` to `end` of the original text are spoken as `spoken`."""

    start: int
    end: int
    spoken: str
    reason: str


def find_replacements(text: str, rules: Iterable[Rule]) -> list[Replacement]:
    """Let each rule in turn take the characters that it replaces; return the replacements in the text's order.

    Replacements never overlap, and no rule sees the words that another one has spoken.
    """
    masked = _in_plain_digits(text)  # what a rule has taken is replaced by TAKEN, so that no other one sees it
    characters = set(masked)
    taken: list[Replacement] = []
    for rule in rules:
        if rule.needs and characters.isdisjoint(rule.needs):
            continue
        found = [
            Replacement(match.start(), match.end(), spoken, rule.reason)
            for match in compiled(rule.pattern).finditer(masked)
            if (spoken := rule.speak(match)) is not None
        ]
        if found:
            masked = _mask(masked, found)
            taken += found
    return sorted(taken)


def render(text: str, replacements: Iterable[Replacement]) -> list[str]:
    """Write the text with its replacements (in order).

    Returns the pieces of the new text: by turns what is as it was, and the final form of what is spoken. That has a
    space more where spoken words would otherwise run into their neighbours ("10kmaway").
    """
    pieces: list[str] = []
    position = 0
    last = ""  # the last character written
    for start, end, words, _ in replacements:
        untouched = text[position:start]
        spoken = _spaced(untouched[-1:] or last, words, text[end : end + 1])
        pieces += (untouched, spoken)
        last = spoken[-1:] or untouched[-1:] or last
        position = end
    pieces.append(text[position:])
    return pieces


def apply_rules(text: str, rules: Iterable[Rule]) -> str:
    """Write a text as the rules speak it.

    Raises:
        TextTypeError: the text is not a `str`.

    """
    check_is_text(text)
    return "".join(render(text, find_replacements(text, rules)))


@functools.cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Compile a rule's pattern when it is first used, so that importing stays instant."""
    return re.compile(pattern)


def _in_plain_digits(text: str) -> str:
    """Write the digits of all scripts in ASCII, and "10 000" as "10,000"; no character moves."""
    if not text.isascii():
        text = compiled("[^\\D0-9]").sub(lambda digit: str(unicodedata.decimal(digit[0])), text)
    return compiled(_SPACED_THOUSANDS).sub(_with_commas, text)


def _with_commas(match: re.Match[str]) -> str:
    # "100 200" are two numbers, "100 000" is one. Nobody puts a narrow or a fixed space between two numbers.
    is_list = " " in match[0] and " 0" not in match[0]
    return match[0] if is_list else re.sub(r"\s", ",", match[0])


def _mask(masked: str, found: list[Replacement]) -> str:
    pieces: list[str] = []
    position = 0
    for start, end, *_ in found:
        pieces += (masked[position:start], TAKEN * (end - start))
        position = end
    pieces.append(masked[position:])
    return "".join(pieces)


def _spaced(before: str, spoken: str, after: str) -> str:
    if not spoken:
        return " " if before.isalnum() and after.isalnum() else ""
    if before.isalnum() and spoken[0].isalnum():
        spoken = " " + spoken
    if after.isalnum() and spoken[-1].isalnum():
        spoken += " "
    return spoken
