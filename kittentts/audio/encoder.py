"""Waveforms -> bytes, while the audio is still being made: for pipes and for HTTP."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

import numpy as np

from kittentts.audio.conditioner import OutputConditioner
from kittentts.audio.formats import FORMATS, soundfile_options
from kittentts.audio.waveform import silence
from kittentts.defaults import SAMPLE_RATE
from kittentts.errors import SettingError

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The size in a header that is sent before the size is known.
_UNKNOWN = 0xFFFFFFFF
# soundfile's scale from 0 (largest) to 1 (smallest): 80 kbit/s at 24 kHz, 160 kbit/s from 32 kHz on.
_MP3 = {"bitrate_mode": "CONSTANT", "compression_level": 0.5}


class Encoder:
    """Encodes waveforms that come one after another into one mono audio stream. Not thread-safe.

    The bytes can be sent as they come; joined they are a complete file. Samples beyond [-1, 1] are clipped, with one
    warning in the log, except in floats. What is particular about a format:

    - wav: its header says 0xFFFFFFFF for the sizes, which readers take for "until the end".
    - mp3: a constant bit rate, 80 kbit/s at 24 000 Hz and 160 kbit/s from 32 000 Hz on, and no header frame, so that
      two streams one after the other are one.
    - flac: its header is known at the end only, so all of it comes from `finish`.
    - raw: samples alone, little-endian.

    Example::

        encoder = Encoder("mp3")
        for waveform in model.generate_stream(text, look_ahead=True):
            send(encoder.encode(waveform))
        send(encoder.finish())

    Args:
        format: "wav", "flac", "ogg" (Vorbis), "opus" (in Ogg), "mp3" or "raw".
        sample_rate: of the stream, in Hz. Another than 24 000 is resampled to, which needs soxr (extra `audio`).
        subtype: of the samples of wav and raw: "pcm16" (16-bit integers; the default) or "float" (32-bit).

    Raises:
        SettingError: there is no such format, or it does not take the sample rate or subtype.
        MissingExtraError: resampling is needed and soxr is not installed.

    Attributes:
        media_type: the stream's type for HTTP's Content-Type, for example "audio/mpeg".
    """

    def __init__(self, format: str = "wav", sample_rate: int = SAMPLE_RATE, subtype: str | None = None) -> None:  # noqa: A002
        import soundfile

        format = format.lower() if isinstance(format, str) else format  # noqa: A001
        if format not in FORMATS:
            raise SettingError(f"format={format!r} is none that can be streamed; use one of {', '.join(FORMATS)}")
        options = soundfile_options(FORMATS[format], sample_rate, subtype)
        self.media_type = FORMATS[format].media_type
        is_float = options["subtype"] == "FLOAT"
        self._conditioner = OutputConditioner(sample_rate, f"the {format} stream", full_scale=None if is_float else 1.0)
        self._sink = io.BytesIO() if format == "flac" else _Sink(has_header_frame=format == "mp3")
        if format == "wav":
            self._sink.write(_wav_header(sample_rate, is_float=is_float))
            # libsndfile writes the samples only: its own header would be wrong until it is written again
            options = soundfile_options(FORMATS["raw"], sample_rate, subtype)
        try:
            self._file = soundfile.SoundFile(
                self._sink, "w", sample_rate, channels=1, **options, **(_MP3 if format == "mp3" else {})
            )
        except soundfile.LibsndfileError as error:
            raise SettingError(f"{format} cannot have {sample_rate} Hz: {error.error_string}") from error

    def encode(self, waveform: NDArray[np.float32]) -> bytes:
        """Encode the next samples and return the bytes that are ready, possibly none.

        Args:
            waveform: samples at 24 000 Hz, floats of shape `(n,)` in [-1, 1].

        Raises:
            SettingError: the waveform is of another type or shape, or the stream is finished.
            SynthesisError: a sample is NaN or infinite.
        """
        samples = np.asarray(waveform)
        if samples.ndim != 1 or samples.dtype.kind != "f":
            raise SettingError(
                f"a waveform of {samples.dtype}, shape {samples.shape}, cannot be encoded; "
                "floats of shape (n,) in [-1, 1] are needed"
            )
        self._write(samples.astype(np.float32, copy=False), last=False)
        return self._sink.take() if isinstance(self._sink, _Sink) else b""

    def finish(self) -> bytes:
        """End the stream and return the rest of its bytes.

        Raises:
            SettingError: it is finished already.
        """
        self._write(silence(0), last=True)
        self._file.close()
        return self._sink.take() if isinstance(self._sink, _Sink) else self._sink.getvalue()

    def _write(self, waveform: NDArray[np.float32], *, last: bool) -> None:
        if self._file.closed:
            raise SettingError("the stream is finished; make another Encoder for the next one")
        for block in self._conditioner.blocks(waveform, last=last):
            self._file.write(block)


class _Sink:
    """A file whose end can be taken while it grows. What is written again, over earlier bytes, is dropped.

    Args:
        has_header_frame: the first thing written is an mp3 frame without sound, which LAME fills in at the end; it is
            dropped, too.
    """

    def __init__(self, *, has_header_frame: bool) -> None:
        self._ready = bytearray()
        self._position = 0
        self._length = 0
        self._has_header_frame = has_header_frame

    def take(self) -> bytes:
        ready = bytes(self._ready)
        self._ready.clear()
        return ready

    def write(self, data: bytes) -> int:
        data = bytes(data)
        if self._position == self._length:
            # zeros behind its four bytes of header; LAME writes none where a frame is too small for its contents
            is_header = self._has_header_frame and self._length == 0 and not any(data[4:])
            if not is_header:
                self._ready += data
            self._length += len(data)
        self._position += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._position = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._length}[whence]
        return self._position

    def tell(self) -> int:
        return self._position

    def read(self, _: int = -1) -> bytes:
        return b""


def _wav_header(sample_rate: int, *, is_float: bool) -> bytes:
    """Return the header of a mono WAV stream of unknown length."""
    tag, width = (3, 4) if is_float else (1, 2)
    layout = struct.pack("<HHIIHH", tag, 1, sample_rate, sample_rate * width, width, 8 * width)
    return (
        struct.pack("<4sI4s4sI", b"RIFF", _UNKNOWN, b"WAVE", b"fmt ", len(layout))
        + layout
        + struct.pack("<4sI", b"data", _UNKNOWN)
    )
