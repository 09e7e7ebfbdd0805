"""The queue of requests. For the event loop's thread only."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from kittentts.server.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_RETRY = {"Retry-After": "2"}


class Places:
    """So many requests at a time; some more wait, in the order in which they came.

    Args:
        count: how many at a time.
        queue: how many may wait.
        patience: how long one may wait, in seconds.

    Attributes:
        taken: how many have a place.
        waiting: how many wait for one.
    """

    def __init__(self, count: int, queue: int, patience: float) -> None:
        self._free = asyncio.Semaphore(count)
        self._queue = queue
        self._patience = patience
        self.taken = 0
        self.waiting = 0

    @contextlib.asynccontextmanager
    async def take(self) -> AsyncIterator[None]:
        """Hold a place.

        Raises:
            ApiError: 429 where too many wait, 503 where it takes too long.
        """
        if self._free.locked():
            if self.waiting >= self._queue:
                raise ApiError(429, f"{self.waiting} requests wait already; try again soon", headers=_RETRY)
            await self._wait()
        else:
            await self._free.acquire()
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1
            self._free.release()

    async def _wait(self) -> None:
        self.waiting += 1
        try:
            await asyncio.wait_for(self._free.acquire(), self._patience)
        except asyncio.TimeoutError as error:
            message = f"{self._patience:.0f} s went by before this request could be spoken; try again later"
            raise ApiError(503, message, headers=_RETRY) from error
        finally:
            self.waiting -= 1
