"""Single sentences: a loop of generate, generate_many, and a pool of processes.

    python benchmarks/bench_many.py [--model demo] [--rounds 3]
    python benchmarks/bench_many.py --model DIRECTORY --flat 100000    # does memory stay flat?
    python benchmarks/bench_many.py --pickle                           # size and time of a model that travels

Checks first that all give the same samples. Contestants are interleaved in one run; times are medians. The memory of a
contestant is that of a program that does nothing else, at its end: the proportional set size of all its processes,
which counts what they share once, in the steady state after the texts were spoken.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import pickle
import statistics
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib
from measure import add_model_option

import kittentts
from kittentts import KittenTTS
from kittentts.defaults import SAMPLE_RATE

if TYPE_CHECKING:
    from collections.abc import Callable

TEXTS = [
    "The harbor wakes before the sun does.",
    "A baker opens his window wide.",
    "Fishermen carry nets down to the boats.",
    "The market is full of voices.",
    "Who would believe this town was empty?",
    "Rain fell all night on the roofs.",
    "She counted the coins twice.",
    "Nobody had seen the letter.",
    "The train leaves at seven.",
    "He laughed and closed the book.",
    "A dog barked at the moon.",
    "The lamp was still burning.",
    "They walked along the river.",
    "It was colder than before.",
    "The children ran to the gate.",
    "Somebody knocked at the door.",
    "Her coffee had gone cold.",
    "The road was long and dusty.",
    "We will meet again in spring.",
    "Then the music began to play.",
]
WORKERS = joblib.cpu_count(only_physical_cores=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_model_option(parser)
    parser.add_argument("--rounds", type=int, default=3, help="at least 3 (default: %(default)s)")
    parser.add_argument("--flat", type=int, metavar="TEXTS", help="memory over so many texts instead")
    parser.add_argument("--pickle", action="store_true", help="a model that travels instead")
    parser.add_argument("--memory-of", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.flat:
        memory_over(options.model, options.flat)
    elif options.pickle:
        travel(options.model)
    elif options.memory_of:
        with contextlib.closing(Contestants(options.model, [options.memory_of])) as contestants:
            contestants.speak[options.memory_of]()
            print(f"{memory():.0f} MB")
    elif options.rounds < 3:
        parser.error("--rounds must be at least 3, for the median to mean something")
    else:
        with contextlib.closing(Contestants(options.model)) as contestants:
            compare(contestants.speak, options.model, options.rounds)


class Contestants:
    """Name -> function that speaks all texts; a pool is open and warm before it is timed."""

    def __init__(self, model: str, names: list[str] | None = None) -> None:
        self.model = KittenTTS(model)
        ways: dict[str, Callable[[], list[Any]]] = {
            "loop of generate": lambda: [self.model.generate(text) for text in TEXTS],
            f"generate_many, {WORKERS} threads": lambda: [r.audio for r in self.model.generate_many(TEXTS)],
            f"{WORKERS} processes": lambda: list(self.pool.map(self.model.generate, TEXTS)),
        }
        self.speak = {name: way for name, way in ways.items() if names is None or name in names}
        # one core each
        os.environ["OMP_NUM_THREADS"] = "1"
        self.pool = ProcessPoolExecutor(WORKERS, get_context("spawn"))
        if f"{WORKERS} processes" in self.speak:
            list(self.pool.map(self.model.generate, TEXTS[:WORKERS] * 2))

    def close(self) -> None:
        """End the pool."""
        self.pool.shutdown()


def compare(speak: dict[str, Callable[[], list[Any]]], model: str, rounds: int) -> None:
    audio = {name: way() for name, way in speak.items()}
    if len({hashlib.sha256(b"".join(one.tobytes() for one in all_)).digest() for all_ in audio.values()}) != 1:
        sys.exit("the contestants give different samples; no times are printed (has the model random nodes?)")
    seconds: dict[str, list[float]] = {name: [] for name in speak}
    for _ in range(rounds):
        for name, way in speak.items():
            start = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - start)
    spoken = sum(map(len, audio["loop of generate"])) / SAMPLE_RATE
    baseline = statistics.median(seconds["loop of generate"])
    print(f"kittentts {kittentts.__version__}, model {model}, same samples")
    print(f"{len(TEXTS)} texts of one sentence, {spoken:.1f} s of audio")
    print(f"{os.cpu_count()} logical cores, {WORKERS} physical ones usable; median of {rounds} interleaved rounds\n")
    print("| contestant | seconds (min-max) | times real time | ratio | memory |")
    print("|---|---|---|---|---|")
    for name, times in seconds.items():
        median = statistics.median(times)
        print(
            f"| {name} | {median:.2f} ({min(times):.2f}-{max(times):.2f}) | {spoken / median:.2f} "
            f"| {baseline / median:.2f} | {measured_memory(model, name)} |"
        )


def measured_memory(model: str, contestant: str) -> str:
    command = [sys.executable, __file__, "--model", model, "--memory-of", contestant]
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.strip()


def memory() -> float:
    """Return the megabytes of this process and its children."""
    processes = [os.getpid(), *map(int, Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())]
    rollups = (Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii") for process in processes)
    return sum(int(rollup.partition("\nPss:")[2].split()[0]) for rollup in rollups) / 1024


def memory_over(model: str, count: int) -> None:
    texts = (f"This is text number {i}, and it is about as long as a sentence usually is." for i in range(count))
    began = time.perf_counter()
    print("| texts | seconds | MB |\n|---|---|---|")
    for result in KittenTTS(model).generate_many(texts):
        if result.error is not None:
            raise result.error
        if (result.index + 1) % (count // 10) == 0:
            print(f"| {result.index + 1:,} | {time.perf_counter() - began:.0f} | {memory():.0f} |", flush=True)


def travel(model: str) -> None:
    data = pickle.dumps(KittenTTS(model))
    code = (
        "import sys, time; start = time.perf_counter(); import pickle, kittentts; imported = time.perf_counter(); "
        f"model = pickle.loads({data!r}); loaded = time.perf_counter(); model.model; opened = time.perf_counter(); "
        "print(imported - start, loaded - imported, opened - loaded)"
    )
    runs = [
        list(map(float, subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout.split()))
        for _ in range(5)
    ]
    imported, loaded, opened = (statistics.median(times) * 1000 for times in zip(*runs, strict=True))
    print(f"{len(data)} bytes; import kittentts {imported:.0f} ms, loads {loaded:.2f} ms, first use {opened:.0f} ms")


if __name__ == "__main__":
    main()
