"""Waveform -> file. Knows neither models nor text."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kittentts.defaults import SAMPLE_RATE
from kittentts.errors import MissingExtraError, SettingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

# Every model ends with a stretch of silence and a click; the replaced library cuts this many samples from each chunk.
_TAIL = 5_000
# libsndfile 1.2.2 crashes the process when 90 s of Vorbis are written at once; 20 s are fine.
_BLOCK = 10 * SAMPLE_RATE
# where libsndfile's name of the format is not the suffix
_SUFFIXES = {
    "OPUS": {"format": "OGG", "subtype": "OPUS"},
    "OGA": {"format": "OGG"},
    "AIF": {"format": "AIFF"},
}
# libsndfile's SF_ERR_SYSTEM
_SYSTEM_ERROR = 2
_OPUS_RATES = (8_000, 12_000, 16_000, 24_000, 48_000)


def mono_audio_array(audio: Any) -> NDArray[np.float32]:
    """Return audio of shape `(n,)`, `(1, n)` or `(n, 1)` as a float32 array of shape `(n,)`.

    Raises:
        ValueError: the array has more than one channel.
    """
    samples = np.asarray(audio, dtype=np.float32)
    if samples.size != max(samples.shape, default=1):
        raise ValueError(f"audio of shape {samples.shape} is not mono; one dimension of samples is expected")
    return samples.reshape(-1)


def trim_tail(waveform: NDArray[np.float32]) -> NDArray[np.float32]:
    """Drop the last 5,000 samples (0.21 s); a waveform that is not longer than that is kept whole."""
    return waveform[:-_TAIL] if len(waveform) > _TAIL else waveform


def silence(seconds: float) -> NDArray[np.float32]:
    """Return zeros, float32 of shape `(n,)`, at 24 000 Hz."""
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)


def with_pauses(
    parts: Iterable[tuple[int, NDArray[np.float32]]], pause: NDArray[np.float32]
) -> Iterator[NDArray[np.float32]]:
    """Yield the waveforms of (chunk number, waveform), a pause before each new chunk, not between the parts of one."""
    previous = None
    for number, waveform in parts:
        yield np.concatenate([pause if previous not in (None, number) else pause[:0], waveform])
        previous = number


@contextlib.contextmanager
def open_file(
    path: str | os.PathLike[str], sample_rate: int = SAMPLE_RATE
) -> Iterator[Callable[[NDArray[np.float32]], None]]:
    """Open an audio file for mono audio and yield a function that writes a waveform, as often as needed.

    Args:
        path: the suffix names the format (wav: 16 bits, flac, ogg, mp3, ...). The file appears here only when the
            context ends without an exception; one that is here already is replaced then.
        sample_rate: in Hz; the waveforms, float32 of shape `(n,)` at 24 000 Hz, are resampled to it (soxr, high
            quality). What is beyond full scale, [-1, 1], is clipped.

    Raises:
        SettingError: the suffix names no format that libsndfile writes, or the format does not take the sample rate.
        MissingExtraError: resampling is needed and soxr is not installed.
        OSError: the folder does not exist, is not writable, or is full.
    """
    import soundfile

    path = Path(path)
    options = _check_format(path, sample_rate)
    resample = _resampler(sample_rate)
    with _written_aside(path) as aside:
        try:
            file = soundfile.SoundFile(aside, "w", sample_rate, channels=1, **options)
        except soundfile.LibsndfileError as error:
            if error.code == _SYSTEM_ERROR:
                raise OSError(f"{path} cannot be written: {error.error_string}") from error
            raise SettingError(f"{path.name} cannot have {sample_rate} Hz: {error.error_string}") from error
        try:
            with file:

                def write(waveform: NDArray[np.float32], *, last: bool = False) -> None:
                    samples = resample(waveform, last)
                    for start in range(0, len(samples), _BLOCK):
                        file.write(samples[start : start + _BLOCK])

                yield write
                write(silence(0), last=True)
        except soundfile.LibsndfileError as error:
            raise OSError(f"{path} cannot be written: {error.error_string}") from error


def _resampler(sample_rate: int) -> Callable[[NDArray[np.float32], bool], NDArray[np.float32]]:
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


def _check_format(path: Path, sample_rate: int) -> dict[str, str]:
    """Return soundfile's names of the format."""
    import soundfile

    if isinstance(sample_rate, bool) or not isinstance(sample_rate, int | np.integer) or not 0 < sample_rate < 2**31:
        raise SettingError(f"sample_rate={sample_rate!r} is not a whole number of Hz above 0, for example 24000")
    suffix = path.suffix[1:].upper()
    options = _SUFFIXES.get(suffix, {"format": suffix})
    if options["format"] not in soundfile.available_formats() or suffix == "RAW":
        raise SettingError(
            f"the suffix {path.suffix!r} of {str(path)!r} names no audio format; use for example .wav, .flac or .ogg"
        )
    if options.get("subtype") == "OPUS" and sample_rate not in _OPUS_RATES:
        raise SettingError(f"sample_rate={sample_rate}: Opus takes {', '.join(map(str, _OPUS_RATES))} Hz only")
    return options


@contextlib.contextmanager
def _written_aside(path: Path) -> Iterator[Path]:
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
