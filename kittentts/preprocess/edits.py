"""Which characters of the original text became which of a cleaned one."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, NamedTuple

from kittentts.preprocess.cleanup import normalize_unicode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from kittentts.preprocess.apply import Replacement

_PIECE = re.compile(r"\s+|\S+")
_WORD = re.compile(r"\S+")
# how many words may be inserted, left out or replaced at one place
_FARTHEST = 60


class Edit(NamedTuple):
    """Characters `start` to `end` of a text became those from `new_start` to `new_end` of the next one."""

    start: int
    end: int
    new_start: int
    new_end: int


def substitute(pattern: re.Pattern[str], replace: Callable[[re.Match[str]], str], text: str) -> tuple[str, list[Edit]]:
    """Do what `pattern.sub(replace, text)` does, and say what was edited."""
    edits = []
    pieces = []
    position = length = 0
    for match in pattern.finditer(text):
        new = replace(match)
        pieces += [text[position : match.start()], new]
        start = length + match.start() - position
        position, length = match.end(), start + len(new)
        edits.append(Edit(*match.span(), start, length))
    return "".join([*pieces, text[position:]]), edits


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
    """Find out what was edited, word by word; words that differ in case or Unicode form only count as the same.

    Takes time that is linear in the length of the texts.
    """
    if text == cleaned:
        return []
    old = [(match.start(), match.end()) for match in _WORD.finditer(text)]
    new = [(match.start(), match.end()) for match in _WORD.finditer(cleaned)]
    if len(old) == len(new):
        pairs = [(i, i) for i in range(len(old))]
    else:
        pairs = list(
            _same_words([_key(text[slice(*span)]) for span in old], [_key(cleaned[slice(*span)]) for span in new])
        )
    edits = []
    position = new_position = 0
    for i, j in [*pairs, (len(old), len(new))]:
        start, new_start = (old[i][0], new[j][0]) if i < len(old) else (len(text), len(cleaned))
        # what is between this word and the one before
        if text[position:start] != cleaned[new_position:new_start]:
            edits.append(Edit(position, start, new_position, new_start))
        if i < len(old):
            position, new_position = old[i][1], new[j][1]
            word, new_word = text[start:position], cleaned[new_start:new_position]
            if len(word) != len(new_word) or (word != new_word and _key(word) != _key(new_word)):
                edits.append(Edit(start, position, new_start, new_position))
    return edits


def _same_words(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield the places of words that are in both, in order; after a difference, those nearest to it."""
    i = j = 0
    while i < len(old) and j < len(new):
        if old[i] != new[j]:
            i, j = _where_they_meet(old, i, new, j)
        else:
            yield i, j
            i, j = i + 1, j + 1


def _where_they_meet(old: Sequence[str], i: int, new: Sequence[str], j: int) -> tuple[int, int]:
    """Return the nearest places from which two words in a row are the same, or all up to the end."""
    for distance in range(1, 2 * _FARTHEST):
        for ahead in range(max(0, distance - _FARTHEST), min(distance, _FARTHEST) + 1):
            first, second = old[i + ahead : i + ahead + 2], new[j + distance - ahead : j + distance - ahead + 2]
            if first == second and first:
                return i + ahead, j + distance - ahead
    return i + _FARTHEST, j + _FARTHEST


def _key(piece: str) -> str:
    return normalize_unicode(piece).lower()


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
