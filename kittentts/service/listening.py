"""Where a server listens: binds a socket, and tells who can reach it."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


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
    with contextlib.ExitStack() as stack:
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            bound = stack.enter_context(socket.socket(family, kind, protocol))
            if os.name == "posix":
                # the last server's connections may still be closing; on Windows this would share the port
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
        except OSError as error:
            raise OSError(error.errno, error.strerror or str(error), f"{host}:{port}") from error
        yield bound
