"""Who competes: ways to speak a text with one and the same ONNX file."""

from __future__ import annotations

import importlib.util
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any
from unittest import mock

import joblib
import numpy as np
import onnxruntime

from kittentts import KittenTTS
from kittentts.audio.waveform import trim_tail
from kittentts.defaults import VOICE
from kittentts.models.repository import find_model
from kittentts.preprocess import chunk_text
from kittentts.runtime import native_library, onnx_graph
from kittentts.runtime.cancellation import Cancellation
from kittentts.runtime.sessions import SharedSessions
from kittentts.synthesis import plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from kittentts.onnx_model import KittenTTS_1_Onnx

    Speak = Callable[[str], NDArray[np.float32]]

# Parameters with which KittenTTS opens the graph as it was published.
ORIGINAL: dict[str, Any] = {"optimize": "off"}


@dataclass(frozen=True)
class Contestant:
    """A way to speak, and the graph with which it does."""

    way: Callable[..., Speak]
    """From a model's name and the options to the function that speaks a text."""
    options: dict[str, Any] = field(default_factory=lambda: ORIGINAL)
    """Of the way; those that it does not know are for `KittenTTS`."""
    same_samples: bool = True
    """Whether it must give the samples of the sequential way, to the last bit."""

    def open(self, model: str) -> Speak:
        """Open the model and return what speaks a text."""
        return self.way(model, **self.options)


def sequential(model: str, *, threads: int = 0, **options: Any) -> Speak:
    """Speak one chunk after another in a session with ONNX Runtime's defaults, as the replaced library does."""
    stream = sequential_stream(model, threads=threads, **options)
    return lambda text: np.concatenate(list(stream(text)))


def sequential_stream(
    model: str, *, threads: int = 0, **options: Any
) -> Callable[[str], Iterator[NDArray[np.float32]]]:
    """Do the same, and yield each chunk when it is asked for."""
    engine = _with_plain_session(model, threads, options)
    return lambda text: (_run(engine, chunk_inputs(engine, chunk)) for chunk in chunk_text(text))


def naive_pool(model: str, **options: Any) -> Speak:
    """Start a thread for every chunk, all in one session with ONNX Runtime's defaults."""
    engine = _with_plain_session(model, 0, options)

    def speak(text: str) -> NDArray[np.float32]:
        inputs = [chunk_inputs(engine, chunk) for chunk in chunk_text(text)]
        with ThreadPoolExecutor(len(inputs)) as pool:
            return np.concatenate(list(pool.map(partial(_run, engine), inputs)))

    return speak


def plain_idea(model: str, **options: Any) -> Speak:
    """Run the chunks in a `ThreadPoolExecutor`, a worker for each physical core, in one single-threaded session."""
    engine = _with_plain_session(model, 1, options)

    def speak(text: str) -> NDArray[np.float32]:
        inputs = [chunk_inputs(engine, chunk) for chunk in chunk_text(text)]
        with ThreadPoolExecutor(joblib.cpu_count(only_physical_cores=True)) as pool:
            return np.concatenate(list(pool.map(partial(_run, engine), inputs)))

    return speak


def ours(model: str, without: str | None = None, **options: Any) -> Speak:
    """Speak as `KittenTTS` does, but without an element of its plan (a key of `_SWITCHED_OFF`) or the library."""
    if without is not None:
        (_SWITCHED_OFF | {_NATIVE: _without_native_library})[without]()
    return KittenTTS(model, **options).generate


def _without_last_on_all_cores() -> None:
    original = plan.parallel

    def parallel(sizes: Sequence[float], cores: int) -> plan.Plan:
        found = original(sizes, cores)
        return found._replace(pooled=range(len(sizes))) if found.pooled else found

    plan.parallel = parallel


def _without_second_session() -> None:
    SharedSessions.single_threaded = SharedSessions.multi_threaded  # type: ignore[method-assign]


def _without_memory_given_back() -> None:
    options = Cancellation.run_options
    Cancellation.run_options = lambda call, **_: options(call, release_memory=False)  # type: ignore[method-assign]


