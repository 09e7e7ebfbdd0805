"""What a document with markup becomes: parts that are spoken in one manner each, with silence between them."""

from __future__ import annotations

import dataclasses
import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from kittentts.errors import TextError
from kittentts.preprocess.text import has_sound

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_PAUSE = 60.0
"""Seconds of silence at one place, as for `sentence_silence`."""

# Letters of a script that no English text has: a word of them stands for phonemes, and passes all normalization.
_FIRST_STAND_IN = 0x17000
_STAND_INS = {ord("0") + digit: chr(_FIRST_STAND_IN + digit) for digit in range(10)}
STAND_IN = re.compile(f"[{chr(_FIRST_STAND_IN)}-{chr(_FIRST_STAND_IN + 9)}]+")
"""A word that stands for phonemes."""
_SPACES_OR_WORDS = re.compile(r"(\s+)|\S+(?: \S+)*")
_PUNCTUATION = re.compile(r"[.,;:!?…]+")
_SENTENCE_END = re.compile(r"""[.!?…]["'”’)\]]*\Z""")


class Run(NamedTuple):
    """Characters of a part's text, and what of the document they are."""

    begin: int
    """Where they begin in the part's text."""
    spoken: str
    start: int
    """In the document, like `end`."""
    end: int
    written: str | None = None
    """What is written there, without marks; None if each character of `spoken` is one of the document."""


class Mark(NamedTuple):
    """A place in the document that has a name."""

    name: str
    position: int
    """In the document."""
    back: float = 0.0
    """Seconds of silence between it and the part that comes after it; below 0, between the last part and it."""


@dataclass(frozen=True, eq=False)
class Part:
    """What is spoken in one manner, without silence inside."""

    text: str
    runs: tuple[Run, ...]
    """In order; together they are `text`, but for white space at its ends."""
    voice: str | None
    """None is that of the call."""
    rate: float
    """Factor on the speed of the call."""
    stand_ins: Mapping[str, str]
    """Words of the document's texts that stand for phonemes."""
    lead: float = 0.0
    """Seconds of silence before it; only of the first part."""
    pause: float | None = None
    """Seconds of silence after it, if the document says so."""
    is_continued: bool = False
    """Whether its sentence goes on in the next part."""
    marks: tuple[Mark, ...] = ()
    """Those in it, and those between it and the part before."""

    def to_document(self, start: int, end: int) -> tuple[int, int]:
        """Return where characters `start` to `end` (more than none) of the text come from."""
        first = self.runs[bisect_right(self.runs, start, key=_begin) - 1]
        last = self.runs[bisect_left(self.runs, end, key=_begin) - 1]
        return (
            first.start if first.written is not None else first.start + start - first.begin,
            last.end if last.written is not None else last.start + end - last.begin,
        )

    def written(self, start: int, end: int) -> str:
        """Return what is written between two places of the document, without marks."""
        pieces = []
        for run in self.runs[bisect_right(self.runs, start, key=_end) :]:
            if run.start >= end:
                break
            if run.written is None:
                pieces.append(run.spoken[max(0, start - run.start) : end - run.start])
            elif start <= run.start:
                pieces.append(run.written)
        return "".join(pieces)


def _begin(run: Run) -> int:
    return run.begin


def _end(run: Run) -> int:
    return run.end


