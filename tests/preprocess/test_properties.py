"""What holds for every text whatever."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kittentts.preprocess as pre
from kittentts.preprocess.apply import find_replacements
from kittentts.preprocess.edits import difference, to_original
from kittentts.preprocess.rules import READING_RULES, RULES

# Any code point: lone surrogates, controls, combining marks, right-to-left, emoji.
ANY_TEXT = st.text(st.characters(exclude_categories=[]))
# Text that is likely to look like something that a rule knows.
PIECES = (
    "0 1 2 5 10 12 30 007 1905 2024 , . : / - – — − % $ € ¥ £ ¢ ° ' ’ “ ” \" ( ) + # @ & * ^ × _ < > ! ? … ~ ½ ² km GB "
    "ft. ′ ″ ℃ ５ h T Z ms in m K M B k a.m pm AM th st s e E v x www. http:// .org a@b.c May Jan. Sept. Mr. Dr. St. "
    "et al pp. p. Fig. Chapter King Henry IV I X War it's don't I'd let's \ud800 \u0301 \x00 é ſ Ω 中 ١ 🙂 <b> a word"
)
LOOKALIKES = st.lists(st.sampled_from([*PIECES.split(), " ", " ", "\n"]), max_size=14).map("".join)
TEXTS = ANY_TEXT | LOOKALIKES

PROSE_PIECES = (
    "The cat sat on a mat, and then it slept. We met Mr. Lee at 9:30 a.m. on May 5, 2026, near www.kitten.org and "
    "paid $4.20 for 3 apples (about 5-10% more) in 1905; the 20th was “fine” — GPT-4 said so. Chapter IV, pp. 3-5: "
    "-5 degrees, 42km, 3/4 cup, 1,234,567 people, 7B, 80s, v1.2.3, 555-123-4567, 14:00 etc."
)
PROSE = st.lists(st.sampled_from(PROSE_PIECES.split()), max_size=20).map(" ".join)

relaxed = settings(deadline=None, max_examples=200, database=None)
TEXT_FUNCTIONS = [
    getattr(pre, name)
    for name in pre.__all__
    if name.startswith(("expand_", "remove_", "normalize_leading", "normalize_unicode", "replace_", "to_"))
]


def without_spaces_and_commas(text):
    return re.sub(r"[\s,]", "", text)


@relaxed
@given(TEXTS, st.integers(1, 30) | st.just(400))
def test_chunks_keep_every_character_and_add_only_commas(text, max_len):
    chunks = pre.chunk_text(text, max_len)
    joined = "".join(chunks)
    assert without_spaces_and_commas(joined) == without_spaces_and_commas(text)
    assert 0 <= joined.count(",") - text.count(",") <= len(chunks)
    for chunk in chunks:
        assert chunk == chunk.strip() != ""
        assert chunk[-1] in ".!?,;:"
        assert len(chunk) <= max_len + 1 or " " not in chunk


@relaxed
@given(TEXTS)
def test_spans_account_for_every_difference(text):
    result = pre.normalize_text_result(text)
    position = normalized_position = 0
    for span in result.spans:
        assert position <= span.originalStartChar < span.originalEndChar
        untouched = text[position : span.originalStartChar]
        assert result.text[normalized_position : span.normalizedStartChar] == untouched
        position, normalized_position = span.originalEndChar, span.normalizedEndChar
    assert result.text[normalized_position:] == text[position:]


@relaxed
@given(TEXTS)
def test_no_letter_or_digit_vanishes(text):
    result = pre.normalize_text_result(text)
    for span in result.spans:
        original = text[span.originalStartChar : span.originalEndChar]
        spoken = result.text[span.normalizedStartChar : span.normalizedEndChar]
        if any(character.isalnum() for character in original):
            assert any(character.isalnum() for character in spoken)


@relaxed
@given(TEXTS)
def test_words_do_not_run_into_each_other(text):
    result = pre.normalize_text_result(text)
    for span in result.spans:
        for edge in (span.normalizedStartChar, span.normalizedEndChar):
            around = result.text[max(0, edge - 1) : edge + 1]
            assert len(around) < 2 or not around.isalnum()


@relaxed
@given(TEXTS)
def test_the_preprocessor_keeps_the_letters_of_words(text):
    keep = pre.TextPreprocessor(
        remove_urls=False, remove_emails=False, remove_html=False, normalize_unicode=False, lowercase=False
    )
    # A run of letters that is at least five long and not next to digits is in no rule but contractions.
    words = [word for word in re.findall(r"(?<![^\s])[^\W\d_]{5,}(?![^\s])", text) if word.isalpha()]  # "¼" is no digit
    processed = keep.process(text).split()
    assert [word for word in words if word not in processed] == []


@relaxed
@given(TEXTS)
def test_nothing_raises(text):
    pre.TextPreprocessor().process(text)
    pre.TextPreprocessor(
        expand_roman_numerals=True,
        remove_hashtags=True,
        remove_mentions=True,
        remove_stopwords=True,
        remove_accents=True,
    ).process(text)
    for function in TEXT_FUNCTIONS:
        assert isinstance(function(text), str)
    pre.expand_roman_numerals(text, context_words=False)


@relaxed
@given(PROSE)
def test_normalizing_twice_is_normalizing_once(text):
    once = pre.normalize_text(text)
    assert pre.normalize_text(once) == once
    clean = pre.TextPreprocessor(remove_punctuation=False)
    assert clean(clean(text)) == clean(text)


@relaxed
@given(TEXTS, st.sampled_from([READING_RULES, [rule for rule in RULES if rule.flags], RULES]))
def test_rules_that_are_skipped_for_want_of_a_character_would_have_taken_nothing(text, rules):
    searched = [rule._replace(needs="") for rule in rules]
    assert find_replacements(text, rules) == find_replacements(text, searched)


@relaxed
@given(st.integers())
def test_every_integer_has_words(number):
    assert re.fullmatch(r"[a-z -]+", pre.number_to_words(number))


@relaxed
@given(st.integers(1, 3999))
def test_numbers_differ_in_words(number):
    assert pre.number_to_words(number) != pre.number_to_words(number + 1)


@pytest.mark.parametrize("function", [pre.normalize_text, pre.TextPreprocessor().process, pre.chunk_text])
def test_a_word_of_a_megabyte(function):
    word = "é" * 1_000_000
    assert "".join(function(word)).rstrip(",") == word


@relaxed
@given(TEXTS | PROSE)
def test_cleaning_is_traced_to_the_original(text):
    preprocessor = pre.TextPreprocessor(remove_punctuation=False)
    cleaned, steps = preprocessor.process_with_edits(text)
    assert cleaned == preprocessor.process(text)
    previous = 0
    for match in re.finditer(r"\S+", cleaned):
        start, end = match.span()
        for edits in reversed(steps):
            start, end = to_original(edits, start, end)
        # in order: words that were spoken for the same characters share them
        assert previous <= end <= len(text)
        assert 0 <= start <= end
        previous = end
        if match[0] == text[start:end].lower():
            continue
        # what is not as it was is inside of a replacement
        assert any(edit.new_start < edit.new_end or edit.start < edit.end for edits in steps for edit in edits)


@relaxed
@given(TEXTS | PROSE)
def test_words_that_stay_are_traced_to_themselves(text):
    cleaned = " ".join(text.split())
    edits = difference(text, cleaned)
    for match in re.finditer(r"\S+", cleaned):
        assert text[slice(*to_original(edits, *match.span()))] == match[0]
