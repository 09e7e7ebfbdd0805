"""What the times of words cost, and what a seed costs: against `generate`, in turn, medians.

    python benchmarks/bench_timings.py [--rounds 9]

The demo voice has no random nodes; for the seed it gets one, which adds noise that nobody hears.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
from measure import add_model_option, machine
from onnx import helper, numpy_helper
from workloads import WORKLOADS

from kittentts import KittenTTS
from kittentts.models.repository import find_model

if TYPE_CHECKING:
    from collections.abc import Callable

    Speak = Callable[[], object]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_model_option(parser)
    parser.add_argument("--rounds", type=int, default=9, help="(default: %(default)s)")
    options = parser.parse_args()
    print(machine())
    model = KittenTTS(options.model)
    for name in ("1", "5"):
        text = WORKLOADS[name]
        speech = model.synthesize(text)
        if speech.audio.tobytes() != model.generate(text).tobytes():
            raise SystemExit("synthesize and generate give different samples")
        if speech.chunks[0].words is None:
            raise SystemExit("this model tells no times of words")
        compare(name, options.rounds, model.generate, model.synthesize)
    with tempfile.TemporaryDirectory() as folder:
        noisy = KittenTTS(with_noise(options.model, Path(folder)), optimize="off")
        compare("5, random nodes", options.rounds, noisy.generate, lambda text: noisy.generate(text, seed=1))


def compare(name: str, rounds: int, plain: Callable[[str], object], more: Callable[[str], object]) -> None:
    """Print the seconds of both, and how many times as fast as the plain one the other is."""
    text = WORKLOADS[name[0]]
    taken: list[tuple[float, float]] = []
    for number in range(rounds):
        seconds = [0.0, 0.0]
        # every second round the other way round
        for index in (0, 1) if number % 2 else (1, 0):
            began = time.perf_counter()
            (plain, more)[index](text)
            seconds[index] = time.perf_counter() - began
        taken.append((seconds[0], seconds[1]))
    first, second = (statistics.median(column) for column in zip(*taken, strict=True))
    ratio = statistics.median(one / other for one, other in taken)
    print(f"{name}: generate {first:.2f} s, the other {second:.2f} s, ratio {ratio:.3f}", flush=True)


def with_noise(name: str, folder: Path) -> Path:
    """Write a copy of a model whose waveform has a little noise of a random node."""
    files = find_model(name)
    for path in files.model_path.parent.iterdir():
        if path != files.model_path:
            shutil.copy(path, folder)
    model = onnx.load(files.model_path)
    output = model.graph.output[0].name
    for node in model.graph.node:
        for index, one in enumerate(node.output):
            if one == output:
                node.output[index] = f"{output}_without_noise"
    model.graph.initializer.append(numpy_helper.from_array(np.float32(1e-6), "little"))
    model.graph.node.extend(
        [
            helper.make_node("RandomNormalLike", [f"{output}_without_noise"], ["random"]),
            helper.make_node("Mul", ["random", "little"], ["noise"]),
            helper.make_node("Add", [f"{output}_without_noise", "noise"], [output]),
        ]
    )
    onnx.save(model, folder / files.model_path.name)
    return folder


if __name__ == "__main__":
    main()
