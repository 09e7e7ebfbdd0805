"""The real command, in a process of its own; models that take long."""

import contextlib
import re
import subprocess
import sys
import threading

import pytest
import tiny_model

from kittentts import KittenTTS


@pytest.fixture
def serve(tmp_path):
    """Start `kittentts wyoming`; yield a function that returns its process, its URI and what it said before that."""
    with contextlib.ExitStack() as stack:

        def start(*arguments, uri="tcp://127.0.0.1:0", **options):
            process = subprocess.Popen(
                [sys.executable, "-m", "kittentts", "wyoming", "--uri", uri, *map(str, arguments)],
                cwd=tmp_path, stderr=subprocess.PIPE, **options,
            )  # fmt: skip
            stack.callback(process.wait)
            stack.callback(process.kill)
            stack.callback(process.stderr.close)
            said = []
            for line in process.stderr:
                if match := re.fullmatch(r"kittentts: listening on (\S+)\n", line.decode()):
                    return process, match[1], said
                said.append(line.decode())
            raise AssertionError(said)

        yield start


@pytest.fixture(scope="module")
def endless(tmp_path_factory):
    """A model that never comes to an end."""
    directory = tiny_model.make_directory(tmp_path_factory.mktemp("endless"), loops=10_000_000)
    with KittenTTS(directory, max_workers=1) as model:
        yield model


@pytest.fixture
def let_go(tiny, monkeypatch):
    """Hold each sentence; a call lets so many go."""
    held = threading.Semaphore(0)
    really = tiny.generate_stream

    def stream(*arguments, **parameters):
        with contextlib.closing(really(*arguments, **parameters)) as waveforms:
            for waveform in waveforms:
                assert held.acquire(timeout=20)
                yield waveform

    monkeypatch.setattr(tiny, "generate_stream", stream)
    yield held.release
    held.release(1000)
