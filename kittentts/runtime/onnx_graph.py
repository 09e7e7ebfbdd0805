"""One ONNX graph of a voice: open it as an ONNX Runtime session, check that it is one, run it."""

from __future__ import annotations

import mmap
import os
import secrets
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kittentts.audio.waveform import mono_audio_array
from kittentts.errors import BackendError, ModelError, SynthesisError
from kittentts.onnxruntime_import import import_onnxruntime
from kittentts.regular_file import check_regular_file
from kittentts.runtime import native_library

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

# The first provider that this onnxruntime has is used, with the CPU for what it cannot run.
_PROVIDERS: Mapping[str | None, tuple[str, ...]] = {
    None: ("CPUExecutionProvider",),
    "cpu": ("CPUExecutionProvider",),
    "cuda": ("CUDAExecutionProvider",),
    "amd_gpu": ("MIGraphXExecutionProvider", "ROCMExecutionProvider"),
}
# Kokoro exports call it `tokens`
_TOKEN_INPUTS = ("input_ids", "tokens")
_WAVEFORM_OUTPUTS = ("waveform", "audio")
_DURATION_OUTPUT = "duration"
_FLOATS = ("tensor(float)", "tensor(float16)", "tensor(double)")
_INTEGERS = ("tensor(int64)", "tensor(int32)")
_SEED_BITS = 32
RANDOM_OPERATORS = ("RandomNormal", "RandomUniform", "Multinomial", "Bernoulli")
"""The operators of ONNX that draw random numbers have these names, the first two also with `Like` at the end."""

session_creation_lock = threading.Lock()
"""Held while a session is created, because ONNX Runtime's seed is global. A forked child makes it anew."""


def open_session(
    path: str | os.PathLike[str], backend: str | None = None, *, threads: int = 0, seed: int | None = None
) -> Any:
    """Open the graph as an `onnxruntime.InferenceSession`. Thread-safe.

    Args:
        path: the ONNX file.
        backend: None or "cpu", "cuda", "amd_gpu".
        threads: intra-op threads of one run; 0 leaves it to ONNX Runtime (all physical cores of the machine).
        seed: of the graph's random nodes, which draw the same numbers in the first run of each session with this seed,
            whatever the number of threads; None is a new one.

    Raises:
        BackendError: the backend is unknown, or this onnxruntime lacks its provider.
        ModelNotFoundError: the file does not exist.
        ModelError: the file is no ONNX graph, has not the inputs and outputs of a voice, or names other files.
    """
    onnxruntime = import_onnxruntime()
    check_regular_file(path, f"there is no ONNX file {os.fspath(path)!r}")
    if has_external_data(path):
        raise ModelError(f"{path} keeps tensors in other files; a voice's ONNX file must hold all of them itself")
    providers = _providers(backend)
    # ValueError: a name in the graph is no UTF-8
    malformed: tuple[type[Exception], ...] = (ValueError, RuntimeError, *onnxruntime_errors())
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # A pattern is kept for each length of text: measured, a repeated 400 characters then hold 1.2 GB instead of 0.9.
    options.enable_mem_pattern = False
    # errors are raised, not printed; the warnings are about exported graphs that nobody here can change
    options.log_severity_level = 4
    try:
        if native_library.native_library() and file_contains(path, native_library.MARK):
            native_library.register(options)
        with session_creation_lock:
            # a random node takes the global seed when its session is opened, and goes on from there run by run
            if seed is not None:
                onnxruntime.set_seed(seed)
            try:
                # its fallback would print, and open a graph on another device than was asked for
                session = onnxruntime.InferenceSession(str(path), options, providers=providers, enable_fallback=0)
            finally:
                if seed is not None:
                    onnxruntime.set_seed(secrets.randbits(_SEED_BITS))
    except malformed as error:
        raise ModelError(f"{path} cannot be opened as an ONNX graph: {error}") from error
    check_interface(session, path)
    return session


def check_interface(session: Any, path: str | os.PathLike[str]) -> None:
    """Raise `ModelError` unless a graph has the inputs of a voice and an output of floats that can be the waveform."""
    inputs = {node.name for node in session.get_inputs()}
    if not any(inputs == {tokens, "style", "speed"} for tokens in _TOKEN_INPUTS):
        raise ModelError(f"{path} has the inputs {sorted(inputs)}; a voice has input_ids (or tokens), style and speed")
    outputs = {node.name: node.type for node in session.get_outputs()}
    if not outputs or outputs[waveform_output(session)] not in _FLOATS:
        raise ModelError(f"{path} has the outputs {outputs}; a voice has waveform (or audio), a tensor of floats")


def check_backend(backend: str | None) -> None:
    """Raise `BackendError` unless the backend is one that we know; whether this onnxruntime has it shows on opening."""
    if not isinstance(backend, str | None) or backend not in _PROVIDERS:
        raise BackendError(f"backend={backend!r} is unknown; use one of {', '.join(map(repr, _PROVIDERS))}")


