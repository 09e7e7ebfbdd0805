"""How long texts would take on machines with more cores: the plan of ours against the other ways, SIMULATED.

    python benchmarks/simulate.py [--model demo] [--workload 5 20 4x400] [--json FILE]

Measured here: the seconds of each chunk on one core, which part of a run uses all cores (from its seconds on one and
on all; Amdahl's law), and how much longer runs take beside others. The rest is computed: runs that share the cores get
equal parts of them, and more cores than these are supposed to behave like these. What is not in it, such as memory too
slow for 16 cores, or threads that wait for each other, costs the ways that spread one run over many cores the most.
"""

from __future__ import annotations

import argparse
import heapq
import json
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contestants import EXACT, chunk_inputs
from measure import add_model_option, machine
from workloads import TIMED, WORKLOADS

from kittentts import KittenTTS
from kittentts.preprocess import chunk_text
from kittentts.runtime import onnx_graph
from kittentts.runtime.resources import usable_cores
from kittentts.synthesis import plan

if TYPE_CHECKING:
    from collections.abc import Sequence

_CORES = (2, 4, 8, 12, 16)


@dataclass(frozen=True)
class Costs:
    """What was measured."""

    seconds: dict[str, list[float]]
    """Of each chunk of each workload, on one core."""
    parallel_share: float
    """The part of a run that more cores make faster."""
    crowding: float
    """How many times as long a run on one core takes when the other cores run others."""
    sharing: float
    """How many times as long runs that share all cores take than their share of the cores explains."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_model_option(parser)
    parser.add_argument("--workload", nargs="+", choices=WORKLOADS, default=TIMED[1:], help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=3, help="how often each time is taken (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was measured")
    options = parser.parse_args()
    if usable_cores() == 1:
        parser.error("with a single core there is nothing to measure")
    costs = measure(options.model, options.workload, options.rounds)
    if options.json:
        options.json.write_text(json.dumps({"machine": machine()} | asdict(costs), indent=1), encoding="utf-8")
    print(f"{machine()}\nmodel {options.model}; the constants of kittentts/synthesis/plan.py, measured here:")
    print(f"_PARALLEL_SHARE = {costs.parallel_share:.2f}\n_CROWDING = {costs.crowding:.2f}")
    print(f"_SHARING = {costs.sharing:.2f}")
    for workload, seconds in costs.seconds.items():
        print(f"\n{table(workload, seconds, costs)}")


def measure(model: str, workloads: Sequence[str], rounds: int) -> Costs:
    engine = KittenTTS(model, **EXACT).model
    cores = usable_cores()
    path = engine.model_path
    one, all_ = onnx_graph.open_session(path, threads=1), onnx_graph.open_session(path)
    texts = {text for workload in workloads for text in chunk_text(WORKLOADS[workload])}
    inputs = {text: chunk_inputs(engine, text) for text in texts}
    for session in (one, all_):
        session.run(None, inputs[min(texts, key=len)])
    seconds = {text: _seconds(one, [inputs[text]], rounds) for text in texts}
    # the three ways to use all cores are compared on the text of median length
    middle = sorted(texts, key=len)[len(texts) // 2]
    many = [inputs[middle]] * cores
    alone, spread = _seconds(one, many[:1], rounds), _seconds(all_, many[:1], rounds)
    side_by_side, sharing = _seconds(one, many, rounds), _seconds(all_, many, rounds)
    return Costs(
        {workload: [seconds[text] for text in chunk_text(WORKLOADS[workload])] for workload in workloads},
        parallel_share=(1 - spread / alone) / (1 - 1 / cores),
        crowding=side_by_side / alone,
        sharing=sharing / alone,
    )


def _seconds(session: Any, inputs: Sequence[Any], rounds: int) -> float:
    """Return the seconds until all are run, each in a thread."""
    taken = []
    with ThreadPoolExecutor(len(inputs)) as pool:
        for _ in range(rounds):
            start = time.perf_counter()
            list(pool.map(lambda one: session.run(None, one), inputs))
            taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def table(workload: str, seconds: Sequence[float], costs: Costs) -> str:
    lines = [
        f"| {workload}, SIMULATED | sequential s | naive pool s | ours s | ratio | to naive pool | efficiency |",
        "|---|---|---|---|---|---|---|",
    ]
    sizes = [len(text) for text in chunk_text(WORKLOADS[workload])]
    for cores in _CORES:
        slow, naive = sequential(seconds, cores, costs), sharing(seconds, cores, costs)
        planned = ours(seconds, sizes, cores, costs)
        efficiency = sum(seconds) / cores / planned
        lines.append(
            f"| {cores} cores | {slow:.1f} | {naive:.1f} | {planned:.1f} "
            f"| {slow / planned:.2f} | {naive / planned:.2f} | {efficiency:.0%} |"
        )
    return "\n".join(lines)


def sequential(seconds: Sequence[float], cores: int, costs: Costs) -> float:
    """One after another, each on all cores."""
    return sum(seconds) / _speed(cores, costs)


def sharing(seconds: Sequence[float], cores: int, costs: Costs) -> float:
    """All begin together; as runs end, those that are left have more of the cores."""
    left, time_ = sorted(seconds), 0.0
    while left:
        slowed = costs.sharing if len(left) > 1 else 1.0
        step = left[0] / _speed(cores / len(left), costs) * slowed
        time_ += step
        left = [one - left[0] for one in left[1:]]
    return time_


def ours(seconds: Sequence[float], sizes: Sequence[int], cores: int, costs: Costs) -> float:
    """As the plan says, which knows the sizes, not the seconds."""
    found = plan.parallel(sizes, cores)
    if found.pooled and not found.single_threaded:
        return sharing(seconds, cores, costs)
    busy_until = [0.0] * found.workers
    for index in found.pooled:
        heapq.heapreplace(busy_until, busy_until[0] + seconds[index] * costs.crowding)
    return max(busy_until) + sequential(seconds[len(found.pooled) :], cores, costs)


def _speed(cores: float, costs: Costs) -> float:
    """Return how fast a run is on so many cores, or on a part of one; 1 on one."""
    return cores if cores < 1 else 1 / (1 - costs.parallel_share + costs.parallel_share / cores)


if __name__ == "__main__":
    main()
