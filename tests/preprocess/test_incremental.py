"""A text that comes in pieces is cut as the whole text is, whatever the pieces are."""

import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kittentts.errors import TextTypeError
from kittentts.preprocess import chunk_text, ensure_punctuation
from kittentts.preprocess.clauses import clause_end
from kittentts.preprocess.incremental import segments

DATA = Path(__file__).parent.parent / "data"
TEXTS = [
    case["text"]
    for name in ("chunk", "normalize", "preprocess")
    for case in json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
]


def chunks(pieces):
    """Return the segments as chunks, after checking that each is where it says."""
    pieces = list(pieces)
    whole = "".join(pieces)
    ways = []
    # the end of a list is known
    for source in (iter(pieces), pieces):
        found = list(segments(source))
        for segment in found:
            assert whole[segment.start : segment.start + len(segment.text)] == segment.text
        ways.append([ensure_punctuation(" ".join(one.text.split()) if one.is_packed else one.text) for one in found])
    assert ways[0] == ways[1]
    return ways[0]


def cut_at(text, places):
    return [text[a:b] for a, b in itertools.pairwise([0, *sorted(places), len(text)])]


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text[:30])
def test_corpora_cut_in_every_way(text):
    expected = chunk_text(text)
    assert chunks([text]) == expected
    assert chunks(text) == expected  # single characters
    for place in range(len(text) + 1):
        assert chunks([text[:place], text[place:]]) == expected, place


WORDS = st.sampled_from(
    ["Mr.", "no.", "No.", "nos.", "al.", "et", "et al.", "U.S.", "p.m.", "a m.", "etc.", "five", "fives", "5", "He",
     "he", "x.", "So!", "eh?", "...", ".", "3.50", "e.g.", "Inc.", "_", "é.", "\u0661", "(Dr.", "w" * 150, "v" * 250]
)  # fmt: skip
SPACES = st.sampled_from([" ", " ", " ", "\n\n", "  ", "\u00a0", "\x1c", ""])


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(WORDS, SPACES), max_size=25), st.data())
def test_hard_texts_cut_anywhere(parts, data):
    text = "".join(itertools.chain.from_iterable(parts))
    places = data.draw(st.lists(st.integers(0, len(text)), max_size=8))
    assert chunks(cut_at(text, places)) == chunk_text(text)
    assert chunks(text) == chunk_text(text)


def test_what_was_cut_off_still_decides_about_a_full_stop():
    # "et" is the last word of the first part
    text = "x" * 397 + " et al. Then it went on."
    assert chunks(text) == chunk_text(text) == ["x" * 397 + " et,", "al. Then it went on."]


def test_a_sentence_is_known_when_its_last_white_space_has_come():
    came = []

    def pieces():
        for piece in ("Mr. Lee", " came. ", "It was", " late.", " ", "Then"):
            came.append(piece)
            yield piece

    found = segments(pieces())
    assert next(found).text == "Mr. Lee came. "
    assert came[-1] == " came. "
    assert next(found).text == "It was late. "
    assert came[-1] == " "
    assert next(found).text == "Then"


def test_a_long_sentence_is_known_in_parts():
    found = segments(itertools.chain(["word "] * 81, iter(int, 1)))  # then something that is no text
    assert next(found).text == "word " * 79 + "word"
    with pytest.raises(TextTypeError, match="int"):
        next(found)


@pytest.mark.parametrize("piece", ["a", " ", "a ", ". ", "no. ", "a\n"])
def test_many_pieces_take_linear_time(piece):
    # a second or two where it is linear, minutes where it is quadratic
    assert sum(1 for _ in segments(itertools.repeat(piece, 15_000))) >= 0


def test_a_long_text_without_an_end_is_cut_in_linear_time():
    # seconds where it is linear, hours where each cut looks at all of the rest
    text = "the quick brown fox jumps over a lazy dog and runs " * 1_500
    found = list(segments([text], lambda beginning, is_whole: clause_end(beginning, 12, 40, is_whole=is_whole)))
    assert "".join(one.text for one in found) == text
    assert len(found) > 1_800
