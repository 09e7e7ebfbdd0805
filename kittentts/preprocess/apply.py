"""Apply rules to a text: who speaks for which characters, and the text that results."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, NamedTuple

from kittentts.preprocess.rule import TAKEN, Rule
from kittentts.preprocess.text import check_is_text

if TYPE_CHECKING:
    from collections.abc import Iterable


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
    slate = text  # the text, where characters that are taken are blotted out
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
