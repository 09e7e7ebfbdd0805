"""Which characters of a text became which."""

import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from work import lines_run

from kittentts.preprocess import TextPreprocessor
from kittentts.preprocess.edits import Edit, difference, substitute, to_original, word_by_word

WORDS = [f"w{i}" for i in range(200)]


def edited(text, cleaned):
    return [(text[edit.start : edit.end], cleaned[edit.new_start : edit.new_end]) for edit in difference(text, cleaned)]


@pytest.mark.parametrize(
    ("text", "cleaned", "edits"),
    [
        ("a b c", "a b c", []),
        ("A b c", "a B c", []),
        ("a b c", "a x c", [("b", "x")]),
        ("a  b c", "a b c", [("  ", " ")]),
        (" a b ", "a b", [(" ", ""), (" ", "")]),
        # another length, though the same in another Unicode form
        ("A é b", "a e\u0301 b", [("é", "e\u0301")]),
        ("É b c", "é x b c", [(" ", " x ")]),
        ("a b c d", "a d", [(" b c ", " ")]),
        ("a b c d", "a b x y c d", [(" ", " x y ")]),
        ("a b c d e", "a y c d x e", [(" b ", " y "), (" ", " x ")]),
        ("Hello my friend", "Well hello my dear friend", [("", "Well "), (" ", " dear ")]),
        # a word alone is no sign: the "the" before is another one
        ("p q the r s", "the x y p q the r s", [("", "the x y ")]),
        ("the x y p q the r s", "p q the r s", [("the x y ", "")]),
        # nor is one that was passed already
        ("p q r p z w", "p z k w", [(" q r p z ", " z k ")]),
        ("a b", "c d e", [("a b", "c d e")]),
        ("a", "", [("a", "")]),
        ("", "a", [("", "a")]),
    ],
)
def test_difference(text, cleaned, edits):
    assert edited(text, cleaned) == edits


@pytest.mark.parametrize("count", [1, 6, 59, 60])
def test_up_to_sixty_words_are_put_in_or_left_out_at_one_place(count):
    middle = f" {' '.join(WORDS[:count])} "
    assert edited("So it is.", f"So{middle}it is.") == [(" ", middle)]
    assert edited(f"So{middle}it is.", "So it is.") == [(middle, " ")]
    others = " ".join(f"{word}'" for word in WORDS[:count])
    assert edited(f"So{middle}it is.", f"So not {others} it is.") == [(middle, f" not {others} ")]


def test_beyond_sixty_words_nothing_is_sought():
    middle = " ".join(WORDS[:61])
    assert edited("So it is.", f"So {middle} it is.") == [(" it is.", f" {middle} it is.")]
    # both go on sixty words later, and find the next difference
    text = " ".join(WORDS)
    changed = " ".join([WORDS[0], *(f"{word}'" for word in WORDS[1:100]), *WORDS[100:150], "new", *WORDS[150:]])
    assert edited(text, changed)[-1] == (" ", " new ")


@pytest.mark.parametrize(
    ("unit", "cleaned"),
    [
        ("<p>Some <i>text</i> here.</p>\n", "Some text here. "),
        ("a b c d e f g h i j ", "a b c d e f g h i j and "),
        # nothing in a row is the same
        ("a ", "b c "),
    ],
)
def test_the_work_is_in_proportion_to_the_text(unit, cleaned):
    few, many = (lines_run(difference, unit * count, cleaned * count) for count in (500, 2000))
    assert many < 5 * few


TEXT = st.lists(st.sampled_from(["a", "b", "B", "c", "é", "e\u0301", "ß", "İ", " ", "  ", "\n"]), max_size=40).map(
    "".join
)


@settings(deadline=None, max_examples=300, database=None)
@given(TEXT, TEXT)
def test_between_the_edits_only_case_and_form_differ(text, cleaned):
    position = new_position = 0
    for start, end, new_start, new_end in [*difference(text, cleaned), Edit(*[len(text)] * 2, *[len(cleaned)] * 2)]:
        assert position <= start <= end
        assert new_position <= new_start <= new_end
        same, new = text[position:start], cleaned[new_position:new_start]
        assert len(same) == len(new)
        assert same.upper().lower() == new.upper().lower()
        position, new_position = end, new_end


@pytest.mark.parametrize(
    ("edits", "places"),
    [
        ([], {(0, 1): (0, 1), (5, 9): (5, 9)}),
        # two characters became three
        ([Edit(2, 4, 2, 5)], {(0, 2): (0, 2), (1, 3): (1, 4), (3, 4): (2, 4), (2, 5): (2, 4), (5, 6): (4, 5)}),
        # one after the other
        ([Edit(0, 2, 0, 3), Edit(2, 4, 3, 5)], {(0, 3): (0, 2), (3, 5): (2, 4), (2, 4): (0, 4), (5, 7): (4, 6)}),
        # something was put in, or left out
        ([Edit(3, 3, 3, 6)], {(0, 3): (0, 3), (3, 6): (3, 3), (2, 7): (2, 4), (6, 8): (3, 5)}),
        ([Edit(3, 6, 3, 3)], {(0, 3): (0, 3), (3, 5): (6, 8), (2, 4): (2, 7)}),
    ],
)  # fmt: skip
def test_to_original(edits, places):
    assert {place: to_original(edits, *place) for place in places} == places


def test_words_of_a_replacement_are_paired_if_they_are_as_many():
    (edit,) = edits = [Edit(4, 9, 4, 18)]
    assert list(word_by_word(edits, "Run 10 km.", "run ten kilometers.")) == [
        Edit(4, 6, 4, 7), Edit(6, 7, 7, 8), Edit(7, 9, 8, 18),
    ]  # fmt: skip
    assert list(word_by_word(edits, "Run 10\tkm.", "run ten whole days.")) == [edit]


@pytest.mark.parametrize("text", ["a1b22c", "12", "x", "", "1 2 3"])
def test_substitute(text):
    pattern = re.compile("[0-9]+")
    new, edits = substitute(pattern, lambda match: f"<{match[0]}>", text)
    assert new == pattern.sub(r"<\g<0>>", text)
    assert [text[edit.start : edit.end] for edit in edits] == pattern.findall(text)
    assert [new[edit.new_start : edit.new_end] for edit in edits] == [f"<{number}>" for number in pattern.findall(text)]


def test_the_edits_of_a_cleaner_lead_back_step_by_step():
    text = "See <b>10 km</b> at www.a.org or don\u2019t PAY $3."
    cleaned, steps = TextPreprocessor(remove_punctuation=False).process_with_edits(text)
    assert cleaned == "see ten kilometers at or do not pay three dollars."
    found = []
    for match in re.finditer(r"\S+", cleaned):
        start, end = match.span()
        for edits in reversed(steps):
            start, end = to_original(edits, start, end)
        found.append(text[start:end])
    assert found == ["See", "10", "km", "at", "or", "don\u2019t", "don\u2019t", "PAY", "$3", "$3."]
    for edits in steps:
        assert all(a.end <= b.start and a.new_end <= b.new_start for a, b in itertools.pairwise(edits))
