"""Sends the pieces of a body to the client as they are made, and stops the work when the client leaves."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.responses import Response

from kittentts.errors import BusyError
from kittentts.server.api_errors import ApiError, api_error, error_response
from kittentts.server.request_log import add_audio
from kittentts.server.speech_request import SpeechRequest, encoded_pieces, sse
from kittentts.service.error_log import log_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from concurrent.futures import Executor

    from starlette.types import Receive, Scope, Send

    from kittentts import KittenTTS
    from kittentts.server.metrics import Metrics
    from kittentts.server.settings import Settings
    from kittentts.service.admission import AdmissionQueue

T = TypeVar("T")

logger = logging.getLogger(__name__)

# seconds for telling the client that its request took too long
_ERROR_TIMEOUT = 1.0


class SpeechService:
    """What all requests for speech share.

    Args:
        model: speaks.
        settings: of the server.
        admission: bounds how many requests are spoken at a time.
        metrics: of the server.
        threads: an executor of at least `settings.concurrency` threads.
    """

    def __init__(
        self, model: KittenTTS, settings: Settings, admission: AdmissionQueue, metrics: Metrics, threads: Executor
    ) -> None:
        self.model = model
        self.settings = settings
        self.admission = admission
        self.metrics = metrics
        self.threads = threads

    async def in_thread(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call a function in a thread; a caller that is cancelled still waits until it has ended."""
        future = asyncio.get_running_loop().run_in_executor(self.threads, function, *arguments)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait({future})
            # looked at, or asyncio would report it as lost
            future.exception()
            raise


class SpeechResponse(Response):
    """The answer to one request: its headers go out with the first piece of audio, the rest follows as it is made.

    A failure before the first piece is an error status. After it, the connection is broken off, so that no client takes
    half of the audio for all of it; in server-sent events an error event is sent.
    """

    def __init__(self, service: SpeechService, request: SpeechRequest, parameters: Mapping[str, Any]) -> None:
        super().__init__(None, media_type=request.media_type)
        # for a body of unknown length
        del self.headers["content-length"]
        self._service = service
        self._metrics = service.metrics
        self._request = request
        self._cancel = threading.Event()
        self._pieces = encoded_pieces(service.model, request, parameters, self._cancel, self._record_audio)
        self._began = time.perf_counter()
        self._audio_seconds = 0.0
        self._is_started = False
        self._is_complete = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer, until all is sent, the client has left, or `settings.timeout` has passed."""
        leaving = asyncio.create_task(_client_leaves(receive))
        speaking = asyncio.create_task(self._answer(scope, receive, send))
        try:
            await asyncio.wait(
                {leaving, speaking}, timeout=self._service.settings.timeout, return_when=asyncio.FIRST_COMPLETED
            )
            self._cancel.set()
            if not speaking.done() and not leaving.done():
                await asyncio.wait({speaking}, timeout=_ERROR_TIMEOUT)
        finally:
            self._cancel.set()
            has_left = leaving.done()
            leaving.cancel()
            if not speaking.done() and not self._is_complete:
                self._metrics.failures.labels("left" if has_left else "broken").inc()
                speaking.cancel()
            await asyncio.wait({leaving, speaking})
            add_audio(scope, self._audio_seconds)
        if not speaking.cancelled():
            # what it raised
            speaking.result()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with self._service.admission.admit():
                await self._send_pieces(send)
        except BusyError as error:
            await error_response(api_error(error))(scope, receive, send)
        except ApiError as error:
            await error_response(error)(scope, receive, send)

    async def _send_pieces(self, send: Send) -> None:
        try:
            while (piece := await self._service.in_thread(_next, self._pieces)) is not None:
                if not self._is_started:
                    self._metrics.first_sound.observe(time.perf_counter() - self._began)
                    await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
                    self._is_started = True
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            self._is_complete = True
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except Exception as error:
            told = api_error(error)
            if told.status_code == 500:  # noqa: PLR2004
                log_error(error, log_text=self._service.settings.log_text)
            if not self._is_started:
                raise told from error
            self._metrics.failures.labels("broken").inc()
            if self._request.is_sse:
                body = sse({"error": {"message": told.detail, "type": "server_error", "param": None, "code": None}})
                await send({"type": "http.response.body", "body": body, "more_body": False})
            return
        finally:
            await self._service.in_thread(self._pieces.close)
        self._log_success()

    def _record_audio(self, seconds: float) -> None:
        self._audio_seconds += seconds
        self._metrics.audio_seconds.inc(seconds)

    def _log_success(self) -> None:
        seconds = time.perf_counter() - self._began
        times = self._audio_seconds / seconds
        self._metrics.times_real_time.set(times)
        logger.info(
            "spoke %d characters: %.1f s of audio in %.1f s, %.1f times real time",
            len(self._request.input),
            self._audio_seconds,
            seconds,
            times,
        )


def _next(iterator: Iterator[bytes]) -> bytes | None:
    return next(iterator, None)


async def _client_leaves(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
