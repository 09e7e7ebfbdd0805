"""Counters of the server, for Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from kittentts.service.admission import AdmissionQueue

_FIRST_FAILURE = 400
_SECONDS = (0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60)


class Metrics:
    """The counters of one server. Thread-safe.

    Args:
        admission: whose numbers of active and waiting requests are shown.
    """

    def __init__(self, admission: AdmissionQueue) -> None:
        self._registry = registry = CollectorRegistry()
        self.requests = Counter("kittentts_requests", "Requests for speech", registry=registry)
        self.failures = Counter(
            "kittentts_failures",
            "Requests that got no complete answer, by status; 'broken' after it began, 'left' where the client went",
            ["status"],
            registry=registry,
        )
        self.audio_seconds = Counter("kittentts_audio_seconds", "Seconds of audio made", registry=registry)
        self.first_sound = Histogram(
            "kittentts_first_sound_seconds", "Until the first bytes", buckets=_SECONDS, registry=registry
        )
        self.times_real_time = Gauge(
            "kittentts_times_real_time", "Of the last request: seconds of audio in one second", registry=registry
        )
        queue = Gauge("kittentts_queue", "Requests that wait to be spoken", registry=registry)
        queue.set_function(lambda: admission.waiting)
        busy = Gauge("kittentts_busy_workers", "Requests that are being spoken", registry=registry)
        busy.set_function(lambda: admission.active)

    def text(self) -> bytes:
        """Return all counters in Prometheus's text format."""
        return generate_latest(self._registry)


class RequestCounter:
    """ASGI middleware that counts the requests for a path, and those that got an error status.

    Args:
        app: the next application.
        metrics: the counters.
        path: of the requests to count.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, path: str) -> None:
        self._app = app
        self._metrics = metrics
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the next application."""
        if scope.get("path") != self._path:
            await self._app(scope, receive, send)
            return
        self._metrics.requests.inc()

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= _FIRST_FAILURE:
                self._metrics.failures.labels(message["status"]).inc()
            await send(message)

        await self._app(scope, receive, counted)
