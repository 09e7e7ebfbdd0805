"""Audio files, and how a file appears as a whole or not at all. Knows neither models nor text."""

from __future__ import annotations

import contextlib
import io
import os
import re
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kittentts.audio.conditioner import OutputConditioner
from kittentts.audio.encoder import Encoder
from kittentts.audio.formats import find_format, soundfile_options
from kittentts.audio.waveform import silence
from kittentts.defaults import SAMPLE_RATE
from kittentts.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kittentts.audio.waveform import Samples

UNFINISHED = re.compile(r"\.[0-9a-f]{8}-(.+)", re.DOTALL)
"""The names of files that are being written; the group is the name they will have."""


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
            replaced then. A pipe or a device gets the stream of an `Encoder`.
        sample_rate: in Hz; the waveforms, float32 of shape `(n,)` at 24 000 Hz, are resampled to it (soxr, high
            quality). What is beyond full scale, [-1, 1], is clipped, with one warning.
        format: one of `formats.FORMATS`, or any that libsndfile writes; None is the one that the suffix names.
        subtype: one of `formats.SUBTYPES`, for wav and raw; None is 16-bit integers.

    Raises:
        SettingError: there is no such format, or it does not take the sample rate or subtype.
        MissingExtraError: resampling is needed and soxr is not installed.
        SynthesisError: by the function, a sample is NaN or infinite.
        OSError: the folder does not exist, is not writable, or is full; it names the file.
    """
    import soundfile

    path = Path(path)
    file_format = find_format(path, format)
    options = soundfile_options(file_format, sample_rate, subtype)
    if _is_special(path):
        # libsndfile writes a header again when it knows the length, and a pipe has no way back
        encoder = Encoder(file_format.name, sample_rate, subtype)
        with atomic_write(path) as file:

            def send(waveform: Samples) -> None:
                file.write(encoder.encode(waveform))

            yield send
            file.write(encoder.finish())
        return
    conditioner = OutputConditioner(sample_rate, path.name, full_scale=None if options["subtype"] == "FLOAT" else 1.0)
    with atomic_write(path) as file:
        try:
            # By its path, or its descriptor where it has none. The methods of a file object would be called by
            # libsndfile, through which no exception passes: a Ctrl-C that comes there is lost.
            sound = soundfile.SoundFile(file.name, "w", sample_rate, channels=1, closefd=False, **options)
        except soundfile.LibsndfileError as error:
            _raise_if_full(file)
            raise SettingError(f"{path.name} cannot have {sample_rate} Hz: {error.error_string}") from error
        try:
            with sound:

                def write(waveform: Samples, *, last: bool = False) -> None:
                    for block in conditioner.blocks(waveform, last=last):
                        sound.write(block)

                yield write
                write(silence(0), last=True)
        except soundfile.LibsndfileError as error:
            _raise_if_full(file)
            raise OSError(f"{path} cannot be written: {error.error_string}") from error
        # when it closes a compressed file, libsndfile says nothing of what did not fit
        _raise_if_full(file)


def _raise_if_full(file: io.FileIO) -> None:
    """Raise the system's error where the file cannot grow, of which libsndfile knows no more than that there is one."""
    end = file.seek(0, os.SEEK_END)
    file.write(b"\0")
    file.truncate(end)


@contextlib.contextmanager
def atomic_write(path: Path) -> Iterator[io.FileIO]:
    """Yield a file for bytes that appears at `path` when the context ends, or not at all after an exception.

    Until then Linux keeps it without a name, so that nothing stays of it however the process ends. Elsewhere, and on
    file systems that cannot do this (NFS, for example), it has a name beside `path` that `UNFINISHED` matches, which a
    process that is killed leaves. A link stays a link; a device or a pipe (/dev/null, /dev/stdout) is written in place.

    Raises:
        OSError: `path` is a folder, or the folder of it does not exist, is not writable, or is full.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise IsADirectoryError(f"{str(target)!r} is a folder; the name of a file is needed")
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"the folder {str(target.parent)!r} does not exist, so {target.name!r} cannot be written"
        )
    if _is_special(target):
        with _OutputFile(target, "w", path) as file:
            yield file
        return
    aside = target.with_name(f".{secrets.token_hex(4)}-{target.name}")
    unnamed = _open_unnamed(target.parent)
    try:
        with _OutputFile(aside, "x+", path) if unnamed is None else _OutputFile(unnamed, "r+", path) as file:
            yield file
            if unnamed is not None:
                _give_name(file, aside)
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)


def _is_special(path: Path) -> bool:
    """Whether `path` is a device, a pipe and the like."""
    return path.exists() and not path.is_file()


class _OutputFile(io.FileIO):
    """A file whose `write` writes all bytes, and whose errors name it as the user did."""

    def __init__(self, file: Path | int, mode: str, path: Path) -> None:
        self._path = str(path)
        try:
            super().__init__(file, mode)
        except OSError as error:
            raise OSError(error.errno, error.strerror, self._path) from error

    def write(self, data: Any) -> int:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[super().write(rest) :]
        except OSError as error:
            raise OSError(error.errno, error.strerror, self._path) from error
        return len(data)


def _open_unnamed(folder: Path) -> int | None:
    """Open a file without a name, which the kernel removes when it is closed; None where there is no such thing."""
    try:
        return os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o666)
    except (AttributeError, OSError):
        return None


def _give_name(file: io.FileIO, path: Path) -> None:
    try:
        # `src_dir_fd` means nothing here, but with it Python calls linkat, which follows the link in /proc
        os.link(f"/proc/self/fd/{file.fileno()}", path, src_dir_fd=file.fileno(), follow_symlinks=True)
    except OSError:
        # without /proc, or where a sandbox forbids links
        file.seek(0)
        with path.open("xb") as copy:
            shutil.copyfileobj(file, copy)
