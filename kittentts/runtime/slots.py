"""How many runs take place at a time, over all callers: no more than cores, and no more than fit into memory."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# How often who waits looks whether it is stopped.
_POLL_SECONDS = 0.05


class Slots:
    """So many runs at a time, and no more than fit into memory; who waits longest is next. Thread-safe.

    Args:
        count: at least 1.
        free_memory: returns the bytes that the runs may take in all, or None for no bound; asked when none runs.
    """

    def __init__(self, count: int, free_memory: Callable[[], float | None] = lambda: None) -> None:
        self._count = count
        self._free_memory = free_memory
        self._free = count
        self._memory_left: float | None = None
        self._queue: deque[object] = deque()
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def take(self, is_stopped: Callable[[], bool], memory: float = 0.0) -> Iterator[bool]:
        """Wait for a slot and hold it; yield whether another run takes place, or would fit into memory, beside it.

        Goes on at once if `is_stopped()`: that run aborts as soon as it begins, so that the count may be exceeded.

        Args:
            is_stopped: whether to wait no longer; looked at every 50 ms.
            memory: bytes that the run takes. One run at a time goes on whatever it takes.
        """
        me = object()
        with self._changed:
            self._queue.append(me)
            try:
                while not (is_stopped() or (self._queue[0] is me and self._has_room(memory))):
                    self._changed.wait(_POLL_SECONDS)
            finally:
                self._queue.remove(me)
                self._changed.notify_all()
            self._free -= 1
            self._add_memory(-memory)
            is_alone = self._free == self._count - 1
            has_company = not is_alone or self._memory_left is None or memory <= self._memory_left
        try:
            yield has_company
        finally:
            with self._changed:
                self._free += 1
                self._add_memory(memory)
                self._changed.notify_all()

    @property
    def taken(self) -> int:
        """How many runs hold a slot now."""
        return self._count - self._free

    @property
    def waiting(self) -> int:
        """How many runs wait for a slot now."""
        return len(self._queue)

    def _has_room(self, memory: float) -> bool:
        if self._free == self._count:
            self._memory_left = self._free_memory()
            return True
        return self._free > 0 and (self._memory_left is None or memory <= self._memory_left)

    def _add_memory(self, memory: float) -> None:
        if self._memory_left is not None:
            self._memory_left += memory
