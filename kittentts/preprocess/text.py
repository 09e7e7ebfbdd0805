"""Two small helpers of all modules here."""

from __future__ import annotations

import unicodedata

from kittentts.errors import TextTypeError


def check_is_text(text: object, what: str = "the text") -> None:
    """Raise TextTypeError unless the text is a `str`."""
    if not isinstance(text, str):
        raise TextTypeError(f"{what} must be a str, not {type(text).__name__}: {text!r:.60}")


def word_list(text: str) -> tuple[str, ...]:
    """Split a list of words that is written as one string, as the long lists here are."""
    return tuple(text.split())


def has_sound(text: str) -> bool:
    """Whether a text has a letter, number or symbol."""
    return any(unicodedata.category(character)[0] in "LNS" for character in text)
