"""What must be true of every `Speech` with words."""

import itertools

import pytest

from kittentts.alignment.source_map import find_words


def words_of(speech):
    return [word for chunk in speech.chunks for word in chunk.words]


def written_words(text):
    return list(find_words(text, 0, len(text)))


def check(speech, text):
    """What must be true of every speech with words of a sensible text: as `check_order`, and no word is missing."""
    check_order(speech, text)
    spans = [word.span for word in words_of(speech)]
    for start, end in written_words(text):
        assert any(first < end and start < last for first, last in spans), text[start:end]


def check_order(speech, text):
    """What must be true of every speech with words: in order, not overlapping, inside of their chunks."""
    end = 0.0
    for chunk in speech.chunks:
        assert end <= chunk.start < chunk.end
        assert text[slice(*chunk.span)] == chunk.text
        end = chunk.start
        for word in chunk.words:
            assert end <= word.start < word.end <= chunk.end
            assert text[slice(*word.span)] == word.text
            assert chunk.span[0] <= word.span[0] < word.span[1] <= chunk.span[1]
            end = word.end
        assert all(chunk.start <= one.start < one.end <= chunk.end for one in chunk.phonemes)
        end = chunk.end
    assert len(speech.audio) / 24000 == pytest.approx(end, abs=1e-9)
    spans = [word.span for word in words_of(speech)]
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))
