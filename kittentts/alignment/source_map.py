"""Where the words of each chunk stand in the text that the user gave (the source)."""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from kittentts.preprocess.edits import Edit, difference, to_original

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kittentts.markup.parts import Mark, Part

_PIECE = re.compile(r"\S+")
# what a word may be: anything between white space, dashes of a sentence and dots of omission
_TOKEN = re.compile(r"(?:(?!--)[^\s—…])+")
# punctuation that has a name, which espeak-ng says
_SPOKEN = "&%#@*§¶"


class WordSpan(NamedTuple):
    """A word of a chunk, or a part of one. All offsets count characters, the end excluded."""

    start: int
    """In the chunk's text."""
    end: int
    source: tuple[int, int]
    """In the source, without the punctuation around it; empty if the cleaning has put the word in."""


class ChunkSource(NamedTuple):
    """What of the source became one chunk."""

    stretch: str
    """The source, or the stretch of it that was cut into chunks."""
    start: int
    """Where the stretch begins in the source."""
    span: tuple[int, int]
    """In the source."""
    words: list[WordSpan]
    part: Part | None = None
    """With markup: that of the document which is the source."""
    marks: tuple[Mark, ...] = ()
    """Those whose times are to be told with this chunk."""

    def text(self, begin: int, end: int) -> str:
        """Return what is written between two places of the source, without markup."""
        if self.part is not None:
            return self.part.written(begin, end)
        return self.stretch[begin - self.start : end - self.start]


def in_document(sources: Iterable[ChunkSource], part: Part, marks: Sequence[Mark]) -> list[ChunkSource]:
    """Return the sources of chunks, which count from the beginning of a part, with the places in its document.

    Args:
        sources: of some chunks of the part, in order.
        part: of the document.
        marks: those that are in these chunks, or next to them, in order.
    """

    def to_document(start: int, end: int) -> tuple[int, int]:
        # an empty span has no characters that come from anywhere
        return part.to_document(start, end) if start < end else (0, 0)

    found = []
    position = 0
    sources = list(sources)
    for number, source in enumerate(sources, 1):
        span = part.to_document(*source.span)
        first = position
        while position < len(marks) and (marks[position].position < span[1] or number == len(sources)):
            position += 1
        words = [word._replace(source=to_document(*word.source)) for word in source.words]
        found.append(source._replace(span=span, words=words, part=part, marks=tuple(marks[first:position])))
    return found


def map_to_source(
    text: str, cleaned: str, steps: Sequence[Sequence[Edit]], chunks: Iterable[str], start: int = 0
) -> list[ChunkSource]:
    """Find each chunk, and each of its words, in the text that was given.

    Args:
        text: the source, or a stretch of it.
        cleaned: what it became.
        steps: how, one step after the other, from `TextPreprocessor.process_with_edits`; none if that is not known.
        chunks: all that `cleaned` was cut into.
        start: where the stretch begins in the source.
    """
    # most steps edit nothing
    steps = [edits for edits in steps or [difference(text, cleaned)] if edits]

    def to_source(start: int, end: int) -> tuple[int, int]:
        for edits in reversed(steps):
            start, end = to_original(edits, start, end)
        return start, end

    # the words of a replacement, like the digits of "777", come from the same characters one after another
    @functools.lru_cache(maxsize=1)
    def word_in_source(start: int, end: int) -> tuple[int, int]:
        return _strip_punctuation(text, start, end)

    # chunk_text cuts at white space only, and may add a comma at the end
    cleaned_pieces = _PIECE.finditer(cleaned)
    sources = []
    for chunk in chunks:
        spans, words = [], []
        for piece in _PIECE.finditer(chunk):
            cleaned_piece = next(cleaned_pieces)
            spans.append(to_source(*cleaned_piece.span()))
            shift = cleaned_piece.start() - piece.start()
            for begin, end in find_words(cleaned, *cleaned_piece.span()):
                # before and after, for what is gone between a word and its comma is no part of it
                first, last = word_in_source(*to_source(*_strip_punctuation(cleaned, begin, end)))
                words.append(WordSpan(begin - shift, end - shift, (start + first, start + last)))
        first, last = min(spans)[0], max(end for _, end in spans)
        sources.append(ChunkSource(text, start, (start + first, start + last), words))
    return sources


def find_words(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield from where to where each word between `start` and `end` is, with the punctuation around it."""
    for token in _TOKEN.finditer(text, start, end):
        if _is_spoken(token[0]):
            yield token.span()


def _is_spoken(token: str) -> bool:
    """Whether it has a letter, number or symbol, or punctuation that has a name."""
    return any(unicodedata.category(character)[0] in "LNS" or character in _SPOKEN for character in token)


def _strip_punctuation(text: str, start: int, end: int) -> tuple[int, int]:
    """Take punctuation off the ends, but for the dot after dotted letters like "p.m."."""
    first = next((i for i in range(start, end) if _is_spoken(text[i])), None)
    if first is None:
        return start, start
    last = next(i for i in range(end, first, -1) if _is_spoken(text[i - 1]))
    while last < end and unicodedata.category(text[last])[0] == "M":
        last += 1
    is_dotted = text[last : min(last + 1, end)] == "." == text[last - 2 : last - 1] and text[last - 1].isalpha()
    return first, last + is_dotted


def group_by_source_word(words: Iterable[WordSpan]) -> Iterator[tuple[tuple[int, int], list[int]]]:
    """Yield where each word of the source is, with the indices of the words of the chunk that were made of it."""
    begin = end = 0
    indices: list[int] = []
    for index, word in enumerate(words):
        if indices and word.source[0] < end:
            end = max(end, word.source[1])
            indices.append(index)
            continue
        if indices:
            yield (begin, end), indices
        (begin, end), indices = word.source, [index]
    if indices:
        yield (begin, end), indices
