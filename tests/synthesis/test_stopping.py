"""Whoever starts work can stop it: cancel, close, Ctrl-C, a failure, the end of the program, a fork."""

import os
import threading
from pathlib import Path

import numpy as np
import pytest
import runs
import threads
import tiny_model

from kittentts import KittenTTS
from kittentts.errors import SettingError, StoppedError

# One run of the slow model takes far longer than any test waits; it is not sleeping but computing.
HELPERS = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent / "helpers")}
TEXT = "This is one sentence. Here is another one. And so on it goes. It has no end."


@pytest.fixture(scope="module")
def slow_directory(tmp_path_factory):
    return tiny_model.make_directory(tmp_path_factory.mktemp("slow"), loops=10_000_000)


@pytest.fixture
def slow(slow_directory):
    model = KittenTTS(slow_directory, max_workers=2)
    yield model
    model.close()


def in_thread(function):
    """Call a function in a thread; return the thread and the list that gets what it raises."""
    raised = []

    def work():
        try:
            function()
        except Exception as error:  # noqa: BLE001
            raised.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    return thread, raised


def usable_again(model):
    model.model.session = tiny_session()
    assert len(model.generate("Hello. There.")) > 0
    assert threads.left_behind() == []


def tiny_session():
    import onnxruntime

    graph = tiny_model.make_graph().SerializeToString()
    return onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])


CALLS = {
    "generate": lambda model, text, **options: model.generate(text, **options),
    "stream": lambda model, text, **options: list(model.generate_stream(text, **options)),
}


@pytest.mark.parametrize("call", ["generate", "stream"])
@pytest.mark.parametrize("text", [TEXT, "One sentence only."])
def test_cancel(slow, call, text):
    cancel = threading.Event()
    thread, raised = in_thread(lambda: CALLS[call](slow, text, cancel=cancel))
    runs.wait_until(slow, running=1)
    cancel.set()
    thread.join(60)
    assert not thread.is_alive()
    assert isinstance(raised[0], StoppedError)
    usable_again(slow)


@pytest.mark.parametrize("call", ["generate", "stream"])
@pytest.mark.parametrize("text", [TEXT, "One sentence only."])
def test_close_stops_all_calls(slow, call, text):
    jobs = [in_thread(lambda: CALLS[call](slow, text)) for _ in range(3)]
    runs.wait_until(slow, running=2)
    slow.close()
    for thread, raised in jobs:
        thread.join(60)
        assert not thread.is_alive()
        assert isinstance(raised[0], StoppedError)
    with pytest.raises(StoppedError, match="closed; open it again"):
        slow.generate("Hello.")
    slow.close()


def test_cancel_before_the_start(tiny):
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(StoppedError, match="cancelled"):
        tiny.generate("Hello. There.", cancel=cancel)
    with pytest.raises(StoppedError, match="cancelled"):
        next(tiny.generate_stream("Hello. There.", cancel=cancel))


def test_cancel_and_progress_are_checked(tiny):
    with pytest.raises(SettingError, match="cancel=1 has no is_set"):
        tiny.generate("Hello.", cancel=1)
    with pytest.raises(SettingError, match="progress='yes'"):
        tiny.generate("Hello.", progress="yes")


def test_context_manager(tiny_directory):
    with KittenTTS(tiny_directory) as model:
        model.generate("Hello. There.")
    with pytest.raises(StoppedError):
        model.generate("Hello.")


