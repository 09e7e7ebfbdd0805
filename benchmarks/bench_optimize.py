"""The graph as it was published against its faster variants: times, operators, outputs.

    python benchmarks/bench_optimize.py [--model demo] [--rounds 5] [--text "..."] [--json FILE]

Makes every variant anew and compares it with the original bit for bit, on the probes of the optimizer and on the text,
before it prints a time. The contestants are interleaved in one run; times are medians.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import onnxruntime
from measure import add_model_option, machine

from kittentts import KittenTTS
from kittentts.models.probes import probes
from kittentts.models.repository import find_model
from kittentts.optimize.build import variants
from kittentts.optimize.selftest import LARGEST_PAIR, is_exact
from kittentts.runtime import onnx_graph

TEXT = "Fishermen carry their nets down to the boats and talk about the weather."
_OPERATORS = 12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_model_option(parser)
    parser.add_argument("--rounds", type=int, default=5, help="at least 3 (default: %(default)s)")
    parser.add_argument("--text", default=TEXT, help="one sentence (default: %(default)r)")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    options = parser.parse_args()
    if options.rounds < 3:
        parser.error("--rounds must be at least 3, for the median to mean something")
    files = find_model(options.model)
    with tempfile.TemporaryDirectory() as folder:
        paths = {"original": files.model_path}
        for variant in variants(files.model_path, Path(folder), partial(probes, files.voices_path)):
            if variant.difference:
                print(f"the {variant.name} variant cannot be used here: {variant.difference}")
            else:
                paths[variant.name] = variant.path
        report = measure(options.model, paths, options.text, options.rounds)
    print_report(report)
    if options.json:
        options.json.write_text(json.dumps(report, indent=2), encoding="utf-8")


def measure(model: str, paths: dict[str, Path], text: str, rounds: int) -> dict[str, Any]:
    inputs = inputs_of(model, text)
    report: dict[str, Any] = {
        "machine": machine(),
        "exact with all 8-bit weights": is_exact(LARGEST_PAIR),
        "model": model,
        "text": text,
        "rounds": rounds,
        "megabytes": {name: path.stat().st_size / 1e6 for name, path in paths.items()},
        "seconds": {},
    }
    for threads in dict.fromkeys([1, os.cpu_count() or 1]):
        sessions, opening = {}, {}
        for name, path in paths.items():
            began = time.perf_counter()
            sessions[name] = onnx_graph.open_session(path, threads=threads)
            opening[name] = time.perf_counter() - began
        output = onnx_graph.waveform_output(sessions["original"])
        waveforms = {name: session.run([output], inputs)[0].tobytes() for name, session in sessions.items()}
        if len(set(waveforms.values())) != 1:
            sys.exit("the variants give different samples; no times are printed (has the model random nodes?)")
        seconds: dict[str, list[float]] = {name: [] for name in sessions}
        for _ in range(rounds):
            for name, session in sessions.items():
                began = time.perf_counter()
                session.run([output], inputs)
                seconds[name].append(time.perf_counter() - began)
        report["seconds"][str(threads)] = seconds
        report.setdefault("opening", opening)
    report["operators"] = {name: operators(path, inputs) for name, path in paths.items()}
    return report


def inputs_of(model: str, text: str) -> dict[str, Any]:
    """Return what the graph takes for a text."""
    engine = KittenTTS(model, optimize="off").model
    inputs = engine._prepare_inputs(text, engine.available_voices[0])  # noqa: SLF001 (a name of the replaced library)
    return {onnx_graph.token_input(engine.session): inputs.pop("input_ids")} | inputs


def operators(path: Path, inputs: dict[str, Any]) -> dict[str, float]:
    """Return the seconds of one single-threaded run by operator, most first, as ONNX Runtime's profiler tells."""
    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 4
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder) / "profile")
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        session.run(None, inputs)
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    spent: collections.Counter[str] = collections.Counter()
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            spent[event["args"]["op_name"]] += event["dur"] / 1e6
    return dict(spent.most_common())


def print_report(report: dict[str, Any]) -> None:
    print(report["machine"])
    print(f"model {report['model']}; all 8-bit products exact: {report['exact with all 8-bit weights']}")
    print(f"one sentence, same samples, median of {report['rounds']} interleaved rounds\n")
    counts = list(report["seconds"])
    heads = [f"{count} thread{'s' if count != '1' else ''}: seconds (min-max) | ratio" for count in counts]
    print("| graph | " + " | ".join(heads) + " | opening | MB |")
    print("|---" * (2 * len(counts) + 3) + "|")
    for name, megabytes in report["megabytes"].items():
        cells = []
        for count in counts:
            times = report["seconds"][count]
            # of each round, for the machine's pace changes
            ratios = [first / other for first, other in zip(times["original"], times[name], strict=True)]
            cells.append(f"{statistics.median(times[name]):.2f} ({min(times[name]):.2f}-{max(times[name]):.2f})")
            cells.append(f"{statistics.median(ratios):.2f}")
        print(f"| {name} | " + " | ".join(cells) + f" | {report['opening'][name]:.2f} s | {megabytes:.0f} |")
    names = list(report["operators"])
    print("\nSeconds of a single-threaded run by operator:\n")
    print("| operator | " + " | ".join(names) + " |")
    print("|---" * (len(names) + 1) + "|")
    most: collections.Counter[str] = collections.Counter()
    for spent in report["operators"].values():
        most |= collections.Counter(spent)
    for operator, _ in most.most_common(_OPERATORS):
        times = (report["operators"][name].get(operator, 0) for name in names)
        print(f"| {operator} | " + " | ".join(f"{seconds:.2f}" for seconds in times) + " |")


if __name__ == "__main__":
    main()
