"""Speak the same texts in several ways and compare: seconds, processor time, memory.

    python benchmarks/bench_chunks.py --quick --plot speed.png       # a minute or so
    python benchmarks/bench_chunks.py [--workload 5 20] [--rounds 5] [--peers] [--ablation] [--json FILE] [--plot PNG]

Each contestant has a process of its own. First each speaks the text once, and all must give the same samples; only then
are they timed, in turn, round after round. See README.md beside this file for what the columns mean.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import statistics
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import joblib
from contestants import ABLATION, CONTESTANTS, Contestant, peers
from measure import Process, add_model_option, machine
from workloads import TIMED, WORKLOADS

from kittentts import KittenTTSError
from kittentts.defaults import pip_install
from kittentts.models.repository import find_model
from kittentts.progress_bar import open_bar

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from measure import Measurement
    from tqdm import tqdm

# what ratios refer to, and what efficiency refers to
_BASELINE = "sequential"
_ONE_CORE = "one core"
_LABELS = {"sequential": "one after another,\nas kittentts 0.8.1", "naive pool": "a thread for\nevery chunk"}
_OURS = ("ours", "ours, optimized")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_model_option(parser)
    parser.add_argument("--workload", nargs="+", choices=WORKLOADS, default=TIMED, help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=5, help="at least 3 (default: %(default)s)")
    parser.add_argument("--peers", action="store_true", help="also kokoro-onnx and kittenml, if they are installed")
    parser.add_argument("--ablation", action="store_true", help="instead: ours without each element of its plan")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement")
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="draw how fast each is, and its memory")
    parser.add_argument("--quick", action="store_true", help="for a first look: three rounds of three short sentences")
    options = parser.parse_args()
    if options.quick:
        options.workload, options.rounds = ("quick",), 3
    elif options.rounds < 3:
        parser.error("--rounds must be at least 3, for the median to mean something")
    check_needs(options)

    contestants = ABLATION if options.ablation else CONTESTANTS | (peers() if options.peers else {})
    print(f"{machine()}\nmodel {options.model}, median of {options.rounds} interleaved rounds", flush=True)
    # each text is spoken once more, for its samples
    characters = sum(len(WORKLOADS[name]) for name in options.workload) * len(contestants) * (options.rounds + 1)
    with open_bar(total=characters, unit=" characters", dynamic_ncols=True, disable=None) as bar:
        results = {name: measure(name, options.model, contestants, options.rounds, bar) for name in options.workload}
    if options.json:
        everything = {"machine": machine(), "model": options.model, "workloads": as_json(results)}
        options.json.write_text(json.dumps(everything, indent=1), encoding="utf-8")
    if options.plot:
        plot(results, f"{machine()}\nmodel {options.model}, {options.rounds} interleaved rounds", options.plot)


def check_needs(options: argparse.Namespace) -> None:
    """End now for what would fail after minutes of work."""
    if options.plot and importlib.util.find_spec("matplotlib") is None:
        sys.exit("--plot needs matplotlib: pip install matplotlib")
    if importlib.util.find_spec("onnx") is None:
        sys.exit(f"the optimized contestant needs onnx: {pip_install('fast')}")
    for path in filter(None, (options.json, options.plot)):
        if not path.absolute().parent.is_dir():
            sys.exit(f"{path}: there is no such folder")
    try:
        find_model(options.model)
    except KittenTTSError as error:
        sys.exit(str(error))


def measure(
    workload: str, model: str, contestants: dict[str, Contestant], rounds: int, bar: tqdm[None]
) -> dict[str, list[Measurement]]:
    """Return the measurements of each contestant, one a round, and print them as a table."""
    text = WORKLOADS[workload]

    def speak(name: str) -> Measurement:
        bar.set_postfix_str(f"{workload}: {name}")
        spoken = processes[name].speak(text)
        bar.update(len(text))
        return spoken

    with contextlib.ExitStack() as stack:
        bar.set_postfix_str(f"{workload}: opening {len(contestants)} models")
        processes = {name: stack.enter_context(Process(one, model)) for name, one in contestants.items()}
        first = {name: speak(name) for name in processes}
        check_samples(first, contestants)
        taken: dict[str, list[Measurement]] = {name: [] for name in processes}
        for i in range(rounds):
            # every second round the other way round, so that nobody always follows the same one
            for name in list(processes)[:: -1 if i % 2 else 1]:
                taken[name].append(speak(name))
    bar.write(f"\n{table(workload, taken)}")
    sys.stdout.flush()
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
    return statistics.median(ratios(taken, slow, fast))


def ratios(taken: dict[str, list[Measurement]], slow: str, fast: str) -> list[float]:
    """Return how many times as fast one was as the other in each round."""
    pairs = zip(taken[slow], taken[fast], strict=True)
    return [one.wall_seconds / other.wall_seconds for one, other in pairs]


def as_json(results: dict[str, dict[str, list[Measurement]]]) -> dict[str, dict[str, list[dict[str, object]]]]:
    return {
        workload: {name: [asdict(one) for one in rounds] for name, rounds in taken.items()}
        for workload, taken in results.items()
    }


def plot(results: dict[str, dict[str, list[Measurement]]], title: str, path: Path) -> None:
    """Draw speed and peak memory of each contestant, a row for each workload."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 1 + 3.2 * len(results)), layout="constrained")
    figure.suptitle(title, fontsize=10)
    rows = figure.subplots(len(results), 2, squeeze=False, sharey="row", sharex="col")
    for (speed, memory), (workload, taken) in zip(rows, results.items(), strict=True):
        medians = [ratio(taken, _BASELINE, name) for name in taken]
        spreads = [ratios(taken, _BASELINE, name) for name in taken]
        draw_bars(speed, taken, medians, "{:.2f}")
        below = [median - min(spread) for median, spread in zip(medians, spreads, strict=True)]
        above = [max(spread) - median for median, spread in zip(medians, spreads, strict=True)]
        speed.errorbar(medians, range(len(taken)), xerr=(below, above), fmt="none", ecolor="black", capsize=3)
        speed.axvline(1, color="black", linewidth=0.8, linestyle=":")
        speed.set(title=f"{workload}: times as fast as one chunk after another", xlabel="median, and all rounds")
        draw_bars(memory, taken, [rounds[-1].peak_megabytes or 0 for rounds in taken.values()], "{:.0f}")
        memory.set(title=f"{workload}: peak memory, MB")
    figure.savefig(path, dpi=120)


def draw_bars(axes: Axes, taken: dict[str, list[Measurement]], values: list[float], number: str) -> None:
    colors = ["tab:orange" if name == _OURS[-1] else "tab:blue" if name in _OURS else "silver" for name in taken]
    axes.barh([_LABELS.get(name, name) for name in taken], values, color=colors)
    for place, value in enumerate(values):
        axes.text(max(values) / 60, place, number.format(value), verticalalignment="center")
    if not axes.yaxis_inverted():
        axes.invert_yaxis()


def _whole(megabytes: float | None) -> str:
    return "unknown" if megabytes is None else f"{megabytes:.0f}"


if __name__ == "__main__":
    main()
