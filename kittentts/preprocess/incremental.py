"""Cut a text that is still being written, as `chunk_text` would cut the whole."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

from kittentts.preprocess.chunk import MAX_LEN, packed_words, sentence_ends
from kittentts.preprocess.text import check_is_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    # (the beginning of a sentence, whether it is the whole of it) -> where to cut it, or None
    Cut = Callable[[str, bool], int | None]

# What stands before a full stop decides about it, so this much of what has been yielded is kept: no abbreviation is
# longer.
_CONTEXT = 16


class Segment(NamedTuple):
    """A stretch of a text that is spoken as one chunk."""

    text: str
    start: int
    """Where it begins in the whole text, in characters."""
    is_packed: bool = False
    """Whether it is one of those into which a sentence of more than `MAX_LEN` characters is cut at spaces."""
    is_continued: bool = False
    """Whether `cut` has ended it inside of a sentence."""


def no_cut(_beginning: str, _is_whole: bool) -> None:
    """Speak sentences whole."""


def segments(pieces: Iterable[str], cut: Cut = no_cut) -> Iterator[Segment]:
    """Yield the sentences of a text that comes in pieces, each as soon as it is known where it ends.

    Takes time that is linear in the length of the text, and holds one sentence, or the longest word.

    Args:
        pieces: what they are together is the text. A list is taken as a whole, so that the end of the text is known.
        cut: asked where to cut inside of the next sentence, with as much of it as there is.

    Raises:
        TextTypeError: a piece is not a `str`.
    """
    text, offset = "", 0  # what is not yielded yet, after some context; where that begins in the whole text
    begin = 0  # of the next segment, in `text`
    is_long = False  # whether the sentence has been cut at spaces before
    waiting: list[str] = []
    if isinstance(pieces, list):
        for piece in pieces:
            check_is_text(piece, "a piece of the text")
        waiting, pieces = [*pieces], ()
    previous = " "
    for piece in itertools.chain(pieces, [None]):
        if piece is not None:
            check_is_text(piece, "a piece of the text")
            waiting.append(piece)
            # nothing new is known before a word has ended
            is_new = not (piece.isspace() and previous.isspace()) and any(map(str.isspace, piece))
            previous = piece[-1:] or previous
            if not is_new:
                continue
        text += "".join(waiting)
        waiting.clear()
        is_whole = piece is None
        for end, is_over in [*sentence_ends(text, begin, is_whole=is_whole), (len(text), is_whole)]:
            for segment in _spoken(text, begin, end, cut, is_over=is_over, is_long=is_long):
                yield segment._replace(start=offset + segment.start)
                begin = segment.start + len(segment.text)
                is_long = segment.is_packed
            if not is_over:
                break
            begin, is_long = end, False
        # white space before a sentence, however much, is looked at once
        begin = len(text) - len(text[begin:].lstrip())
        context = max(0, begin - _CONTEXT)
        text, offset, begin = text[context:], offset + context, begin - context


def _spoken(text: str, begin: int, end: int, cut: Cut, *, is_over: bool, is_long: bool) -> Iterator[Segment]:
    """Yield what of a sentence, or of its beginning, can be spoken."""
    while (length := cut(text[begin:end], is_over)) is not None:
        yield Segment(text[begin : begin + length], begin, is_continued=True)
        begin += length
    rest = text[begin:end].strip()
    if is_long or len(rest) > MAX_LEN:
        packed = list(packed_words(text, begin, end, MAX_LEN))
        # the last word, or what follows it, may be still to come
        for first, last in packed if is_over else packed[:-1]:
            yield Segment(text[first:last], first, is_packed=True)
    elif is_over and rest:
        yield Segment(text[begin:end], begin)
