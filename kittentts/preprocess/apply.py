"""Apply rules to a text: who speaks for which characters, and the text that results."""

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
    """Let each rule in turn take the characters that it speaks for; return what they took in the text's order.

    Replacements never overlap, and no rule sees the words that another one has spoken.
    """
    slate = _in_plain_digits(text)  # where characters that are taken are blotted out
    taken: list[Replacement] = []
    for rule in rules:
        found = [
            Replacement(match.start(), match.end(), spoken, rule.reason)
            for match in compiled(rule.pattern).finditer(slate)
            if (spoken := rule.speak(match)) is not None
        ]
        if found:
            slate = _blot_out(slate, found)
            taken += found
    return sorted(taken)


def render(text: str, replacements: Iterable[Replacement]) -> tuple[str, list[Replacement]]:
    """Write the text with its replacements (in order).

    Returns the new text and the replacements with their final spoken forms: a space is added where spoken words would
    otherwise run into their neighbours ("10kmaway").
    """
    pieces: list[str] = []
    final: list[Replacement] = []
    position = 0
    last = ""  # the last character written
    for replacement in replacements:
        untouched = text[position : replacement.start]
        last = untouched[-1:] or last
        following = text[replacement.end : replacement.end + 1]
        spoken = _spaced(last, replacement.spoken, following)
        pieces += [untouched, spoken]
        final.append(Replacement(replacement.start, replacement.end, spoken, replacement.reason))
        last = spoken[-1:] or last
        position = replacement.end
    pieces.append(text[position:])
    return "".join(pieces), final


def apply_rules(text: str, rules: Iterable[Rule]) -> str:
    """Write a text as the rules speak it.

    Raises:
        TextTypeError: the text is not a `str`.

    """
    check_is_text(text)
    return render(text, find_replacements(text, rules))[0]


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


def _blot_out(slate: str, found: list[Replacement]) -> str:
    pieces = []
    position = 0
    for replacement in found:
        pieces += [slate[position : replacement.start], TAKEN * (replacement.end - replacement.start)]
        position = replacement.end
    pieces.append(slate[position:])
    return "".join(pieces)


def _spaced(before: str, spoken: str, after: str) -> str:
    if not spoken:
        return " " if before.isalnum() and after.isalnum() else ""
    if before.isalnum() and spoken[0].isalnum():
        spoken = " " + spoken
    if after.isalnum() and spoken[-1].isalnum():
        spoken += " "
    return spoken
