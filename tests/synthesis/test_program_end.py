"""A program whose main thread is done ends; calls that other threads still make are finished first."""

import textwrap

import pytest

BEGIN = """
import asyncio, atexit, gc, sys, threading
from kittentts import KittenTTS
model = KittenTTS(sys.argv[1], max_workers=2)
text = "One is here. Two is there. Three is nowhere. " * 30
"""

STREAMS = {
    "sequential": "model.generate_stream(text)",
    "look-ahead": "model.generate_stream(text, look_ahead=True)",
    "times": "model.synthesize_stream(text, look_ahead=True)",
    "many": "model.generate_many([text] * 20)",
}

ENDS = {
    "the last line": "next(stream)",
    "with": "with model: next(stream)",
    "close": "next(stream); model.close()",
    "exit": "next(stream); sys.exit(0)",
    "a daemon thread between two chunks": """
        taken = threading.Event()
        def work():
            next(stream); taken.set(); threading.Event().wait()
        threading.Thread(target=work, daemon=True).start()
        taken.wait()
        """,
    "asyncio.run that failed": """
        async def main():
            await asyncio.to_thread(next, stream)
            raise LookupError
        try:
            asyncio.run(main())
        except LookupError:
            pass
        """,
    "a thread that has ended": """
        thread = threading.Thread(target=next, args=(stream,)); thread.start(); thread.join()
        """,
}


# the others by .ci/run
@pytest.mark.parametrize(
    "stream",
    ["look-ahead", *(pytest.param(name, marks=pytest.mark.slow) for name in ("sequential", "times", "many"))],
)
@pytest.mark.parametrize("end", ENDS)
def test_a_half_used_stream_does_not_hold_it_up(run_python, tiny_directory, stream, end):
    code = f"{BEGIN}\nstream = {STREAMS[stream]}\n{textwrap.dedent(ENDS[end])}"
    result = run_python(code, tiny_directory, timeout=60)
    assert result.stderr == ""


def test_an_error_between_two_chunks_does_not_hold_it_up(run_python, tiny_directory):
    code = BEGIN + "for chunk in model.generate_stream(text, look_ahead=True): 1 / 0"
    result = run_python(code, tiny_directory, check=False, timeout=60)
    assert result.returncode == 1
    assert result.stderr.endswith("ZeroDivisionError: division by zero\n")


def test_what_another_thread_speaks_is_finished(run_python, tiny_directory):
    """The executor refuses when the interpreter is ending, and new threads do, too: the runs happen all the same."""
    code = f"""{BEGIN}
def work():
    # not before the main thread is done
    threading.main_thread().join()
    whole = model.generate(text)
    parts = [sum(map(len, model.generate_stream(text, look_ahead=ahead))) for ahead in (False, True)]
    many = list(model.generate_many([text, "One."]))
    print(len(whole) == parts[0] == parts[1] == len(many[0].audio), len(many), flush=True)

threading.Thread(target=work).start()
"""
    assert run_python(code, tiny_directory).stdout == "True 2\n"


def test_a_stream_that_a_late_thread_leaves_does_not_hold_it_up(run_python, tiny_directory):
    code = f"""{BEGIN}
streams = []

def work():
    threading.main_thread().join()
    streams.append(model.generate_stream(text, look_ahead=True))
    print(len(next(streams[0])) > 0, flush=True)

threading.Thread(target=work).start()
"""
    assert run_python(code, tiny_directory, timeout=60).stdout == "True\n"


def test_a_function_at_exit_may_speak(run_python, tiny_directory):
    code = BEGIN + "atexit.register(lambda: print(len(model.generate(text)) > 0, flush=True))"
    assert run_python(code, tiny_directory, timeout=60).stdout == "True\n"


@pytest.mark.slow
def test_streams_in_reference_cycles(run_python, tiny_directory):
    """The garbage collector closes them, whenever it likes, also in the threads of other calls."""
    code = f"""{BEGIN}
gc.set_threshold(50, 5, 5)

class Player:
    def __init__(self, stream):
        self.stream = stream
        self.play = self.step

    def step(self):
        return next(self.stream)

def work():
    for _ in range(20):
        Player(model.generate_stream(text, look_ahead=True)).play()
        Player(model.generate_many([text] * 9)).play()
        Player(model.generate_stream(text)).play()

threads = [threading.Thread(target=work) for _ in range(3)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
gc.collect()
print(len(model.generate(text)) > 0)
"""
    assert run_python(code, tiny_directory).stdout == "True\n"


def test_a_stream_goes_on_in_no_forked_child(run_python, tiny_directory):
    code = f"""{BEGIN}
import os
from kittentts.errors import StoppedError
for stream in (model.generate_stream(text), model.generate_stream(text, look_ahead=True), model.generate_many([text])):
    next(stream, None)
    child = os.fork()
    if child == 0:
        try:
            next(model.generate_stream("One."))
            if "many" not in stream.__qualname__:
                next(stream)
            else:
                raise StoppedError("before a fork")
        except StoppedError as error:
            sys.exit(0 if "before a fork" in str(error) else 2)
        sys.exit(3)
    assert os.waitpid(child, 0)[1] == 0, stream
"""
    run_python(code, tiny_directory, timeout=60)


@pytest.mark.slow
def test_a_signal_handler_may_close_and_speak(run_python, tiny_directory):
    code = f"""{BEGIN}
import os, signal
from kittentts.errors import EspeakError
handled, refused = [], []

def handle(*_):
    try:
        handled.append(len(model.generate("One. Two.")))
    except EspeakError:
        refused.append(1)
    waiting.set()

signal.signal(signal.SIGUSR1, handle)
stop, waiting = threading.Event(), threading.Event()

def interrupt():
    # one after another, for a handler may be interrupted, too
    while not stop.is_set():
        waiting.clear()
        os.kill(os.getpid(), signal.SIGUSR1)
        waiting.wait(60)

thread = threading.Thread(target=interrupt)
thread.start()
expected = len(model.generate(text))
for _ in range(2):
    assert len(model.generate(text)) == expected
    # it phonemizes words in this thread, too, where a handler cannot speak
    assert len(model.synthesize(text).audio) == expected
stop.set()
thread.join()
signal.signal(signal.SIGUSR1, lambda *_: model.close())
os.kill(os.getpid(), signal.SIGUSR1)
try:
    model.generate(text)
except RuntimeError as error:
    print(len(handled) > 10, error)
"""
    result = run_python(code, tiny_directory, timeout=100)
    assert result.stdout.startswith("True the model is closed")
