"""One text, whole or still being written, and the events that answer it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import TYPE_CHECKING, Any

from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.tts import SynthesizeStopped

from kittentts import Encoder
from kittentts.defaults import SAMPLE_RATE
from kittentts.errors import ProtocolError, SilentTextError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from wyoming.event import Event

    from kittentts import KittenTTS
    from kittentts.service.admission import AdmissionQueue

logger = logging.getLogger(__name__)

# Seconds without a piece of a text that is still being written, while nothing is left to speak. A language model may
# call a tool in the middle.
_PIECE_TIMEOUT = 60.0
# bytes of audio in an event: a tenth of a second
_CHUNK_BYTES = SAMPLE_RATE // 10 * 2
_FORMAT = {"rate": SAMPLE_RATE, "width": 2, "channels": 1}


class SpeechRequest:
    """A text that a client wants to be spoken, and what came of it.

    Args:
        text: the whole; None if it comes in pieces, with `add` and `end`.
        parameters: of `agenerate_stream`.
        max_chars: the longest text.
    """

    def __init__(self, text: str | None, parameters: Mapping[str, Any], max_chars: int) -> None:
        self.characters = 0
        self._text = text
        self._parameters = parameters
        self._max_chars = max_chars
        self._pieces: asyncio.Queue[str | None] = asyncio.Queue()
        self._began = time.perf_counter()
        self._first_sound: float | None = None
        self._samples = 0
        if text is not None:
            self._count(text)

    def add(self, piece: str) -> None:
        """Take the next piece of the text.

        Raises:
            ProtocolError: the text has become too long.
        """
        self._count(piece)
        if piece:
            self._pieces.put_nowait(piece)

    def end(self) -> None:
        """Take note that the text is complete."""
        self._pieces.put_nowait(None)

    async def answer(self, model: KittenTTS, admission: AdmissionQueue) -> AsyncGenerator[Event, None]:
        """Yield the events of the answer while it is made; a text without a sound is answered by audio without samples.

        Raises:
            BusyError: too many requests wait, or this one waited too long.
            ProtocolError: the text did not come to its end in time.
            KittenTTSError: it cannot be spoken.
        """
        start = AudioStart(**_FORMAT).event()
        async with (
            admission.admit(),
            contextlib.aclosing(self._audio(model)) as parts,
        ):
            async for part in parts:
                if self._first_sound is None:
                    self._first_sound = time.perf_counter()
                    yield start
                yield AudioChunk(audio=part, **_FORMAT).event()
        if self._first_sound is None:
            yield start
        yield AudioStop().event()
        if self._text is None:
            yield SynthesizeStopped().event()

    async def _audio(self, model: KittenTTS) -> AsyncGenerator[bytes, None]:
        encoder = Encoder("raw")
        text = self._arriving_text() if self._text is None else self._text
        async with contextlib.aclosing(model.agenerate_stream(text, **self._parameters)) as waveforms:
            with contextlib.suppress(SilentTextError):
                async for waveform in waveforms:
                    self._samples += len(waveform)
                    for part in _parts(encoder.encode(waveform)):
                        yield part
        for part in _parts(encoder.finish()):
            yield part

    def _count(self, piece: str) -> None:
        self.characters += len(piece)
        if self.characters > self._max_chars:
            raise ProtocolError(f"the text has more than {self._max_chars} characters; send it in several requests")

    async def _arriving_text(self) -> AsyncGenerator[str, None]:
        while True:
            try:
                piece = await asyncio.wait_for(self._pieces.get(), _PIECE_TIMEOUT)
            except asyncio.TimeoutError as error:
                message = f"no synthesize-chunk or synthesize-stop came for {_PIECE_TIMEOUT:.0f} s"
                raise ProtocolError(message) from error
            if piece is None:
                return
            yield piece

    def log(self, outcome: str, admission: AdmissionQueue) -> None:
        """Log a line with what the HTTP server counts: how it ended, how long it took, how much was spoken."""
        seconds = time.perf_counter() - self._began
        audio = self._samples / SAMPLE_RATE
        spoken = ""
        if self._first_sound is not None:
            first = self._first_sound - self._began
            times = audio / seconds
            spoken = f", first sound after {first:.2f} s, {audio:.1f} s of audio, {times:.1f} times real time"
        logger.info(
            "%s %s %.2f s, %d characters%s; %d are spoken, %d wait",
            "stream" if self._text is None else "synthesize",
            outcome,
            seconds,
            self.characters,
            spoken,
            admission.active,
            admission.waiting,
        )


def _parts(audio: bytes) -> list[bytes]:
    return [audio[begin : begin + _CHUNK_BYTES] for begin in range(0, len(audio), _CHUNK_BYTES)]
