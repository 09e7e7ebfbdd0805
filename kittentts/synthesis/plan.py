"""Which chunks of a text run at the same time, and on how many cores each."""

from __future__ import annotations

import heapq
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

# Measured by benchmarks/simulate.py, which prints them, with the demo voice on two cores: a run on two cores takes
# 0.61 times as long as on one, which Amdahl's law reads as 78 % of it being parallel; two single-threaded runs at the
# same time take 1.05 times as long as one alone.
_PARALLEL_SHARE = 0.78
_CROWDING = 1.05


class Plan(NamedTuple):
    """How to run the chunks of a call."""

    pooled: range
    """The chunks, by index, that run at the same time, on one core each; the others run one by one on all cores."""
    workers: int = 1
    """How many of the pooled ones run at a time."""


SEQUENTIAL = Plan(range(0))
"""One chunk after another."""


def parallel(sizes: Sequence[float], cores: int) -> Plan:
    """Return the plan with the least estimated time.

    As many chunks as cores run at the same time, on one core each, which uses the cores best. The last few run one by
    one, on all cores, where the others come out even. Where one outweighs all others, or where there are fewer than
    cores, it may be best to run all one by one.

    Args:
        sizes: for each chunk, in order, a number above 0 that its time is proportional to.
        cores: how many to use, at least 1.
    """
    count = len(sizes)
    workers = min(cores, count)
    if workers == 1:
        return SEQUENTIAL

    def estimate(pooled: int) -> float:
        return _pool_time(sizes[:pooled], workers) + sum(sizes[pooled:]) * _time_on(cores)

    pooled = min((*range(count, count - workers, -1), 0), key=estimate)
    return Plan(range(pooled), workers) if pooled else SEQUENTIAL


def look_ahead(count: int, cores: int) -> Plan:
    """Return a plan for a stream: the first chunk alone, so that it comes soonest, the others at the same time."""
    return Plan(range(1, count), max(1, min(cores, count - 1)))


def many(cores: int) -> Plan:
    """Return a plan for any number of chunks that are not known yet: all at the same time."""
    return Plan(range(sys.maxsize), cores)


def _pool_time(sizes: Sequence[float], workers: int) -> float:
    busy_until = [0.0] * workers
    for size in sizes:
        heapq.heapreplace(busy_until, busy_until[0] + size)
    return max(busy_until) * _CROWDING


def _time_on(cores: int) -> float:
    """Return the time of a run on so many cores, of its time on one (Amdahl's law)."""
    return 1 - _PARALLEL_SHARE + _PARALLEL_SHARE / cores
