"""Chunks with times -> subtitles: SubRip (.srt), WebVTT (.vtt) and JSON. Knows no audio."""

from __future__ import annotations

import dataclasses
import html
import json
import textwrap
from typing import TYPE_CHECKING, NamedTuple

from kittentts.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from kittentts.alignment.speech import SpokenChunk, Word

# what broadcasters allow: two lines of 42 characters, for no longer than 7 s
_LINE = 42
_LINES = 2
_SECONDS = 7.0
# within a sentence a full stop is that of an abbreviation
_CLAUSE_ENDS = ',;:!?…—–"”’)'


class _Cue(NamedTuple):
    text: str
    words: tuple[tuple[str, float], ...]
    """Each with what follows it, up to the next word, and the time when it starts; none if they are not known."""
    start: float
    end: float


def to_srt(chunks: Sequence[SpokenChunk], *, words: bool = False) -> str:
    """Return subtitles in the SubRip format.

    A cue is a sentence, or a part of one that fits into two lines of 42 characters and 7 s, cut at the end of a clause
    where there is one. Where the model tells no durations, it is a whole chunk, however long.

    Args:
        chunks: of a `Speech`.
        words: a cue for each word.

    Raises:
        SettingError: `words`, and the model tells no durations.
    """
    cues = _word_cues(chunks) if words else _sentence_cues(chunks)
    return "".join(f"{number}\n{_interval(cue, ',')}\n{_wrapped(cue.text)}\n\n" for number, cue in enumerate(cues, 1))


def to_vtt(chunks: Sequence[SpokenChunk], *, words: bool = False) -> str:
    """Return subtitles in the WebVTT format; as `to_srt`, but `words` puts the time of each word into the cues."""
    if words:
        _check_words(chunks)
    return "WEBVTT\n\n" + "".join(
        f"{_interval(cue, '.')}\n{_karaoke(cue) if words else _escaped(_wrapped(cue.text))}\n\n"
        for cue in _sentence_cues(chunks)
    )


def to_json(chunks: Sequence[SpokenChunk], *, words: bool = False) -> str:
    """Return everything that is known of the chunks, as an object with the list `chunks`; for `words` see `to_srt`."""
    if words:
        _check_words(chunks)
    return json.dumps({"chunks": [dataclasses.asdict(chunk) for chunk in chunks]}, ensure_ascii=False, indent=1)


SUBTITLE_FORMATS: dict[str, Callable[..., str]] = {".srt": to_srt, ".vtt": to_vtt, ".json": to_json}
"""By the suffix of the file."""


def find_subtitle_format(path: Path) -> Callable[..., str]:
    """Return the function that makes what a file of this name holds; raise `SettingError` for another suffix."""
    suffix = path.suffix.lower()
    if suffix not in SUBTITLE_FORMATS:
        raise SettingError(f"the suffix of {str(path)!r} names no subtitles; use one of {', '.join(SUBTITLE_FORMATS)}")
    return SUBTITLE_FORMATS[suffix]


def _check_words(chunks: Sequence[SpokenChunk]) -> None:
    if any(chunk.words is None for chunk in chunks):
        raise SettingError(
            "this model does not tell how long its tokens sound, so there are no times of words; leave out words"
        )


def _word_cues(chunks: Sequence[SpokenChunk]) -> Iterator[_Cue]:
    _check_words(chunks)
    for chunk in chunks:
        for word in chunk.words or ():
            yield _Cue(_one_line(word.text), (), word.start, word.end)


def _sentence_cues(chunks: Iterable[SpokenChunk]) -> Iterator[_Cue]:
    for chunk in chunks:
        if not chunk.text.strip():
            # what the cleaning of the text has put in
            continue
        if not chunk.words:
            yield _Cue(_one_line(chunk.text), (), chunk.start, chunk.end)
            continue
        pieces = _split_at_words(chunk, chunk.words)
        first = 0
        while first < len(pieces):
            after = _cue_end(pieces, chunk.words, first)
            text = _one_line("".join(pieces[first:after]))
            times = tuple((_one_line(pieces[i]), chunk.words[i].start) for i in range(first, after))
            yield _Cue(text, times, chunk.words[first].start, chunk.words[after - 1].end)
            first = after


def _split_at_words(chunk: SpokenChunk, words: Sequence[Word]) -> list[str]:
    """Return for each word what is written from it to the next one; the first and the last have the chunk's ends."""
    places = _places(chunk, words)
    cuts = [0, *(start for start, _ in places[1:]), len(chunk.text)]
    # an opening bracket or quote belongs to the word after it
    for i in range(1, len(cuts) - 1):
        while cuts[i] > places[i - 1][1] and not chunk.text[cuts[i] - 1].isspace():
            cuts[i] -= 1
    return [chunk.text[cuts[i] : cuts[i + 1]] for i in range(len(words))]


def _places(chunk: SpokenChunk, words: Sequence[Word]) -> list[tuple[int, int]]:
    """Return where the words are in the chunk's text."""
    origin, end = chunk.span
    if len(chunk.text) == end - origin:
        return [(word.span[0] - origin, word.span[1] - origin) for word in words]
    # the marks of markup, which the spans count, are not in the text
    places = []
    position = 0
    for word in words:
        start = chunk.text.index(word.text, position)
        position = start + len(word.text)
        places.append((start, position))
    return places


def _cue_end(pieces: Sequence[str], words: Sequence[Word], first: int) -> int:
    """Return the word before which a cue that begins with word `first` ends."""
    after = first + 1
    while (
        after < len(pieces)
        and words[after].end - words[first].start <= _SECONDS
        and _fits(_one_line("".join(pieces[first : after + 1])))
    ):
        after += 1
    if after == len(pieces):
        return after
    # the last clause that ends in the second half of what fits; else between any two words
    clauses = [i for i in range(first + 1, after + 1) if pieces[i - 1].rstrip()[-1:] in _CLAUSE_ENDS]
    late = [i for i in clauses if i - first > (after - first) // 2]
    return late[-1] if late else after


def _fits(text: str) -> bool:
    return len(_lines(text)) <= _LINES


def _wrapped(text: str) -> str:
    return "\n".join(_lines(text))


def _lines(text: str) -> list[str]:
    # a word that is longer than a line stays whole
    return textwrap.wrap(text, _LINE, break_long_words=False, break_on_hyphens=False)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _escaped(text: str) -> str:
    return html.escape(text, quote=False)


def _karaoke(cue: _Cue) -> str:
    """Write each word after the time when it starts, where that is inside of the cue and later than the one before."""
    if not cue.words:
        return _escaped(_wrapped(cue.text))
    parts = []
    last, end = _milliseconds(cue.start), _milliseconds(cue.end)
    for piece, start in cue.words:
        if last < _milliseconds(start) < end:
            last = _milliseconds(start)
            parts.append(f"<{_time(start, '.')}>{_escaped(piece)}")
        else:
            parts.append(_escaped(piece))
    return " ".join(parts)


def _interval(cue: _Cue, point: str) -> str:
    # a word that is cut by the end of its chunk may be shorter than what is written here
    end = max(_milliseconds(cue.end), _milliseconds(cue.start) + 1) / 1000
    return f"{_time(cue.start, point)} --> {_time(end, point)}"


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _time(seconds: float, point: str) -> str:
    whole, rest = divmod(_milliseconds(seconds), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{point}{rest:03}"
