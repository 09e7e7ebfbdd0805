"""The graph as it was published against its faster variants: times, operators, outputs.

    python benchmarks/bench_optimize.py [--model demo] [--rounds 5] [--text "..."] [--peak BILLIONS] [--json FILE]

Makes every variant anew and compares it with the original bit for bit, on the probes of the optimizer and on the text,
before it prints a time. The contestants are interleaved in one run; times are medians.
"""

from __future__ import annotations

import argparse
import collections
import json
import math
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
from kittentts.runtime.native_library import register

TEXT = "Fishermen carry their nets down to the boats and talk about the weather."
_OPERATORS = 12
# operator that multiplies the windows of a convolution -> which of its inputs are the weights: (out, in, taps), or
# packed for kittentts-native, (blocks of 8 out, blocks of 4 in, taps, 8, 4)
_WEIGHTS = {"Conv": 1, "ConvInteger": 1, "FusedConv": 1, "QuantizedConv": 2, "DynamicQuantizedConv": 1}
_PACKED = {"QuantizedConv", "DynamicQuantizedConv"}
# and those that do it as a product of matrices, (..., in * taps) by (in * taps, out)
_MATRIX_PRODUCTS = {"MatMulInteger", "MatMulIntegerToFloat"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_model_option(parser)
    parser.add_argument("--rounds", type=int, default=5, help="at least 3 (default: %(default)s)")
    parser.add_argument("--text", default=TEXT, help="one sentence (default: %(default)r)")
    parser.add_argument(
        "--peak", type=float, help="8-bit products that this CPU can do on a core, in billions a second"
    )
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
    print_report(report, options.peak)
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
    profiles = {name: profile(path, inputs) for name, path in paths.items()}
    report["operators"] = {name: operators(events) for name, events in profiles.items()}
    report["products"] = {name: products(events) for name, events in profiles.items()}
    return report


def inputs_of(model: str, text: str) -> dict[str, Any]:
    """Return what the graph takes for a text."""
    engine = KittenTTS(model, optimize="off").model
    inputs = engine._prepare_inputs(text, engine.available_voices[0])  # noqa: SLF001 (a name of the replaced library)
    return {onnx_graph.token_input(engine.session): inputs.pop("input_ids")} | inputs


def profile(path: Path, inputs: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what ONNX Runtime's profiler tells of the operators of a single-threaded run, the second one."""
    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 4
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder) / "profile")
        register(options)
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        for _ in range(2):
            session.run(None, inputs)
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    kernels = [one for one in events if one.get("cat") == "Node" and one["name"].endswith("_kernel_time")]
    return kernels[len(kernels) // 2 :]


def operators(events: list[dict[str, Any]]) -> dict[str, float]:
    """Return the seconds of a run by operator, most first."""
    spent: collections.Counter[str] = collections.Counter()
    for event in events:
        spent[event["args"]["op_name"]] += event["dur"] / 1e6
    return dict(spent.most_common())


def products(events: list[dict[str, Any]]) -> dict[str, float]:
    """Return how many products all convolutions of a run have, and the seconds that these take."""
    found = {"products": 0.0, "seconds": 0.0}
    for event in events:
        operator = event["args"]["op_name"]
        if operator in _WEIGHTS or operator in _MATRIX_PRODUCTS:
            # without those that ONNX Runtime has packed
            shapes = [next(iter(shape.values())) for shape in event["args"]["input_type_shape"]]
            (result,) = event["args"]["output_type_shape"][0].values()
            each = shapes[_WEIGHTS[operator]][1:3] if operator in _WEIGHTS else shapes[0][-1:]
            of_group = 4 if operator in _PACKED else 1
            found["products"] += math.prod(result) * math.prod(each) * of_group
            found["seconds"] += event["dur"] / 1e6
    return found


def print_report(report: dict[str, Any], peak: float | None) -> None:
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
    print("\nProducts of the convolutions in such a run:\n")
    print("| graph | billions | seconds | billions a second |" + (" of the peak |" if peak else ""))
    print("|---|---|---|---|" + ("---|" if peak else ""))
    for name, one in report["products"].items():
        speed = one["products"] / one["seconds"] / 1e9
        share = f" {speed / peak:.0%} |" if peak else ""
        print(f"| {name} | {one['products'] / 1e9:.1f} | {one['seconds']:.2f} | {speed:.0f} |{share}")


if __name__ == "__main__":
    main()
