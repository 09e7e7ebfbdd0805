"""Slots: how many runs take place at a time."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from kittentts.runtime.slots import Slots

pytestmark = pytest.mark.usefixtures("switch_often")


def test_never_more_than_the_count_and_no_one_is_passed_over():
    slots, lock = Slots(3), threading.Lock()
    now, most, rounds = [0], [0], []
    start = threading.Barrier(8, timeout=60)

    def work(name):
        start.wait()
        for i in range(100):
            with slots.take(lambda: False):
                with lock:
                    now[0] += 1
                    most[0] = max(most[0], now[0])
                    rounds.append((i, name))
                with lock:
                    now[0] -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert most[0] <= 3
    assert len(rounds) == 800


def test_who_waits_longest_is_next():
    slots, order = Slots(1), []

    def work(name):
        with slots.take(lambda: False):
            order.append(name)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(5)]
    with slots.take(lambda: False):
        for place, thread in enumerate(threads, 1):
            thread.start()
            while slots.waiting < place:
                time.sleep(0.001)
    for thread in threads:
        thread.join(60)
    assert order == list(range(5))


def test_who_is_stopped_does_not_wait():
    slots, stopped = Slots(1), threading.Event()
    entered = threading.Event()

    def work():
        with slots.take(stopped.is_set):
            entered.set()

    with slots.take(lambda: False):
        thread = threading.Thread(target=work)
        thread.start()
        stopped.set()
        assert entered.wait(60)
        thread.join(60)
    with slots.take(lambda: False):
        pass


def test_no_more_at_a_time_than_memory_is_free_but_always_one():
    asked = []
    slots = Slots(4, lambda: asked.append(1) or 100)
    inside, now, most = threading.Event(), [0], [0]

    def work(_):
        with slots.take(lambda: False, memory=60):
            now[0] += 1
            most[0] = max(most[0], now[0])
            # the others queue up meanwhile
            while not inside.is_set():
                if slots.waiting == 3:
                    inside.set()
                time.sleep(0.001)
            now[0] -= 1

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert most[0] == 1
    assert asked
    with slots.take(lambda: False, memory=1000), slots.take(lambda: True, memory=1000):
        pass
    together = threading.Barrier(2, timeout=60)

    def meet(_):
        with slots.take(lambda: False, memory=50):
            together.wait()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(meet, range(2)))


def test_whether_a_second_run_would_fit_beside_it():
    slots = Slots(2, lambda: 100)
    with slots.take(lambda: False, memory=40) as has_company:
        assert has_company
        assert slots.taken == 1
    with slots.take(lambda: False, memory=60) as has_company:
        assert not has_company
    with Slots(2).take(lambda: False, memory=1e12) as has_company:
        assert has_company
    # the last that fits has company all the same
    slots = Slots(3, lambda: 100)
    with slots.take(lambda: False, memory=45), slots.take(lambda: False, memory=45) as has_company:
        assert has_company