def is_cpu(backend: str | None) -> bool:
    """Whether the backend is the CPU."""
    return _PROVIDERS[backend] == _PROVIDERS["cpu"]


def _providers(backend: str | None) -> list[str]:
    check_backend(backend)
    available = import_onnxruntime().get_available_providers()
    found = [provider for provider in _PROVIDERS[backend] if provider in available][:1]
    if not found:
        raise BackendError(
            f"backend={backend!r} needs an onnxruntime with {' or '.join(_PROVIDERS[backend])}; "
            f"the installed one has {', '.join(available)}. Install the build for this device, or leave out backend"
        )
    return list(dict.fromkeys([*found, "CPUExecutionProvider"]))


def token_input(session: Any) -> str:
    """Return the name of the input that takes the token ids."""
    names = {node.name for node in session.get_inputs()}
    return next(name for name in _TOKEN_INPUTS if name in names)


def waveform_output(session: Any) -> str:
    """Return the name of the output that is the waveform: that name, or else the first."""
    names = [node.name for node in session.get_outputs()]
    return next((name for name in _WAVEFORM_OUTPUTS if name in names), names[0])


def duration_output(session: Any) -> str | None:
    """Return the name of the output that tells how long each token sounds; None where there is none of integers."""
    outputs = {node.name: node.type for node in session.get_outputs()}
    return _DURATION_OUTPUT if outputs.get(_DURATION_OUTPUT) in _INTEGERS else None


def has_random_nodes(path: str | os.PathLike[str]) -> bool:
    """Whether a graph has operators that draw random numbers, so that its output may differ from run to run."""
    return file_contains(path, *(name.encode() for name in RANDOM_OPERATORS))


def has_external_data(path: str | os.PathLike[str]) -> bool:
    """Whether a graph has tensors in other files: ONNX Runtime before 1.24 reads them from any folder.

    ONNX stores the name of such a file under the key "location"; the byte before a string is the last one of its length
    in protobuf, which is 8, or 0 where the number was padded.
    """
    return file_contains(path, b"\x08location", b"\x00location")


def file_contains(path: str | os.PathLike[str], *names: bytes) -> bool:
    """Whether one of these names, of operators for example, is among the bytes of a file (92 MB: 10 ms for each)."""
    with Path(path).open("rb") as opened:
        if not opened.seek(0, 2):
            return False
        with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return any(content.find(name) >= 0 for name in names)


def run_options(*, shrink: bool = False) -> Any:
    """Return options for any number of runs; setting `terminate = True` ends those that run within about 15 ms.

    Args:
        shrink: after the run, give the memory that the session's arena no longer uses back to the system.
    """
    options = import_onnxruntime().RunOptions()
    if shrink:
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options


def run(
    session: Any, inputs: Mapping[str, NDArray[Any]], waveform: str, durations: str | None, options: Any
) -> tuple[NDArray[np.float32], NDArray[np.int64] | None]:
    """Run the graph. Thread-safe.

    Args:
        session: the open graph.
        inputs: by name.
        waveform, durations: the names of the outputs; None for durations that are not wanted.
        options: from `run_options`.

    Returns:
        The waveform, finite float32 of shape `(samples,)`, and how many frames of 600 samples each token sounds, int64
        of shape `(tokens,)`; None where the graph does not tell it for every token.

    Raises:
        SynthesisError: ONNX Runtime failed, or was stopped through `options`; or what the graph returned is no mono
            audio, or has NaN or infinity in it.
    """
    names = [waveform] if durations is None else [waveform, durations]
    try:
        outputs = session.run(names, dict(inputs), options)
    except onnxruntime_errors() as error:
        raise SynthesisError(str(error)) from error
    tokens = next(inputs[name] for name in _TOKEN_INPUTS if name in inputs)
    return _waveform(outputs[0]), None if durations is None else _frames(outputs[1], tokens.size)


def _waveform(output: Any) -> NDArray[np.float32]:
    try:
        with np.errstate(over="ignore"):  # a float64 that is too large becomes infinity
            # a copy, for the output is a view of the session's arena, which could not give the memory back
            waveform = mono_audio_array(output).copy()
    except (TypeError, ValueError) as error:
        raise SynthesisError(f"the graph returned no waveform: {error}") from error
    if not np.isfinite(waveform).all():
        raise SynthesisError("the graph returned a waveform with NaN or infinity in it")
    return waveform


def _frames(output: Any, tokens: int) -> NDArray[np.int64] | None:
    frames = np.array(output, np.int64).reshape(-1)
    return frames if frames.size == tokens and frames.min() >= 0 else None


def onnxruntime_errors() -> tuple[type[Exception], ...]:
    """ONNX Runtime's own exceptions: a dozen private classes without a common base."""
    state = import_onnxruntime().capi.onnxruntime_pybind11_state
    found = (getattr(state, name) for name in dir(state))
    return tuple(one for one in found if isinstance(one, type) and issubclass(one, Exception))
