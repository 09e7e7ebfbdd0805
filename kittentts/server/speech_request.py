"""The body of a request -> its parameters -> encoded pieces of audio, in a plain generator to be run in a thread."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import importlib.util
import json
import re
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol, get_args

from pydantic import BaseModel, Field

from kittentts.alignment.subtitles import to_srt, to_vtt
from kittentts.audio.encoder import Encoder
from kittentts.audio.formats import FORMATS
from kittentts.defaults import SAMPLE_RATE, pip_install
from kittentts.server.api_errors import ApiError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Generator, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from kittentts import KittenTTS
    from kittentts.alignment.speech import SpokenChunk

_EVENT_STREAM = "text/event-stream"
# the voices of a blend like "alloy:0.7+nova:0.3"
_BLENDED = re.compile(r"(?<![^+])(\s*)([^+:()]*[^+:()\s])")

Format = Literal["mp3", "opus", "aac", "flac", "wav", "pcm"]
Markup = Literal["ssml", "ssml-lenient", "pauses"]
Name = Annotated[str, Field(max_length=200)]


class Voice(BaseModel):
    """OpenAI's other way to name a voice: `{"id": "Bella"}`."""

    id: Name


class SpeechRequest(BaseModel):
    """The body of `POST /v1/audio/speech`. Other fields are ignored, because clients send them."""

    input: str = Field(min_length=1)
    model: Name | None = None
    voice: Name | Voice | None = None
    response_format: Format | None = None
    speed: float | None = Field(None, ge=0.25, le=4.0, allow_inf_nan=False)
    stream_format: Literal["audio", "sse"] | None = None
    timings: bool = False
    """Not OpenAI's: send events with the times of sentences and words, and at the end one with subtitles."""
    low_latency: bool | None = None
    """Not OpenAI's: let the first sound come sooner, as `KittenTTS.generate_stream` does."""
    markup: Markup | None = None
    """Not OpenAI's: how `input` is marked up, as for `KittenTTS.generate`."""
    instructions: Any = None
    """Accepted and ignored, because these models take none."""

    @property
    def format(self) -> str:
        """The format's name in the API."""
        return self.response_format or "mp3"

    @property
    def is_sse(self) -> bool:
        """Whether the audio comes in server-sent events."""
        return self.stream_format == "sse"

    @property
    def media_type(self) -> str:
        """The response's Content-Type."""
        return _EVENT_STREAM if self.is_sse else _media_type(self.format)

    def parameters(self, defaults: Mapping[str, Any], voice_aliases: Mapping[str, str]) -> dict[str, Any]:
        """Return the parameters for `generate_stream`: those of the request, else the operator's defaults."""
        voice = self.voice.id if isinstance(self.voice, Voice) else self.voice
        given: dict[str, Any] = {} if voice is None else {"voice": _voice(voice, voice_aliases)}
        if self.speed is not None:
            given["speed"] = self.speed
        if self.low_latency is not None:
            given["low_latency"] = self.low_latency
        if self.markup is not None:
            given["markup"] = self.markup
        return {**defaults, **given, "text": self.input, "look_ahead": True}


def _voice(name: str, aliases: Mapping[str, str]) -> str:
    """Return the model's name of a voice, or those of the voices of a blend."""
    if name in aliases:
        return aliases[name]
    return _BLENDED.sub(lambda match: match[1] + aliases.get(match[2], match[2]), name)


def available_formats() -> tuple[Format, ...]:
    """Return the formats for which this installation has an encoder: all, or all but aac."""
    return tuple(name for name in get_args(Format) if name != "aac" or importlib.util.find_spec("av") is not None)


class _Encodes(Protocol):
    def encode(self, waveform: NDArray[np.float32]) -> bytes: ...
    def finish(self) -> bytes: ...


def check_request(request: SpeechRequest) -> None:
    """Raise `ApiError` for a format that this installation lacks, or for timings without server-sent events."""
    if request.timings and not request.is_sse:
        message = "timings are events: they need stream_format 'sse'"
        raise ApiError(400, message, "timings", "unsupported_parameter")
    if request.format not in available_formats():
        message = f"aac needs PyAV on the server: {pip_install('aac')}; use mp3, opus, flac, wav or pcm"
        raise ApiError(400, message, "response_format", "format_not_available")


def encoded_pieces(
    model: KittenTTS,
    request: SpeechRequest,
    parameters: Mapping[str, Any],
    cancel: threading.Event,
    record_audio: Callable[[float], object],
) -> Generator[bytes, None, None]:
    """Yield the body while it is spoken; closing the generator stops the work.

    Args:
        model: speaks.
        request: the body of the request.
        parameters: for `generate_stream`.
        cancel: when set, the generator raises `StoppedError`.
        record_audio: is called with the seconds of audio of each chunk.
    """
    wrap = _event if request.is_sse else bytes
    encoder = _encoder(request.format)
    all_chunks: list[SpokenChunk] = []
    with contextlib.closing(_speak(model, request, parameters, cancel)) as spoken:
        for waveform, chunks in spoken:
            if request.timings:
                all_chunks += chunks
                yield sse({"type": "speech.audio.timing", "chunks": [_times(chunk) for chunk in chunks]})
            record_audio(len(waveform) / SAMPLE_RATE)
            if data := encoder.encode(waveform):
                yield wrap(data)
    if data := encoder.finish():
        yield wrap(data)
    if request.timings:
        yield sse({"type": "speech.audio.subtitles", "srt": to_srt(all_chunks), "vtt": to_vtt(all_chunks)})
    if request.is_sse:
        # OpenAI counts tokens here; we have characters only
        count = len(request.input)
        usage = {"input_tokens": count, "output_tokens": 0, "total_tokens": count}
        yield sse({"type": "speech.audio.done", "usage": usage})


def _speak(
    model: KittenTTS, request: SpeechRequest, parameters: Mapping[str, Any], cancel: threading.Event
) -> Generator[tuple[NDArray[np.float32], tuple[SpokenChunk, ...]], None, None]:
    """Yield the waveforms, each with its chunks if the request asks for timings."""
    if request.timings:
        with contextlib.closing(model.synthesize_stream(**parameters, cancel=cancel)) as speeches:
            for speech in speeches:
                yield speech.audio, speech.chunks
    else:
        with contextlib.closing(model.generate_stream(**parameters, cancel=cancel)) as waveforms:
            for waveform in waveforms:
                yield waveform, ()


def sse(event: Mapping[str, Any]) -> bytes:
    """Return a server-sent event."""
    return f"data: {json.dumps(event)}\n\n".encode()


def _times(chunk: SpokenChunk) -> dict[str, Any]:
    # the phonemes would be most of it
    return {name: value for name, value in dataclasses.asdict(chunk).items() if name != "phonemes"}


def _event(data: bytes) -> bytes:
    return sse({"type": "speech.audio.delta", "audio": base64.b64encode(data).decode()})


def _engine_name(name: str) -> str:
    return "raw" if name == "pcm" else name


def _media_type(name: str) -> str:
    return "audio/aac" if name == "aac" else FORMATS[_engine_name(name)].media_type


MEDIA_TYPES = (*map(_media_type, get_args(Format)), _EVENT_STREAM)
"""Of all answers with audio."""


def _encoder(name: str) -> _Encodes:
    if name == "aac":
        from kittentts.audio.aac import AacEncoder

        return AacEncoder()
    return Encoder(_engine_name(name))
