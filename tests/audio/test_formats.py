"""Names of audio formats."""

import pytest

from kittentts.audio.encoder import Encoder
from kittentts.audio.formats import FORMATS, find_format


def test_formats_are_light_to_import(run_python):
    code = "import sys, kittentts.audio.formats; print({'numpy', 'soundfile', 'soxr'} & set(sys.modules))"
    assert run_python(code).stdout == "set()\n"


@pytest.mark.parametrize(
    ("suffix", "name"),
    [
        *zip(FORMATS, FORMATS, strict=True),
        ("MP3", "mp3"),
        ("oga", "ogg"),
        ("pcm", "raw"),
        ("wave", "wav"),
        ("aif", "aiff"),
    ],
)
def test_a_suffix_or_a_name_is_a_format(suffix, name):
    assert find_format(f"a.b.{suffix}").name == name
    assert find_format("a.b", suffix).name == name


def test_media_types():
    types = {name: Encoder(name).media_type for name in FORMATS}
    ogg = dict.fromkeys(("ogg", "opus"), "audio/ogg")
    assert types == {"wav": "audio/wav", "flac": "audio/flac", "mp3": "audio/mpeg", "raw": "audio/pcm", **ogg}


@pytest.mark.parametrize("rate", [8000, 12000, 16000, 24000, 48000])
def test_opus_takes_its_own_rates(rate):
    Encoder("opus", rate)
