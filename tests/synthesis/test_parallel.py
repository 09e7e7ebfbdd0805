"""Fan-out, without any speech: plan, slots, order, failures."""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import threads

from kittentts.runtime import resources
from kittentts.synthesis.parallel import Plan, Slots, make_plan, map_ordered


def nothing():
    """Neither stop nor check anything."""


def run(function, items, workers, *, size=lambda _: 1, stop=nothing, check=nothing, window=None):
    return list(map_ordered(function, items, workers, size=size, stop=stop, check=check, window=window))


@pytest.fixture(autouse=True)
def switch_often():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


class TestPlan:
    @pytest.mark.parametrize(
        ("sizes", "cores", "plan"),
        [
            ([5], 8, Plan(0, 0, one_core_each=False)),
            ([5, 5, 5], 1, Plan(0, 0, one_core_each=False)),
            ([5, 5, 7], 3, Plan(3, 3, one_core_each=False)),
            ([5, 5], 2, Plan(2, 2, one_core_each=True)),
            ([5, 5], 8, Plan(2, 2, one_core_each=False)),
            ([50, 1], 2, Plan(0, 0, one_core_each=True)),
            ([5] * 4, 2, Plan(4, 2, one_core_each=True)),
            # the odd one runs on both cores after the others
            ([5] * 5, 2, Plan(4, 2, one_core_each=True)),
            ([5] * 9, 4, Plan(8, 4, one_core_each=True)),
            # seven fill four cores better at once than three of them one by one
            ([5] * 7, 4, Plan(7, 4, one_core_each=True)),
            # one that outweighs the others would keep one core busy and the other idle
            ([500, 1, 1, 1], 2, Plan(0, 0, one_core_each=True)),
        ],
    )
    def test_kinds(self, sizes, cores, plan):
        assert make_plan(sizes, cores) == plan

    def test_memory_bounds_the_workers(self):
        assert make_plan([5] * 20, 8, at_once=6).workers == 6
        assert make_plan([5] * 20, 8, at_once=1) == Plan(0, 0, one_core_each=False)
        assert make_plan([5] * 20, 2, at_once=100).workers == 2

    def test_is_quick_for_a_book(self):
        assert make_plan([400] * 20_000, 16).workers == 16


class TestSlots:
    def test_never_more_than_the_count_and_no_one_is_passed_over(self):
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

    def test_who_waits_longest_is_next(self):
        slots, order = Slots(1), []

        def work(name):
            with slots.take(lambda: False):
                order.append(name)

        threads = [threading.Thread(target=work, args=(name,)) for name in range(5)]
        with slots.take(lambda: False):
            for place, thread in enumerate(threads, 1):
                thread.start()
                while True:
                    with slots._changed:
                        if slots._changed.wait_for(lambda place=place: len(slots._queue) == place, 0.01):
                            break
        for thread in threads:
            thread.join(60)
        assert order == list(range(5))

    def test_who_is_stopped_does_not_wait(self):
        slots, stopped = Slots(1), threading.Event()
        entered = threading.Event()

        def work():
            with slots.take(stopped.is_set):
                entered.set()

        with slots.take(lambda: False):
            thread = threading.Thread(target=work)
            thread.start()
            stopped.set()
            slots.wake()
            assert entered.wait(60)
            thread.join(60)
        with slots.take(lambda: False):
            pass

    def test_no_more_at_a_time_than_memory_is_free_but_always_one(self):
        asked = []
        slots = Slots(4, lambda: asked.append(1) or 100)
        inside, now, most = threading.Event(), [0], [0]

        def work(_):
            with slots.take(lambda: False, memory=60):
                now[0] += 1
                most[0] = max(most[0], now[0])
                # the others queue up meanwhile
                while not inside.is_set():
                    with slots._changed:
                        if slots._changed.wait_for(lambda: len(slots._queue) == 3, 0.01):
                            inside.set()
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


def test_results_keep_the_order_of_the_items():
    released = [threading.Event() for _ in range(4)]

    def finish_in_reverse(i):
        if i < 3:
            released[i + 1].wait(60)
        released[i].set()
        return i * i

    assert run(finish_in_reverse, range(4), 4) == [0, 1, 4, 9]


