"""Durations of tokens -> times of words and phonemes."""

from __future__ import annotations

import contextlib
import functools
import unicodedata
from bisect import bisect_left
from typing import TYPE_CHECKING

import numpy as np

from kittentts.alignment.source_map import group_by_source_word
from kittentts.alignment.speech import Mark, Phoneme, Speech, SpokenChunk, Word
from kittentts.audio.waveform import count_samples
from kittentts.defaults import SAMPLE_RATE
from kittentts.phonemes.vocabulary import is_speakable, to_symbols

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, MutableMapping, Sequence

    from numpy.typing import NDArray

    from kittentts.alignment.source_map import ChunkSource
    from kittentts.runtime.chunks import SynthesizedChunk

    # first and last + 1 of the symbols, or samples
    Interval = tuple[int, int]

# A chunk of 400 characters has some 500 symbols. One of digits that are spelled out has thousands, and is cut in
# proportion: to align n symbols takes time and memory in proportion to n * n (30 ms and 8 MB for these).
_LONGEST = 2000


def with_times(
    chunks: Generator[SynthesizedChunk, None, None],
    sources: MutableMapping[int, ChunkSource],
    between: NDArray[np.float32],
    phonemize: Callable[..., str],
) -> Generator[Speech, None, None]:
    """Yield each chunk of a call with the times of what is in it, counted from the beginning of the first.

    Args:
        chunks: what the runs have made, in order; closed at the end.
        sources: what of the text became each chunk, by the chunk's index. It may be filled while chunks come; what has
            been used is taken out.
        between: the silence between two chunks, shape `(samples,)`.
        phonemize: text -> phonemes, as for the chunks; with markup (text, stand_ins=) -> phonemes.
    """
    begin = 0  # in samples
    pause = between[:0]  # none before the first chunk
    pieces: list[SynthesizedChunk] = []
    # closed also where somebody holds the traceback of an interruption, and so the iterator
    with contextlib.closing(chunks):
        for piece in chunks:
            pieces.append(piece)
            if not piece.input.is_last:
                continue
            if pieces[0].input.continues:
                pause = between[:0]
            audio = np.concatenate([pause, *(piece.waveform for piece in pieces)])
            source = sources.pop(piece.input.index)
            yield Speech(audio, (_spoken_chunk(pieces, begin + len(pause), source, phonemize),))
            begin += len(audio)
            pause = between
            pieces = []


def _spoken_chunk(
    pieces: Sequence[SynthesizedChunk],
    begin: int,
    source: ChunkSource,
    phonemize: Callable[..., str],
) -> SpokenChunk:
    chunk = pieces[0].input
    length = sum(len(piece.waveform) for piece in pieces)
    words = phonemes = None
    if all(map(_has_times, pieces)):
        symbols = chunk.all_symbols
        symbol_times = _symbol_times(pieces, symbols, begin)
        phonemes = tuple(
            Phoneme(symbol, start / SAMPLE_RATE, end / SAMPLE_RATE)
            for symbol, (start, end) in zip(symbols, symbol_times, strict=True)
            if symbol != " " and start < end
        )
        if source.part is not None:
            phonemize = functools.partial(phonemize, stand_ins=source.part.stand_ins)
        isolated = [to_symbols(phonemize(chunk.text[word.start : word.end])) for word in source.words]
        words = tuple(_words(source, symbol_times, symbols, isolated))
    start = (begin + count_samples(chunk.lead)) / SAMPLE_RATE
    end = (begin + length - count_samples(pieces[-1].input.joint or 0.0)) / SAMPLE_RATE
    return SpokenChunk(
        text=source.text(*source.span),
        start=start,
        end=end,
        span=source.span,
        words=words,
        phonemes=phonemes,
        marks=tuple(_marks(source, words or (), start, end)),
    )


def _marks(source: ChunkSource, words: Sequence[Word], start: float, end: float) -> Iterator[Mark]:
    """Yield the marks with the time when what comes after them begins; without words, the chunk counts as one."""
    for name, position, back in source.marks:
        if position >= source.span[1]:
            yield Mark(name, end - back)
        elif position <= source.span[0]:
            yield Mark(name, start - back)
        else:
            yield Mark(name, next((word.start for word in words if word.span[0] >= position), end if words else start))


def _has_times(piece: SynthesizedChunk) -> bool:
    # a cleaner of the user's may have other tokens than one a symbol, between a boundary and two
    return piece.token_boundaries is not None and len(piece.token_boundaries) == 1 + len(piece.input.symbols) + 3


def _symbol_times(pieces: Sequence[SynthesizedChunk], symbols: str, begin: int) -> list[Interval]:
    """Return from which sample to which each symbol of a chunk sounds; nowhere if its piece was not spoken."""
    times = [(0, 0)] * len(symbols)
    for piece in pieces:
        if piece.token_boundaries is not None:
            # the first token is a boundary
            boundaries = (piece.token_boundaries[1:] + begin).tolist()
            for i in range(len(piece.input.symbols)):
                times[piece.input.first_symbol + i] = boundaries[i], boundaries[i + 1]
        begin += len(piece.waveform)
    return times


