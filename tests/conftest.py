"""Fixtures: tiny models that run in microseconds, and the demo voice, which is real."""

import os
import subprocess
import sys
import threading

import pytest
import threads
import tiny_model
from hub_server import Hub

from kittentts import KittenTTS
from kittentts.runtime import onnx_graph


@pytest.fixture(autouse=True)
def _remember_threads():
    threads.remember()


@pytest.fixture(scope="session")
def tiny_directory(tmp_path_factory):
    """A model directory with the interface of KittenTTS 0.8."""
    return tiny_model.make_directory(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def tiny(tiny_directory):
    return KittenTTS(tiny_directory, max_workers=4)


@pytest.fixture(scope="session")
def failing(tmp_path_factory):
    """A model whose graph fails on the token 177: the last vowel of "roses"."""
    table = tiny_model._TABLE[:177]
    return KittenTTS(tiny_model.make_directory(tmp_path_factory.mktemp("failing"), table=table), max_workers=4)


@pytest.fixture(scope="session")
def demo():
    """The demo voice, with the graph as it was published: a faster one would have to be made first."""
    return KittenTTS("demo", optimize="off")


@pytest.fixture
def opened(monkeypatch):
    """The files and intra-op threads of the sessions that are opened, in order."""
    opened = []
    original = onnx_graph.open_session

    def open_session(path, backend=None, *, threads=0, seed=None):
        opened.append((os.fspath(path), threads))
        return original(path, backend, threads=threads, seed=seed)

    monkeypatch.setattr(onnx_graph, "open_session", open_session)
    return opened


@pytest.fixture
def switch_often():
    """Let the interpreter switch threads five hundred times as often as usual: races show sooner."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.fixture
def run_python(tmp_path):
    """Run code in a fresh interpreter, away from the source tree; return its output."""

    def run(code, *arguments, env=None, check=True, timeout=240):
        result = subprocess.run(
            [sys.executable, "-c", code, *map(str, arguments)],
            cwd=tmp_path, env=env, capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip
        assert not check or result.returncode == 0, result.stderr
        return result

    return run


@pytest.fixture
def kitten(tmp_path):
    """Run the real command in a subprocess."""

    def run(*arguments, command=(sys.executable, "-m", "kittentts"), input=None, text=True, **options):  # noqa: A002
        return subprocess.run(
            [*command, *map(str, arguments)],
            cwd=tmp_path, input=input, stdin=None if input is not None else subprocess.DEVNULL,
            capture_output=True, text=text, timeout=240, check=False, **options,
        )  # fmt: skip

    return run


@pytest.fixture
def hub(tiny_directory):
    names = ("config.json", "tiny.onnx", "voices.npz")
    with Hub({name: (tiny_directory / name).read_bytes() for name in names} | {"README.md": b"not needed"}) as hub:
        thread = threading.Thread(target=hub.serve_forever)
        thread.start()
        yield hub
        hub.shutdown()
        thread.join()