class PartsBuilder:
    """Makes parts of what a document says in its order. All positions are those of the document, in characters."""

    def __init__(self) -> None:
        self.voice: str | None = None
        self.rate = 1.0
        self._parts: list[Part] = []
        self._runs: list[Run] = []
        self._manner: tuple[str | None, float] = None, 1.0  # that of the runs
        self._length = 0
        self._paused = 0.0  # seconds since the last part
        self._is_inside = False  # of a sentence, at the end of the last part
        self._marks: list[Mark] = []  # since the last part, each with the seconds between that and it
        self._words: dict[str, str] = {}  # phonemes -> the word that stands for them
        self._stand_ins: dict[str, str] = {}

    def add_words(self, text: str, start: int) -> None:
        """Add characters of the document, of which white space is a single space."""
        for match in _SPACES_OR_WORDS.finditer(text):
            if match[1]:
                self.add(" ", start + match.start(), start + match.end(), " ")
            else:
                self.add(match[0], start + match.start(), start + match.end())

    def add(self, spoken: str, start: int, end: int, written: str | None = None) -> None:
        """Add what is spoken in place of the characters `start` to `end`; for `written` see `Run`."""
        if STAND_IN.search(spoken):
            raise TextError(f"with markup the text cannot have the letter {STAND_IN.findall(spoken)[0]!r} (Tangut)")
        self._add(spoken, start, end, written)

    def add_phonemes(self, phonemes: str, start: int, end: int, written: str) -> None:
        """Add phonemes that are spoken in place of the characters `start` to `end`."""
        if phonemes not in self._words:
            self._words[phonemes] = str(len(self._words)).translate(_STAND_INS)
            self._stand_ins[self._words[phonemes]] = phonemes
        # a word of its own
        if self._runs and self._runs[-1].spoken[-1:].isalnum():
            self._add(" ", start, start, "")
        self._add(self._words[phonemes], start, end, written)

    def _add(self, spoken: str, start: int, end: int, written: str | None) -> None:
        if self._runs and self._manner != (self.voice, self.rate):
            self._close()
        self._manner = self.voice, self.rate
        if not self._runs:
            if self._is_inside and written is None and (match := _PUNCTUATION.match(spoken)):
                if self._parts[-1].text[-1].isalnum():
                    self._append_to_last(match[0], start)
                spoken, start = spoken[match.end() :], start + match.end()
            if not spoken or spoken == " ":
                return
        elif spoken == " " == self._runs[-1].spoken[-1:]:
            return
        elif spoken[:1].isalnum() and STAND_IN.match(self._runs[-1].spoken[-1:]):
            self._append(" ", start, start, "")
        self._append(spoken, start, end, written)

    def _append(self, spoken: str, start: int, end: int, written: str | None) -> None:
        self._runs.append(Run(self._length, spoken, start, end, written))
        self._length += len(spoken)

    def _append_to_last(self, punctuation: str, start: int) -> None:
        last = self._parts[-1]
        run = Run(len(last.text), punctuation, start, start + len(punctuation))
        self._parts[-1] = dataclasses.replace(last, text=last.text + punctuation, runs=(*last.runs, run))
        self._is_inside = _SENTENCE_END.search(punctuation) is None

    def pause(self, seconds: float) -> None:
        """Add silence.

        Raises:
            TextError: it is too much.
        """
        self._close()
        self._is_inside = False
        self._paused += seconds
        if not self._paused <= LONGEST_PAUSE:
            raise TextError(f"{self._paused:g} s of silence at one place are more than {LONGEST_PAUSE:.0f}")
        if self._parts:
            self._parts[-1] = dataclasses.replace(self._parts[-1], pause=self._paused)

    def mark(self, name: str, position: int) -> None:
        """Name this place."""
        self._marks.append(Mark(name, position, self._paused))

    def end_sentence(self, position: int) -> None:
        """End the sentence here, with a full stop if it lacks a mark."""
        if self._runs and self._runs[-1].spoken.rstrip()[-1:].isalnum():
            self._append(".", position, position, "")
        self._close()
        self._is_inside = False

    def finish(self) -> list[Part]:
        """Return the parts."""
        self._close()
        if self._parts and self._marks:
            last = self._parts[-1]
            after = [mark._replace(back=-mark.back) for mark in self._marks]
            self._parts[-1] = dataclasses.replace(last, marks=(*last.marks, *after))
        return self._parts

    def _close(self) -> None:
        """Make a part of the runs, if there is something to speak in them."""
        runs, self._runs, self._length = self._runs, [], 0
        whole = "".join(run.spoken for run in runs)
        text = whole.strip()
        if not has_sound(text):
            return
        indent = len(whole) - len(whole.lstrip())
        inside = [mark for mark in self._marks if mark.position < runs[-1].end]
        self._marks = [mark._replace(back=0.0) for mark in self._marks[len(inside) :]]
        if self._is_inside:
            self._parts[-1] = dataclasses.replace(self._parts[-1], is_continued=True)
        self._parts.append(
            Part(
                text=text,
                runs=tuple(run._replace(begin=run.begin - indent) for run in runs),
                voice=self._manner[0],
                rate=self._manner[1],
                stand_ins=self._stand_ins,
                lead=0.0 if self._parts else self._paused,
                marks=tuple(mark._replace(back=self._paused - mark.back) for mark in inside),
            )
        )
        self._paused = 0.0
        self._is_inside = _SENTENCE_END.search(text) is None