def _words(
    source: ChunkSource,
    symbol_times: Sequence[Interval],
    symbols: str,
    isolated_phonemes: Sequence[str],
) -> list[Word]:
    """Return the words as they were written; one that has no sound of its own is one with its neighbour."""
    ranges = align(isolated_phonemes, symbols)
    found: list[tuple[Interval, Interval]] = []  # where it was written, when it sounds
    waiting: int | None = None  # where words begin that have had no sound yet
    for (begin, end), indices in group_by_source_word(source.words):
        heard = [i for index in indices for i in ranges[index] if symbol_times[i][0] < symbol_times[i][1]]
        # The space before a word is its own: in it the sound begins. Measured with the demo voice, 21 words after a
        # pause begin 5 ms (median) after the beginning of the space, and 60 ms before its end.
        before = heard[0] - 1 if heard else -1
        if before >= 0 and symbols[before] == " " and symbol_times[before][0] < symbol_times[before][1]:
            heard.insert(0, before)
        if begin == end:
            # nothing was written there: the cleaning has put it in
            continue
        if heard:
            sound = symbol_times[heard[0]][0], symbol_times[heard[-1]][1]
            found.append(((begin if waiting is None else waiting, end), sound))
            waiting = None
        elif found:
            found[-1] = (found[-1][0][0], end), found[-1][1]
        elif waiting is None:
            waiting = begin
    return [
        Word(source.text(begin, end), start / SAMPLE_RATE, stop / SAMPLE_RATE, (begin, end))
        for (begin, end), (start, stop) in found
    ]


def align(isolated_phonemes: Sequence[str], symbols: str) -> list[range]:
    """Find the words in what espeak-ng made of a whole chunk, where it speaks some otherwise than alone, or as one.

    Args:
        isolated_phonemes: the symbols of each word, spoken alone.
        symbols: those of the chunk.

    Returns:
        For each word its part of `symbols`, without the spaces and punctuation around it: in order, not overlapping,
        maybe empty.
    """
    spoken = " ".join(isolated_phonemes)
    # between a beginning and an end that belong together anyway
    matches = [(-1, -1), *_matches(spoken, symbols), (len(spoken), len(symbols))]
    spaces = [i for i, symbol in enumerate(symbols) if symbol == " "]
    found = []
    start = position = 0
    for phonemes in isolated_phonemes:
        # of the space after it
        position += len(phonemes)
        end = max(start, _cut(matches, spaces, position))
        found.append(_sounding(symbols, start, end))
        start = end
        position += 1
    return found


def _matches(spoken: str, symbols: str) -> list[tuple[int, int]]:
    """Return which symbols of the one are which of the other, in order: those that a shortest edit leaves alone."""
    if max(len(spoken), len(symbols)) > _LONGEST:
        return []
    others = np.array([*map(ord, symbols)], np.int32)
    columns = np.arange(len(symbols) + 1, dtype=np.int16)
    # Levenshtein distances between the first i symbols of the one and the first j of the other
    distances = np.empty((len(spoken) + 1, len(symbols) + 1), np.int16)
    distances[0] = columns
    for i, symbol in enumerate(spoken, 1):
        above = distances[i - 1]
        distances[i, 0] = i
        distances[i, 1:] = np.minimum(above[1:] + 1, above[:-1] + (others != ord(symbol)))
        # from the left, where each step costs one
        distances[i] = np.minimum.accumulate(distances[i] - columns) + columns
    found = []
    i, j = len(spoken), len(symbols)
    while i and j:
        if spoken[i - 1] == symbols[j - 1]:
            i, j = i - 1, j - 1
            found.append((i, j))
        elif distances[i, j] == distances[i - 1, j - 1] + 1:
            i, j = i - 1, j - 1
        elif distances[i, j] == distances[i - 1, j] + 1:
            i -= 1
        else:
            j -= 1
    return found[::-1]


def _cut(matches: Sequence[tuple[int, int]], spaces: Sequence[int], space: int) -> int:
    """Return where a word ends in the symbols, from the place of the space after it in the words spoken alone."""
    index = bisect_left(matches, (space, 0))
    end, new_end = matches[index]
    if end == space:
        return new_end
    # what is between two matches has been replaced: at the space that is nearest to the same share of it
    begin, new_begin = matches[index - 1][0] + 1, matches[index - 1][1] + 1
    aim = new_begin + (space - begin + 0.5) / (end - begin) * (new_end - new_begin)
    first, last = bisect_left(spaces, new_begin), bisect_left(spaces, new_end)
    if first == last:
        return round(aim)
    after = bisect_left(spaces, aim, first, last)
    return min(spaces[max(first, after - 1) : min(after + 1, last)], key=lambda i: abs(i - aim))


def _sounding(symbols: str, start: int, end: int) -> range:
    """Return the part between that has sounds, with the marks that belong to them."""
    letters = [i for i in range(start, end) if unicodedata.category(symbols[i])[0] in "LM"]
    if not is_speakable(symbols[start:end]):
        return range(start, start)
    return range(letters[0], letters[-1] + 1)
