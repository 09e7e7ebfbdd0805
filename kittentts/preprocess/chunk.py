"""Cut a text into the chunks that are spoken one at a time."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from kittentts.errors import SettingError
from kittentts.preprocess.text import check_is_text, word_list

if TYPE_CHECKING:
    from collections.abc import Iterator

# characters of a chunk, as in kittentts 0.8.1
MAX_LEN = 400

# Never the end of a sentence.
_ABBREVIATIONS = frozenset(
    word_list(
        "mr mrs ms mx messrs dr prof st mt rev gov gen sen pres capt lt sgt col maj cmdr "
        "jan feb mar apr jun jul aug sep sept oct nov dec "
        "fig figs eq eqs p pp vol vols vs cf viz approx e.g i.e ph.d"
    )
)
# The same, but words of their own when they are not capitalized.
_CAPITALIZED_ABBREVIATIONS = frozenset(word_list("Hon Rep"))
# The end of a sentence only if a capital letter follows. So are dotted letters such as a.m. and U.S.
_SOMETIMES_FINAL = frozenset(word_list("ch chs sec secs etc inc ltd co corp jr sr dept est"))
# No abbreviation has more characters; of dotted letters ("U.S.") five are seen.
_LONGEST_ABBREVIATION = 8
# "bus no. five" is one sentence.
_NUMBER_WORD = re.compile(
    "(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
    "|(?:thir|four|fif|six|seven|eigh|nine)teen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty)\\b"
)
_UNFINISHED_WORD = re.compile(r"\w*\Z")
_SENTENCE_END = re.compile(r"[.!?](?:\s+|\Z)")
_WORD = re.compile(r"\S+")
_LAST_WORD = re.compile(r"[^\W\d_]+(?:\.[^\W\d_]+)*\Z")
_INITIALISM = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]")
_ET_AL = re.compile(r"\bet al\Z", re.IGNORECASE)
# As normalize_text speaks "9 a.m.".
_MERIDIEM = re.compile(r"\b[ap] m\Z")

_ENDING = ".!?,;:"


def chunk_text(text: str, max_len: int = MAX_LEN) -> list[str]:
    """Cut a text into sentences, and sentences of more than `max_len` characters at spaces.

    A sentence ends at `.`, `!` or `?` before whitespace or the end of the text, but not after an abbreviation. Every
    chunk ends in punctuation; one that lacks it gets a comma, which may exceed `max_len` by one character. A single
    word longer than `max_len` stays whole. A blank line is white space like any other, as in kittentts 0.8.1; with
    `clean_text=True`, and on the command line, it ends a sentence. Time is linear in the length of the text.

    >>> chunk_text("Mr. Smith paid $3.50. Thanks")
    ['Mr. Smith paid $3.50.', 'Thanks,']

    Raises:
        TextTypeError: the text is not a `str`.
        SettingError: `max_len` is not an `int` of at least 1.

    """
    check_is_text(text)
    if not isinstance(max_len, int) or isinstance(max_len, bool) or max_len < 1:
        raise SettingError(f"max_len must be an int of at least 1, not {max_len!r}; 400 is the default.")
    return [
        _punctuated(piece)
        for sentence in _sentences(text)
        for piece in ([sentence] if len(sentence) <= max_len else _pack_words(sentence, max_len))
    ]


def ensure_punctuation(text: str) -> str:
    """Strip a text and add a comma unless it ends in one of `.!?,;:`; empty text stays empty.

    Raises:
        TextTypeError: the text is not a `str`.

    """
    check_is_text(text)
    return _punctuated(text.strip())


def _punctuated(text: str) -> str:
    return text if not text or text[-1] in _ENDING else text + ","


def _sentences(text: str) -> Iterator[str]:
    start = 0
    for end, _ in sentence_ends(text, 0, is_whole=True):
        yield text[start:end].strip()
        start = end
    rest = text[start:].strip()
    if rest:
        yield rest


def sentence_ends(text: str, start: int, *, is_whole: bool) -> Iterator[tuple[int, bool]]:
    """Yield where sentences end, the white space after them included, and whether that is certain.

    Args:
        text: begins with a sentence, or with white space.
        start: no sentence ends before it.
        is_whole: nothing comes after the text. Else it may depend on what comes whether a sentence ends; such a place
            is the last that is yielded.
    """
    for match in _SENTENCE_END.finditer(text, start):
        if not is_whole and match.end() == match.start() + 1:
            # white space may follow, or the rest of "3.50" or "example.com"
            yield match.end(), False
            return
        if match[0][0] == ".":
            is_end = _ends_sentence(text, match.start(), match.end(), is_whole=is_whole)
            if is_end is None:
                yield match.end(), False
                return
            if not is_end:
                continue
        yield match.end(), True


def _ends_sentence(text: str, dot: int, following: int, *, is_whole: bool) -> bool | None:
    """Whether the full stop at `dot` ends a sentence; None if the text must go on for that.

    `following` is where the next word begins.
    """
    decider = _what_decides(text, dot)
    if decider is None:
        return True
    if following == len(text):
        return True if is_whole else None
    if decider == "number":
        if text[following].isdigit():
            return False
        if not is_whole and _UNFINISHED_WORD.match(text, following):
            return None
        return _NUMBER_WORD.match(text, following) is None
    return decider == "capital" and text[following].isupper()


def _what_decides(text: str, dot: int) -> Literal["end", "number", "capital"] | None:
    """Return what must follow a full stop so that it ends a sentence; None if it does whatever follows.

    "end": nothing may follow. "number": no number. "capital": a capital letter, or nothing.
    """
    if not text[max(0, dot - 1)].isalnum():
        return None
    # One character more than the longest abbreviation, so that the end of a longer word is not taken for one.
    before = text[max(0, dot - _LONGEST_ABBREVIATION - 1) : dot]
    word_match = _LAST_WORD.search(before)
    if word_match is None:
        return None
    word = word_match[0]
    lower = word.lower()
    if lower in _ABBREVIATIONS or word in _CAPITALIZED_ABBREVIATIONS:
        return "end"
    if lower == "al":
        return "end" if _ET_AL.search(before) else None
    if lower in ("no", "nos"):
        return "number"
    is_initialism = "." in word and _INITIALISM.fullmatch(word) is not None
    is_meridiem = word == "m" and _MERIDIEM.search(before) is not None
    return "capital" if lower in _SOMETIMES_FINAL or is_initialism or is_meridiem else None


def _pack_words(sentence: str, max_len: int) -> Iterator[str]:
    for start, end in packed_words(sentence, 0, len(sentence), max_len):
        yield " ".join(sentence[start:end].split())


def packed_words(text: str, start: int, end: int, max_len: int) -> Iterator[tuple[int, int]]:
    """Yield from where to where as many words as fit into `max_len` characters are, with single spaces between them."""
    first = last = start
    length = 0  # of the words from `first` to `last`
    for word in _WORD.finditer(text, start, end):
        begin, stop = word.span()
        if length and length + 1 + stop - begin > max_len:
            yield first, last
            length = 0
        first = first if length else begin
        length += stop - begin + (1 if length else 0)
        last = stop
    if length:
        yield first, last
