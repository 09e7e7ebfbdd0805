"""The paragraph of five sentences: one chunk after another against chunks at the same time.

    python benchmarks/bench_chunks.py [--model demo] [--rounds 5]

Checks first that both give the same samples. Contestants are interleaved in one run; times are medians.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import joblib

import kittentts
from kittentts import KittenTTS
from kittentts.defaults import SAMPLE_RATE

PARAGRAPH = (
    "The old harbor wakes before the sun does. "
    "Fishermen carry their nets down to the boats and talk about the weather. "
    "A baker on the corner opens his window, and the smell of fresh bread drifts along the street. "
    "By seven o'clock the market is full of voices, colors and small bargains! "
    "Who would believe that this town was almost empty only ten years ago?"
)
# name -> max_workers
CONTESTANTS = {"sequential": 1, "parallel": None}
_PEAK = "--peak-memory-of"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="demo", help="what KittenTTS() takes (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="at least 3 (default: %(default)s)")
    parser.add_argument(_PEAK, choices=CONTESTANTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak_memory_of:
        print(peak_memory(options.model, CONTESTANTS[options.peak_memory_of]))
        return
    if options.rounds < 3:
        parser.error("--rounds must be at least 3, for the median to mean something")
    run(options.model, options.rounds)


def run(model: str, rounds: int) -> None:
    models = {name: KittenTTS(model, max_workers=workers) for name, workers in CONTESTANTS.items()}
    audio = {name: one.generate(PARAGRAPH) for name, one in models.items()}
    if len({samples.tobytes() for samples in audio.values()}) != 1:
        sys.exit("the contestants give different samples; no times are printed (has the model random nodes?)")

    seconds: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(rounds):
        for name, one in models.items():
            start = time.perf_counter()
            one.generate(PARAGRAPH)
            seconds[name].append(time.perf_counter() - start)

    spoken = len(audio["sequential"]) / SAMPLE_RATE
    baseline = statistics.median(seconds["sequential"])
    print(f"kittentts {kittentts.__version__}, model {model}: 5 sentences, {spoken:.1f} s of audio, same samples")
    print(f"{os.cpu_count()} logical cores, {joblib.cpu_count(only_physical_cores=True)} physical ones usable")
    print(f"median of {rounds} interleaved rounds\n")
    print("| contestant | seconds (min-max) | times real time | ratio | peak memory |")
    print("|---|---|---|---|---|")
    for name, times in seconds.items():
        median = statistics.median(times)
        print(
            f"| {name} | {median:.2f} ({min(times):.2f}-{max(times):.2f}) | {spoken / median:.2f} "
            f"| {baseline / median:.2f} | {measured_peak(model, name)} |"
        )


def measured_peak(model: str, contestant: str) -> str:
    """Run the contestant once in a process of its own."""
    command = [sys.executable, __file__, "--model", model, _PEAK, contestant]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def peak_memory(model: str, workers: int | None) -> str:
    KittenTTS(model, max_workers=workers).generate(PARAGRAPH)
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return "unknown on this system"
    kilobytes = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    return f"{kilobytes / 1024:.0f} MB"


if __name__ == "__main__":
    main()
