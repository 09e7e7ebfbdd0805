"""A client: reads its events and answers its requests, one after the other, until it leaves."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from wyoming.error import Error
from wyoming.info import Describe
from wyoming.server import AsyncEventHandler
from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop

from kittentts.errors import BusyError, KittenTTSError, ProtocolError, StoppedError
from kittentts.service.error_log import log_error, logger
from kittentts.wyoming.events import read_event
from kittentts.wyoming.info import choose_voice
from kittentts.wyoming.request import SpeechRequest

if TYPE_CHECKING:
    from wyoming.event import Event

    from kittentts import KittenTTS
    from kittentts.service.admission import AdmissionQueue
    from kittentts.wyoming.settings import Settings

T = TypeVar("T", Synthesize, SynthesizeStart, SynthesizeChunk)

# clients use one or two
_MAX_CONNECTIONS = 100
# requests of one client that are not answered yet
_MAX_WAITING = 16
# Seconds without a byte taken by the client. A player that reads as fast as it plays, 48 KB/s, makes room in the
# system's send buffer every few seconds.
_SEND_TIMEOUT = 30.0
# seconds for a client to read an error
_LINGER = 1.0


@dataclass(frozen=True)
class Service:
    """What all connections share."""

    model: KittenTTS
    settings: Settings
    admission: AdmissionQueue
    info: Event
    """The answer to `describe`."""
    connections: set[Connection] = field(default_factory=set)


class Connection(AsyncEventHandler):
    """Answers one client.

    What is wrong with a request is told by an `error` event, and then the connection is closed: a client that waits for
    the end of its audio, as Home Assistant does, would otherwise wait for ever.

    Args:
        reader: events of the client.
        writer: to the client.
        service: what it shares with others.
        is_socket: whether the end of what the client sends means that it has left. That of stdin does not.
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, service: Service, *, is_socket: bool = True
    ) -> None:
        super().__init__(reader, writer)
        self._service = service
        self._is_socket = is_socket
        self._stream: SpeechRequest | None = None
        """The request whose text is still coming."""
        self._waiting: asyncio.Queue[SpeechRequest | Event | None] = asyncio.Queue()
        self._is_answering = False
        self._last_event = asyncio.get_running_loop().time()
        self._ended = asyncio.Event()
        # so that the transport keeps nothing after `write_event`, and a client that takes nothing is noticed
        writer.transport.set_write_buffer_limits(high=0)

    async def run(self) -> None:
        """Answer the client until it leaves, fails, or `stop` is called."""
        connections = self._service.connections
        connections.add(self)
        if len(connections) > _MAX_CONNECTIONS:
            idle = [connection for connection in connections if connection.is_idle]
            oldest = min(idle, key=lambda connection: connection._last_event)  # noqa: SLF001 (of another of this class)
            oldest.drop()
            # now, or the next to come would drop the same one
            connections.discard(oldest)
        reading = asyncio.create_task(self._read_all())
        answering = asyncio.create_task(self._answer_all())
        try:
            await asyncio.wait({reading, answering}, return_when=asyncio.FIRST_COMPLETED)
            if reading.done() and reading.exception() is None and not self._is_socket:
                self._end_stream()
                self._waiting.put_nowait(None)
                await asyncio.wait({answering})
        finally:
            await _cancel({reading, answering})
        errors = [task.exception() for task in (answering, reading) if not task.cancelled()]
        error = next(filter(None, errors), None)
        try:
            if isinstance(error, Exception) and not _is_broken(error):
                with contextlib.suppress(OSError):
                    await self._tell(error)
        finally:
            self.drop()
            connections.discard(self)
            self._ended.set()

    async def stop(self) -> None:
        """Finish the requests that have come, and close the connection."""
        self._waiting.put_nowait(None)
        await self._ended.wait()

    def drop(self) -> None:
        """Close the connection at once."""
        # asyncio's transports for pipes cannot be closed twice
        if not self.writer.is_closing():
            self.writer.transport.abort()

    @property
    def is_idle(self) -> bool:
        """Whether the client waits for nothing, so that closing the connection loses no work."""
        return not self._is_answering and self._waiting.empty()

    async def handle_event(self, event: Event) -> bool:
        """Take an event; unknown ones are ignored, as the protocol wants it.

        Returns:
            True: the next may come.

        Raises:
            ProtocolError: it is malformed, or comes at the wrong moment.
            VoiceError: the language of the request is none of the model's.
        """
        if Describe.is_type(event.type):
            self._enqueue(self._service.info)
        elif Synthesize.is_type(event.type):
            # Amid a stream it is the whole text once more, for servers that do not stream.
            if self._stream is None:
                self._enqueue(self._request(event, _parsed(Synthesize, event).text))
        elif SynthesizeStart.is_type(event.type):
            if self._stream is not None:
                raise ProtocolError("synthesize-start came before the synthesize-stop of the last stream")
            _parsed(SynthesizeStart, event)
            self._stream = self._request(event, None)
            self._enqueue(self._stream)
        elif SynthesizeChunk.is_type(event.type) or SynthesizeStop.is_type(event.type):
            if self._stream is None:
                raise ProtocolError(f"{event.type} came without a synthesize-start")
            if SynthesizeChunk.is_type(event.type):
                self._stream.add(_parsed(SynthesizeChunk, event).text)
            else:
                self._end_stream()
        return True

    def _request(self, event: Event, text: str | None) -> SpeechRequest:
        settings = self._service.settings
        # not from the package's class, of which older versions mistake a language for a name
        voice = choose_voice(self._service.model, event.data.get("voice", {}), settings.speech["voice"])
        if settings.log_text and text is not None:
            logger.warning("to speak: %r", text)
        return SpeechRequest(text, {**settings.speech, "voice": voice}, settings.max_chars)

    def _enqueue(self, request: SpeechRequest | Event) -> None:
        if self._waiting.qsize() >= _MAX_WAITING:
            raise ProtocolError(f"{_MAX_WAITING} requests of this connection wait already")
        self._waiting.put_nowait(request)

    def _end_stream(self) -> None:
        if self._stream is not None:
            self._stream.end()
            self._stream = None

    async def _read_all(self) -> None:
        while (event := await read_event(self.reader, self._service.settings.max_chars)) is not None:
            self._last_event = asyncio.get_running_loop().time()
            await self.handle_event(event)

    async def _answer_all(self) -> None:
        while (request := await self._waiting.get()) is not None:
            self._is_answering = True
            if isinstance(request, SpeechRequest):
                await self._speak(request)
            else:
                await self._send(request)
            self._is_answering = False

    async def _speak(self, request: SpeechRequest) -> None:
        outcome = "left"
        timeout = self._service.settings.timeout
        try:
            await asyncio.wait_for(self._send_answer(request), timeout)
            outcome = "ok"
        except asyncio.TimeoutError as error:
            outcome = "timeout"
            raise StoppedError(f"the request took more than {timeout:.0f} s") from error
        except Exception as error:
            if not _is_broken(error):
                outcome = type(error).__name__
            raise
        finally:
            request.log(outcome, self._service.admission)

    async def _send_answer(self, request: SpeechRequest) -> None:
        async with contextlib.aclosing(request.answer(self._service.model, self._service.admission)) as events:
            async for event in events:
                await self._send(event)

    async def _send(self, event: Event) -> None:
        timer = asyncio.get_running_loop().call_later(_SEND_TIMEOUT, self.drop)
        try:
            await self.write_event(event)
        finally:
            timer.cancel()

    async def _tell(self, error: Exception) -> None:
        if isinstance(error, KittenTTSError) and isinstance(error, ValueError | BusyError | StoppedError):
            message = str(error)
        else:
            log_error(error, log_text=self._service.settings.log_text)
            message = "the model failed to speak this text; the server's log says more"
        await self._send(Error(text=message, code=type(error).__name__).event())
        if self._is_socket:
            # What the client still sends would make the system throw the error away.
            self.writer.write_eof()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._discard(), _LINGER)

    async def _discard(self) -> None:
        while await self.reader.read(65_536):
            pass


