"""A blank line ends a sentence: where, and that the times of words still are those of the user's text."""

import pytest

from kittentts.preprocess import chunk_text
from kittentts.preprocess.paragraphs import end_paragraphs, end_paragraphs_with_edits

CASES = {
    "Chapter one\n\nIt was cold.": "Chapter one.\n\nIt was cold.",
    "One\r\n\r\nTwo\n \t\n\nThree\n\n": "One.\r\n\r\nTwo.\n \t\n\nThree\n\n",
    # a sentence ends already
    "It is.\n\nIs it?\n\nIt is!\n\nSo.": "It is.\n\nIs it?\n\nIt is!\n\nSo.",
    # a pause is there
    "As follows:\n\none;\n\ntwo, and…\n\nso on": "As follows:\n\none;\n\ntwo, and…\n\nso on",
    # abbreviations that end no sentence
    "at 5 a.m.\n\nThen": "at 5 a.m..\n\nThen",
    "by Smith et al.\n\nNext": "by Smith et al..\n\nNext",
    "We go. On\n\nNext": "We go. On.\n\nNext",
    'He said "yes."\n\nNext': 'He said "yes.".\n\nNext',
    # no blank line
    "one\ntwo": "one\ntwo",
    "\n\none": "\n\none",
    "one\n\n": "one\n\n",
    "": "",
}


@pytest.mark.parametrize(("text", "expected"), CASES.items())
def test_cases(text, expected):
    assert end_paragraphs(text) == expected
    # once is enough
    assert end_paragraphs(expected) == expected
    assert end_paragraphs_with_edits(text)[0] == expected


def test_chunk_text_stays_as_it_was():
    assert chunk_text("Chapter one\n\nIt was cold.") == ["Chapter one\n\nIt was cold."]


@pytest.mark.parametrize("clean_text", [True, end_paragraphs])
def test_chunks_and_words_are_those_of_the_text(tiny, clean_text):
    text = "Chapter 12\n\nIt costs $5, at 5 p.m.\n\nSmith paid"
    speech = tiny.synthesize(text, clean_text=clean_text)
    assert [chunk.text for chunk in speech.chunks] == text.split("\n\n")
    assert [text[slice(*chunk.span)] for chunk in speech.chunks] == text.split("\n\n")
    words = [word for chunk in speech.chunks for word in chunk.words]
    assert [word.text for word in words] == ["Chapter", "12", "It", "costs", "$5", "at", "5", "p.m.", "Smith", "paid"]
    assert [text[slice(*word.span)] for word in words] == [word.text for word in words]
    assert speech.audio.tobytes() == tiny.generate(text, clean_text=clean_text).tobytes()


def test_it_is_spoken_like_a_sentence(tiny):
    spoken = tiny.generate("Chapter 12. It costs $5.", clean_text=True)
    assert tiny.generate("Chapter 12\n\nIt costs $5.", clean_text=True).tobytes() == spoken.tobytes()
    # espeak-ng's own reading is left to the caller
    assert len(tiny.synthesize("Chapter 12\n\nIt costs $5.", clean_text=False).chunks) == 1
