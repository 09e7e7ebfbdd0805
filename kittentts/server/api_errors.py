"""Errors as OpenAI's clients expect them: a status, and a JSON body with message, type, param and code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException as StarletteHTTPException

from kittentts.errors import BusyError, KittenTTSError, QueueTimeoutError, StoppedError, TextError, VoiceError
from kittentts.service.error_log import log_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

NOT_JSON = "the body must be a JSON object, sent with Content-Type: application/json"

_SERVER_ERROR = 500
_TOO_MANY = 429
_MEANINGS = {
    400: "The request is malformed, or a value of it cannot be used",
    401: "The API key is missing or wrong",
    403: "A web page of this origin may not use the server",
    404: "There is no such model",
    408: "The body did not arrive in time",
    413: "The body is too large",
    421: "The server is not known under the name in Host",
    429: "Too many requests wait already; see Retry-After",
    500: "The server or the model failed",
    503: "The request waited or took too long, or the server is going down",
}
_CODES = {
    401: "invalid_api_key",
    403: "origin_not_allowed",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    413: "request_too_large",
    421: "host_not_allowed",
    429: "rate_limit_exceeded",
    503: "unavailable",
}


class ErrorDetail(BaseModel):
    """What is wrong."""

    message: str
    type: Literal["invalid_request_error", "rate_limit_error", "server_error"]
    param: str | None
    code: str | None


class ErrorBody(BaseModel):
    """The body of every error."""

    error: ErrorDetail


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the description of errors for OpenAPI: of these, and that others have the same body.

    Without the others, FastAPI would add its own 422, which this server never sends.
    """
    responses: dict[int | str, dict[str, Any]] = {
        status: {"model": ErrorBody, "description": _MEANINGS[status]} for status in statuses
    }
    responses["default"] = {"model": ErrorBody, "description": "Any other error"}
    return responses


class ApiError(HTTPException):
    """An error that is sent to the client.

    Args:
        status: the HTTP status.
        message: for people.
        param: the field of the request that is wrong.
        code: for programs; None means the usual one for this status.
        headers: further HTTP headers.
    """

    def __init__(
        self,
        status: int,
        message: str,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, message, headers=dict(headers or {}))
        self.param = param
        self.code = code


def error_response(error: StarletteHTTPException) -> Response:
    """Return the response for an error of ours or of the framework."""
    status = error.status_code
    content = {
        "message": str(error.detail),
        "type": "server_error"
        if status >= _SERVER_ERROR
        else "rate_limit_error"
        if status == _TOO_MANY
        else "invalid_request_error",
        "param": getattr(error, "param", None),
        "code": getattr(error, "code", None) or _CODES.get(status),
    }
    # in ASCII, for a message may quote half a surrogate pair
    return Response(json.dumps({"error": content}), status, error.headers, "application/json")


def add_handlers(app: FastAPI) -> None:
    """Make the app send every error in this form."""
    # coroutines, for the framework would call plain functions in threads

    @app.exception_handler(StarletteHTTPException)
    async def _(request: Request, error: StarletteHTTPException) -> Response:
        if type(error) is StarletteHTTPException and error.detail in {"Not Found", "Method Not Allowed"}:
            # the framework's own, for paths that it does not know
            error.detail = f"{error.detail}: {request.method} {request.url.path}"
        return error_response(error)

    @app.exception_handler(RequestValidationError)
    async def _(_: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        _, *path = first["loc"]
        param = next((part for part in path if isinstance(part, str)), None)
        if first["type"] == "json_invalid":
            message = f"the body is not valid JSON: {first['ctx']['error']} at character {first['loc'][-1]}"
        elif param is None:
            message = NOT_JSON
        else:
            # "missing" has the whole body for its input
            is_told = first["type"] != "missing" and param != "input"
            message = f"{param}: {first['msg']}" + (f", not {first['input']!r:.60}" if is_told else "")
        return error_response(ApiError(400, message, param))


def api_error(error: Exception) -> ApiError:
    """Return the error to send to the client for an error of the engine."""
    if isinstance(error, VoiceError):
        return ApiError(400, str(error), "voice", "voice_not_found")
    if isinstance(error, TextError):
        return ApiError(400, str(error), "input")
    if isinstance(error, BusyError):
        status = 503 if isinstance(error, QueueTimeoutError) else 429
        return ApiError(status, f"{error}; try again later", headers={"Retry-After": "2"})
    if isinstance(error, StoppedError):
        return ApiError(503, "the server ended this request: it took too long, or the server is going down")
    if isinstance(error, KittenTTSError) and isinstance(error, ValueError):
        return ApiError(400, str(error))
    return ApiError(500, "the model failed to speak this input; the server's log says more")


class UnexpectedErrors:
    """ASGI middleware that logs an unexpected error and answers with a 500, or breaks off an answer that has begun.

    It stands before the framework and uvicorn, which would log the error with its message.

    Args:
        app: the next application.
        log_text: whether the log may contain the texts of requests.
    """

    def __init__(self, app: ASGIApp, *, log_text: bool) -> None:
        self._app = app
        self._log_text = log_text

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the next application."""
        is_started = False

        async def watched(message: Message) -> None:
            nonlocal is_started
            is_started = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:  # noqa: BLE001 (whatever it is)
            log_error(error, log_text=self._log_text)
            if not is_started:
                await error_response(ApiError(500, "the server failed; its log says more"))(scope, receive, send)
