"""How much memory speaking takes: for one run, for many at a time, and in the long run.

    python benchmarks/bench_memory.py [--model demo] [--part runs pool held file native]

runs  what one run takes, by the length of its chunk, and what the engine's estimate says
pool  20 chunks of 400 characters: the naive pool against ours (minutes, and more than 10 GB for the former)
held  what a process holds after 60 chunks and after one
file  what writing a long text to a file takes, by its length
native  what one run takes with the graph as it was published, and with the optimized one

Each line is of a process of its own, in MB: with the model open, the peak, and what is held afterwards.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from contestants import CONTESTANTS, Contestant, with_workers
from measure import Process, add_model_option, machine
from workloads import WORKLOADS, long_sentences

from kittentts import KittenTTS
from kittentts.models.repository import find_model
from kittentts.runtime.resources import run_bytes, usable_cores

if TYPE_CHECKING:
    from contestants import Speak
    from measure import Measurement
    from numpy.typing import NDArray


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_model_option(parser)
    parser.add_argument("--part", nargs="+", choices=PARTS, default=list(PARTS), help="default: all")
    options = parser.parse_args()
    print(f"{machine()}; model {options.model}\n")
    print("| what | open | peak | held | remark |\n|---|---|---|---|---|")
    for part in options.part:
        PARTS[part](options.model)


def runs(model: str) -> None:
    for characters in (20, 50, 100, 200, 300, 400):
        with Process(with_workers(1), model) as process:
            spoken = process.speak(long_sentences(1, characters))
        taken = spoken.peak_megabytes - process.opened_megabytes
        estimate = run_bytes(characters, file_bytes(model)) / 2**20
        show(f"1 chunk of {characters} characters", process, spoken, f"{taken:.0f} taken, {estimate:.0f} estimated")


def file_bytes(model: str) -> int:
    return find_model(model).model_path.stat().st_size


def pool(model: str) -> None:
    peaks = {}
    for name in ("ours", "naive pool"):
        with Process(CONTESTANTS[name], model) as process:
            spoken = process.speak(WORKLOADS["20x400"])
        peaks[name] = spoken.peak_megabytes
        estimate = process.opened_megabytes + usable_cores() * run_bytes(400, file_bytes(model)) / 2**20
        remark = {"ours": f"{estimate:.0f} estimated", "naive pool": f"{peaks[name] / peaks['ours']:.1f} times ours"}
        show(f"20 chunks of 400, {name}", process, spoken, remark[name])


def held(model: str) -> None:
    one_chunk, sixty = WORKLOADS["1"], " ".join([WORKLOADS["20"]] * 3)
    with Process(CONTESTANTS["ours"], model) as process:
        one = process.speak(one_chunk)
    show("one chunk", process, one)
    for what, before in (("60 chunks", None), ("one chunk, then 60", one_chunk)):
        with Process(CONTESTANTS["ours"], model) as process:
            if before:
                process.speak(before)
            many = process.speak(sixty)
        show(what, process, many, f"holds {many.held_megabytes / one.held_megabytes:.2f} times as much as after one")


def file(model: str) -> None:
    for times in (1, 2):
        with Process(Contestant(to_file), model) as process:
            spoken = process.speak(" ".join([WORKLOADS["20"]] * times))
        show(f"{20 * times} chunks to a file", process, spoken)


def native(model: str) -> None:
    # made before anything is measured
    KittenTTS(model, optimize="exact").close()
    for characters in (50, 100, 400):
        for optimize in ("off", "exact"):
            with Process(with_workers(1, optimize), model) as process:
                spoken = process.speak(long_sentences(1, characters))
            show(f"1 chunk of {characters} characters, {optimize}", process, spoken)


PARTS = {part.__name__: part for part in (runs, pool, held, file, native)}


def show(what: str, process: Process, spoken: Measurement, remark: str = "") -> None:
    figures = process.opened_megabytes, spoken.peak_megabytes, spoken.held_megabytes
    print(f"| {what} | {' | '.join(f'{megabytes:.0f}' for megabytes in figures)} | {remark} |", flush=True)


def to_file(model: str, **options: Any) -> Speak:
    """Speak into a file, and return nothing of it."""
    engine = KittenTTS(model, **options)

    def speak(text: str) -> NDArray[np.float32]:
        with tempfile.TemporaryDirectory() as folder:
            engine.generate_to_file(text, Path(folder) / "speech.wav")
        return np.empty(0, np.float32)

    return speak


if __name__ == "__main__":
    main()
