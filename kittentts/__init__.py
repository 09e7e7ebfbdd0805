"""Text to speech on an ordinary CPU; a drop-in replacement for the `kittentts` 0.8.1 library.

What is public stands in `__all__`, and the errors in `kittentts.errors`. It is imported when it is first used:
importing this package imports neither numpy nor onnxruntime and has no side effect.
"""

import importlib
from typing import TYPE_CHECKING

from kittentts.defaults import VERSION

# Not lazily: it is a module, too, which would take the function's place when it is first imported. It is light.
from kittentts.get_model import KittenTTS, get_model

if TYPE_CHECKING:
    from kittentts.alignment.speech import Speech
    from kittentts.audio.encoder import Encoder
    from kittentts.errors import KittenTTSError
    from kittentts.preprocess import NormalizedSpan, NormalizedTextResult, normalize_text, normalize_text_result
    from kittentts.synthesis.progress import ManyProgress, Progress
    from kittentts.synthesis.results import Item, Result

__version__ = VERSION
# what pyproject.toml says, read from the installed distribution on first use
__author__: str
__description__: str

KittenTTSOnnx = KittenTTS
"""The name that `kittenml` has for it."""

__all__ = [
    "Encoder",
    "Item",
    "KittenTTS",
    "KittenTTSError",
    "KittenTTSOnnx",
    "ManyProgress",
    "NormalizedSpan",
    "NormalizedTextResult",
    "Progress",
    "Result",
    "Speech",
    "__version__",
    "get_model",
    "normalize_text",
    "normalize_text_result",
]

_HOMES = {
    "Encoder": "audio.encoder",
    "Item": "synthesis.results",
    "KittenTTSError": "errors",
    "ManyProgress": "synthesis.progress",
    "NormalizedSpan": "preprocess",
    "NormalizedTextResult": "preprocess",
    "Progress": "synthesis.progress",
    "Result": "synthesis.results",
    "Speech": "alignment.speech",
    "normalize_text": "preprocess",
    "normalize_text_result": "preprocess",
}
_METADATA = {"__author__": "Author", "__description__": "Summary"}


def __getattr__(name: str) -> object:
    """Import a public name from where it lives, or read it from the distribution (PEP 562)."""
    value: object
    if name in _METADATA:
        from importlib.metadata import metadata

        value = metadata("kittentts")[_METADATA[name]]
    elif name in _HOMES:
        value = getattr(importlib.import_module(f"kittentts.{_HOMES[name]}"), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
