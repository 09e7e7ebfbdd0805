"""Checks before a request is parsed: where it comes from, the API key, the size of the body and the time it takes.

Every web page that a user visits can send requests to a server on his machine. Two checks keep them out, also where no
API key is needed. `Origin`: a browser says with it from which site a script comes. `Host`: a page can make the name of
its own site point to 127.0.0.1 and then be of the same origin as the server (DNS rebinding), but its requests still
carry that name.
"""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
from typing import TYPE_CHECKING

from starlette.datastructures import Headers

from kittentts.server.api_errors import ApiError, error_response
from kittentts.server.web_page import PAGE_PATHS

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from kittentts.server.settings import Settings

_OPEN_PATHS = PAGE_PATHS | {"/health", "/ready"}
# seconds in which a whole body must arrive; the largest is some 100 KB
_BODY_TIMEOUT = 30.0
# the most bytes of JSON for a character, an escaped surrogate pair; and what else may be in a body
_BYTES_PER_CHARACTER = 12
_OTHER_BYTES = 65_536


class AuthAndLimits:
    """ASGI middleware that checks a request before anything of it is parsed.

    Args:
        app: the next application.
        settings: of the server. Its API key is needed for all paths but the page and the health checks.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        self._max_bytes = settings.max_chars * _BYTES_PER_CHARACTER + _OTHER_BYTES

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the next application, or answer with an error."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            _check_host(headers, self._settings)
            _check_origin(headers, self._settings)
            if self._settings.api_key is not None and scope["path"] not in _OPEN_PATHS:
                _check_key(headers.get("authorization", ""), self._settings.api_key)
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


def _check_host(headers: Headers, settings: Settings) -> None:
    value = headers.get("host")
    # browsers always send it
    if value is None or "*" in settings.allow_hosts:
        return
    name, _, port = value.rpartition(":")
    name = (name if port.isdecimal() else value).lower().removesuffix(".")
    # an address needs no name server that could be made to lie
    if not (_is_address(name.strip("[]")) or name in {"localhost", settings.host.lower(), *settings.allow_hosts}):
        raise ApiError(
            421, f"this server is not known as {name!r}; its operator can allow that with --allow-host {name}"
        )


def _check_origin(headers: Headers, settings: Settings) -> None:
    origin = headers.get("origin")
    if origin is None or {origin, "*"} & set(settings.allow_origins):
        return
    # the scheme may differ behind a reverse proxy with TLS
    if origin.partition("://")[2] != headers.get("host"):
        message = f"web pages of {origin!r} may not use this server; its operator can allow that with --allow-origin"
        raise ApiError(403, message)


def _is_address(host: str) -> bool:
    """Whether this is an IP address, and not a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _check_key(authorization: str, api_key: str) -> None:
    scheme, _, given = authorization.partition(" ")
    # A header is bytes read as Latin-1. The comparison takes the same time whatever is given, and so tells nothing.
    is_right = secrets.compare_digest(given.strip().encode("latin-1"), api_key.encode())
    if scheme.lower() != "bearer" or not is_right:
        message = "wrong API key" if given.strip() else "an API key is needed: Authorization: Bearer KEY"
        raise ApiError(401, message, headers={"WWW-Authenticate": "Bearer"})
