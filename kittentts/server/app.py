"""The routes: OpenAI's speech API, what its clients and our web page ask besides."""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, get_args

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import PlainTextResponse

from kittentts import __version__, defaults
from kittentts.server.api_errors import NOT_JSON, ApiError, UnexpectedErrors, add_handlers, described
from kittentts.server.metrics import Metrics, RequestCounter
from kittentts.server.middleware import AuthAndLimits
from kittentts.server.request_log import RequestLog
from kittentts.server.response import SpeechResponse, SpeechService
from kittentts.server.speech_request import (
    MEDIA_TYPES,
    Format,
    Markup,
    SpeechRequest,
    available_formats,
    check_request,
)
from kittentts.server.web_page import add_page
from kittentts.service.admission import AdmissionQueue

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from kittentts import KittenTTS
    from kittentts.server.settings import Settings

logger = logging.getLogger(__name__)

_SPEECH = "/v1/audio/speech"


class Capabilities(BaseModel):
    """What requests may ask for here, and what they get for what they leave out."""

    model: str
    """The model's own name."""
    formats: tuple[Format, ...]
    """Values of `response_format` for which this installation has an encoder."""
    markups: tuple[Markup, ...]
    """Values of `markup`."""
    max_chars: int
    """The longest `input`, in characters."""
    voice: str
    """The voice of a request that names none."""
    speed: float
    """The speed of a request that names none."""


def make_app(model: KittenTTS, settings: Settings) -> ASGIApp:
    """Return the ASGI application that serves a model."""
    # no pages of the framework's own: they load scripts from elsewhere
    app = FastAPI(
        title="kittentts", version=__version__, docs_url=None, redoc_url=None, responses=described(403, 421, 500)
    )
    add_handlers(app)
    admission = AdmissionQueue(settings.concurrency, settings.queue, settings.queue_timeout)
    metrics = Metrics(admission)
    threads = ThreadPoolExecutor(settings.concurrency, thread_name_prefix="kittentts-speech")
    service = SpeechService(model, settings, admission, metrics, threads)
    _add_speech(app, service)
    _add_lists(app, model, settings)
    add_page(app)

    @app.get("/metrics", response_class=PlainTextResponse, responses=described(401))
    async def _() -> Response:
        return Response(metrics.text(), media_type="text/plain; version=0.0.4")

    app.add_middleware(UnexpectedErrors, log_text=settings.log_text)
    app.add_middleware(RequestCounter, metrics=metrics, path=_SPEECH)
    app.add_middleware(AuthAndLimits, settings=settings)
    if settings.allow_origins:
        app.add_middleware(
            CORSMiddleware, allow_origins=settings.allow_origins, allow_methods=["*"], allow_headers=["*"]
        )
    app.add_middleware(RequestLog)
    return app


def _add_speech(app: FastAPI, service: SpeechService) -> None:
    settings = service.settings

    responses = described(400, 401, 404, 408, 413, 429, 503)
    responses[200] = {"description": "Audio, sent while it is made", "content": {name: {} for name in MEDIA_TYPES}}

    @app.post(_SPEECH, response_class=Response, responses=responses)
    async def _(request: Request, body: SpeechRequest) -> Response:
        if not request.headers.get("content-type"):
            # older versions of FastAPI take the body for JSON
            raise ApiError(400, NOT_JSON)
        if body.model is not None:
            _check_model(body.model, settings)
        if len(body.input) > settings.max_chars:
            message = f"input has {len(body.input)} characters; this server takes up to {settings.max_chars}"
            raise ApiError(400, message, "input", "string_above_max_length")
        check_request(body)
        if settings.log_text:
            logger.warning("to speak: %r", body.input)
        return SpeechResponse(service, body, body.parameters(settings.speech, settings.voice_aliases))


def _add_lists(app: FastAPI, model: KittenTTS, settings: Settings) -> None:
    created = int(time.time())

    def entry(name: str) -> dict[str, Any]:
        return {"id": name, "object": "model", "created": created, "owned_by": "kittentts"}

    @app.get("/v1/models", responses=described(401))
    async def _() -> dict[str, Any]:
        return {"object": "list", "data": [entry(name) for name in settings.model_names]}

    @app.get("/v1/models/{name:path}", responses=described(401, 404))
    async def _(name: str) -> dict[str, Any]:
        _check_model(name, settings)
        return entry(name)

    @app.get("/v1/audio/models", responses=described(401))
    async def _() -> dict[str, Any]:
        return {"models": [{"id": name, "name": name} for name in settings.model_names]}

    @app.get("/v1/audio/voices", responses=described(401))
    async def _() -> dict[str, Any]:
        return {"voices": [{"id": name, "name": name} for name in model.available_voices]}

    @app.get("/v1/audio/capabilities", responses=described(401))
    async def _() -> Capabilities:
        voice = settings.speech.get("voice", defaults.VOICE)
        names = {raw: name for name, raw in model.model.voice_aliases.items()}
        return Capabilities(
            model=settings.model_names[0],
            formats=available_formats(),
            markups=get_args(Markup),
            max_chars=settings.max_chars,
            voice=names.get(voice, voice),
            speed=settings.speech.get("speed", 1.0),
        )

    @app.get("/health")
    @app.get("/ready")
    async def _() -> dict[str, str]:
        # the port is open only while the model is
        return {"status": "ok"}


def _check_model(name: str, settings: Settings) -> None:
    if name not in settings.model_names:
        message = f"there is no model {name!r} here; this server has {', '.join(settings.model_names)}"
        raise ApiError(404, message, "model", "model_not_found")
