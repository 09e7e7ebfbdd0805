"""A model object travels: pickle and copy carry how it was opened, and a process opens each graph once."""

import copy
import gc
import os
import pickle
import shutil
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cloudpickle
import numpy as np
import pytest
import threads
import tiny_model

from kittentts import KittenTTS, loading
from kittentts.errors import ModelNotFoundError, StoppedError
from kittentts.models import repository

TEXT = "One is here. Two is there."
WAYS = {
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
    "cloudpickle": lambda model: cloudpickle.loads(cloudpickle.dumps(model)),
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
}


@pytest.fixture
def directory(tiny_directory, tmp_path):
    """A model that no other test has open."""
    return shutil.copytree(tiny_directory, tmp_path / "model")


@pytest.mark.parametrize("way", WAYS)
def test_a_copy_speaks_in_the_sessions_of_the_original(directory, opened, way):
    # of another length than espeak-ng's own
    model = KittenTTS(directory, max_workers=2, lexicon={"here": "ɡˈuːɡuː"})
    expected = model.generate(TEXT).tobytes()
    assert expected != KittenTTS(directory, max_workers=2).generate(TEXT).tobytes()
    before = len(opened)
    other = WAYS[way](model)
    assert other.generate(TEXT).tobytes() == expected
    assert other.available_voices == model.available_voices
    assert other.model is not model.model
    assert other.model.session is model.model.session
    assert len(opened) == before


def test_it_is_small_and_opening_waits_for_the_first_use(directory, run_python):
    data = pickle.dumps(KittenTTS(directory))
    assert len(data) < 2000
    code = f"""
import pickle, sys
model = pickle.loads({data!r})
assert not {{"numpy", "onnxruntime", "phonemizer"}} & set(sys.modules)
assert len(model.generate("Hello.")) > 0
"""
    run_python(code)


def test_models_that_are_opened_alike_share_their_sessions(directory, opened):
    models = [KittenTTS(directory), KittenTTS(directory, lexicon={"a": "ə"}), KittenTTS(str(directory))]
    assert len({id(model.model.session) for model in models}) == len(opened) == 1
    other = KittenTTS(directory, max_workers=7)
    assert other.model.session is not models[0].model.session


def test_a_file_that_was_replaced_is_another_model(directory):
    before = KittenTTS(directory)
    expected = before.generate(TEXT).tobytes()
    tiny_model.make_directory(directory, tokens=True, table=tiny_model._TABLE[::-1].copy())
    assert KittenTTS(directory).generate(TEXT).tobytes() != expected
    assert before.generate(TEXT).tobytes() == expected


def test_close_is_for_one_object(directory):
    first = KittenTTS(directory)
    second, third = KittenTTS(directory), copy.copy(first)
    expected = first.generate(TEXT).tobytes()
    stream = second.generate_stream(TEXT)
    next(stream)
    first.close()
    assert len(list(stream)) == 1
    third.generate(TEXT)
    third.close()
    for closed in (first, third):
        with pytest.raises(StoppedError, match="closed; open it again"):
            closed.generate(TEXT)
    assert second.generate(TEXT).tobytes() == expected


def test_a_session_of_the_users_is_for_one_object(directory):
    first, second = KittenTTS(directory), KittenTTS(directory)
    first.model.session = "mine"
    assert first.model.session == "mine"
    assert len(second.generate(TEXT)) > 0


def test_a_copy_that_is_closed_before_its_use_opens_nothing(directory, opened):
    copied = pickle.loads(pickle.dumps(KittenTTS(directory)))
    before = len(opened)
    with copied:
        pass
    with pytest.raises(StoppedError, match="closed before it was opened"):
        copied.generate(TEXT)
    assert len(opened) == before


def test_the_copy_of_a_closed_model_is_open(directory):
    model = KittenTTS(directory)
    model.close()
    assert len(copy.copy(model).generate(TEXT)) > 0


def test_files_that_are_gone_are_reported_on_first_use(directory):
    data = pickle.dumps(KittenTTS(directory))
    shutil.rmtree(directory)
    with pytest.raises(ModelNotFoundError, match="no model directory"):
        pickle.loads(data).generate(TEXT)


def test_a_relative_directory_is_found_from_another_one(directory, monkeypatch):
    monkeypatch.chdir(directory.parent)
    data = pickle.dumps(KittenTTS(directory.name))
    monkeypatch.chdir("/")
    assert len(pickle.loads(data).generate(TEXT)) > 0


def test_a_copy_is_opened_with_the_same_parameters(directory, monkeypatch):
    options = {"max_workers": 3, "lexicon": {"here": "hˈɪɹ"}, "optimize": "off"}
    data = pickle.dumps(KittenTTS(directory, backend="cpu", **options))
    seen = []
    original = loading.load_engine

    def load_engine(files, backend, **given):
        seen.append((files.directory, backend, given))
        return original(files, backend, **given)

    monkeypatch.setattr(loading, "load_engine", load_engine)
    pickle.loads(data).generate("Hello.")
    assert seen == [(directory, "cpu", options)]


