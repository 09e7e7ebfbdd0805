"""Ordered fan-out, without any speech."""

import threading

import pytest

from kittentts.parallel import map_ordered


def nothing():
    """Stop nothing."""


def test_results_keep_the_order_of_the_items():
    released = [threading.Event() for _ in range(4)]

    def finish_in_reverse(i):
        if i < 3:
            released[i + 1].wait(60)
        released[i].set()
        return i * i

    assert map_ordered(finish_in_reverse, range(4), 4, nothing) == [0, 1, 4, 9]


def test_items_are_made_while_calls_run():
    running = threading.Event()

    def items():
        yield 1
        assert running.wait(60)
        yield 2

    assert map_ordered(lambda i: running.set() or i, items(), 1, nothing) == [1, 2]


def test_at_most_so_many_at_a_time():
    lock, now, most = threading.Lock(), [0], [0]
    together = threading.Barrier(3, timeout=60)

    def call(i):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        together.wait()
        with lock:
            now[0] -= 1
        return i

    assert map_ordered(call, range(30), 3, nothing) == list(range(30))
    assert most[0] == 3


def test_a_failure_stops_what_runs_drops_what_waits_and_leaves_no_thread():
    stopped, started = threading.Event(), []

    def call(i):
        started.append(i)
        if i == 1:
            raise KeyError("broken")
        assert stopped.wait(60)

    with pytest.raises(KeyError, match="broken"):
        map_ordered(call, range(100), 2, stopped.set)
    assert sorted(started)[:2] == [0, 1]
    assert len(started) < 5
    assert threading.active_count() == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_a_failure_of_the_items_stops_everything(error):
    stopped = threading.Event()

    def items():
        yield 1
        raise error

    with pytest.raises(error):
        map_ordered(lambda _: stopped.wait(60), items(), 2, stopped.set)
    assert stopped.is_set()
    assert threading.active_count() == 1
