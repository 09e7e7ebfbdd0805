"""A line in the log for each request; nothing of what was to be spoken is in it."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger(__name__)


class RequestLog:
    """ASGI middleware that logs method, path, status and seconds, and the seconds of audio that `add_audio` was told.

    Args:
        app: the next application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the next application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        told = "no answer"

        async def watched(message: Message) -> None:
            nonlocal told
            await send(message)
            if message["type"] == "http.response.start":
                told = f"{message['status']} broken off"
            elif not message.get("more_body", False):
                told = told.removesuffix(" broken off")

        try:
            await self._app(scope, receive, watched)
        finally:
            seconds = time.perf_counter() - began
            audio = scope.get("state", {}).get("audio_seconds")
            spoken = f", {audio:.1f} s of audio" if audio else ""
            logger.info("%s %s %s %.2f s%s", scope["method"], quote(scope["path"]), told, seconds, spoken)


def add_audio(scope: Scope, seconds: float) -> None:
    """Let the line of this request tell how many seconds of audio were made."""
    scope.setdefault("state", {})["audio_seconds"] = seconds