def test_a_copy_looks_into_the_same_cache_from_another_folder(directory, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    data = pickle.dumps(KittenTTS(directory, cache_dir="cache"))
    seen = []
    original = repository.find_model

    def find_model(name, cache_dir, **options):
        seen.append(cache_dir)
        return original(name, cache_dir, **options)

    monkeypatch.chdir("/")
    monkeypatch.setattr(repository, "find_model", find_model)
    pickle.loads(data).generate("Hello.")
    assert seen == [str(tmp_path / "cache")]


def test_a_copy_that_is_closed_while_it_is_opened_is_closed(directory, monkeypatch):
    copied = pickle.loads(pickle.dumps(KittenTTS(directory)))
    original = loading.load_engine

    def close_meanwhile(*arguments, **options):
        engine = original(*arguments, **options)
        copied.close()
        return engine

    monkeypatch.setattr(loading, "load_engine", close_meanwhile)
    with pytest.raises(StoppedError):
        copied.generate("Hello.")


class Named(KittenTTS):
    name = "nobody"


def test_a_subclass_takes_its_attributes_along(directory):
    model = Named(directory)
    model.name = "Ann"
    copied = pickle.loads(pickle.dumps(model))
    assert type(copied) is Named
    assert copied.name == "Ann"


@pytest.mark.parametrize("way", WAYS)
def test_a_copy_has_the_voices_that_were_added(directory, way):
    model = KittenTTS(directory)
    style = np.linspace(0, 1, 3 * 256).reshape(3, 1, 256)
    model.add_voice("Ann", style)
    expected = model.generate(TEXT, "Ann:0.7+Leo").tobytes()
    style[:] = 0
    copied = WAYS[way](model)
    model.add_voice("Ben", np.zeros((1, 256)))
    assert copied.generate(TEXT, "ann:0.7+Leo").tobytes() == expected
    assert copied.available_voices == ["Bella", "Jasper", "Leo", "Ann"]
    assert WAYS[way](copied).generate(TEXT, "Ann(7)+Leo(10)").tobytes() == expected


def test_many_copies_at_once_open_one_session(directory, opened):
    original = KittenTTS(directory, max_workers=1)
    expected = original.generate(TEXT).tobytes()
    data = pickle.dumps(original)
    original.close()
    del original
    opened.clear()
    start = threading.Barrier(8, timeout=60)
    # held, for nobody keeps the graph open in these tests
    copies = [pickle.loads(data) for _ in range(8)]

    def work(model):
        start.wait()
        return model.generate(TEXT).tobytes()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(work, copies)) == {expected}
    assert len(opened) == 1


USES = {
    "nothing": lambda _: None,
    "errors": lambda model: list(model.generate_many(["", TEXT, None])),
    "generate": lambda model: model.generate(TEXT),
    "stream": lambda model: list(model.generate_stream(TEXT)),
    "half a stream": lambda model: next(model.generate_stream(TEXT)),
    "many": lambda model: list(model.generate_many([TEXT] * 3)),
    "part of many": lambda model: next(model.generate_many([TEXT] * 30)),
}


@pytest.mark.parametrize("use", USES)
def test_what_nobody_holds_is_let_go_of_at_once(directory, use):
    model = KittenTTS(directory, max_workers=2)
    USES[use](model)
    gone = threading.Event()
    sessions = weakref.ref(model.model._sessions._shared, lambda _: gone.set())
    gc.disable()
    try:
        del model
        # a thread of the call may be at its very end
        assert gone.wait(60)
        assert sessions() is None
    finally:
        gc.enable()


def test_what_the_last_two_copies_opened_stays_open(tiny_directory, tmp_path):
    def open_copy(directory):
        copied = pickle.loads(pickle.dumps(KittenTTS(directory)))
        copied.generate("Hello.")
        return weakref.ref(copied.model._sessions._shared)

    first, second, third = (shutil.copytree(tiny_directory, tmp_path / str(i)) for i in range(3))
    sessions = open_copy(first)
    open_copy(second)
    threads.left_behind()
    gc.collect()
    # the next task comes
    assert open_copy(first)() is sessions() is not None
    open_copy(second)
    open_copy(third)
    threads.left_behind()
    gc.collect()
    assert sessions() is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
def test_copies_in_a_forked_child(run_python, tiny_directory):
    code = """
import pickle, sys
import forks
import session_counter
from kittentts import KittenTTS, loading
model = KittenTTS(sys.argv[1], max_workers=2)
text = "One is here. Two is there."
expected = model.generate(text).tobytes()
data = pickle.dumps(model)
pickle.loads(data).generate(text)
session_counter.opened = 0

def speaks_with_two_sessions():
    same = all(pickle.loads(data).generate(text).tobytes() == expected for _ in range(3))
    global model
    del model
    return same and session_counter.opened == 2

assert forks.in_child(speaks_with_two_sessions)
assert model.generate(text).tobytes() == expected
assert session_counter.opened == 0
"""
    run_python(code, tiny_directory, env=os.environ | {"PYTHONPATH": str(Path(__file__).parent / "helpers")})


class TestCores:
    def test_a_call_keeps_to_it_and_all_calls_to_the_cores(self, directory, opened, monkeypatch):
        monkeypatch.setattr("kittentts.engine.usable_cores", lambda: 8)
        monkeypatch.setattr("kittentts.engine.cores_of_a_call", lambda: 1)
        model = KittenTTS(directory)
        model.generate(TEXT)
        list(model.generate_many([TEXT] * 5))
        assert [threads for _, threads in opened] == [1]
        assert model.model._sessions.slots._count == 8
