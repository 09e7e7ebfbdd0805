"""Checks before a request is parsed: the API key, the size of the body and the time for sending it."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

from starlette.datastructures import Headers

from kittentts.server.errors import ApiError, error_response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_OPEN_PATHS = {"/", "/page.css", "/page.js", "/health", "/ready"}
# seconds in which a whole body must arrive; the largest is some 100 KB
_BODY_TIMEOUT = 30.0


class AuthAndLimits:
    """ASGI middleware that checks a request before anything of it is parsed.

    Args:
        app: the next application.
        api_key: needed for all paths but the page and the health checks; None means that no key is needed.
        max_bytes: size of the largest body.
    """

    def __init__(self, app: ASGIApp, api_key: str | None, max_bytes: int) -> None:
        self._app = app
        self._api_key = api_key
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the next application, or answer with an error."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            if self._api_key is not None and scope["path"] not in _OPEN_PATHS:
                _check_key(headers.get("authorization", ""), self._api_key)
            length = headers.get("content-length", "")
            if length.isdecimal() and int(length) > self._max_bytes:
                raise self._too_large()
        except ApiError as error:
            await error_response(error)(scope, receive, send)
            return
        await self._app(scope, self._limited(receive), send)

    def _limited(self, receive: Receive) -> Receive:
        size = 0
        is_complete = False
        deadline = asyncio.get_running_loop().time() + _BODY_TIMEOUT

        async def limited() -> Message:
            nonlocal size, is_complete
            if is_complete:
                # now it tells when the client leaves
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), deadline - asyncio.get_running_loop().time())
            except asyncio.TimeoutError as error:
                raise ApiError(408, f"the body did not arrive within {_BODY_TIMEOUT:.0f} s") from error
            size += len(message.get("body", b""))
            is_complete = not message.get("more_body", False)
            if size > self._max_bytes:
                raise self._too_large()
            return message

        return limited

    def _too_large(self) -> ApiError:
        return ApiError(413, f"the body is larger than {self._max_bytes} bytes")


def _check_key(authorization: str, api_key: str) -> None:
    scheme, _, given = authorization.partition(" ")
    # A header is bytes read as Latin-1. The comparison takes the same time whatever is given, and so tells nothing.
    is_right = secrets.compare_digest(given.strip().encode("latin-1"), api_key.encode())
    if scheme.lower() != "bearer" or not is_right:
        message = "wrong API key" if given.strip() else "an API key is needed: Authorization: Bearer KEY"
        raise ApiError(401, message, headers={"WWW-Authenticate": "Bearer"})
