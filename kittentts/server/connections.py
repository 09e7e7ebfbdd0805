"""Time-outs and a limit for connections, beyond those of uvicorn.

uvicorn closes a connection on which nothing comes for five seconds after an answer. It would wait for ever for the
first request, for a request that comes byte by byte, and for a client that does not read its answer; and it accepts
connections until no file descriptor is left.
"""

from __future__ import annotations

import socket
import sys
from typing import TYPE_CHECKING, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio

# seconds for the request line and the headers, which are less than 16 KiB (h11's limit)
_HEAD_TIMEOUT = 10.0
# seconds for a body; the middleware answers earlier, this ends bodies that no route reads
_BODY_TIMEOUT = 35.0
# Seconds without a byte taken by the client. A player that reads opus as fast as it plays it, 4 KB/s, makes room in the
# system's send buffer about every ten seconds.
_SEND_TIMEOUT = 30.0
# bytes
_SEND_BUFFER = 65_536
# many times the requests that may wait; an idle connection costs little
_MAX_CONNECTIONS = 500


def max_connections() -> int:
    """Return how many connections may be open: half of this process's file descriptors, at most 500.

    The other half is for files, and for those that are accepted before others are closed.
    """
    if sys.platform == "win32":
        return _MAX_CONNECTIONS
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MAX_CONNECTIONS if soft == resource.RLIM_INFINITY else min(_MAX_CONNECTIONS, soft // 2)


class BoundedConnection(H11Protocol):
    """uvicorn's HTTP/1.1 protocol with time-outs for both directions and a limit on the number of connections.

    When there are too many, the one that has sent no whole request for the longest time is closed. So idle clients
    cannot keep others out, and no request is lost that has arrived.
    """

    _receive_state: object = None
    _receive_timer: asyncio.TimerHandle | None = None
    _send_timer: asyncio.TimerHandle | None = None
    last_request: float
    """When the last whole request had come, or else the connection, by the clock of the event loop."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the time-out for the first request; close another connection if there are too many."""
        super().connection_made(transport)
        # What the client has not taken stays in the transport, which calls `pause_writing` for the first byte of it.
        # With the system's own buffers, of megabytes, progress could not be seen.
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        transport.set_write_buffer_limits(high=0)
        self.last_request = self.loop.time()
        self._bound_receiving()
        if len(self.connections) > max_connections():
            connections = cast("set[BoundedConnection]", self.connections)
            waiting = [connection for connection in connections if connection.waits_for_client()]
            min(waiting, key=lambda connection: connection.last_request).drop()

    def data_received(self, data: bytes) -> None:
        """Pass the data on, and start or end the time-out of what is to come."""
        super().data_received(data)
        self._bound_receiving()

    def pause_writing(self) -> None:
        """Start the time-out for the client to take what was sent; the transport calls this."""
        super().pause_writing()
        self._check_progress()

    def resume_writing(self) -> None:
        """End that time-out; the transport calls this when the client has taken all."""
        super().resume_writing()
        _cancel(self._send_timer)

    def connection_lost(self, exc: Exception | None) -> None:
        """End all time-outs."""
        _cancel(self._receive_timer)
        _cancel(self._send_timer)
        super().connection_lost(exc)

    def drop(self) -> None:
        """Close the connection at once, whatever is still to be sent."""
        self.connections.discard(self)
        self.transport.abort()

    def waits_for_client(self) -> bool:
        """Whether no whole request has come that is not answered yet, so that closing this loses no work."""
        return self.conn.their_state in {h11.IDLE, h11.SEND_BODY}

    def _bound_receiving(self) -> None:
        state = self.conn.their_state
        if state not in {h11.IDLE, h11.SEND_BODY}:
            self.last_request = self.loop.time()
        if state is self._receive_state:
            return
        self._receive_state = state
        _cancel(self._receive_timer)
        if state is h11.IDLE:
            self._receive_timer = self.loop.call_later(_HEAD_TIMEOUT, self.drop)
        elif state is h11.SEND_BODY:
            self._receive_timer = self.loop.call_later(_BODY_TIMEOUT, self.drop)

    def _check_progress(self, unsent_before: int = -1) -> None:
        unsent = self.transport.get_write_buffer_size()
        if unsent == unsent_before:
            self.drop()
        else:
            self._send_timer = self.loop.call_later(_SEND_TIMEOUT, self._check_progress, unsent)


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
