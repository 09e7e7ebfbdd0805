"""Serves the app with uvicorn on a socket that is bound, and stops cleanly after a signal."""

from __future__ import annotations

import asyncio
import errno
import logging
import signal
import socket
from typing import TYPE_CHECKING, Any, cast

import uvicorn

from kittentts.server.app import make_app
from kittentts.server.connections import BoundedConnection

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from starlette.types import ASGIApp

    from kittentts import KittenTTS
    from kittentts.server.settings import Settings

logger = logging.getLogger(__name__)

# seconds for clients to take the last of their answers after the model was closed
_STOP_TIMEOUT = 2.0
# connections that asyncio accepts before it handles any of them; uvicorn's 2,048 are more than there are descriptors
_BACKLOG = 100
# seconds between two messages that no file descriptor is free
_WARNING_INTERVAL = 60.0


def serve(
    model: KittenTTS, settings: Settings, bound: socket.socket, grace: float, announce: Callable[[], object]
) -> None:
    """Serve until SIGTERM or Ctrl-C; then finish the requests that were accepted.

    Args:
        model: speaks; it is closed at the end.
        settings: of the app.
        bound: from `listening.bind`.
        grace: seconds for requests to finish after the signal; then they are stopped.
        announce: called when clients can connect.
    """
    server = Server(make_app(model, settings), model, grace, announce)
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn raises a signal once more when it has ended, for the handler that was there before
        signal.signal(number, server.handle_exit)
    try:
        server.run(sockets=[bound])
    finally:
        model.close()


class Server(uvicorn.Server):
    """uvicorn, with bounded connections and an end without tracebacks.

    Args:
        app: the ASGI application.
        model: is closed to stop its requests.
        grace: seconds for requests to finish after the first signal; a second signal ends the wait.
        announce: called when clients can connect.
    """

    def __init__(self, app: ASGIApp, model: KittenTTS, grace: float, announce: Callable[[], object]) -> None:
        config = uvicorn.Config(
            app,
            # not uvloop, whose transports are not those that the connections and `_handle_loop_error` know
            loop="asyncio",
            http=BoundedConnection,
            ws="none",
            log_config=None,
            lifespan="off",
            server_header=False,
            backlog=_BACKLOG,
        )
        super().__init__(config)
        self._model = model
        self._grace = grace
        self._announce = announce
        self._loop: asyncio.AbstractEventLoop | None = None
        self._last_warning = float("-inf")

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then call `announce`."""
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(self._handle_loop_error)
        await super().startup(sockets)
        for listener in sockets or ():
            # asyncio has set it to `_BACKLOG`; a client that finds the system's queue full tries again after a second
            listener.listen(socket.SOMAXCONN)
        self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Refuse new connections and wait for the requests; those that still run after `grace` seconds are stopped."""
        asyncio.get_running_loop().call_later(self._grace, self._stop_requests)
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Handle a signal: the first begins the shutdown, each further one stops the requests that still run."""
        if self.should_exit and self._loop is not None and not self._loop.is_closed():
            # uvicorn would cancel the tasks of these requests, which then log tracebacks
            self._loop.call_soon_threadsafe(self._stop_requests)
        else:
            super().handle_exit(sig, frame)

    def _stop_requests(self) -> None:
        self._model.close()
        asyncio.get_running_loop().call_later(_STOP_TIMEOUT, self._drop_connections)

    def _drop_connections(self) -> None:
        for connection in list(self.server_state.connections):
            cast("BoundedConnection", connection).drop()

    def _handle_loop_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not (isinstance(error, OSError) and error.errno in {errno.EMFILE, errno.ENFILE}):
            loop.default_exception_handler(context)
        elif loop.time() - self._last_warning > _WARNING_INTERVAL:
            # asyncio would log a traceback for each connection in the backlog, again each second
            self._last_warning = loop.time()
            logger.error("no file descriptor is free for new connections; see ulimit -n")