def _without_native_library() -> None:
    sys.modules["kittentts_native"] = None  # type: ignore[assignment] (so that it is not found)
    native_library.search.cache_clear()


_NATIVE = "kittentts-native"
_SWITCHED_OFF = {
    "the last ones on all cores": _without_last_on_all_cores,
    "the second session": _without_second_session,
    "memory given back": _without_memory_given_back,
}


def kittenml(model: str, **_: Any) -> Speak:
    """Speak with the successor of the replaced library, made to take the names and shapes of Kokoro's files."""
    from kittenml.kittentts_legacy import KittenTTS_1_Onnx

    files = find_model(model)
    peer = KittenTTS_1_Onnx(str(files.model_path), str(files.voices_path), {}, files.voice_aliases)
    peer.voices = {name: rows.reshape(-1, 256) for name, rows in peer.voices.items()}
    peer.session = _Renaming(peer.session)
    return lambda text: peer.generate(text, VOICE, clean_text=False)


def kokoro_onnx(model: str, **_: Any) -> Speak:
    """Speak with kokoro-onnx, which splits a text by its phonemes, not into sentences, and trims silence."""
    from kokoro_onnx import Kokoro

    files = find_model(model)
    peer = Kokoro(str(files.model_path), str(files.voices_path))
    voice = peer.get_voice_style(VOICE).reshape(-1, 1, 256)
    return lambda text: peer.create(text, voice)[0]


EXACT = {"optimize": "exact"}
CONTESTANTS = {
    "one core": Contestant(sequential, ORIGINAL | {"threads": 1}),
    "sequential": Contestant(sequential),
    "naive pool": Contestant(naive_pool),
    "plain idea": Contestant(plain_idea),
    "ours": Contestant(ours),
    "ours, optimized": Contestant(ours, EXACT | {"without": _NATIVE}),
}
if native_library.native_library() is not None:
    CONTESTANTS["ours, native"] = Contestant(ours, EXACT)
ABLATION = {
    "sequential": Contestant(sequential, EXACT),
    "plain idea": Contestant(plain_idea, EXACT),
    "ours": Contestant(ours, EXACT),
} | {f"ours without {element}": Contestant(ours, EXACT | {"without": element}) for element in _SWITCHED_OFF}
"""What each element of the plan gains, on the graph that is used by default."""
_PEERS = {"kittenml": kittenml, "kokoro_onnx": kokoro_onnx}


def peers() -> dict[str, Contestant]:
    """Return those of the other libraries that are installed."""
    found = {package: way for package, way in _PEERS.items() if importlib.util.find_spec(package)}
    return {package: Contestant(way, same_samples=False) for package, way in found.items()}


def with_workers(count: int, optimize: str = "off") -> Contestant:
    return Contestant(ours, {"max_workers": count, "optimize": optimize})


def _with_plain_session(model: str, threads: int, options: dict[str, Any]) -> KittenTTS_1_Onnx:
    """Open a model with the settings of the replaced library instead of ours."""

    def plain(path: Any, *_: Any, **__: Any) -> onnxruntime.InferenceSession:
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = threads
        native_library.register(settings)
        return onnxruntime.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])

    with mock.patch.object(onnx_graph, "open_session", plain):
        return KittenTTS(model, **options).model


def chunk_inputs(engine: KittenTTS_1_Onnx, chunk: str) -> dict[str, NDArray[Any]]:
    """Return what the graph takes for a chunk."""
    inputs = engine._prepare_inputs(chunk, VOICE)  # noqa: SLF001 (a name of the replaced library)
    return {onnx_graph.token_input(engine.session): inputs.pop("input_ids")} | inputs


def _run(engine: KittenTTS_1_Onnx, inputs: dict[str, NDArray[Any]]) -> NDArray[np.float32]:
    return trim_tail(engine.session.run(None, inputs)[0].reshape(-1))


class _Renaming:
    """A session for code that calls the tokens `input_ids` whatever the graph calls them."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._name = onnx_graph.token_input(session)

    def run(self, outputs: None, inputs: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
        return self._session.run(outputs, {self._name: inputs.pop("input_ids")} | inputs)
