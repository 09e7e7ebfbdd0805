"""Speak the same texts in several ways and compare: seconds, processor time, memory.

    python benchmarks/bench_chunks.py [--workload 5 20] [--rounds 5] [--peers] [--ablation] [--json FILE] [--plot PNG]

Each contestant has a process of its own. First each speaks the text once, and all must give the same samples; only then
are they timed, in turn, round after round. See README.md beside this file for what the columns mean.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import joblib
from contestants import ABLATION, CONTESTANTS, Contestant, peers, with_workers
from measure import Process, add_model_option, machine
from workloads import TIMED, WORKLOADS

if TYPE_CHECKING:
    from measure import Measurement

# what ratios refer to, and what efficiency refers to
_BASELINE = "sequential"
_ONE_CORE = "one core"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_model_option(parser)
    parser.add_argument("--workload", nargs="+", choices=WORKLOADS, default=TIMED, help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=5, help="at least 3 (default: %(default)s)")
    parser.add_argument("--peers", action="store_true", help="also kokoro-onnx and kittenml, if they are installed")
    parser.add_argument("--ablation", action="store_true", help="instead: ours without each element of its plan")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement")
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="speed and memory by number of workers")
    parser.add_argument("--quick", action="store_true", help="for a first look: one round of workloads 1 and 5")
    options = parser.parse_args()
    if options.quick:
        options.workload, options.rounds = ("1", "5"), 1
    elif options.rounds < 3:
        parser.error("--rounds must be at least 3, for the median to mean something")

    contestants = ABLATION if options.ablation else CONTESTANTS | (peers() if options.peers else {})
    if options.plot:
        most = max(4, 2 * joblib.cpu_count(only_physical_cores=True))
        contestants |= {_workers(count): with_workers(count) for count in range(1, most + 1)}
    print(f"{machine()}\nmodel {options.model}, median of {options.rounds} interleaved rounds")
    results = {name: measure(name, options.model, contestants, options.rounds) for name in options.workload}
    if options.json:
        everything = {"machine": machine(), "model": options.model, "workloads": as_json(results)}
        options.json.write_text(json.dumps(everything, indent=1), encoding="utf-8")
    if options.plot:
        plot(results, options.plot)


def measure(workload: str, model: str, contestants: dict[str, Contestant], rounds: int) -> dict[str, list[Measurement]]:
    """Return the measurements of each contestant, one a round, and print them as a table."""
    text = WORKLOADS[workload]
    with contextlib.ExitStack() as stack:
        processes = {name: stack.enter_context(Process(one, model)) for name, one in contestants.items()}
        first = {name: process.speak(text) for name, process in processes.items()}
        check_samples(first, contestants)
        taken: dict[str, list[Measurement]] = {name: [] for name in processes}
        for i in range(rounds):
            # every second round the other way round, so that nobody always follows the same one
            for name in list(processes)[:: -1 if i % 2 else 1]:
                taken[name].append(processes[name].speak(text))
    print(f"\n{table(workload, taken)}", flush=True)
    return taken


def check_samples(first: dict[str, Measurement], contestants: dict[str, Contestant]) -> None:
    expected = first[_BASELINE].samples
    wrong = [name for name, one in contestants.items() if one.same_samples and first[name].samples != expected]
    if wrong:
        sys.exit(f"{', '.join(wrong)}: other samples than {_BASELINE}, so no times (has the model random nodes?)")
    for name, one in contestants.items():
        if not one.same_samples:
            same = "the same samples" if first[name].samples == expected else "other samples"
            print(f"{name}: {same}, {first[name].audio_seconds:.2f} s for {first[_BASELINE].audio_seconds:.2f} s")


def table(workload: str, taken: dict[str, list[Measurement]]) -> str:
    lines = [
        f"| {workload} | seconds (min-max) | CPU s | times real time | ratio | efficiency | peak MB | held MB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, rounds in taken.items():
        times = [one.wall_seconds for one in rounds]
        seconds = statistics.median(times)
        lines.append(
            f"| {name} | {seconds:.2f} ({min(times):.2f}-{max(times):.2f}) "
            f"| {statistics.median(one.cpu_seconds for one in rounds):.2f} | {rounds[0].audio_seconds / seconds:.2f} "
            f"| {ratio(taken, _BASELINE, name):.2f} | {efficiency(taken, name)} "
            f"| {_whole(rounds[-1].peak_megabytes)} | {_whole(rounds[-1].held_megabytes)} |"
        )
    return "\n".join(lines)


def efficiency(taken: dict[str, list[Measurement]], name: str) -> str:
    """Return how many times as fast it is as on one core, for each core; the ablation does not measure that."""
    if _ONE_CORE not in taken:
        return ""
    return f"{ratio(taken, _ONE_CORE, name) / joblib.cpu_count(only_physical_cores=True):.0%}"


def ratio(taken: dict[str, list[Measurement]], slow: str, fast: str) -> float:
    """Return how many times as fast one is as the other: the median over the rounds."""
    pairs = zip(taken[slow], taken[fast], strict=True)
    return statistics.median(one.wall_seconds / other.wall_seconds for one, other in pairs)


def as_json(results: dict[str, dict[str, list[Measurement]]]) -> dict[str, dict[str, list[dict[str, object]]]]:
    return {
        workload: {name: [asdict(one) for one in rounds] for name, rounds in taken.items()}
        for workload, taken in results.items()
    }


def plot(results: dict[str, dict[str, list[Measurement]]], path: Path) -> None:
    """Draw speed-up and peak memory against the number of workers, a line for each workload."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        sys.exit('--plot needs matplotlib: pip install "kittentts[dev]"')
    figure = Figure(figsize=(10, 4), layout="constrained")
    speed, memory = figure.subplots(1, 2)
    for workload, taken in results.items():
        counts = [count for count in range(1, len(taken) + 1) if _workers(count) in taken]
        (line,) = speed.plot(counts, [ratio(taken, _BASELINE, _workers(count)) for count in counts], "o-")
        line.set_label(workload)
        peaks = [taken[_workers(count)][-1].peak_megabytes or 0 for count in counts]
        memory.plot(counts, peaks, "o-", color=line.get_color())
        for axes, value in (
            (speed, ratio(taken, _BASELINE, "naive pool")),
            (memory, taken["naive pool"][-1].peak_megabytes or 0),
        ):
            axes.axhline(value, linestyle=":", color=line.get_color())
    speed.set(title="times as fast as one chunk after another", xlabel="workers", ylim=(0, None), xticks=counts)
    memory.set(title="peak memory, MB", xlabel="workers", ylim=(0, None), xticks=counts)
    speed.legend(title="sentences (dotted: naive pool)")
    figure.savefig(path, dpi=120)


def _workers(count: int) -> str:
    return f"ours, {count} worker{'s' if count > 1 else ''}"


def _whole(megabytes: float | None) -> str:
    return "unknown" if megabytes is None else f"{megabytes:.0f}"


if __name__ == "__main__":
    main()
