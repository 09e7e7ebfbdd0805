"""Waveform -> file, and what all ways out share. Knows neither models nor text."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kittentts.audio.formats import find_format, soundfile_options
from kittentts.defaults import SAMPLE_RATE
from kittentts.errors import MissingExtraError, SettingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Samples = NDArray[np.float32]

logger = logging.getLogger(__name__)

# Every model ends with a stretch of silence and a click; the replaced library cuts this many samples from each chunk.
_TAIL = 5_000
# libsndfile 1.2.2 crashes the process when 90 s of Vorbis are written at once; 20 s are fine.
_BLOCK = 10 * SAMPLE_RATE
# libsndfile's SF_ERR_SYSTEM
_SYSTEM_ERROR = 2
UNFINISHED = re.compile(r"\.[0-9a-f]{8}-(.+)", re.DOTALL)
"""The names of files that are being written; the group is the name they will have."""


def mono_audio_array(audio: Any) -> Samples:
    """Return audio of shape `(n,)`, `(1, n)` or `(n, 1)` as a float32 array of shape `(n,)`.

    Raises:
        ValueError: the array has more than one channel.
    """
    samples = np.asarray(audio, dtype=np.float32)
    if samples.size != max(samples.shape, default=1):
        raise ValueError(f"audio of shape {samples.shape} is not mono; one dimension of samples is expected")
    return samples.reshape(-1)


def trim_tail(waveform: Samples) -> Samples:
    """Drop the last 5,000 samples (0.21 s); a waveform that is not longer than that is kept whole."""
    return waveform[:-_TAIL] if len(waveform) > _TAIL else waveform


def silence(seconds: float) -> Samples:
    """Return zeros, float32 of shape `(n,)`, at 24 000 Hz."""
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)


@contextlib.contextmanager
def open_file(
    path: str | os.PathLike[str],
    sample_rate: int = SAMPLE_RATE,
    *,
    format: str | None = None,  # noqa: A002
    subtype: str | None = None,
) -> Iterator[Callable[[Samples], None]]:
    """Open an audio file for mono audio and yield a function that writes a waveform, as often as needed.

    Args:
        path: the file appears here only when the context ends without an exception; one that is here already is
            replaced then.
        sample_rate: in Hz; the waveforms, float32 of shape `(n,)` at 24 000 Hz, are resampled to it (soxr, high
            quality). What is beyond full scale, [-1, 1], is clipped, with one warning.
        format: one of `formats.FORMATS`, or any that libsndfile writes; None is the one that the suffix names.
        subtype: one of `formats.SUBTYPES`, for wav and raw; None is 16-bit integers.

    Raises:
        SettingError: there is no such format, or it does not take the sample rate or subtype.
        MissingExtraError: resampling is needed and soxr is not installed.
        OSError: the folder does not exist, is not writable, or is full.
    """
    import soundfile

    path = Path(path)
    options = soundfile_options(find_format(path, format), sample_rate, subtype)
    prepare = Preparation(sample_rate, path.name, full_scale=None if options["subtype"] == "FLOAT" else 1.0)
    with written_aside(path) as aside:
        try:
            file = soundfile.SoundFile(aside, "w", sample_rate, channels=1, **options)
        except soundfile.LibsndfileError as error:
            if error.code == _SYSTEM_ERROR:
                raise OSError(f"{path} cannot be written: {error.error_string}") from error
            raise SettingError(f"{path.name} cannot have {sample_rate} Hz: {error.error_string}") from error
        try:
            with file:

                def write(waveform: Samples, *, last: bool = False) -> None:
                    for block in prepare.blocks(waveform, last=last):
                        file.write(block)

                yield write
                write(silence(0), last=True)
        except soundfile.LibsndfileError as error:
            raise OSError(f"{path} cannot be written: {error.error_string}") from error


class Preparation:
    """What happens to the waveforms of one stream before they are encoded: resampled, clipped, cut into blocks.

    Args:
        sample_rate: to resample to, in Hz.
        name: of the stream, for the warning.
        full_scale: what is beyond it is clipped, with one warning at the end; None leaves everything as it is.

    Raises:
        MissingExtraError: resampling is needed and soxr is not installed.
    """

    def __init__(self, sample_rate: int, name: str, full_scale: float | None = 1.0) -> None:
        self._name = name
        self._resample = _resampler(sample_rate)
        self._full_scale = full_scale
        self._clipped = 0
        self._peak = 0.0

    def blocks(self, waveform: Samples, *, last: bool = False) -> Iterator[Samples]:
        """Yield the next samples in blocks of at most 10 s; `last` says that there is no further waveform."""
        samples = self._clip(self._resample(waveform, last))
        for start in range(0, len(samples), _BLOCK):
            yield samples[start : start + _BLOCK]
        if last and self._clipped:
            logger.warning(
                "%s: %d samples were beyond full scale (peak %.2f) and were clipped to it",
                self._name,
                self._clipped,
                self._peak,
            )

    def _clip(self, samples: Samples) -> Samples:
        peak = float(np.max(np.abs(samples), initial=0.0))
        if self._full_scale is None or peak <= self._full_scale:
            return samples
        self._clipped += int(np.count_nonzero(np.abs(samples) > self._full_scale))
        self._peak = max(self._peak, peak)
        return np.clip(samples, -self._full_scale, self._full_scale)


def _resampler(sample_rate: int) -> Callable[[Samples, bool], Samples]:
    """Return a function of (the next samples at 24 000 Hz, whether they are the last) that gives the next resampled."""
    if sample_rate == SAMPLE_RATE:
        return lambda waveform, _: waveform
    try:
        import soxr
    except ImportError as error:
        raise MissingExtraError(
            f"the models speak at {SAMPLE_RATE} Hz; resampling to {sample_rate} Hz needs soxr: "
            'pip install "kittentts[audio]"'
        ) from error
    stream = soxr.ResampleStream(SAMPLE_RATE, sample_rate, 1, dtype="float32")
    return lambda waveform, last: np.asarray(stream.resample_chunk(waveform, last=last), np.float32)


@contextlib.contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Yield a new name beside the file, which is given its own name on success and removed on failure.

    A device or a pipe (/dev/null, /dev/stdout) is written in place, a link stays a link.
    """
    path = Path(os.path.realpath(path))
    if path.is_dir():
        raise IsADirectoryError(f"{str(path)!r} is a folder; the name of a file is needed")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"the folder {str(path.parent)!r} does not exist, so {path.name!r} cannot be written")
    if path.exists() and not path.is_file():
        yield path
        return
    aside = path.with_name(f".{secrets.token_hex(4)}-{path.name}")
    try:
        yield aside
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
