"""The scheduler without any speech: order, windows, failures, and what closes it."""

import dataclasses
import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
import threads

from kittentts.errors import StoppedError, TextError
from kittentts.runtime.cancellation import Cancellation
from kittentts.synthesis.in_order import run_in_order
from kittentts.synthesis.plan import SEQUENTIAL, Plan
from kittentts.synthesis.progress import ChunkReporter
from kittentts.synthesis.request import WHOLE
from kittentts.synthesis.scheduler import Scheduler

pytestmark = pytest.mark.usefixtures("switch_often")


def pooled(indices, workers):
    return Plan(indices, workers, single_threaded=workers > 1)


def start(function, items, plan, *, window=None, cancel=None, report=False):
    """Return a generator of `function(item)` for each item, made as the plan says; chunks are items with an index."""
    count = (len(items) or 1) if hasattr(items, "__len__") else 2000
    request = SimpleNamespace(texts=["text"] * count, stretch=WHOLE, last_index=count - 1)

    def make_inputs(_):
        for index, item in enumerate(items):
            yield SimpleNamespace(index=index, item=item, is_last=True, text="text")

    def synthesize(model_input, _, **options):
        result = function(model_input.item, **options)
        return SimpleNamespace(input=model_input, waveform=(), result=result)

    scheduler = Scheduler(make_inputs, synthesize, plan, Cancellation(cancel), window)
    scheduler.feed(request)
    scheduler.end()
    chunks = run_in_order(scheduler, ChunkReporter(request.texts, report), "text")
    return (chunk.result for chunk in chunks)


def ignoring_options(function):
    return lambda item, **_: function(item)


def run(function, items, workers, **options):
    return list(start(ignoring_options(function), items, pooled(range(2000), workers), **options))


def test_results_keep_the_order_of_the_items():
    released = [threading.Event() for _ in range(4)]

    def finish_in_reverse(i):
        if i < 3:
            assert released[i + 1].wait(60)
        released[i].set()
        return i * i

    assert run(finish_in_reverse, range(4), 4) == [0, 1, 4, 9]


def test_inputs_are_made_while_earlier_ones_run():
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


def test_the_last_ones_run_alone_when_the_others_are_done():
    seen = []
    others = threading.Barrier(2, timeout=60)

    def call(i, **options):
        if i < 4:
            others.wait()
        seen.append((i, options["single_threaded"], options["release_memory"]))
        return i

    assert list(start(call, range(6), pooled(range(4), 2))) == list(range(6))
    assert {i for i, *_ in seen[:4]} == set(range(4))
    assert all(single for _, single, _ in seen[:4])
    assert {release for _, _, release in seen[:2]} == {False}
    assert {release for _, _, release in seen[2:4]} == {True}
    assert seen[4:] == [(4, False, False), (5, False, True)]


def test_the_last_to_begin_give_the_memory_back():
    all_made, seen = threading.Event(), {}
    # two by two, or one that has been taken might begin after all others
    together = threading.Barrier(2, timeout=60)

    def items():
        yield from range(9)
        all_made.set()

    def call(i, *, release_memory, **_):
        assert all_made.wait(60)
        seen[i] = release_memory
        if i < 8:
            together.wait()

    list(start(call, items(), pooled(range(9), 2)))
    assert {i for i, released in seen.items() if released} >= {7, 8}
    assert not any(seen[i] for i in range(6))


def test_as_many_as_workers_give_their_memory_back():
    seen, together = [], threading.Barrier(2, timeout=60)

    def call(_, *, release_memory, **__):
        together.wait()
        seen.append(release_memory)

    list(start(call, range(2), pooled(range(2), 2)))
    assert seen == [True, True]


def test_a_chunk_runs_once_though_its_executor_raises(monkeypatch):
    """`submit` queues a chunk before it starts a thread, which may fail; another thread then finds the chunk, too."""

    class Refusing(ThreadPoolExecutor):
        def submit(self, *arguments, **options):
            super().submit(*arguments, **options)
            raise RuntimeError("can't start new thread")

    monkeypatch.setattr("kittentts.synthesis.scheduler.ThreadPoolExecutor", Refusing)
    begun = []
    assert run(lambda i: begun.append(i) or i, range(50), 2) == list(range(50))
    assert sorted(begun) == list(range(50))


def test_a_single_one_keeps_its_memory_and_has_all_cores():
    seen = []
    list(start(lambda _, **options: seen.append(options), [1], SEQUENTIAL))
    assert seen == [{"single_threaded": False, "release_memory": False}]


def test_one_chunk_at_a_time_never_touches_the_executor(monkeypatch):
    monkeypatch.setattr("kittentts.synthesis.scheduler.ThreadPoolExecutor", None)
    assert list(start(ignoring_options(lambda i: i), range(3), SEQUENTIAL)) == [0, 1, 2]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("window", [1, 5])
def test_a_window_bounds_what_is_made_ahead(workers, window):
    made = []
    results = start(
        ignoring_options(lambda i: i), (made.append(i) or i for i in range(500)), pooled(range(2000), workers),
        window=window,
    )  # fmt: skip
    assert made == []
    for i, result in enumerate(results):
        assert result == i
        assert len(made) <= i + window
    assert len(made) == 500


