"""Fan-out of calls over threads: how many at a time, in which order, and how to stop. Knows nothing of speech."""

from __future__ import annotations

import contextlib
import heapq
import queue
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from typing_extensions import Self

T = TypeVar("T")
R = TypeVar("R")

# Measured with the demo voice on two cores: one sentence takes 2.36 s on one core and 1.38 s on two, which Amdahl's
# law reads as 83 % of it being parallel; two at a time take 2.6 s (1.10 times as long) with a core each, and 2.95 s
# (1.25 times) when both share both cores.
_PARALLEL_SHARE = 0.83
_CROWDING = 1.10
_SHARING = 1.25
# How long a call that is told to stop may go on before it looks.
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Plan:
    """How to run items in the least time."""

    pooled: int
    """The first so many items run at the same time; those after them one by one, each on all cores."""
    workers: int
    """How many of the pooled ones run at a time."""
    one_core_each: bool
    """Whether each pooled run is confined to one core; else they share all cores."""


def make_plan(sizes: Sequence[float], cores: int, at_once: int | None = None) -> Plan:
    """Choose the plan with the least estimated time.

    - One core: one by one.
    - No more items than cores: all at the same time; with a core each if that keeps the cores busy, else sharing all.
    - More: as many at a time as cores, with a core each, which uses the cores best; but the last few one by one on all
      cores where the others come out even.
    - Where one item outweighs all others, and would end up alone on its core: all one by one on all cores.

    Args:
        sizes: for each item a number above 0 that its time is proportional to.
        cores: how many to use, at least 1.
        at_once: how many items may run at a time, at least 1, for want of memory; None is no bound.
    """
    count = len(sizes)
    workers = min(cores, count, at_once or cores)
    if workers <= 1:
        return Plan(0, 0, one_core_each=False)

    def seconds(plan: Plan) -> float:
        pooled, tail = sizes[: plan.pooled], sizes[plan.pooled :]
        time = _time_with_a_core_each(pooled, workers) if plan.one_core_each else _time_sharing(pooled, cores)
        return time + sum(tail) * _time_on(cores)

    plans = [Plan(count, workers, one_core_each=True), Plan(0, 0, one_core_each=True)]
    if count <= workers:
        plans.append(Plan(count, workers, one_core_each=False))
    else:
        plans += [Plan(count - tail, workers, one_core_each=True) for tail in range(1, workers)]
    return min(plans, key=seconds)


def _time_with_a_core_each(sizes: Sequence[float], workers: int) -> float:
    busy_until = [0.0] * workers
    for size in sorted(sizes, reverse=True):
        heapq.heapreplace(busy_until, busy_until[0] + size)
    return max(busy_until) * _CROWDING


def _time_sharing(sizes: Sequence[float], cores: int) -> float:
    """Return the time of items that begin together on all cores, of which at first each has a part."""
    mean = sum(sizes) / len(sizes)
    return max(mean * _time_on(cores / len(sizes)), max(sizes) * _time_on(cores)) * _SHARING


def _time_on(cores: float) -> float:
    """Return the time of a run on so many cores, of its time on one (Amdahl's law)."""
    return 1 - _PARALLEL_SHARE + _PARALLEL_SHARE / cores


class Slots:
    """So many runs at a time, over all callers, and no more than fit into memory; who waits longest is next.

    Thread-safe.

    Args:
        count: at least 1.
        free_memory: returns the bytes that the runs may take in all, or None for no bound; asked when none runs.
    """

    def __init__(self, count: int, free_memory: Callable[[], float | None] = lambda: None) -> None:
        self._count = count
        self._free_memory = free_memory
        self.reset()

    def reset(self) -> None:
        """Forget who holds and who waits for a slot: in a forked child, where their threads are gone."""
        self._free = self._count
        self._memory_left: float | None = None
        self._queue: deque[object] = deque()
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def take(self, stopped: Callable[[], bool], memory: float = 0.0) -> Iterator[None]:
        """Wait for a slot and hold it; who is `stopped`, and will end at once, does not wait (see `wake`).

        Args:
            stopped: whether to wait no longer.
            memory: bytes that the run takes. One run at a time goes on whatever it takes.
        """
        me = object()
        with self._changed:
            self._queue.append(me)
            try:
                self._changed.wait_for(lambda: stopped() or (self._queue[0] is me and self._has_room(memory)))
            finally:
                self._queue.remove(me)
                self._changed.notify_all()
            self._take(1, memory)
        try:
            yield
        finally:
            with self._changed:
                self._take(-1, -memory)
                self._changed.notify_all()

    def _has_room(self, memory: float) -> bool:
        if self._free == self._count:
            self._memory_left = self._free_memory()
            return True
        return self._free > 0 and (self._memory_left is None or memory <= self._memory_left)

    def _take(self, slots: int, memory: float) -> None:
        self._free -= slots
        if self._memory_left is not None:
            self._memory_left -= memory

    def wake(self) -> None:
        """Let those who wait look whether they are stopped."""
        with self._changed:
            self._changed.notify_all()


