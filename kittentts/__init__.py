"""Text to speech on an ordinary CPU; a drop-in replacement for the `kittentts` 0.8.1 library.

Importing this package imports neither numpy nor onnxruntime and has no side effect.
"""

__version__ = "0.9.0"

from kittentts.errors import KittenTTSError
from kittentts.get_model import KittenTTS, get_model
from kittentts.preprocess import NormalizedSpan, NormalizedTextResult, normalize_text, normalize_text_result

__all__ = [
    "KittenTTS",
    "KittenTTSError",
    "NormalizedSpan",
    "NormalizedTextResult",
    "__version__",
    "get_model",
    "normalize_text",
    "normalize_text_result",
]
