"""Audio files. Knows neither models nor text."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from kittentts.audio.conditioner import OutputConditioner
from kittentts.audio.formats import find_format, soundfile_options
from kittentts.audio.waveform import silence
from kittentts.defaults import SAMPLE_RATE
from kittentts.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kittentts.audio.waveform import Samples

# libsndfile's SF_ERR_SYSTEM
_SYSTEM_ERROR = 2
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
    prepare = OutputConditioner(sample_rate, path.name, full_scale=None if options["subtype"] == "FLOAT" else 1.0)
    with atomic_write(path) as aside:
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


@contextlib.contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
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