@pytest.mark.parametrize("window", [1, 2, 5])
def test_a_window_is_filled_while_the_caller_is_busy(window):
    full = threading.Event()

    def items():
        for i in range(100):
            if i == window - 1:
                full.set()
            yield i

    results = start(ignoring_options(lambda i: i), items(), pooled(range(1, 2000), 1), window=window)
    assert next(results) == 0
    assert full.wait(60)
    results.close()


def test_a_failure_drops_what_waits_and_leaves_no_thread():
    started = []
    go = threading.Event()

    def call(i):
        started.append(i)
        if i == 1:
            raise KeyError("broken")
        assert go.wait(60)

    with pytest.raises(KeyError, match="broken"):
        run(call, range(100), 2)
    go.set()
    assert threads.left_behind() == []
    assert set(started[:2]) == {0, 1}
    assert len(started) < 5


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, ZeroDivisionError])
@pytest.mark.parametrize("source", ["items", "report", "run"])
def test_any_failure_reaches_the_caller(error, source):
    def items():
        yield 1
        if source == "items":
            raise error

    def report(_):
        if source == "report":
            raise error

    def call(i):
        if source == "run":
            raise error
        return i

    with pytest.raises(error):
        run(call, items(), 2, report=report)
    assert threads.left_behind() == []


def test_nothing_to_speak_is_an_error():
    with pytest.raises(TextError, match="'text' has no word"):
        run(lambda i: i, [], 2)


@pytest.mark.parametrize("plan", [SEQUENTIAL, pooled(range(1, 2000), 2), pooled(range(2000), 2)])
@pytest.mark.parametrize("how", ["close", "del", "in a cycle"])
def test_closing_it_ends_all_threads(plan, how):
    results = start(ignoring_options(lambda i: i), range(1000), plan, window=4)
    assert next(results) == 0
    if how == "close":
        results.close()
    elif how == "in a cycle":
        cycle = SimpleNamespace(results=results)
        cycle.itself = cycle
        del cycle
    del results
    gc.collect()
    assert threads.left_behind() == []


def test_closing_waits_for_nothing():
    go, running = threading.Event(), threading.Event()

    def call(i):
        if i:
            running.set()
            assert go.wait(60)
        return i

    results = start(ignoring_options(call), range(100), pooled(range(1, 2000), 2), window=4)
    assert next(results) == 0
    assert running.wait(60)
    results.close()
    go.set()
    assert threads.left_behind() == []


def test_cancel_reaches_a_waiting_caller():
    cancel, go = threading.Event(), threading.Event()
    with pytest.raises(StoppedError, match="cancelled"):
        run(lambda _: cancel.set() or go.wait(60), range(3), 2, cancel=cancel)
    go.set()
    assert threads.left_behind() == []


@pytest.mark.parametrize("plan", [SEQUENTIAL, pooled(range(2000), 2), pooled(range(1, 2000), 2)])
def test_where_no_thread_starts_the_caller_does_the_work(monkeypatch, plan):
    def refuse(*_):
        raise RuntimeError("can't create new thread at interpreter shutdown")

    seen = set()
    monkeypatch.setattr("_thread.start_new_thread", refuse)
    monkeypatch.setattr("threading._start_new_thread", refuse)
    results = list(start(lambda i, **_: seen.add(threading.current_thread()) or i, range(5), plan, window=2))
    assert results == list(range(5))
    assert seen == {threading.current_thread()}


def test_a_run_that_fails_when_it_is_stopped_holds_nothing():
    running, go = threading.Event(), threading.Event()

    class Model:
        """What `synthesize` belongs to."""

        def fail(self, i):
            if i:
                running.set()
                assert go.wait(60)
                raise KeyError("stopped")

    model, gone = Model(), threading.Event()
    held = weakref.ref(model, lambda _: gone.set())
    results = start(ignoring_options(model.fail), range(3), pooled(range(1, 2000), 2))
    assert next(results) is None
    assert running.wait(60)
    results.close()
    gc.disable()
    try:
        del model, results
        go.set()
        assert threads.left_behind() == []
        assert gone.wait(10), gc.get_referrers(held())
    finally:
        gc.enable()


def test_chunks_after_urgent_ones_run_at_the_same_time_again():
    together = threading.Barrier(2, timeout=60)
    seen = []

    def make(index):
        stretch = WHOLE if index in {0, 1, 3, 4} else dataclasses.replace(WHOLE, is_urgent=True)
        return SimpleNamespace(texts=["text"], stretch=stretch, last_index=index)

    def make_inputs(request):
        yield SimpleNamespace(index=request.last_index, is_last=True, text="text")

    def synthesize(model_input, request, **options):
        if not request.stretch.is_urgent:
            together.wait()
        seen.append((model_input.index, options["single_threaded"]))
        return SimpleNamespace(input=model_input, waveform=())

    scheduler = Scheduler(make_inputs, synthesize, pooled(range(2000), 2), Cancellation(None), window=4)
    scheduler.feed_all(map(make, range(5)))
    scheduler.end()
    chunks = run_in_order(scheduler, ChunkReporter(None, False), None)
    assert [chunk.input.index for chunk in chunks] == list(range(5))
    assert sorted(seen) == [(0, True), (1, True), (2, False), (3, True), (4, True)]
    assert threads.left_behind() == []