def test_a_cancelled_file_leaves_nothing(slow, tmp_path):
    cancel = threading.Event()
    thread, raised = in_thread(lambda: slow.generate_to_file(TEXT, tmp_path / "a.wav", cancel=cancel))
    runs.wait_until(slow, running=1)
    cancel.set()
    thread.join(60)
    assert isinstance(raised[0], StoppedError)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_stops_the_runs(tiny, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("soundfile.SoundFile.write", fail)
    with pytest.raises(OSError, match="disk full") as caught:
        tiny.generate_to_file("Here is a sentence. " * 200, tmp_path / "a.wav")
    # also while somebody still holds the traceback
    assert threads.left_behind() == []
    assert caught.traceback
    assert list(tmp_path.iterdir()) == []


def test_waiting_callers_are_stopped_without_a_slot(slow):
    hog, _ = in_thread(lambda: slow.generate(TEXT))
    runs.wait_until(slow, running=2)
    cancel = threading.Event()
    waiting, raised = in_thread(lambda: slow.generate("Me too. I wait.", cancel=cancel))
    runs.wait_until(slow, running=2, waiting=2)
    cancel.set()
    waiting.join(60)
    assert not waiting.is_alive()
    assert isinstance(raised[0], StoppedError)
    assert hog.is_alive()
    slow.close()
    hog.join(60)


CTRL_C = """
import os, signal, sys, threading, time
import runs
from kittentts import KittenTTS
# a shell that starts the tests in the background ignores it
signal.signal(signal.SIGINT, signal.default_int_handler)
model = KittenTTS(sys.argv[1], max_workers=2)

def interrupt():
    runs.wait_until(model, running=2 if len(sys.argv[2]) > 100 else 1)
    global began
    began = time.monotonic()
    os.kill(os.getpid(), signal.SIGINT)

thread = threading.Thread(target=interrupt)
thread.start()
try:
    model.generate(sys.argv[2])
except KeyboardInterrupt:
    seconds = time.monotonic() - began
    # a thread that the signal caught at its very start is not waited for, but ends too
    for other in set(threading.enumerate()) - {threading.main_thread()}:
        other.join(5)
    print(seconds, threading.active_count())
"""


@pytest.mark.skipif(os.name == "nt", reason="signals to oneself differ on Windows")
@pytest.mark.parametrize("text", [TEXT * 10, "One sentence only."], ids=["long", "single"])
def test_ctrl_c(run_python, slow_directory, text):
    seconds, threads = run_python(CTRL_C, slow_directory, text, env=HELPERS).stdout.split()
    assert float(seconds) < 0.5
    assert threads == "1"


@pytest.mark.parametrize("text", [TEXT * 10, "One sentence only."], ids=["long", "single"])
@pytest.mark.parametrize("call", ["model.generate(text)", "list(model.generate_stream(text))"])
def test_the_program_may_end_while_a_daemon_thread_speaks(run_python, slow_directory, text, call):
    code = """
import sys, threading
import runs
from kittentts import KittenTTS
model, text, call = KittenTTS(sys.argv[1], max_workers=2), *sys.argv[2:]
threading.Thread(target=eval, args=(call, globals()), daemon=True).start()
runs.wait_until(model, running=1)
"""
    run_python(code, slow_directory, text, call, env=HELPERS)


@pytest.mark.parametrize(
    "start",
    [
        "threading.Thread(target=speak).start()",
        "concurrent.futures.thread.ThreadPoolExecutor(1).submit(speak)",
        "asyncio.new_event_loop().run_in_executor(None, speak)",
    ],
)
def test_the_program_waits_for_other_threads_that_speak(run_python, tiny_directory, tmp_path, start):
    code = """
import asyncio, concurrent.futures.thread, sys, threading, time
from kittentts import KittenTTS
model = KittenTTS(sys.argv[1], max_workers=2)
in_flight = threading.Event()

def at_first_progress(progress):
    if progress.chunks < 100:
        in_flight.set()
        while not concurrent.futures.thread._shutdown:  # as long as the program does not end
            time.sleep(0.001)

def speak():
    model.generate_to_file("This is a sentence. " * 300, sys.argv[2], progress=at_first_progress)
    print("complete", flush=True)

START
in_flight.wait()
"""
    result = run_python(code.replace("START", start), tiny_directory, tmp_path / "speech.wav")
    assert result.stdout.strip() == "complete", result.stderr
    assert (tmp_path / "speech.wav").is_file()


@pytest.mark.parametrize("cancel", [None, threading.Event()])
def test_a_closed_stream_stops(tiny, cancel):
    stream = tiny.generate_stream(TEXT, cancel=cancel)
    assert len(next(stream)) > 0
    stream.close()
    assert threads.left_behind() == []
    assert len(tiny.generate("Hello. There.")) > 0


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
def test_a_forked_child_speaks_too(run_python, tiny_directory):
    code = """
import sys, threading
import forks
from kittentts import KittenTTS
model = KittenTTS(sys.argv[1], max_workers=2)
text = "One is here. Two is there. Three is nowhere."
expected = model.generate(text).tobytes()
busy = threading.Event()
threads = [threading.Thread(target=lambda: [busy.set(), [model.generate(text) for _ in range(200)]]) for _ in range(4)]
[thread.start() for thread in threads]
busy.wait()
for _ in range(5):
    assert forks.in_child(lambda: model.generate(text).tobytes() == expected and model.generate("One.").size)
[thread.join() for thread in threads]
assert model.generate(text).tobytes() == expected
"""
    run_python(code, tiny_directory, env=HELPERS)


class TestProgress:
    def test_a_function_gets_it_in_the_callers_thread(self, tiny):
        seen = []
        audio = tiny.generate(TEXT, progress=lambda progress: seen.append((progress, threading.current_thread())))
        assert {thread for _, thread in seen} == {threading.current_thread()}
        counts = [progress.chunks for progress, _ in seen]
        assert counts == sorted(set(counts))
        last = seen[-1][0]
        assert (last.chunks, last.total_chunks) == (4, 4)
        assert last.characters == last.total_characters
        assert last.audio_seconds == pytest.approx(len(audio) / 24000)
        assert last.times_real_time > 0

    def test_an_error_in_it_stops_the_call(self, tiny):
        with pytest.raises(ZeroDivisionError):
            tiny.generate(TEXT, progress=lambda _: 1 / 0)
        assert threads.left_behind() == []

    def test_a_bar(self, tiny, tmp_path, capsys):
        tiny.generate_to_file(TEXT, tmp_path / "a.wav", progress=True)
        assert "100%" in (bar := capsys.readouterr().err)
        assert "times real time" in bar
        assert threads.left_behind() == []

    def test_off_by_default(self, tiny, capfd):
        tiny.generate(TEXT)
        assert capfd.readouterr() == ("", "")


def test_same_bits_in_every_way(tiny, tiny_directory):
    whole = tiny.generate(TEXT)
    assert tiny.generate(TEXT, cancel=threading.Event()).tobytes() == whole.tobytes()
    assert np.concatenate(list(tiny.generate_stream(TEXT, cancel=threading.Event()))).tobytes() == whole.tobytes()
    assert KittenTTS(tiny_directory, max_workers=2).generate(TEXT, progress=bool).tobytes() == whole.tobytes()
