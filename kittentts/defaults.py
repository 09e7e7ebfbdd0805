"""Facts that the library, the command line and the tests share; each stands here only."""

VERSION = "0.9.0"
"""Of the distribution, too."""

SAMPLE_RATE = 24_000
"""Samples per second of everything that the models make, in Hz."""

MODEL = "KittenML/kitten-tts-nano-0.8"
"""What `KittenTTS()` opens."""

VOICE = "expr-voice-5-m"
"""The voice when none is named."""

TRIMS = ("fixed", "exact")
"""The ways to cut the ends of a chunk, the default first; see `trimming.trimmed`."""
