"""Cut a text into the chunks that are spoken one at a time."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kittentts.errors import SettingError
from kittentts.preprocess.text import check_is_text, word_list

if TYPE_CHECKING:
    from collections.abc import Iterator

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
_SENTENCE_END = re.compile(r"[.!?](?:\s+|\Z)")
_LAST_WORD = re.compile(r"[^\W\d_]+(?:\.[^\W\d_]+)*\Z")
_INITIALISM = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]")
_ET_AL = re.compile(r"\bet al\Z", re.IGNORECASE)
# As normalize_text speaks "9 a.m.".
_MERIDIEM = re.compile(r"\b[ap] m\Z")

_ENDING = ".!?,;:"


def chunk_text(text: str, max_len: int = 400) -> list[str]:
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
    for match in _SENTENCE_END.finditer(text):
        if match[0][0] == "." and _is_abbreviation(text, match.start(), match.end()):
            continue
        sentence = text[start : match.end()].strip()
        start = match.end()
        yield sentence
    rest = text[start:].strip()
    if rest:
        yield rest


def _is_abbreviation(text: str, dot: int, following: int) -> bool:
    """Whether the full stop at `dot` belongs to a word and not to a sentence; `following` is where the next begins."""
    if following == len(text) or not text[max(0, dot - 1)].isalnum():
        return False
    # One character more than the longest abbreviation, so that the end of a longer word is not taken for one.
    before = text[max(0, dot - _LONGEST_ABBREVIATION - 1) : dot]
    word_match = _LAST_WORD.search(before)
    if word_match is None:
        return False
    word = word_match[0]
    lower = word.lower()
    if lower in _ABBREVIATIONS or word in _CAPITALIZED_ABBREVIATIONS:
        return True
    if lower == "al":
        return _ET_AL.search(before) is not None
    if lower in ("no", "nos"):
        return text[following].isdigit() or _NUMBER_WORD.match(text, following) is not None
    is_initialism = "." in word and _INITIALISM.fullmatch(word) is not None
    is_meridiem = word == "m" and _MERIDIEM.search(before) is not None
    return (lower in _SOMETIMES_FINAL or is_initialism or is_meridiem) and not text[following].isupper()


def _pack_words(sentence: str, max_len: int) -> Iterator[str]:
    words: list[str] = []
    length = 0  # of the words joined with spaces
    for word in sentence.split():
        if words and length + 1 + len(word) > max_len:
            yield " ".join(words)
            words, length = [], 0
        length += len(word) + (1 if words else 0)
        words.append(word)
    if words:
        yield " ".join(words)
