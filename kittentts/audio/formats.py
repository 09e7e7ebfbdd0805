"""Audio formats: their names, suffixes and media types, and what soundfile calls them. Light to import."""

from __future__ import annotations

import numbers
from typing import TYPE_CHECKING, NamedTuple

from kittentts.errors import SettingError

if TYPE_CHECKING:
    import os

SUBTYPES = {"pcm16": "PCM_16", "float": "FLOAT"}
"""What a sample of wav, raw and the like can be -> libsndfile's name of it."""

# Hz: below, speech cannot be understood; no device plays more
_RATES = (1_000, 768_000)
# libopus knows no other
_OPUS_RATES = (8_000, 12_000, 16_000, 24_000, 48_000)


class Format(NamedTuple):
    """An audio format."""

    name: str
    """Ours, and the suffix of its files."""
    container: str
    """libsndfile's name of the file format."""
    subtype: str | None
    """libsndfile's name of the encoding; None is libsndfile's default for the container."""
    media_type: str
    """For HTTP."""
    is_lossy: bool = False


FORMATS = {
    one.name: one
    for one in (
        Format("wav", "WAV", "PCM_16", "audio/wav"),
        Format("flac", "FLAC", "PCM_16", "audio/flac"),
        Format("ogg", "OGG", "VORBIS", "audio/ogg", is_lossy=True),
        Format("opus", "OGG", "OPUS", "audio/ogg", is_lossy=True),
        Format("mp3", "MP3", "MPEG_LAYER_III", "audio/mpeg", is_lossy=True),
        Format("raw", "RAW", "PCM_16", "audio/pcm"),
    )
}
"""The formats that we name; a file may have any that libsndfile writes. `raw` is samples alone, little-endian."""

_OTHER_SUFFIXES = {"oga": "ogg", "pcm": "raw", "wave": "wav", "aif": "aiff"}


def find_format(path: str | os.PathLike[str], name: str | None = None) -> Format:
    """Return the format that `name` or else the suffix of the path names.

    Raises:
        SettingError: neither names a format that libsndfile writes.
    """
    from pathlib import Path

    suffix = Path(path).suffix
    wanted = (suffix[1:] if name is None else str(name)).lower()
    wanted = _OTHER_SUFFIXES.get(wanted, wanted)
    if wanted in FORMATS:
        return FORMATS[wanted]

    import soundfile

    if wanted.upper() in soundfile.available_formats():
        return Format(wanted, wanted.upper(), None, f"audio/{wanted}")
    known = ", ".join(FORMATS)
    if name is not None:
        raise SettingError(f"format={name!r} is no audio format; use one of {known}")
    raise SettingError(f"the suffix {suffix!r} of {str(path)!r} names no audio format; use one of {known}")


def soundfile_options(format: Format, sample_rate: int, subtype: str | None = None) -> dict[str, str | None]:  # noqa: A002
    """Return soundfile's `format`, `subtype` and `endian`, for one channel of this sample rate in Hz.

    Raises:
        SettingError: the sample rate is no whole number from 1,000 to 768,000, the subtype is unknown, or the format
            takes neither.
    """
    import soundfile

    low, high = _RATES
    if isinstance(sample_rate, bool) or not isinstance(sample_rate, numbers.Integral) or not low <= sample_rate <= high:
        raise SettingError(f"sample_rate={sample_rate!r} is not a whole number of Hz from {low} to {high}, like 24000")
    if format.subtype == "OPUS" and sample_rate not in _OPUS_RATES:
        raise SettingError(f"sample_rate={sample_rate}: Opus takes {', '.join(map(str, _OPUS_RATES))} Hz only")
    if subtype is not None and subtype not in SUBTYPES:
        raise SettingError(f"subtype={subtype!r} is neither of {' and '.join(SUBTYPES)}")
    encoding = format.subtype if subtype is None else SUBTYPES[subtype]
    if not soundfile.check_format(format.container, encoding) or (format.is_lossy and subtype is not None):
        raise SettingError(f"subtype={subtype!r} is none of {format.name}; leave it out, or write wav or raw")
    return {
        "format": format.container,
        "subtype": encoding,
        "endian": "LITTLE" if format.container == "RAW" else None,
    }
