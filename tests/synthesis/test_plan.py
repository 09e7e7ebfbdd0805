"""Which chunks run at the same time."""

import pytest

from kittentts.synthesis import plan
from kittentts.synthesis.plan import SEQUENTIAL, Plan


@pytest.mark.parametrize(
    ("sizes", "cores", "expected"),
    [
        ([5], 8, SEQUENTIAL),
        ([5, 5, 5], 1, SEQUENTIAL),
        ([5, 5], 2, Plan(range(2), 2, True)),
        ([5] * 3, 3, Plan(range(3), 3, True)),
        # fewer than cores share them
        ([5, 5], 8, Plan(range(2), 2, False)),
        ([5, 5, 6], 8, Plan(range(3), 3, False)),
        ([5] * 4, 2, Plan(range(4), 2, True)),
        # the odd one runs on both cores after the others
        ([5] * 5, 2, Plan(range(4), 2, True)),
        ([5] * 9, 4, Plan(range(8), 4, True)),
        # seven fill four cores better at once than three of them one by one
        ([5] * 7, 4, Plan(range(7), 4, True)),
        # one that outweighs the others would keep one core busy and the other idle
        ([50, 1], 2, SEQUENTIAL),
        ([1, 1, 1, 1, 50], 2, Plan(range(4), 2, True)),
    ],
)
def test_parallel(sizes, cores, expected):
    assert plan.parallel(sizes, cores) == expected


def test_parallel_is_quick_for_a_book():
    assert plan.parallel([400] * 20_000, 16).workers == 16


@pytest.mark.parametrize(
    ("count", "cores", "expected"),
    [(1, 2, ((), 1)), (2, 2, ((1,), 1)), (3, 2, ((1, 2), 2)), (5, 1, ((1, 2, 3, 4), 1))],
)
def test_look_ahead_runs_the_first_alone(count, cores, expected):
    found = plan.look_ahead(count, cores)
    assert (tuple(found.pooled), found.workers) == expected
    assert found.single_threaded == (found.workers > 1)


def test_many_runs_any_number_on_a_core_each():
    found = plan.many(3)
    assert 10**9 in found.pooled
    assert (found.workers, found.single_threaded, plan.many(1).single_threaded) == (3, True, False)
