"""Which characters of the original text became which of a cleaned one."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, NamedTuple

from kittentts.preprocess.cleanup import normalize_unicode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kittentts.preprocess.apply import Replacement

_PIECE = re.compile(r"\s+|\S+")


class Edit(NamedTuple):
    """Characters `start` to `end` of a text became those from `new_start` to `new_end` of the next one."""

    start: int
    end: int
    new_start: int
    new_end: int


def edits_of(replacements: Iterable[Replacement], pieces: Sequence[str]) -> list[Edit]:
    """Return what `apply.render` did, which made the pieces of the replacements."""
    edits = []
    shift = 0  # how much longer the new text is so far
    for (start, end, _, _), spoken in zip(replacements, pieces[1::2], strict=True):
        edits.append(Edit(start, end, start + shift, start + shift + len(spoken)))
        shift += len(spoken) - (end - start)
    return edits


def word_by_word(edits: Iterable[Edit], text: str, new: str) -> Iterator[Edit]:
    """Yield finer edits where as many words came from as many: "ten kilometers" from "10 km"."""
    for edit in edits:
        old_pieces = list(_PIECE.finditer(text, edit.start, edit.end))
        new_pieces = list(_PIECE.finditer(new, edit.new_start, edit.new_end))
        if len(old_pieces) == len(new_pieces):
            for before, after in zip(old_pieces, new_pieces, strict=True):
                yield Edit(*before.span(), *after.span())
        else:
            yield edit


def difference(text: str, cleaned: str) -> list[Edit]:
    """Find out what was edited, word by word; words that differ in case or Unicode form only count as the same."""
    if text == cleaned:
        return []
    # on use, for importing this package is instant
    import difflib

    old, new = list(_PIECE.finditer(text)), list(_PIECE.finditer(cleaned))
    matcher = difflib.SequenceMatcher(None, [_key(piece[0]) for piece in old], [_key(piece[0]) for piece in new])
    edits = []
    for _, old_first, old_end, new_first, new_end in matcher.get_opcodes():
        count = old_end - old_first
        if count == new_end - new_first:
            # one by one: a letter may be longer in lower case, and white space may have become another
            for before, after in zip(old[old_first:old_end], new[new_first:new_end], strict=True):
                edits += _edits_of_word(before, after)
        else:
            edits.append(Edit(*_extent(old, old_first, old_end, text), *_extent(new, new_first, new_end, cleaned)))
    return edits


def _edits_of_word(before: re.Match[str], after: re.Match[str]) -> list[Edit]:
    if len(before[0]) == len(after[0]) and _key(before[0]) == _key(after[0]):
        return []
    (start, end), (new_start, new_end) = before.span(), after.span()
    at = before[0].find(after[0])
    if at < 0:
        return [Edit(start, end, new_start, new_end)]
    # what was around it is gone, like a tag of HTML
    outside = (start, start + at, new_start), (start + at + len(after[0]), end, new_end)
    return [Edit(first, last, new, new) for first, last, new in outside if first < last]


def _key(piece: str) -> str:
    return " " if piece.isspace() else normalize_unicode(piece).lower()


def _extent(pieces: list[re.Match[str]], first: int, end: int, text: str) -> tuple[int, int]:
    start = pieces[first].start() if first < len(pieces) else len(text)
    return start, pieces[end - 1].end() if end > first else start


def to_original(edits: Sequence[Edit], start: int, end: int) -> tuple[int, int]:
    """Return the stretch of a text that characters `start` to `end` (more than none) of the next one came from."""
    index = bisect_right(edits, start, key=lambda edit: edit.new_start) - 1
    edit = edits[index] if index >= 0 else _NO_EDIT
    found_start = edit.start if start < edit.new_end else edit.end + start - edit.new_end
    index = bisect_left(edits, end, key=lambda edit: edit.new_start) - 1
    edit = edits[index] if index >= 0 else _NO_EDIT
    found_end = edit.end if end <= edit.new_end else edit.end + end - edit.new_end
    return found_start, found_end


_NO_EDIT = Edit(0, 0, 0, 0)
