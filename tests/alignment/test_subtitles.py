"""Subtitles: what other libraries read in them, and how cues are cut."""

import dataclasses
import io
import itertools
import json
from datetime import timedelta
from pathlib import Path

import pytest
import srt
import webvtt
from sentences import HARD

from kittentts.alignment import subtitles
from kittentts.alignment.speech import SpokenChunk, Word
from kittentts.errors import SettingError

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
    assert "<" not in speech.to_vtt()
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


@pytest.mark.parametrize(
    ("seconds_a_word", "cues"),
    [
        # to the last moment of seven seconds, and no longer
        (1.0, ["one two three four five six seven", "eight nine ten"]),
        (1.01, ["one two three four five six", "seven eight nine ten"]),
        (0.7, ["one two three four five six seven eight\nnine ten"]),
    ],
)
def test_a_cue_lasts_seven_seconds_at_most(seconds_a_word, cues):
    chunk = chunk_of("one two three four five six seven eight nine ten", seconds_a_word)
    assert [cue.content for cue in srt.parse(subtitles.to_srt([chunk]))] == cues


@pytest.mark.parametrize(
    ("text", "cues"),
    [
        # the clause ends in the first half: it is no reason to cut
        ("one, two three four five six seven eight nine", ["one, two three four five six seven", "eight nine"]),
        ("one two three, four five six seven eight nine", ["one two three, four five six seven", "eight nine"]),
        # in the second half it is, the last of them, and a quote behind a comma too
        ("one two three four, five six seven eight nine", ["one two three four,", "five six seven eight nine"]),
        ("one two three four, five; six seven eight nine", ["one two three four, five;", "six seven eight nine"]),
        ("one two three four five six, seven eight nine", ["one two three four five six,", "seven eight nine"]),
        ("one two three four five six seven, eight nine", ["one two three four five six seven,", "eight nine"]),
        ("one two three four “five six,” seven eight nine", ["one two three four “five six,”", "seven eight nine"]),
    ],
)
def test_a_long_sentence_is_cut_at_the_end_of_a_late_clause(text, cues):
    assert [cue.content for cue in srt.parse(subtitles.to_srt([chunk_of(text, 1.0)]))] == cues


def test_two_lines_of_42_characters_are_full():
    line = "a" * 20 + " " + "b" * 21
    (cue,) = srt.parse(subtitles.to_srt([chunk_of(f"{line} {line}")]))
    assert cue.content == f"{line}\n{line}"
    cues = list(srt.parse(subtitles.to_srt([chunk_of(f"{line} {line}b")])))
    assert [cue.content for cue in cues] == [f"{line}\n{'a' * 20}", "b" * 22]


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


@pytest.mark.parametrize(
    ("text", "spans", "cues"),
    [
        ("So (she) left", [(0, 2), (4, 7), (9, 13)], ["So", "(she)", "left"]),
        ("He “(is” [in]", [(0, 2), (5, 7), (10, 12)], ["He", "“(is”", "[in]"]),
        # not the dash that ends the word before
        ("well–known men", [(0, 4), (5, 10), (11, 14)], ["well", "–known", "men"]),
        ("“Oh”, he", [(1, 3), (6, 8)], ["“Oh”,", "he"]),
    ],
)
def test_what_stands_between_words_belongs_to_one_of_them(text, spans, cues):
    words = tuple(Word(text[slice(*span)], 4.0 * i, 4.0 * i + 3.9, span) for i, span in enumerate(spans))
    # also where the text begins somewhere else than its chunk
    shifted = tuple(dataclasses.replace(word, span=(word.span[0] + 7, word.span[1] + 7)) for word in words)
    for chunk in (
        SpokenChunk(text, 0.0, 12.0, (0, len(text)), words, ()),
        SpokenChunk(text, 0.0, 12.0, (7, 7 + len(text)), shifted, ()),
    ):
        # each too long to share a cue
        assert [cue.content for cue in srt.parse(subtitles.to_srt([chunk]))] == cues


def test_karaoke_to_the_letter():
    words = (
        Word("Don't", 3661.5, 3661.75, (1, 6)),
        Word("stop", 3661.75, 3662.0, (9, 13)),
        # not later than the one before, and not inside of the cue
        Word("it", 3661.75, 3662.1, (14, 16)),
        Word("now", 3662.5, 3662.5, (18, 21)),
    )
    chunk = SpokenChunk("“Don't, stop it <now>!”", 3661.0, 3662.5, (0, 23), words, ())
    assert subtitles.to_vtt([chunk], words=True) == (
        "WEBVTT\n\n01:01:01.500 --> 01:01:02.500\n“Don't, <01:01:01.750>stop it &lt;now&gt;!”\n\n"
    )
    assert subtitles.to_vtt([chunk]) == ("WEBVTT\n\n01:01:01.500 --> 01:01:02.500\n“Don't, stop it &lt;now&gt;!”\n\n")
    assert subtitles.to_srt([chunk]) == "1\n01:01:01,500 --> 01:01:02,500\n“Don't, stop it <now>!”\n\n"
    assert subtitles.to_srt([chunk], words=True).startswith(
        "1\n01:01:01,500 --> 01:01:01,750\nDon't\n\n2\n01:01:01,750"
    )


def test_a_chunk_that_was_not_written_has_no_cue():
    chunks = [SpokenChunk(" ", 0.0, 1.0, (0, 0), (), ()), chunk_of("So it is.", start=1.0)]
    assert [cue.content for cue in srt.parse(subtitles.to_srt(chunks))] == ["So it is."]


def test_times_beyond_an_hour():
    assert "\n01:00:00,000 --> 01:00:00,500\n" in subtitles.to_srt([chunk_of("Now.", 0.5, start=3600.0)])
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
    assert '"text": "Über"' in subtitles.to_json([chunk_of("Über")])


@pytest.mark.parametrize(
    ("name", "write"),
    [("a.srt", subtitles.to_srt), ("b/A.VTT", subtitles.to_vtt), ("a.b.json", subtitles.to_json)],
)
def test_the_suffix_names_the_format(name, write):
    assert subtitles.find_subtitle_format(Path(name)) is write


@pytest.mark.parametrize("name", ["a.txt", "srt", "a.srt.gz"])
def test_another_suffix_is_refused(name):
    with pytest.raises(SettingError, match=rf"'{name}' names no subtitles; use one of \.srt, \.vtt, \.json"):
        subtitles.find_subtitle_format(Path(name))


@pytest.mark.parametrize("write", subtitles.SUBTITLE_FORMATS.values())
def test_no_words_are_told_where_there_are_no_durations(write):
    chunk = SpokenChunk("One.", 0.0, 1.0, (0, 4), None, None)
    assert "One." in write([chunk])
    with pytest.raises(SettingError, match="does not tell how long its tokens sound"):
        write([chunk_of("Two."), chunk], words=True)


def test_nothing_spoken_is_an_empty_file():
    assert subtitles.to_srt([]) == ""
    assert subtitles.to_vtt([]) == "WEBVTT\n\n"
