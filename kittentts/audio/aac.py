"""Waveform -> AAC, which libsndfile lacks and PyAV (extra `aac`) has."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import av
import numpy as np

from kittentts.audio.conditioner import OutputConditioner
from kittentts.audio.waveform import silence
from kittentts.defaults import SAMPLE_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BITS_PER_SECOND = 64_000


class AacEncoder:
    """What `Encoder` is for other formats, for AAC in ADTS frames: two streams one after the other are one."""

    def __init__(self) -> None:
        self._sink = io.BytesIO()
        self._container = av.open(self._sink, "w", format="adts")
        self._stream = self._container.add_stream("aac", rate=SAMPLE_RATE, layout="mono", bit_rate=_BITS_PER_SECOND)
        self._conditioner = OutputConditioner(SAMPLE_RATE, "the aac stream")
        self._position = 0

    def encode(self, waveform: NDArray[np.float32]) -> bytes:
        """Take the next samples; return the bytes that are ready."""
        self._write(waveform, last=False)
        return self._take()

    def finish(self) -> bytes:
        """Return the rest of the stream."""
        self._write(silence(0), last=True)
        self._container.mux(self._stream.encode(None))
        self._container.close()
        return self._take()

    def _write(self, waveform: NDArray[np.float32], *, last: bool) -> None:
        for block in self._conditioner.blocks(waveform, last=last):
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block).reshape(1, -1), "fltp", "mono")
            frame.sample_rate = SAMPLE_RATE
            frame.pts = self._position
            self._position += len(block)
            self._container.mux(self._stream.encode(frame))

    def _take(self) -> bytes:
        data = self._sink.getvalue()
        self._sink.seek(0)
        self._sink.truncate()
        return data
