"""Bounds how many requests are spoken at a time, and how many wait. For the event loop's thread only."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from kittentts.errors import BusyError, QueueTimeoutError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class AdmissionQueue:
    """A semaphore with a bounded queue: requests are admitted in the order in which they came.

    Args:
        concurrency: how many are admitted at a time.
        queue: how many more may wait.
        wait_timeout: how long one may wait, in seconds.

    Attributes:
        active: how many are admitted now.
        waiting: how many wait now.
    """

    def __init__(self, concurrency: int, queue: int, wait_timeout: float) -> None:
        self._free = asyncio.Semaphore(concurrency)
        self._queue = queue
        self._wait_timeout = wait_timeout
        self.active = 0
        self.waiting = 0

    @contextlib.asynccontextmanager
    async def admit(self) -> AsyncIterator[None]:
        """Be one of the admitted requests while the context lasts.

        Raises:
            BusyError: too many wait already.
            QueueTimeoutError: `wait_timeout` has passed.
        """
        if self._free.locked():
            if self.waiting >= self._queue:
                raise BusyError(f"{self.waiting} requests wait already")
            await self._wait()
        else:
            await self._free.acquire()
        self.active += 1
        try:
            yield
        finally:
            self.active -= 1
            self._free.release()

    async def _wait(self) -> None:
        self.waiting += 1
        acquiring = asyncio.ensure_future(self._free.acquire())
        try:
            # not wait_for: before Python 3.12 it may take a cancellation for a result
            await asyncio.wait({acquiring}, timeout=self._wait_timeout)
        except asyncio.CancelledError:
            if acquiring.done():
                self._free.release()
            raise
        finally:
            self.waiting -= 1
            acquiring.cancel()  # changes nothing if it is done
        if not acquiring.done():
            raise QueueTimeoutError(f"{self._wait_timeout:.0f} s went by before this request could be spoken")
