"""Serves a model on a socket, or on stdin and stdout, and stops cleanly after a signal."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
import socket
import stat
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from wyoming.event import async_get_stdin, async_get_stdout

from kittentts.errors import SettingError
from kittentts.service.admission import AdmissionQueue
from kittentts.service.listening import bind
from kittentts.wyoming.connection import Connection, Service
from kittentts.wyoming.info import make_info

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kittentts import KittenTTS
    from kittentts.wyoming.settings import Settings

# seconds for clients to take the last of their answers after the model was closed
_STOP_TIMEOUT = 2.0


@contextlib.contextmanager
def bind_uri(uri: str) -> Iterator[socket.socket | None]:
    """Yield a socket bound to what the URI names; None for `stdio://`.

    Args:
        uri: `tcp://HOST:PORT` (0 means any free port), `unix:///PATH` or `stdio://`.

    Raises:
        SettingError: it is none of these, or the path is a file that is no socket.
        OSError: the address is none of this machine's, or is in use; the message names it.
    """
    address = urlsplit(uri)
    try:
        port = address.port
    except ValueError:
        port = None
    if address.scheme == "tcp" and address.hostname and port is not None:
        with bind(address.hostname, port) as bound:
            yield bound
    elif address.scheme == "unix" and address.path and not address.netloc and hasattr(socket, "AF_UNIX"):
        with _bind_path(Path(address.path)) as bound:
            yield bound
    elif uri == "stdio://":
        yield None
    else:
        raise SettingError(f"--uri {uri!r}: tcp://HOST:PORT, unix:///PATH or stdio:// is needed")


@contextlib.contextmanager
def _bind_path(path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as bound:
        if path.exists():
            if not stat.S_ISSOCK(path.stat().st_mode):
                raise SettingError(f"--uri unix://{path}: there is a file that is no socket; give another path")
            if bound.connect_ex(str(path)) == 0:
                raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE), str(path))
            # left by a server that has ended
            path.unlink()
    with socket.socket(socket.AF_UNIX) as bound:
        try:
            bound.bind(str(path))
        except OSError as error:
            raise OSError(error.errno, error.strerror or str(error), str(path)) from error
        try:
            yield bound
        finally:
            path.unlink(missing_ok=True)


class Server:
    """A Wyoming server.

    Args:
        model: speaks; it is closed to stop its requests.
        settings: of the server.
        grace: seconds for requests to finish after `stop`; then they are stopped.
        announce: called when clients can connect.
    """

    def __init__(self, model: KittenTTS, settings: Settings, grace: float, announce: Callable[[], object]) -> None:
        self._model = model
        self._settings = settings
        self._grace = grace
        self._announce = announce
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self, bound: socket.socket | None, discovery: str | None = None) -> None:
        """Serve until `stop` is called, or stdin ends.

        Args:
            bound: from `bind_uri`; None is stdin and stdout.
            discovery: the address under which Home Assistant is to find the server, with the port of `bound`; None for
                none. "0.0.0.0" is that of the network.
        """
        asyncio.run(self._run(bound, discovery))

    def handle_signals(self) -> None:
        """Let SIGTERM and Ctrl-C call `stop`."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())

    def stop(self) -> None:
        """Refuse new connections and finish the requests; a second call stops them. For any thread, while it runs."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop)

    async def _run(self, bound: socket.socket | None, discovery: str | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        admission = AdmissionQueue(self._settings.concurrency, self._settings.queue, self._settings.queue_timeout)
        info = make_info(self._model, self._settings.model_name).event()
        self._service = service = Service(self._model, self._settings, admission, info)
        if bound is None:
            await self._serve_pipes()
            return

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await Connection(reader, writer, service).run()

        listener = await asyncio.start_server(accept, sock=bound)
        if discovery is not None:
            await _register(discovery, bound.getsockname()[1])
        self._announce()
        await self._stopping.wait()
        listener.close()
        await asyncio.gather(*(connection.stop() for connection in service.connections))

    async def _serve_pipes(self) -> None:
        try:
            reader, writer = await async_get_stdin(), await async_get_stdout()
        except ValueError as error:
            raise SettingError(f"--uri stdio:// needs pipes for stdin and stdout: {error}") from error
        connection = Connection(reader, writer, self._service, is_socket=False)
        running = asyncio.create_task(connection.run())
        stopping = asyncio.create_task(self._stopping.wait())
        self._announce()
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if stopping.done():
            await connection.stop()
        stopping.cancel()
        await running

    def _stop(self) -> None:
        if self._stopping.is_set():
            self._stop_requests()
        else:
            self._stopping.set()
            asyncio.get_running_loop().call_later(self._grace, self._stop_requests)

    def _stop_requests(self) -> None:
        self._model.close()
        asyncio.get_running_loop().call_later(_STOP_TIMEOUT, self._drop_connections)

    def _drop_connections(self) -> None:
        for connection in list(self._service.connections):
            connection.drop()


async def _register(host: str, port: int) -> None:
    """Let Home Assistant find the server, until the process ends."""
    from wyoming.zeroconf import HomeAssistantZeroconf

    # The package's own default, the number of the network card, is that of every other service on this machine.
    name = f"kittentts-{socket.gethostname().partition('.')[0]}-{port}"
    await HomeAssistantZeroconf(port, name, None if host == "0.0.0.0" else host).register_server()  # noqa: S104
