"""Where a sentence may be cut so that its beginning can be spoken alone."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kittentts.preprocess.clauses import clause_end


def beginning(text, least=12, most=30, **options):
    end = clause_end(text, least, most, **{"is_whole": True, **options})
    return None if end is None else text[:end]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # behind the first mark that is not too early
        ("Well, the committee met, though nobody could agree on it.", "Well, the committee met,"),
        ("It was cold; nobody came to the door.", "It was cold;"),
        ("There it is: the house on the hill.", "There it is:"),
        ("The old house—which was damp—fell down at last.", "The old house—"),
        ("The old house — which was damp — fell down at last.", "The old house —"),
        ('She said "come here" and left the room at once.', 'She said "come here"'),
        ("The old house (it was damp) fell down at last.", "The old house"),
        ("I was thinking… that it might rain today.", "I was thinking…"),
        ("I was thinking... that it might rain today.", "I was thinking..."),
        # before the beginning of a phrase
        ("The quick brown fox jumps over the lazy dog again.", "The quick brown fox jumps"),
        ("She left the little room because it was far too hot.", "She left the little room"),
        # between words, but not behind one that belongs to the next
        ("Seventeen hungry kittens chased yarn balls everywhere today.", "Seventeen hungry"),
        # nowhere
        ("Hello there.", None),
        ("It is not a very long one.", None),
    ],
)
def test_the_shortest_beginning(text, expected):
    assert beginning(text) == expected


BELONG_TOGETHER = {
    "We have paid the sum of $3.50 for twenty five apples and a pear.":
        "of $3.50|$3.50 for|twenty five|five apples",
    "It happened long ago on March 5, 2024, when nobody was there to see it.":
        "on March|March 5|5, 2024",
    "The whole party met Dr. John Smith of New York at nine p.m. in the hall.":
        "Dr. John|John Smith|New York|nine p.m.|p.m. in",
    "We read The Lord of the Rings and a book by J. R. R. Tolkien yesterday.":
        "Lord of|of the Rings|J. R.|R. Tolkien",
    "The great Bank of England raised it by 2 percent to 5.25 percent today.":
        "Bank of|of England|by 2|2 percent|5.25 percent",
    "They counted two hundred and fifty thousand people in the streets today.":
        "two hundred|fifty thousand|thousand people",
}  # fmt: skip


@pytest.mark.parametrize("text", BELONG_TOGETHER, ids=lambda text: text[:20])
@pytest.mark.parametrize("longest", [False, True])
def test_never_inside_of_what_belongs_together(text, longest):
    for least in range(1, len(text)):
        end = clause_end(text, least, least + 8, is_whole=True, longest=longest)
        for inside in BELONG_TOGETHER[text].split("|"):
            place = text.index(inside)
            assert end is None or not place < end < place + len(inside), text[:end]


def test_the_longest_beginning_ends_late_and_well():
    text = "The committee, which met in the old hall, could not agree on the price of the bridge over the wide river."
    assert beginning(text, 12, 45, longest=True) == "The committee, which met in the old hall,"
    assert beginning(text, 12, 70, longest=True) == "The committee, which met in the old hall,"
    # the mark is too early now
    assert (
        beginning(text, 12, 88, longest=True)
        == "The committee, which met in the old hall, could not agree on the price of the bridge"
    )
    # what fits is not cut
    assert beginning(text, 12, 200, longest=True) is None


def test_no_stump_is_left():
    assert beginning("Nobody could agree on it, I fear.", 22, 30) is None
    assert beginning("Nobody could agree on it, I am afraid.", 12, 30) == "Nobody could agree on it,"
    # without a mark more must be left
    assert beginning("The children went looking for some snails.", 20, 30) is None
    assert beginning("The children went looking for some small snails.", 20, 30) == "The children went looking"


def test_a_sentence_without_a_place_is_cut_at_the_next_one():
    assert beginning("Mr. John Jacob Jingleheimer Schmidt of New South Wales, his name is mine.") == (
        "Mr. John Jacob Jingleheimer Schmidt of New South Wales,"
    )


WORDS = st.sampled_from(
    ["the", "of", "and", "kittens,", "Mr.", "Smith", "5", "$3.50", "March", "twenty", "five", "ran", "(or", "not)",
     "New", "York", "quickly", "house—old", "“Stop”", "however;", "I", "which", "…", "'tis"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=25), st.integers(5, 40), st.integers(0, 30), st.booleans())
def test_what_is_cut_once_stays_when_the_text_goes_on(words, least, more, longest):
    text = " ".join(words) + "."
    options = {"least": least, "most": least + more, "longest": longest}
    whole = clause_end(text, is_whole=True, **options)
    for length in range(len(text)):
        end = clause_end(text[:length], is_whole=False, **options)
        if end is not None:
            assert end == whole
            break
    # it ends behind a word or a dash, and white space before it does not matter
    if whole is not None:
        assert text[whole] == " " or text[whole - 1] == "—"
        assert clause_end(f" \n{text}", is_whole=True, **options) == whole + 2
