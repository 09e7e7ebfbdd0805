"""Which chunks of a text run at the same time, and on how many cores each."""

from __future__ import annotations

import heapq
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

# Printed by benchmarks/simulate.py, with the demo voice on two cores: the part of a run that more cores make faster (by
# Amdahl's law); how many times as long a single-threaded run takes beside another, and runs that share all cores beside
# what their share explains. Measured were 0.71, 1.01 and 1.29 (Zen 3, without VNNI), 0.77, 1.18 and 1.37 (Zen 5, with
# VNNI); these are the means.
_PARALLEL_SHARE = 0.74
_CROWDING = 1.10
_SHARING = 1.33


class Plan(NamedTuple):
    """How to run the chunks of a call."""

    pooled: range
    """The chunks, by index, that run at the same time; the others run one by one, each on all cores."""
    workers: int = 1
    """How many of the pooled ones run at a time."""
    single_threaded: bool = False
    """Whether each of them has one core; else they share all."""


SEQUENTIAL = Plan(range(0))
"""One chunk after another."""


def parallel(sizes: Sequence[float], cores: int) -> Plan:
    """Return the plan with the least estimated time.

    As many chunks as cores run at the same time, on one core each, which uses the cores best. The last few run one by
    one where the others come out even. Fewer than cores may share them; where one outweighs all others, all run one by
    one. `sizes` are numbers above 0 that the chunks' times are proportional to.
    """
    count = len(sizes)
    workers = min(cores, count)
    if workers == 1:
        return SEQUENTIAL
    plans = [Plan(range(pooled), workers, single_threaded=True) for pooled in range(count, count - workers, -1)]
    if count == workers:
        plans.append(Plan(range(count), workers))
    return min([*plans, SEQUENTIAL], key=lambda plan: _seconds(plan, sizes, cores))


def look_ahead(count: int, cores: int) -> Plan:
    """Return a plan for a stream: the first chunk alone, so that it comes soonest, the others at the same time."""
    workers = max(1, min(cores, count - 1))
    return Plan(range(1, count), workers, single_threaded=workers > 1)


def many(cores: int) -> Plan:
    """Return a plan for any number of chunks that are not known yet: all at the same time."""
    return Plan(range(sys.maxsize), cores, single_threaded=cores > 1)


def _seconds(plan: Plan, sizes: Sequence[float], cores: int) -> float:
    pooled = sizes[: len(plan.pooled)]
    time = sum(sizes[len(pooled) :]) * _time_on(cores)
    if plan.single_threaded:
        busy_until = [0.0] * plan.workers
        for size in pooled:
            heapq.heapreplace(busy_until, busy_until[0] + size)
        time += max(busy_until) * _CROWDING
    elif pooled:
        mean = sum(pooled) / len(pooled)
        time += max(mean * _time_on(cores / len(pooled)), max(pooled) * _time_on(cores)) * _SHARING
    return time


def _time_on(cores: float) -> float:
    """Return the time of a run on so many cores, of its time on one (Amdahl's law)."""
    return 1 - _PARALLEL_SHARE + _PARALLEL_SHARE / cores
