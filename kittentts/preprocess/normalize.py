"""normalize_text: a text as a person would read it aloud, with a map back to the original characters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, overload

from kittentts.errors import TextError
from kittentts.preprocess.apply import find_replacements, render
from kittentts.preprocess.edits import edits_of
from kittentts.preprocess.text import check_is_text


@dataclass(frozen=True)
class NormalizedSpan:
    """A stretch of the original text that is spoken in other words. Offsets count characters, the end excluded."""

    originalStartChar: int  # noqa: N815 (the names of the library that we replace)
    originalEndChar: int  # noqa: N815
    normalizedStartChar: int  # noqa: N815
    normalizedEndChar: int  # noqa: N815
    # One of abbreviation, citation, currency, date, number, ordinal, time, url, punctuation, internal, other.
    reason: str


@dataclass(frozen=True)
class NormalizedTextResult:
    """The spoken form of a text, what was replaced, and the text itself."""

    text: str
    """The spoken form."""
    spans: list[NormalizedSpan]
    """In the order of the text, not overlapping; outside of them both texts are the same."""
    original: str
    """The text as it was given."""


@overload
def normalize_text(text: str, locale: str = ..., return_spans: Literal[False] = ...) -> str: ...


@overload
def normalize_text(text: str, locale: str = ..., *, return_spans: Literal[True]) -> NormalizedTextResult: ...


@overload
def normalize_text(text: str, locale: str, return_spans: bool) -> str | NormalizedTextResult: ...


def normalize_text(text: str, locale: str = "en-US", return_spans: bool = False) -> str | NormalizedTextResult:
    """Write out numbers, dates, money, abbreviations, addresses and the like as they are read aloud.

    >>> normalize_text("Mr. Lee paid $4.20 on March 3, 2025.")
    'Mister Lee paid four dollars and twenty cents on March third, twenty twenty-five.'

    Args:
        text: any text in American English.
        locale: "en" or "en-US".
        return_spans: return what `normalize_text_result` does.

    Raises:
        TextTypeError: the text is not a `str`.
        TextError: the locale is not American English ("en" or "en-US").

    """
    result = normalize_text_result(text, locale)
    return result if return_spans else result.text


def normalize_text_result(text: str, locale: str = "en-US") -> NormalizedTextResult:
    """`normalize_text`, with the spans that map each replacement to the characters it stands for.

    >>> normalize_text_result("Fig. 2").spans[1]
    NormalizedSpan(originalStartChar=5, originalEndChar=6, normalizedStartChar=7, normalizedEndChar=10, reason='number')

    Raises:
        TextTypeError: the text is not a `str`.
        TextError: the locale is not American English ("en" or "en-US").

    """
    check_is_text(text)
    if not isinstance(locale, str) or locale.replace("_", "-").lower() not in ("en", "en-us"):
        raise TextError(f"no normalization for the locale {locale!r}; use 'en' or 'en-US', or normalize beforehand.")
    from kittentts.preprocess.rules import READING_RULES

    replacements = find_replacements(text, READING_RULES)
    pieces = render(text, replacements)
    spans = [
        NormalizedSpan(*edit, replacement.reason)
        for edit, replacement in zip(edits_of(replacements, pieces), replacements, strict=True)
    ]
    return NormalizedTextResult("".join(pieces), spans, text)
