"""A text that is still being written: the same chunks, spans and errors, and nothing that hangs or grows."""

import itertools
import json
import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import threads

from kittentts.errors import SilentTextError, StoppedError, TextTypeError, VoiceError

DATA = Path(__file__).parent.parent / "data"
TEXT = "Chapter One\n\nMr. Smith paid $3.50 for 20% of it. Why? “He liked it,” she said. " * 3 + "word " * 100


def cuts_of(text):
    """A few ways to cut a text into pieces."""
    return [list(text), [text], text.split(" ", 1) and [word + " " for word in text.split(" ")], ["", text, ""]]


@pytest.mark.parametrize(
    "options", [{}, {"look_ahead": True}, {"speed": 2.0, "sentence_silence": 0.1, "trim": "exact"}]
)
def test_the_samples_are_those_of_the_whole_text(tiny, options):
    expected = list(tiny.generate_stream(TEXT, **options))
    for pieces in cuts_of(TEXT)[:2]:
        found = list(tiny.generate_stream(iter(pieces), **options))
        assert [one.tobytes() for one in found] == [one.tobytes() for one in expected]


@pytest.mark.parametrize("clean_text", [False, True, str.upper])
def test_chunks_words_and_spans_are_those_of_the_whole_text(tiny, clean_text):
    expected = [speech.chunks for speech in tiny.synthesize_stream(TEXT, clean_text=clean_text)]
    found = [speech.chunks for speech in tiny.synthesize_stream(iter(TEXT), clean_text=clean_text)]
    assert found == expected


def test_corpora_cleaned_sentence_by_sentence(tiny):
    """A sentence is normalized alone, so what a rule would see in the next one it does not see."""
    differing = []
    for name in ("preprocess", "normalize"):
        for case in json.loads((DATA / f"{name}.json").read_text(encoding="utf-8")):
            text = case["text"]
            try:
                whole = [one.tobytes() for one in tiny.generate_stream(text, clean_text=True)]
            except SilentTextError:
                continue
            if [one.tobytes() for one in tiny.generate_stream(iter(text), clean_text=True)] != whole:
                differing.append(text)
    assert differing == []


def test_the_seed_of_a_chunk_is_that_of_its_place(tmp_path_factory):
    import tiny_model

    from kittentts import KittenTTS

    model = KittenTTS(tiny_model.make_directory(tmp_path_factory.mktemp("noisy"), noise=True))
    whole = model.generate("One. Two. Three.", seed=7)
    assert np.array_equal(np.concatenate(list(model.generate_stream(iter("One. Two. Three."), seed=7))), whole)


def test_the_first_sentence_sounds_before_the_second_is_written(tiny):
    heard = threading.Event()

    def pieces():
        yield "One. "
        assert heard.wait(60)
        yield "Two."

    stream = tiny.generate_stream(pieces(), look_ahead=True)
    assert len(next(stream))
    heard.set()
    assert len(list(stream)) == 1


def test_it_is_read_no_further_ahead_than_is_spoken(tiny):
    read = []

    def pieces():
        for number in itertools.count():
            read.append(number)
            yield f"This is number {number}. "

    stream = tiny.generate_stream(pieces())
    for _ in range(3):
        next(stream)
    stream.close()
    assert len(read) <= 5
    assert threads.left_behind() == []


@pytest.mark.parametrize("look_ahead", [False, True])
def test_an_error_of_the_text_comes_after_what_was_written_before_it(tiny, look_ahead):
    def pieces():
        yield "One. Two. Thr"
        raise KeyError("the language model is gone")

    stream = tiny.generate_stream(pieces(), look_ahead=look_ahead)
    assert [len(next(stream)), len(next(stream))] == [len(tiny.generate("One.")), len(tiny.generate("Two."))]
    with pytest.raises(KeyError, match="is gone"):
        next(stream)
    assert threads.left_behind() == []


def test_a_piece_that_is_no_text_is_an_error(tiny):
    stream = tiny.generate_stream(iter(["One. ", b"Two."]))
    next(stream)
    with pytest.raises(TextTypeError, match="bytes"):
        next(stream)


@pytest.mark.parametrize("low_latency", [False, True])
def test_a_list_is_checked_before_anything_is_spoken(tiny, low_latency):
    with pytest.raises(TextTypeError, match="bytes"):
        next(tiny.generate_stream(["One. ", b"Two."], low_latency=low_latency))


@pytest.mark.parametrize("text", [b"One.", {"One.": 1}, 5, None])
def test_what_is_no_text_is_an_error_of_the_call(tiny, text):
    with pytest.raises(TextTypeError, match=type(text).__name__):
        tiny.generate_stream(text)


@pytest.mark.parametrize("low_latency", [False, True])
def test_an_unknown_voice_is_an_error_of_the_call(tiny, low_latency):
    with pytest.raises(VoiceError, match="Nobody"):
        tiny.generate_stream(iter(["One."]), "Nobody", low_latency=low_latency)


def test_an_asynchronous_text_names_the_method_for_it(tiny):
    async def pieces():
        yield "One."

    with pytest.raises(TextTypeError, match="agenerate_stream"):
        tiny.generate_stream(pieces())


@pytest.mark.parametrize("pieces", [[], [""], ["...", " ", "¦"]])
def test_nothing_to_speak(tiny, pieces):
    with pytest.raises(SilentTextError, match="has no word"):
        list(tiny.generate_stream(pieces))


def test_what_is_silent_is_left_out(tiny):
    assert np.array_equal(
        np.concatenate(list(tiny.generate_stream(["... ", "One. ", "¦. ", "Two."]))), tiny.generate("One. Two.")
    )


@pytest.mark.parametrize("end", ["close", "cancel"])
def test_a_text_that_never_goes_on_is_left(tiny, end):
    cancel, stalled, go_on = threading.Event(), threading.Event(), threading.Event()

    def pieces():
        yield "One. Two"
        stalled.set()
        assert go_on.wait(60)
        yield " more."

    stream = tiny.generate_stream(pieces(), look_ahead=True, cancel=cancel)
    next(stream)
    assert stalled.wait(60)
    if end == "close":
        stream.close()
    else:
        cancel.set()
        with pytest.raises(StoppedError, match="cancelled"):
            next(stream)
    # the thread that reads ends when the text lets it
    go_on.set()
    assert threads.left_behind() == []


@pytest.mark.slow
def test_any_number_of_pieces_takes_flat_memory(tiny):
    def pieces(count):
        for _ in range(count):
            yield from ("One", " ", "more", ". ")

    def peak(count):
        tracemalloc.start()
        for _ in tiny.synthesize_stream(pieces(count)):
            pass
        held = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return held

    peak(20)
    assert peak(500) < peak(50) + 200_000


def test_progress_has_no_total(tiny):
    reports = []
    list(tiny.generate_stream(["One. ", "Two."], progress=reports.append))
    assert (reports[-1].chunks, reports[-1].characters) == (2, 8)
    assert reports[-1].total_chunks is reports[-1].total_characters is None
