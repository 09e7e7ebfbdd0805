"""Ordered fan-out of calls over threads. Knows futures, knows nothing of speech."""

from __future__ import annotations

import threading
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")
R = TypeVar("R")


def map_ordered(function: Callable[[T], R], items: Iterable[T], workers: int, stop: Callable[[], None]) -> list[R]:
    """Return `[function(item) for item in items]`, made by up to `workers` threads.

    `items` is iterated in the caller's thread while the first calls already run. When a call fails, and at any
    exception in the caller's thread (Ctrl-C, an error of `items`), the calls that wait are dropped, `stop` is called
    to end those that run, and the exception is raised once all threads are gone.
    """
    failed = threading.Event()

    def call(item: T) -> R:
        try:
            return function(item)
        except BaseException:
            failed.set()
            raise

    with ThreadPoolExecutor(workers) as pool:
        try:
            futures = []
            for item in items:
                if failed.is_set():
                    break
                futures.append(pool.submit(call, item))
            done, _ = wait(futures, return_when=FIRST_EXCEPTION)
            # of several that failed the first in order is raised, and none waits for those that still run
            for future in futures:
                if future in done:
                    future.result()
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            stop()
            raise
