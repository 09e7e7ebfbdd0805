"""Phonemes -> symbols -> token ids."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kittentts.phonemes.vocabulary import VOCABULARY, TextCleaner, is_speakable, split_symbols, to_token_ids

DATA = Path(__file__).parent.parent / "data"


def test_vocabulary_is_that_of_the_models():
    assert json.loads((DATA / "symbols.json").read_text("utf-8")) == VOCABULARY


def test_text_cleaner_drops_what_it_does_not_know():
    assert TextCleaner()("a#b\n") == [VOCABULARY["a"], VOCABULARY["b"]]


@given(st.text(st.sampled_from("aˈb .,;ɹ"), max_size=400), st.integers(4, 60))
@settings(deadline=None)
def test_split_pieces_fit_and_join_to_the_whole(symbols, limit):
    pieces = split_symbols(symbols, limit)
    assert "".join(pieces) == symbols
    assert all(0 < len(piece) <= limit for piece in pieces) or pieces == [""]


def test_split_prefers_clauses_then_spaces():
    assert split_symbols("aaaa, aaaaa aaaa", 12) == ["aaaa,", " aaaaa aaaa"]
    assert split_symbols("aaaaaa aaaaa aaaa", 12) == ["aaaaaa ", "aaaaa aaaa"]
    assert split_symbols("a" * 20, 12) == ["a" * 10, "a" * 10]
    assert split_symbols("aaaa, aa", 12) == ["aaaa, aa"]
    # of several such places the one nearest to equal lengths
    assert split_symbols("aa, aa, aa, aaa", 14) == ["aa, aa,", " aa, aaa"]
    assert split_symbols("aa aa aa aa aa", 13) == ["aa aa ", "aa aa aa"]


@pytest.mark.parametrize("mark", ";:,.!?—")
def test_split_prefers_each_mark_of_a_clause_to_spaces(mark):
    assert split_symbols(f"aaa{mark} aaaaa aaaa", 12) == [f"aaa{mark}", " aaaaa aaaa"]


def test_a_piece_has_as_many_tokens_as_the_models_take():
    [piece] = split_symbols("a" * 509)
    assert len(to_token_ids(piece, TextCleaner())) == 512
    assert len(split_symbols("a" * 510)) == 2


@pytest.mark.parametrize("symbol", ["ˈaɪ", "B", "ʔ", "ǃ"])
def test_speakable_needs_a_sound(symbol):
    assert is_speakable(symbol)
    assert not is_speakable(" . . . ˈː")