def test_the_largest_that_waits_is_next():
    first, begun = threading.Event(), []

    def items():
        yield from (1, 5, 3, 9)
        first.set()

    def call(i):
        first.wait(60)
        begun.append(i)
        return i

    assert run(call, items(), 1, size=lambda i: i) == [1, 5, 3, 9]
    assert begun == [1, 9, 5, 3]


def test_items_are_made_while_calls_run():
    running = threading.Event()

    def items():
        yield 1
        assert running.wait(60)
        yield 2

    assert run(lambda i: running.set() or i, items(), 1) == [1, 2]


def test_workers_run_at_the_same_time_and_no_more():
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

    assert run(call, range(30), 3) == list(range(30))
    assert most[0] == 3


def test_a_window_bounds_what_is_made_ahead():
    made = []
    results = map_ordered(
        lambda i: i,
        (made.append(i) or i for i in range(1000)),
        2,
        size=lambda _: 1,
        stop=nothing,
        check=nothing,
        window=5,
    )
    for i, result in enumerate(results):
        assert result == i
        assert len(made) <= i + 6
    assert len(made) == 1000


def test_a_failure_stops_what_runs_drops_what_waits_and_leaves_no_thread():
    stopped, started = threading.Event(), []

    def call(i):
        started.append(i)
        if i == 1:
            raise KeyError("broken")
        assert stopped.wait(60)

    with pytest.raises(KeyError, match="broken"):
        run(call, range(100), 2, stop=stopped.set)
    assert set(started[:2]) == {0, 1}
    assert len(started) < 5
    assert threads.new() == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
@pytest.mark.parametrize("source", ["items", "check"])
def test_a_failure_in_the_callers_thread_stops_everything(error, source):
    stopped, calls = threading.Event(), []

    def items():
        yield 1
        yield 2
        if source == "items":
            raise error

    def check():
        calls.append(1)
        if source == "check" and len(calls) > 3:
            raise error

    with pytest.raises(error):
        run(lambda _: stopped.wait(60), items(), 2, stop=stopped.set, check=check)
    assert stopped.is_set()
    assert threads.new() == []


def test_closing_the_iterator_stops_everything():
    stopped = threading.Event()
    results = map_ordered(
        lambda i: i or stopped.wait(60), [1, 0, 0], 2, size=lambda _: 1, stop=stopped.set, check=nothing
    )
    assert next(results) == 1
    results.close()
    assert stopped.is_set()
    assert threads.new() == []


class TestResources:
    def test_cores(self):
        assert resources.usable_cores() >= 1

    @pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this platform")
    def test_cores_respect_affinity(self, run_python, tiny_directory):
        code = """
import os, sys
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from kittentts import KittenTTS
from kittentts.runtime import resources
assert resources.usable_cores() == 1
model = KittenTTS(sys.argv[1])
model.generate("One is here. Two is there.")
assert model.model._sessions._graph._one_core is None
assert model.model.session.get_session_options().intra_op_num_threads == 1
"""
        run_python(code, tiny_directory)

    def test_memory_is_positive_where_it_is_known(self):
        free = resources.available_memory()
        assert free is None or free > 0

    @pytest.mark.parametrize(
        ("line", "folder", "limit", "used", "inactive"),
        [
            ("0::/app/inner", "app/inner", "memory.max", "memory.current", "inactive_file"),
            ("0::/app/inner", "app", "memory.max", "memory.current", "inactive_file"),
            ("0::/", ".", "memory.max", "memory.current", "inactive_file"),
            (
                "7:cpu,memory:/app",
                "memory/app",
                "memory.limit_in_bytes",
                "memory.usage_in_bytes",
                "total_inactive_file",
            ),
        ],
    )
    def test_container_limits(self, tmp_path, line, folder, limit, used, inactive):
        group = tmp_path / folder
        group.mkdir(parents=True, exist_ok=True)
        (group / limit).write_text("1000\n")
        (group / used).write_text("700\n")
        (group / "memory.stat").write_text(f"anon 1\n{inactive} 50\n")
        (tmp_path / "own").write_text(f"1:name=systemd:/x\n{line}\n")
        left = resources._container_memory(tmp_path / "own", tmp_path)
        assert [bytes_ for bytes_ in left if bytes_ is not None] == [350]
        (group / limit).write_text("max\n")
        assert not any(resources._container_memory(tmp_path / "own", tmp_path))
