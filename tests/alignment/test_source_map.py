"""Where chunks and their words stand in the text that was given."""

import itertools

import pytest
from work import CountedText

from kittentts.alignment.source_map import WordSpan, group_by_source_word, map_to_source
from kittentts.preprocess import TextPreprocessor, chunk_text

CLEANER = TextPreprocessor(remove_punctuation=False)


def cleaned_sources(text, clean=None):
    """The chunks of a text that our cleaner, or another function, has cleaned, and where they came from."""
    cleaned, steps = (clean(text), []) if clean else CLEANER.process_with_edits(text)
    chunks = chunk_text(cleaned)
    return chunks, map_to_source(text, cleaned, steps, chunks)


def written(text, clean=None):
    """The words of a text as they were written, those that are spoken together as one."""
    _, sources = cleaned_sources(text, clean)
    return [text[slice(*span)] for source in sources for span, _ in group_by_source_word(source.words)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello, (dear) “world”!", "Hello dear world"),
        ("yes—no, a--b wait…what well-known", "yes no a b wait what well-known"),
        ("a & b % c # d @ e * f § g ¶ h ! i", "a & b % c # d @ e * f § g ¶ h i"),
        # a dot that belongs to the letters stays, that of a sentence does not
        ("At p.m. or a.m., in the U.S.A. or U.K.", "At p.m. or a.m. in the U.S.A. or U.K."),
        ("v.1. x.y e.g.: (i.e.) a.b.. a.bc. Mr.", "v.1 x.y e.g. i.e. a.b. a.bc Mr"),
        ("cafe\u0301! e\u0301\u0327, x.e\u0301. \u0301a", "cafe\u0301 e\u0301\u0327 x.e\u0301 a"),
        ("€5 +1 2½ 日本。 ^_^ ...", "€5 +1 2½ 日本 ^_^"),
    ],
)
def test_words_without_the_punctuation_around_them(text, words):
    assert written(text, str) == words.split()
    for chunk, source in zip(*cleaned_sources(text, str), strict=True):
        # with the punctuation in the chunk, without in the source
        assert all(text[slice(*word.source)] in chunk[word.start : word.end] for word in source.words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("At 3:05 p.m., pay $3.50.", ["At", "3:05 p.m.", "pay", "$3.50"]),
        ("It's 9 p.m. now", ["It's", "9", "p.m.", "now"]),
        ("10 km, 5km and 777", ["10", "km", "5km", "and", "777"]),
        # side by side, and yet two
        ("Take $5€6 home.", ["Take", "$5", "€6", "home"]),
    ],
)
def test_words_that_were_written_otherwise(text, words):
    assert written(text) == words


def test_chunks_and_words_have_their_places():
    text = "  Pay $5, now. Then <b>go</b> away!  "
    chunks, (first, second) = cleaned_sources(text)
    assert chunks == ["pay five dollars, now.", "then go away!"]
    assert text[slice(*first.span)] == "Pay $5, now."
    assert text[slice(*second.span)] == "Then <b>go</b> away!"
    assert [chunks[0][word.start : word.end] for word in first.words] == ["pay", "five", "dollars,", "now."]
    assert [text[slice(*word.source)] for word in first.words] == ["Pay", "$5", "$5", "now"]
    assert [chunks[1][word.start : word.end] for word in second.words] == ["then", "go", "away!"]
    assert [word.source for word in second.words] == [(15, 19), (23, 25), (30, 34)]


def test_a_word_that_the_cleaning_put_in_is_nowhere():
    text = "Go home."
    chunks, (source,) = cleaned_sources(text, lambda text: "Well, " + text)
    assert chunks == ["Well, Go home."]
    assert source.words == [WordSpan(0, 5, (0, 0)), WordSpan(6, 8, (0, 2)), WordSpan(9, 14, (3, 7))]


@pytest.mark.parametrize(
    ("sources", "groups"),
    [
        ([], []),
        ([(0, 2), (2, 4)], [((0, 2), [0]), ((2, 4), [1])]),
        ([(0, 4), (0, 4), (5, 6)], [((0, 4), [0, 1]), ((5, 6), [2])]),
        ([(0, 2), (1, 4), (3, 4), (4, 6)], [((0, 4), [0, 1, 2]), ((4, 6), [3])]),
        ([(0, 4), (1, 2), (3, 5)], [((0, 5), [0, 1, 2])]),
        # nowhere
        ([(0, 2), (2, 2), (2, 4)], [((0, 2), [0]), ((2, 2), [1]), ((2, 4), [2])]),
    ],
)
def test_words_of_the_same_characters_are_one(sources, groups):
    assert list(group_by_source_word(WordSpan(0, 0, source) for source in sources)) == groups


@pytest.mark.parametrize(
    ("unit", "clean"),
    [
        ("7", None),
        ("7,", None),
        ("1.", None),
        ("½", None),
        ("a ", None),
        ("a—", None),
        ("<b>a</b> ", None),
        # one word became many, with nothing in it that is spoken, at its end, or at its beginning
        ("-", lambda text: "a " * len(text)),
        ("-", lambda text: "7 " + "a " * len(text)),
        ("-", lambda text: "a " * len(text) + "7"),
        ("a-", lambda text: "b " * len(text)),
    ],
)
def test_the_work_is_in_proportion_to_the_text(unit, clean):
    def read(size):
        text = CountedText((unit * size)[:size])
        cleaned_sources(text, clean)
        return text.read

    assert read(4000) <= 5 * read(1000)


def test_many_words_of_one_are_grouped_in_proportion_to_their_number():
    # in quadratic time minutes
    words = itertools.repeat(WordSpan(0, 1, (0, 1)), 500_000)
    ((span, indices),) = group_by_source_word(words)
    assert span == (0, 1)
    assert indices == list(range(500_000))
