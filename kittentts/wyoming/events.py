"""Reads Wyoming events from clients that may send anything, in bounded memory and time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar, cast

from wyoming.event import async_read_event

from kittentts.errors import ProtocolError

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from wyoming.event import Event

T = TypeVar("T")

# seconds for each part of an event, from its first byte to its last
_EVENT_TIMEOUT = 30.0
# of a text: JSON writes a character as up to 12 bytes (two escapes of UTF-16)
_BYTES_A_CHARACTER = 12
# bytes for what stands beside a text, like its voice
_OTHER_BYTES = 4096


async def read_event(reader: asyncio.StreamReader, max_chars: int) -> Event | None:
    """Wait for an event, however long none begins.

    Args:
        reader: from a client; its own limit bounds the line with which an event begins, 64 KiB as asyncio makes it.
        max_chars: the longest text.

    Returns:
        None if the client has ended the stream where an event would begin.

    Raises:
        ProtocolError: what came is no event, or too large, or the rest of it did not come in time.
        OSError: the connection broke.
    """
    try:
        event = await async_read_event(cast("asyncio.StreamReader", _BoundedReader(reader, max_chars)))
    except asyncio.IncompleteReadError:
        # the client left in the middle
        return None
    except asyncio.TimeoutError as error:
        raise ProtocolError(f"the rest of an event did not come within {_EVENT_TIMEOUT:.0f} s") from error
    # what the package stumbles over where the JSON has another shape
    except (AttributeError, KeyError, TypeError, RecursionError) as error:
        raise ProtocolError("what came is no event of the Wyoming protocol") from error
    if event is None and reader.at_eof():
        return None
    if event is None or not isinstance(event.data, dict):
        raise ProtocolError("what came is no event of the Wyoming protocol, or is too large")
    return event


class _BoundedReader:
    """What `async_read_event` uses of a `StreamReader`, with limits, which that has not for data and payloads.

    Args:
        reader: the real one.
        max_chars: as for `read_event`.
    """

    def __init__(self, reader: asyncio.StreamReader, max_chars: int) -> None:
        self._reader = reader
        self._max_bytes = _OTHER_BYTES + max_chars * _BYTES_A_CHARACTER

    async def readline(self) -> bytes:
        # without a limit of time for the first byte only
        first = await self._reader.read(1)
        return first if first in {b"", b"\n"} else first + await _in_time(self._reader.readline())

    async def readexactly(self, count: int) -> bytes:
        if not isinstance(count, int) or count > self._max_bytes:
            # the package takes it for the end
            raise ValueError(f"{count} bytes are more than {self._max_bytes}")
        return await _in_time(self._reader.readexactly(count))


async def _in_time(reading: Awaitable[T]) -> T:
    return await asyncio.wait_for(reading, _EVENT_TIMEOUT)
