"""Subtitles: what other libraries read in them, and how cues are cut."""

import io
import itertools
import json
from datetime import timedelta

import pytest
import srt
import webvtt
from sentences import HARD

from kittentts.alignment import subtitles
from kittentts.alignment.speech import SpokenChunk, Word

TEXT = " ".join(HARD[:12])
LONG = (
    "When the keeper had counted the ships, and had written their names into the book, he went down to the shore; "
    "there he found the boat, the nets, and a letter that nobody had opened because nobody could read it"
)


def chunk_of(text, seconds_a_word=0.3, start=0.0):
    words, position = [], 0
    for number, token in enumerate(text.split()):
        at = text.index(token, position)
        position = at + len(token)
        word = token.strip('.,;:!?"(&<>)') or token
        first = text.index(word, at)
        begin = start + number * seconds_a_word
        words.append(Word(word, begin, begin + seconds_a_word, (first, first + len(word))))
    return SpokenChunk(text, start, words[-1].end, (0, len(text)), tuple(words), ())


def seconds(delta):
    return delta / timedelta(seconds=1)


def text_of(cues):
    return " ".join(" ".join(cue.content.split()) for cue in cues)


def test_srt_is_read_back_with_its_times_and_words(tiny):
    speech = tiny.synthesize(TEXT, clean_text=True, sentence_silence=0.2)
    cues = list(srt.parse(speech.to_srt()))
    assert [cue.index for cue in cues] == list(range(1, len(cues) + 1))
    assert text_of(cues) == TEXT
    words = [word for chunk in speech.chunks for word in chunk.words]
    assert seconds(cues[0].start) == pytest.approx(words[0].start, abs=6e-4)
    assert seconds(cues[-1].end) == pytest.approx(words[-1].end, abs=6e-4)
    for cue in cues:
        lines = cue.content.split("\n")
        assert len(lines) <= 2
        assert all(len(line) <= 42 for line in lines)
        assert timedelta() < cue.end - cue.start <= timedelta(seconds=7)
    assert all(before.end <= after.start for before, after in itertools.pairwise(cues))
    single = list(srt.parse(speech.to_srt(words=True)))
    assert [cue.content for cue in single] == [word.text for word in words]
    assert seconds(single[5].start) == pytest.approx(words[5].start, abs=6e-4)


def test_vtt_is_read_back_with_its_times_and_words(tiny):
    speech = tiny.synthesize(TEXT, clean_text=True)
    plain = webvtt.from_string(speech.to_vtt())
    assert " ".join(" ".join(cue.text.split()) for cue in plain) == TEXT
    timed = webvtt.from_buffer(io.StringIO(speech.to_vtt(words=True)))
    assert [(cue.start, cue.end) for cue in timed] == [(cue.start, cue.end) for cue in plain]
    words = [word for chunk in speech.chunks for word in chunk.words]
    # one in the arrow of each cue, whose first word starts with it, and one in the tag of each other word
    assert speech.to_vtt(words=True).count(">") == len(words)
    # webvtt takes the tags off
    assert [" ".join(cue.text.split()) for cue in timed] == [" ".join(cue.text.split()) for cue in plain]


def test_long_sentences_are_cut_at_the_ends_of_clauses():
    cues = list(srt.parse(subtitles.to_srt([chunk_of(LONG)])))
    assert [" ".join(cue.content.split()) for cue in cues] == [
        "When the keeper had counted the ships, and had written their names into the book,",
        "he went down to the shore; there he found the boat, the nets,",
        "and a letter that nobody had opened because nobody could read it",
    ]
    # words of one second: no more than seven in a cue
    cues = list(srt.parse(subtitles.to_srt([chunk_of(LONG, 1.0)])))
    assert text_of(cues) == LONG
    assert all(cue.end - cue.start <= timedelta(seconds=7) for cue in cues)


def test_a_word_longer_than_a_line_stays_whole():
    word = "Donaudampfschifffahrtsgesellschaftskapitänsmütze"
    cues = list(srt.parse(subtitles.to_srt([chunk_of(f"Here is {word} and {word} too.")])))
    assert text_of(cues) == f"Here is {word} and {word} too."
    assert all(len(cue.content.split("\n")) <= 2 for cue in cues)


def test_markup_is_text():
    chunk = chunk_of("Is 1 <b> 2 & 3 --> 4?")
    text = subtitles.to_vtt([chunk])
    assert "&lt;b&gt; 2 &amp; 3 --&gt; 4?" in text
    (cue,) = webvtt.from_string(text)
    assert "-->" not in text.split("\n")[3]
    assert subtitles.to_vtt([chunk], words=True).count("&lt;b&gt;") == 1
    assert cue.start == "00:00:00.000"


def test_an_opening_quote_belongs_to_the_word_after_it():
    text = "He wrote this long letter to her and then he said “well (or not), good bye” to all of them there."
    cues = list(srt.parse(subtitles.to_srt([chunk_of(text)])))
    assert text_of(cues) == text
    assert not any(cue.content.rstrip().endswith(("“", "(")) for cue in cues)


def test_times_beyond_an_hour():
    chunk = chunk_of("Late.", 0.5, start=3600 * 11 + 61.9996)
    assert "11:01:02,000 --> 11:01:02,500" in subtitles.to_srt([chunk])
    assert "11:01:02.000 --> 11:01:02.500" in subtitles.to_vtt([chunk])


def test_no_cue_is_of_no_length():
    words = (Word("Are", 0.5, 0.9999, (0, 3)), Word("you", 0.9999, 0.99995, (4, 7)))
    chunk = SpokenChunk("Are you?", 0.0, 1.0, (0, 8), words, ())
    *_, cue = srt.parse(subtitles.to_srt([chunk], words=True))
    assert cue.end - cue.start == timedelta(milliseconds=1)
    assert subtitles.to_vtt([chunk], words=True).endswith("\n00:00:00.500 --> 00:00:01.000\nAre you?\n\n")
    bare = SpokenChunk("A b", 0.0, 1.0, (0, 3), (), ())
    assert subtitles.to_vtt([bare], words=True).endswith("\nA b\n\n")


def test_json_holds_everything(tiny):
    speech = tiny.synthesize(TEXT)
    assert json.loads(subtitles.to_json(speech.chunks)) == {
        "chunks": json.loads(json.dumps(speech.to_dict()))["chunks"]
    }


def test_nothing_spoken_is_an_empty_file():
    assert subtitles.to_srt([]) == ""
    assert subtitles.to_vtt([]) == "WEBVTT\n\n"
