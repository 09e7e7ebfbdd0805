"""Where a sentence may be cut so that its beginning can be spoken alone."""

from __future__ import annotations

import enum
import re
from typing import TYPE_CHECKING, NamedTuple

from kittentts.preprocess.text import word_list

if TYPE_CHECKING:
    from collections.abc import Iterator

# A dash ends a word also where no space follows it.
_WORD = re.compile(r"[^\s—]*—+|[^\s—]+")
_MARKS = tuple(',;:—–…)]}”»"')
_OPENING = tuple('([{“«"')
_EDGES = "()[]{}“”«»\"'’‘,;:—–….!?"
# Characters. Shorter ends of a sentence sound torn off, behind a mark and elsewhere.
_MARKED_STUMP, _STUMP = 12, 20

_NUMBERS = frozenset(
    word_list(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million "
        "billion trillion dozen half quarter first second third fourth fifth sixth seventh eighth ninth tenth "
        "point percent"
    )
)
_MONTHS = frozenset(
    word_list(
        "january february march april may june july august september october november december "
        "jan feb mar apr jun jul aug sep sept oct nov dec"
    )
)
# What begins a new clause or phrase: a cut before it is the next best to one behind a mark.
_BEGINNINGS = frozenset(
    word_list(
        "and but or nor so yet because although though while whereas if unless until when whenever where who whom "
        "whose which that than as since before after during through throughout without within between among against "
        "about across along around behind below beneath beside beyond despite from into near onto over toward "
        "towards under upon with at by for in of on to"
    )
)
# Words that belong to the next one.
_BOUND = _BEGINNINGS | frozenset(
    word_list(
        "a an the this these those my your his her its our their every each some any no not very too more most quite "
        "is are was were be been am has have had do does did will would shall should can could may might must i you he "
        "she we they it there"
    )
)
# "Bank of England", "Johns and Sons"
_LINKS = frozenset(word_list("of the and de la van von for"))


class _Rank(enum.IntEnum):
    """How good a place is for a cut."""

    BETWEEN_WORDS = 0
    BEFORE_PHRASE = 1
    BEHIND_MARK = 2


class _Place(NamedTuple):
    """Where a sentence may be cut."""

    end: int
    rank: _Rank


def clause_end(text: str, least: int, most: int, *, is_whole: bool, longest: bool = False) -> int | None:
    """Return where to cut a sentence, in characters; None to speak it as it is, or to wait for more of it.

    No cut is inside of a number, an amount, a date, an abbreviation or a name, or leaves less than 20 characters, 12
    behind a mark. As far as a text goes on, what is returned once stays.

    Args:
        text: the sentence, or its beginning.
        least, most: between which the cut should be. A sentence without such a place is cut at the next one.
        is_whole: nothing comes after the text.
        longest: cut as late as possible instead of as early as possible.
    """
    text = text.rstrip()
    begin = len(text) - len(text.lstrip())
    seen = begin + 4 * most
    if seen < len(text):
        # nearly always enough; to look at all of a long sentence for each cut would take quadratic time
        end = clause_end(text[:seen], least, most, is_whole=False, longest=longest)
        if end is not None:
            return end
    places = [place for place in _places(text, is_whole=is_whole) if place.end - begin >= least]
    inside = [place for place in places if place.end - begin <= most]
    if not longest:
        mark = next((place for place in inside if place.rank == _Rank.BEHIND_MARK), None)
        if mark is not None:
            return mark.end
    # all places up to `most` must be known
    if not is_whole and len(places) == len(inside):
        return None
    if len(text) - begin <= most:
        return None
    if not inside:
        return places[0].end if places else None
    late = [place for place in inside if place.end - begin > most // 2] or inside
    best = max(place.rank for place in late)
    ends = [place.end for place in late if place.rank == best]
    return ends[-1] if longest else ends[0]


def _places(text: str, *, is_whole: bool) -> Iterator[_Place]:
    """Yield where a sentence may be cut, as far as what follows is known."""
    words = list(_WORD.finditer(text))
    # while more may come, nothing is known of the last word, nor of a name that it may end
    count = len(words) - 1 if is_whole else len(words) - 3
    for index in range(count):
        end = words[index].end()
        rank = _rank([word[0] for word in words[max(0, index - 1) : index + 4]], min(index, 1))
        # while more may come, a place that is near the end is left for later, whatever its rank
        stump = _MARKED_STUMP if is_whole and rank == _Rank.BEHIND_MARK else _STUMP
        if rank is not None and len(text) - end >= stump:
            yield _Place(end, rank)


def _rank(words: list[str], index: int) -> _Rank | None:
    """Return the rank of a cut behind a word, with the words around it; None where it may not be cut."""
    left, right = words[index], words[index + 1]
    is_marked = left.endswith((*_MARKS, "...")) or right.startswith(_OPENING)
    bare_left, bare_right = _bare(left).lower(), _bare(right).lower()
    # the full stop of an abbreviation; a mark that belongs to the left
    if not bare_right or (left.endswith(".") and not left.endswith("...")):
        return None
    if _has_digit(right) and (_has_digit(left) or not is_marked or bare_left in _MONTHS):
        return None
    if is_marked:
        return _Rank.BEHIND_MARK
    is_bound = (
        _has_digit(left)
        or bool({bare_left, bare_right} & (_NUMBERS | _MONTHS))
        or _is_inside_name(words, index)
        # "out of", "because of" belong together, and "the" to what follows
        or bare_left in (_BEGINNINGS if bare_right in _BEGINNINGS else _BOUND)
    )
    if is_bound:
        return None
    return _Rank.BEFORE_PHRASE if bare_right in _BEGINNINGS else _Rank.BETWEEN_WORDS


def _is_inside_name(words: list[str], index: int) -> bool:
    """Whether a name goes on behind a word: "New York", "Bank of England", "The Lord of the Rings"."""
    before = [word for word in words[: index + 1] if word not in _LINKS][-1:]
    after = [word for word in words[index + 1 :] if word not in _LINKS][:1]
    return bool(before and after) and _is_name(before[0]) and _is_name(after[0])


def _has_digit(word: str) -> bool:
    return any(map(str.isdigit, word))


def _is_name(word: str) -> bool:
    bare = _bare(word)
    return bare[:1].isupper() and bare != "I" and not bare.startswith("I'")


def _bare(word: str) -> str:
    return word.strip(_EDGES)
