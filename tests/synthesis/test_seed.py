"""`seed=`: a graph with random nodes says the same in the same way, when it is told to."""

import os
import random
import threading
from concurrent.futures import ThreadPoolExecutor

import forks
import numpy as np
import pytest
import tiny_model

from kittentts import KittenTTS
from kittentts.errors import SettingError
from kittentts.runtime import onnx_graph

TEXT = "One is here. One is here. Three is nowhere to be seen. Four! Five is the end of it?"


@pytest.fixture(scope="module")
def noisy_directory(tmp_path_factory):
    return tiny_model.make_directory(tmp_path_factory.mktemp("noisy"), noise=True)


@pytest.fixture(scope="module")
def noisy(noisy_directory):
    return KittenTTS(noisy_directory, max_workers=3)


def test_without_a_seed_it_differs(noisy):
    assert noisy.generate(TEXT).tobytes() != noisy.generate(TEXT).tobytes()


def test_with_a_seed_it_is_the_same_whatever_runs_when(noisy, noisy_directory):
    expected = noisy.generate(TEXT, seed=7).tobytes()
    noisy.generate(TEXT)
    assert noisy.generate(TEXT, seed=7).tobytes() == expected
    assert noisy.generate(TEXT, seed=8).tobytes() != expected
    for workers in (1, 2, 5):
        model = KittenTTS(noisy_directory, max_workers=workers)
        assert model.generate(TEXT, seed=7).tobytes() == expected
        for look_ahead in (False, True):
            stream = model.generate_stream(TEXT, seed=7, look_ahead=look_ahead)
            assert np.concatenate(list(stream)).tobytes() == expected
        results = model.generate_many([TEXT, "Another.", TEXT], seed=7)
        assert [result.audio.tobytes() == expected for result in results] == [True, False, True]
    assert noisy.synthesize(TEXT, seed=7).audio.tobytes() == expected


def test_each_chunk_has_noise_of_its_own(noisy):
    first, second, *_ = noisy.generate_stream(TEXT, seed=7)
    assert first.shape == second.shape
    assert first.tobytes() != second.tobytes()
    assert np.abs(first - second).max() < 0.2


def test_a_seed_leaves_no_trace(noisy, noisy_directory):
    noisy.generate("One.", seed=7)
    after = KittenTTS(noisy_directory).generate("One.").tobytes()
    noisy.generate("One.", seed=7)
    assert onnx_graph.open_session(noisy_directory / "tiny.onnx") is not None
    assert noisy.generate("One.", seed=7).tobytes() != after


def test_threads_with_different_seeds(noisy):
    expected = [noisy.generate(TEXT, seed=seed).tobytes() for seed in range(6)]
    start = threading.Barrier(6, timeout=60)

    def speak(seed):
        start.wait()
        return [noisy.generate(TEXT, seed=seed).tobytes() == expected[seed] for _ in range(3)]

    with ThreadPoolExecutor(6) as pool:
        assert all(all(same) for same in pool.map(speak, range(6)))


def test_without_random_nodes_it_changes_nothing_and_opens_nothing(tiny_directory, monkeypatch):
    model = KittenTTS(tiny_directory)
    expected = model.generate(TEXT).tobytes()
    opened = []
    monkeypatch.setattr(onnx_graph, "open_session", lambda *arguments, **options: opened.append((arguments, options)))
    assert model.generate(TEXT, seed=7).tobytes() == expected
    assert not opened


@pytest.mark.parametrize("seed", [-1, 1.5, "7", True])
def test_a_wrong_seed_is_named(tiny, seed):
    with pytest.raises(SettingError, match=r"is not a whole number from 0 up"):
        tiny.generate("Hello.", seed=seed)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_fork_while_sessions_are_opened(noisy):
    expected = noisy.generate("One.", seed=2).tobytes()
    done = threading.Event()

    def speak():
        while not done.is_set():
            noisy.generate(TEXT, seed=1)

    thread = threading.Thread(target=speak)
    thread.start()
    try:
        for _ in range(5):
            assert forks.in_child(lambda: noisy.generate("One.", seed=2).tobytes() == expected)
    finally:
        done.set()
        thread.join()


def test_a_seed_leaves_the_callers_random_numbers_alone(noisy):
    random.seed(0)
    first = random.random()
    random.seed(0)
    noisy.generate("One.", seed=1)
    assert random.random() == first


def test_a_session_of_the_users_cannot_be_seeded(noisy_directory):
    model = KittenTTS(noisy_directory)
    model.model.session = onnx_graph.open_session(noisy_directory / "tiny.onnx")
    assert len(model.generate("One."))
    with pytest.raises(SettingError, match="seed= cannot seed a session that was assigned"):
        model.generate("One.", seed=1)


def test_large_seeds(noisy):
    assert noisy.generate("One.", seed=2**100).tobytes() == noisy.generate("One.", seed=2**100).tobytes()
    assert noisy.generate("One.", seed=2**100).tobytes() != noisy.generate("One.", seed=2**100 + 2**32).tobytes()
    assert noisy.generate("One.", seed=np.int64(3)).tobytes() == noisy.generate("One.", seed=3).tobytes()
