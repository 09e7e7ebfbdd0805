"""The sessions of a model: threads, memory, slots, and which session a run gets."""

import os
import signal
import threading

import forks
import pytest
import tiny_model
from recording import Recording

from kittentts import KittenTTS
from kittentts.errors import StoppedError
from kittentts.runtime import onnx_graph, sessions
from kittentts.runtime.cancellation import Cancellation
from kittentts.synthesis.speech_options import SpeechOptions

TEXT = "One is here. Two is there, too. Three is nowhere to be seen. Four! Five is the end of it?"


@pytest.fixture
def three_cores(monkeypatch):
    monkeypatch.setattr("kittentts.engine.cores_of_a_call", lambda: 3)
    monkeypatch.setattr("kittentts.engine.usable_cores", lambda: 3)


@pytest.mark.usefixtures("three_cores")
def test_a_session_of_three_threads_and_one_of_one(tmp_path, opened):
    model = KittenTTS(tiny_model.make_directory(tmp_path))
    model.generate(TEXT)
    assert [threads for _, threads in opened] == [3, 1]
    assert model.model.session.get_session_options().intra_op_num_threads == 3


def test_a_single_core_needs_one_session(tmp_path, opened, monkeypatch):
    monkeypatch.setattr("kittentts.engine.cores_of_a_call", lambda: 1)
    model = KittenTTS(tiny_model.make_directory(tmp_path), max_workers=2)
    model.generate(TEXT)
    assert [threads for _, threads in opened] == [1]


@pytest.mark.usefixtures("three_cores")
def test_the_last_runs_give_the_memory_back(tmp_path, monkeypatch):
    """Told by the options of the runs: what ONNX Runtime makes of them is its own affair."""
    model = KittenTTS(tiny_model.make_directory(tmp_path))
    released = []
    from kittentts.runtime import cancellation

    original = cancellation.Cancellation.run_options
    monkeypatch.setattr(
        cancellation.Cancellation, "run_options",
        lambda call, **options: released.append(options["release_memory"]) or original(call, **options),
    )  # fmt: skip
    model.generate("Only one.")
    assert released == [False]
    released.clear()
    model.generate(TEXT * 4)
    assert any(released[-3:])
    key = "memory.enable_memory_arena_shrinkage"
    call = cancellation.Cancellation(None)
    assert original(call, release_memory=True).get_run_config_entry(key) == "cpu:0"


def test_the_speed_counts_for_the_memory_of_a_run(tiny_directory, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "kittentts.runtime.sessions.run_bytes", lambda tokens, size: asked.append((tokens, size)) or 1.0
    )
    model = KittenTTS(tiny_directory)
    model.generate("Hello.", speed=2.0)
    model.generate("Hello.", speed=0.5)
    assert asked[1][0] == 4 * asked[0][0] == 22
    assert asked[0][1] == (tiny_directory / "tiny.onnx").stat().st_size


@pytest.mark.usefixtures("three_cores")
def test_where_memory_is_short_a_run_has_all_cores(tmp_path, opened, monkeypatch):
    monkeypatch.setattr("kittentts.runtime.sessions.available_memory", lambda: 1)
    model = KittenTTS(tiny_model.make_directory(tmp_path))
    model.generate(TEXT)
    assert [threads for _, threads in opened] == [3]


def test_a_slot_gives_its_memory_back(tmp_path, monkeypatch):
    monkeypatch.setattr("kittentts.runtime.sessions.available_memory", lambda: 100.0)
    monkeypatch.setattr("kittentts.runtime.sessions.run_bytes", lambda *_: 60.0)
    directory = tiny_model.make_directory(tmp_path)
    model, most, now, lock = KittenTTS(directory, max_workers=4), [0], [0], threading.Lock()

    def look(_):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        with lock:
            now[0] -= 1

    model.model.session = Recording(model.model.session, look)
    list(model.generate_many([TEXT] * 10))
    assert most[0] == 1
    assert model.model._sessions.slots.taken == 0


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
def test_a_child_that_is_forked_while_sessions_are_opened_speaks_and_exits(run_python, tiny_directory):
    code = """
import os, shutil, sys, threading
from pathlib import Path
from kittentts import KittenTTS
first = KittenTTS(sys.argv[1], max_workers=2)
text = "One is here. Two is there. Three is nowhere."
expected = first.generate(text).tobytes()
stop = threading.Event()

def open_models():
    # a number of workers that no other model has: sessions of its own
    for workers in range(3, 10_000):
        KittenTTS(sys.argv[1], max_workers=workers).generate(text)
        if stop.is_set():
            return

threads = [threading.Thread(target=open_models) for _ in range(2)]
[thread.start() for thread in threads]
for _ in range(12):
    child = os.fork()
    if child == 0:
        sys.exit(0 if first.generate(text).tobytes() == expected else 1)
    assert os.waitpid(child, 0)[1] == 0
stop.set()
[thread.join() for thread in threads]
"""
    run_python(code, tiny_directory, timeout=120)


LOCKS = {
    "of the model": lambda model: model.model._sessions._lock,
    "of its sessions": lambda model: model.model._sessions._shared._lock,
    "of all sessions": lambda _: sessions._lock,
    "of ONNX Runtime's seed": lambda _: onnx_graph.session_creation_lock,
}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_that_another_thread_holds_does_not_stop_a_forked_child(tmp_path, lock):
    model = KittenTTS(tiny_model.make_directory(tmp_path), max_workers=2)
    expected = model.generate(TEXT).tobytes()
    held, go = threading.Event(), threading.Event()

    def hold():
        with LOCKS[lock](model):
            held.set()
            assert go.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(60)

    def speaks():
        # else it would wait for ever
        signal.alarm(30)
        return model.generate(TEXT).tobytes() == expected and KittenTTS(tmp_path, max_workers=3).generate(TEXT).size

    try:
        assert forks.in_child(speaks)
    finally:
        go.set()
        thread.join(60)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
def test_a_session_that_was_assigned_stays_with_its_process(tiny_directory):
    model = KittenTTS(tiny_directory)
    recording = model.model.session = Recording(model.model.session)
    expected = model.generate("Hello.").tobytes()
    assert forks.in_child(lambda: model.generate("Hello.").tobytes() == expected and len(recording.inputs) == 1)
    model.generate("Hello.")
    assert len(recording.inputs) == 2


def test_the_memory_of_a_run_follows_its_tokens_its_speed_and_the_file(tiny_directory, monkeypatch):
    asked = []
    monkeypatch.setattr(sessions, "run_bytes", lambda *given: asked.append(given) or 0.0)
    model = KittenTTS(tiny_directory)
    recording = model.model.session = Recording(model.model.session)
    model.generate("Hello.", speed=0.5)
    (inputs,) = recording.inputs
    assert inputs["speed"] == [0.5]
    assert asked == [(inputs["input_ids"].size / 0.5, (tiny_directory / "tiny.onnx").stat().st_size)]


def test_a_stopped_run_gets_no_session(tiny):
    (model_input,) = tiny.model._make_inputs(tiny.model._request("Hello.", SpeechOptions()))
    call = Cancellation(None)
    call.stop()
    with (
        pytest.raises(StoppedError, match="nobody wants"),
        tiny.model._sessions.take(model_input, call, single_threaded=False),
    ):
        pass
    assert tiny.model._sessions.slots.taken == 0
