"""Measure a contestant in a process of its own: its time, its memory, and which samples it gives."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import multiprocessing
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib
import nano_graph
import numpy as np
import onnxruntime

import kittentts
from kittentts.defaults import SAMPLE_RATE

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from contestants import Contestant
    from numpy.typing import NDArray
    from typing_extensions import Self


@dataclass(frozen=True)
class Measurement:
    """One time that a contestant spoke a text."""

    wall_seconds: float
    cpu_seconds: float
    """Of all threads together."""
    audio_seconds: float
    samples: str
    """A hash of the waveform."""
    peak_megabytes: float | None
    """The most memory that the process has held since it began; None where the system does not tell."""
    held_megabytes: float | None
    """What it holds now."""


class Process:
    """A process that opens a contestant's model and speaks when it is asked to; to be closed after use.

    Args:
        contestant, model: what is opened.
        measure: (what `contestant.open` returns, what is to be spoken) -> the figures.
    """

    def __init__(self, contestant: Contestant, model: str, measure: Callable[..., Any] | None = None) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, contestant, model, measure or measured), daemon=True
        )
        self._process.start()
        theirs.close()
        self.opened_megabytes: float | None = self._answer()
        """What it holds with the model open."""

    def speak(self, text: Any) -> Any:
        """Let it speak a text to the end; return the figures, a `Measurement` unless they are others."""
        self._connection.send(text)
        return self._answer()

    def _answer(self) -> Any:
        try:
            return self._connection.recv()
        except EOFError:
            raise SystemExit("a contestant failed; what it said is above") from None

    def close(self) -> None:
        """End it."""
        self._connection.close()
        self._process.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def measured(speak: Callable[[str], NDArray[np.float32]], text: str) -> Measurement:
    """Speak a text, and measure it."""
    wall, cpu = time.perf_counter(), time.process_time()
    waveform = speak(text)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    length, samples = waveform.size, hashlib.sha256(np.ascontiguousarray(waveform)).hexdigest()
    del waveform
    gc.collect()
    return Measurement(wall, cpu, length / SAMPLE_RATE, samples, memory("VmHWM"), memory("VmRSS"))


def _serve(connection: Connection, contestant: Contestant, model: str, measure: Callable[..., Any]) -> None:
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):  # one of the peers prints
        speak = contestant.open(model)
        connection.send(memory("VmRSS"))
        with contextlib.suppress(EOFError):
            while True:
                connection.send(measure(speak, connection.recv()))


def memory(what: str) -> float | None:
    """Return a figure of this process in MB: VmHWM is the peak since it began, VmRSS what it holds now."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith(what + ":"):
                return int(line.split()[1]) / 1024
    return None


def add_model_option(parser: argparse.ArgumentParser) -> None:
    """Add `--model`: what `KittenTTS` takes, or nano-like."""
    shown = "what KittenTTS() takes, or nano-like, a synthetic graph (default: %(default)s)"
    parser.add_argument("--model", default="demo", type=nano_graph.model, help=shown)


def machine() -> str:
    """Return what the figures depend on, in a line."""
    name = "unknown processor"
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(line.partition(": ")[2] for line in lines if line.startswith("model name"))
        flags = next(line.split() for line in lines if line.startswith("flags"))
        name += " with VNNI" if {"avx512_vnni", "avx_vnni"} & set(flags) else " without VNNI"
    return (
        f"{name}, {joblib.cpu_count(only_physical_cores=True)} physical cores usable; "
        f"ONNX Runtime {onnxruntime.__version__}, kittentts {kittentts.__version__}"
    )
