"""Binds a socket, serves the app on it with uvicorn, and stops cleanly after a signal."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import signal
import socket
from typing import TYPE_CHECKING

import uvicorn

from kittentts.server.app import make_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kittentts import KittenTTS
    from kittentts.server.settings import Settings

# seconds for requests to end after the model was closed
_STOP_TIMEOUT = 5


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server on this host."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@contextlib.contextmanager
def bind(host: str, port: int) -> Iterator[socket.socket]:
    """Yield a socket bound to this address, so that a port in use is noticed before a model is loaded.

    Clients cannot connect before `serve`.

    Args:
        host: a name or an IP address of this machine.
        port: 0 means any free port.

    Raises:
        OSError: the address is none of this machine's, or is in use; the message names it.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind, protocol)
        if os.name == "posix":
            # the last server's connections may still be closing; on Windows this would share the port
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), f"{host}:{port}") from error
    with bound:
        yield bound


def serve(
    model: KittenTTS, settings: Settings, bound: socket.socket, grace: float, announce: Callable[[], object]
) -> None:
    """Serve until SIGTERM or Ctrl-C; then finish the requests that were accepted.

    Args:
        model: speaks; it is closed at the end.
        settings: of the app.
        bound: from `bind`.
        grace: seconds for requests to finish after the signal; then they are stopped.
        announce: called when clients can connect.
    """
    config = uvicorn.Config(
        make_app(model, settings),
        log_config=None,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=int(grace) + _STOP_TIMEOUT,
    )
    server = _Server(config, model, grace, announce)
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn raises a signal once more when it has ended, for the handler that was there before
        signal.signal(number, server.handle_exit)
    try:
        server.run(sockets=[bound])
    finally:
        model.close()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, model: KittenTTS, grace: float, announce: Callable[[], object]) -> None:
        super().__init__(config)
        self._model = model
        self._grace = grace
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then call `announce`."""
        await super().startup(sockets)
        self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Refuse new connections and wait for the requests; those that still run after `grace` seconds are stopped."""
        asyncio.get_running_loop().call_later(self._grace, self._model.close)
        await super().shutdown(sockets)
