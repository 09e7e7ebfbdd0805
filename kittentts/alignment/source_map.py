"""Where the words of each chunk are in the text that the user wrote."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from kittentts.preprocess.edits import Edit, difference, to_original

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_PIECE = re.compile(r"\S+")
# what a word may be: anything between white space, dashes of a sentence and dots of omission
_TOKEN = re.compile(r"(?:(?!--)[^\s—…])+")
# punctuation that has a name, which espeak-ng says
_SPOKEN = "&%#@*§¶"


class Place(NamedTuple):
    """A word of a chunk, or a part of one."""

    start: int
    """In the chunk's text."""
    end: int
    origin: tuple[int, int]
    """In the text that was given, without the punctuation around it; empty if the cleaning has put it in."""


class Written(NamedTuple):
    """What of the text that was given became one chunk."""

    span: tuple[int, int]
    places: list[Place]


def trace(text: str, cleaned: str, steps: Sequence[Sequence[Edit]], chunks: Iterable[str]) -> list[Written]:
    """Find each chunk, and each of its words, in the text that was given.

    Args:
        text: as it was given.
        cleaned: what it became.
        steps: how, one step after the other, as `TextPreprocessor.trace` says; none if that is not known.
        chunks: all that `chunk_text` made of `cleaned`.
    """
    steps = steps or [difference(text, cleaned)]

    def original(start: int, end: int) -> tuple[int, int]:
        for edits in reversed(steps):
            start, end = to_original(edits, start, end)
        return start, end

    # chunk_text cuts at white space only, and may add a comma at the end
    cleaned_pieces = _PIECE.finditer(cleaned)
    found = []
    for chunk in chunks:
        spans, places = [], []
        for piece in _PIECE.finditer(chunk):
            cleaned_piece = next(cleaned_pieces)
            spans.append(original(*cleaned_piece.span()))
            shift = cleaned_piece.start() - piece.start()
            for token in _TOKEN.finditer(cleaned, *cleaned_piece.span()):
                if is_word(token[0]):
                    # before and after, for what is gone between a word and its comma is no part of it
                    origin = _stripped(text, *original(*_stripped(cleaned, *token.span())))
                    places.append(Place(token.start() - shift, token.end() - shift, origin))
        found.append(Written((min(spans)[0], max(end for _, end in spans)), places))
    return found


def is_word(token: str) -> bool:
    """Whether it has a letter, number or symbol, or punctuation that has a name."""
    return any(unicodedata.category(character)[0] in "LNS" or character in _SPOKEN for character in token)


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    """Take punctuation off the ends, but for the dot after dotted letters like "p.m."."""
    letters = [i for i in range(start, end) if is_word(text[i])]
    if not letters:
        return start, start
    first, last = letters[0], letters[-1] + 1
    while last < end and unicodedata.category(text[last])[0] == "M":
        last += 1
    is_dotted = text[last : min(last + 1, end)] == "." == text[last - 2 : last - 1] and text[last - 1].isalpha()
    return first, last + is_dotted


def groups(places: Iterable[Place]) -> Iterator[tuple[tuple[int, int], list[int]]]:
    """Yield the words as they were written, each with the numbers of the places that speak it."""
    current: tuple[tuple[int, int], list[int]] | None = None
    for number, place in enumerate(places):
        start, end = place.origin
        if current and start < current[0][1]:
            current = (current[0][0], max(end, current[0][1])), [*current[1], number]
        else:
            if current:
                yield current
            current = (start, end), [number]
    if current:
        yield current
