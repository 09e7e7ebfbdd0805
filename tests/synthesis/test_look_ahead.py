"""`generate_stream(look_ahead=True)`: in order, ahead of the caller, but not too far."""

import threading

import numpy as np
import pytest
import threads

from kittentts import KittenTTS
from kittentts.errors import StoppedError, TextError
from kittentts.synthesis import scheduler

TEXT = "One is here. Two is there, too. Three is nowhere to be seen. Four! Five is the end of it?"
BOOK = "Here is a sentence. " * 200


@pytest.fixture
def watched(tiny_directory, monkeypatch):
    """A model of two workers, and the indices of the chunks that it began to run."""
    model = KittenTTS(tiny_directory, max_workers=2)
    begun = []
    changed = threading.Condition()
    synthesize = model.model._synthesize

    def watch(call, model_input, request, **options):
        with changed:
            begun.append(model_input.index)
            changed.notify_all()
        return synthesize(call, model_input, request, **options)

    monkeypatch.setattr(model.model, "_synthesize", watch)

    def wait_for(count):
        with changed:
            return changed.wait_for(lambda: len(begun) >= count, 60)

    return model, begun, wait_for


@pytest.mark.parametrize("workers", [1, 2, 4, 40])
@pytest.mark.parametrize("text", [TEXT, "One. Two.", "Only one.", "... One. ?! Two.", "7" * 390 + " One.", BOOK])
def test_the_same_bits_in_the_same_chunks(tiny_directory, workers, text):
    model = KittenTTS(tiny_directory, max_workers=workers)
    options = {"voice": "Jasper", "speed": 1.3, "sentence_silence": 0.1}
    in_turn = list(model.generate_stream(text, **options))
    ahead = list(model.generate_stream(text, **options, look_ahead=True, cancel=threading.Event()))
    assert [chunk.tobytes() for chunk in ahead] == [chunk.tobytes() for chunk in in_turn]


def test_the_first_chunk_runs_alone(watched):
    model, begun, _ = watched
    next(stream := model.generate_stream(BOOK, look_ahead=True))
    assert begun[0] == 0
    stream.close()


def test_it_runs_ahead_while_the_caller_is_busy_but_not_too_far(watched):
    model, begun, wait_for = watched
    window = 2 * scheduler.WINDOW
    stream = model.generate_stream(BOOK, look_ahead=True)
    for taken in range(1, 5):
        next(stream)
        assert wait_for(window + taken - 1)
    # none of the threads is at a run that nobody may ask for
    assert sorted(begun) == list(range(window + 3))
    stream.close()
    assert len(begun) == window + 3


def test_without_it_nothing_runs_ahead(watched):
    model, begun, _ = watched
    next(stream := model.generate_stream(BOOK))
    assert begun == [0]
    stream.close()


def test_closing_it_leaves_no_thread(watched):
    model, _, _ = watched
    stream = model.generate_stream(BOOK, look_ahead=True)
    next(stream)
    stream.close()
    assert threads.left_behind() == []


def test_errors(tiny, failing):
    with pytest.raises(TextError):
        tiny.generate_stream(" ", look_ahead=True)
    stream = failing.generate_stream("Hello. A bunch of roses. Hello.", look_ahead=True)
    with pytest.raises(Exception, match="chunk 2 of 3"):
        list(stream)
    cancel = threading.Event()
    stream = tiny.generate_stream(BOOK, look_ahead=True, cancel=cancel)
    next(stream)
    cancel.set()
    with pytest.raises(StoppedError):
        list(stream)


def test_progress(tiny):
    seen = []
    audio = np.concatenate(list(tiny.generate_stream(TEXT, look_ahead=True, progress=seen.append)))
    assert (seen[0].chunks, seen[0].total_chunks) == (0, 5)
    assert seen[-1].chunks == 5
    assert seen[-1].audio_seconds == pytest.approx(len(audio) / 24000)
