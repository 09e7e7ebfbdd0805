"""A blank line ends a sentence, so that a heading does not run into the text below it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kittentts.preprocess.chunk import chunk_text
from kittentts.preprocess.edits import substitute

if TYPE_CHECKING:
    from kittentts.preprocess.edits import Edit

# the last character before a blank line, if something follows
_PARAGRAPH_END = re.compile(r"\S(?=[^\S\n]*\n[^\S\n]*\n\s*\S)")
# behind these comes a pause anyway
_PAUSES = ",;:…"
# characters: what `chunk_text` looks at before the end of a sentence
_TAIL = 12


def end_paragraphs(text: str) -> str:
    r"""Put a full stop before each blank line where no sentence ends and nothing makes a pause.

    >>> end_paragraphs("Chapter One\n\nIt was cold at 5 a.m.\n\nNobody came.")
    'Chapter One.\n\nIt was cold at 5 a.m..\n\nNobody came.'
    """
    return _PARAGRAPH_END.sub(_ended, text)


def end_paragraphs_with_edits(text: str) -> tuple[str, list[Edit]]:
    """Do the same, and say which characters were edited."""
    return substitute(_PARAGRAPH_END, _ended, text)


def _ended(match: re.Match[str]) -> str:
    last = match[0]
    tail = match.string[max(0, match.end() - _TAIL) : match.end()]
    # a letter in lower case follows here, because clean_text=True leaves no other: after it "a.m." ends no sentence
    is_end = last in _PAUSES or chunk_text(f"{tail} x")[-1] == "x,"
    return last if is_end else f"{last}."
