"""What a rule of text normalization is, and the pieces of pattern that many rules share.

Every pattern must be linear: the regular expressions of Python backtrack. Two habits keep them so. A pattern that
begins with a repetition is anchored by a lookbehind, so that it is tried once per run of characters and not once per
character; and no two repetitions in a row can match the same character.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from re import Match


class Rule(NamedTuple):
    """One way to turn written characters into spoken words."""

    name: str
    """The expand_* and replace_* functions choose their rules by it."""
    reason: str
    """One of abbreviation, citation, currency, date, number, ordinal, time, url, punctuation, internal, other."""
    pattern: str
    """A regular expression; see the module's docstring."""
    speak: Callable[[Match[str]], str | None]
    """The spoken form of a match, or None to leave the match to later rules."""
    flags: tuple[str, ...] = ()
    """The flags of TextPreprocessor that must all be on; without any, TextPreprocessor does not use the rule."""
    reading: bool = True
    """Whether normalize_text uses the rule."""
    needs: str = ""
    """A text with none of these characters has nothing for this rule, and is not searched."""


# Characters that a rule has taken look like this to the rules after it: neither a word, nor space, nor punctuation.
TAKEN = "\x00"

# Where a number may begin: not inside a word, nor in the middle of another number. To look at the first character
# before all else makes the search several times faster.
START = r"(?=[.0-9])(?<!\w)(?<![0-9][.,])"
# A number with or without commas and decimals. `decimal` in numbers.py says it.
NUMBER = r"(?:[0-9]+(?:,[0-9]+)*(?:\.[0-9]+)?|(?<!\.)\.[0-9]+)"
# A minus sign, as opposed to a hyphen or a dash.
MINUS = rf"(?P<minus>(?<![\w)\].\-–—%{TAKEN}])[-−])"
SIGNED_START = rf"(?=[-−.0-9])(?:{MINUS}|{START})"
# A hyphen, or an en dash that may stand between spaces.
RANGE_DASH = r"(?:-| ?– ?)"
# An amount of something, or a range of amounts: 5, -2.5, 1,000, 5-10. After a name and a hyphen no range: Llama-3-8B.
QUANTITY = (
    rf"{SIGNED_START}(?:(?P<named>(?<=[A-Za-z]-))|(?<![A-Za-z]-))(?P<low>{NUMBER})"
    rf"(?(named)|(?:{RANGE_DASH}(?P<high>{NUMBER}))?)"
)
# The end of a number that is not followed by more of it.
END = r"(?!\w)(?![.,][0-9])"


def constant(words: str) -> Callable[[Match[str]], str]:
    """Make a spoken form that is the same for every match."""
    return lambda _match: words