async def _cancel(tasks: set[asyncio.Task[None]]) -> None:
    """Cancel tasks until they have ended: before Python 3.12, `wait_for` may take a cancellation for a result."""
    while tasks:
        for task in tasks:
            task.cancel()
        _, tasks = await asyncio.wait(tasks, timeout=0.05)


def _is_broken(error: Exception) -> bool:
    """Whether the error is that of a connection which is no more."""
    return isinstance(error, OSError) and not isinstance(error, KittenTTSError)


def _parsed(kind: type[T], event: Event) -> T:
    """Return the event as one of this kind.

    Raises:
        ProtocolError: a field is missing or of the wrong type, or the text is not plain.
    """
    voice = event.data.get("voice", {})
    if not isinstance(voice, dict) or not all(
        isinstance(voice.get(key, ""), str) for key in ("name", "speaker", "language")
    ):
        raise ProtocolError(f"{event.type}: a voice is an object whose name, speaker and language are strings")
    if kind is not SynthesizeStart and not isinstance(event.data.get("text"), str):
        raise ProtocolError(f"{event.type}: the text is missing, or no string")
    if (text_format := event.data.get("text_format")) not in (None, "text"):
        raise ProtocolError(f"text_format={text_format!r} is not spoken here; send plain text")
    return kind.from_event(event)