class Threads:
    """Up to so many threads that call functions, in the order in which they were submitted.

    Unlike those of `concurrent.futures`, they can be started while the program ends, when the interpreter waits for a
    thread that still speaks. And they are never daemons: the interpreter waits until the runs in them are stopped,
    instead of taking ONNX Runtime down under them.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._threads: list[threading.Thread] = []
        self._queue: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()

    def submit(self, function: Callable[[], None]) -> None:
        """Let a thread call a function, which raises nothing."""
        self._queue.put(function)
        if len(self._threads) < self._most:
            thread = threading.Thread(target=self._work, daemon=False)
            self._threads.append(thread)
            thread.start()

    def drop(self) -> None:
        """Forget the functions that wait."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._queue.get_nowait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Wait until all threads are gone."""
        for _thread in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            # Ctrl-C may have come while it was being started; it ends by itself
            with contextlib.suppress(RuntimeError):
                thread.join()

    def _work(self) -> None:
        while function := self._queue.get():
            function()


def map_ordered(
    function: Callable[[T], R],
    items: Iterable[T],
    workers: int,
    *,
    size: Callable[[T], float],
    stop: Callable[[], None],
    check: Callable[[], None],
    window: int | None = None,
) -> Iterator[R]:
    """Yield `function(item)` for each item, in order, made by up to `workers` threads.

    `items` is iterated in the caller's thread while the first calls already run. When a call fails, at any exception
    in the caller's thread (Ctrl-C, an error of `items` or of `check`), and when the iterator is closed, all stops as
    `fan_out` says, and the exception is raised.

    Args:
        function: what to call, in a thread.
        items: one for each call.
        workers: at least 1.
        size: of an item; of those that wait, the largest is called first.
        stop: ends all running calls soon.
        check: called in the caller's thread, at least every 50 ms while calls run; raises to stop.
        window: how many results may exist that are not yet yielded; None is no bound.
    """
    with fan_out(function, workers, size=size, stop=stop) as calls:
        yielded = submitted = 0
        for item in items:
            calls.submit(item)
            submitted += 1
            check()
            while window is not None and submitted - yielded >= window:
                yield calls.result(yielded, check)
                yielded += 1
        while yielded < submitted:
            yield calls.result(yielded, check)
            yielded += 1


@contextlib.contextmanager
def fan_out(
    function: Callable[[T], R], workers: int, *, size: Callable[[T], float], stop: Callable[[], None]
) -> Iterator[Calls[T, R]]:
    """Open `workers` threads that call a function with the items submitted to them, and wait for them at the end.

    At an exception, those that wait are dropped, `stop` is called to end those that run, and the exception goes on when
    all threads are gone.
    """
    with Threads(workers) as pool:
        try:
            yield Calls(function, size, pool)
        except BaseException:
            pool.drop()
            stop()
            raise


class Calls(Generic[T, R]):
    """The calls of one `fan_out`. Each thread that is free takes the largest item that waits.

    A single one is not left alone at the end then, while other threads have nothing to do.
    """

    def __init__(self, function: Callable[[T], R], size: Callable[[T], float], pool: Threads) -> None:
        self._function = function
        self._size = size
        self._pool = pool
        self._waiting: list[tuple[float, int, T]] = []
        self._unfinished: dict[int, T] = {}
        self._results: dict[int, R] = {}
        self._errors: dict[int, BaseException] = {}
        self._changed = threading.Condition()
        self._count = 0
        self._complete = False

    def submit(self, item: T) -> None:
        """Let a thread call the function with the item."""
        with self._changed:
            heapq.heappush(self._waiting, (-self._size(item), self._count, item))
            self._unfinished[self._count] = item
            self._count += 1
            self._changed.notify_all()
        self._pool.submit(self._call_largest)

    def complete(self) -> None:
        """Say that no more items will be submitted."""
        with self._changed:
            self._complete = True
            self._changed.notify_all()

    def _call_largest(self) -> None:
        with self._changed:
            _, index, item = heapq.heappop(self._waiting)
        try:
            outcome: tuple[dict[int, Any], Any] = self._results, self._function(item)
        except BaseException as error:  # noqa: BLE001 (raised in the caller's thread)
            outcome = self._errors, error
        with self._changed:
            outcome[0][index] = outcome[1]
            del self._unfinished[index]
            self._changed.notify_all()

    @property
    def unfinished(self) -> list[T]:
        """The items that wait or run."""
        with self._changed:
            return list(self._unfinished.values())

    def company(self, wanted: int) -> tuple[int, bool]:
        """Return how many items wait or run, and whether no more will come.

        A thread that calls it at the very beginning, when the first of many items are still being submitted, is held
        until there are more than `wanted`, but no longer than 50 ms.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._complete or len(self._unfinished) > wanted, _POLL_SECONDS)
            return len(self._unfinished), self._complete

    def result(self, index: int, check: Callable[[], None]) -> R:
        """Wait for the result of the item submitted as number `index`, from 0; see `_wait`."""
        self._wait(lambda: index in self._results, check)
        return self._results.pop(index)

    def results(self, check: Callable[[], None]) -> list[R]:
        """Wait for at least one result that was not returned before, and return all; see `_wait`."""
        self._wait(lambda: bool(self._results), check)
        with self._changed:
            found = list(self._results.values())
            self._results.clear()
        return found

    def _wait(self, enough: Callable[[], bool], check: Callable[[], None]) -> None:
        """Wait until there is enough; any failure of an item is raised at once."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._errors or enough(), _POLL_SECONDS)
                if self._errors:
                    raise self._errors[min(self._errors)]
                if enough():
                    return
            check()
