"""Every error that kittentts raises on purpose.

Each is a `KittenTTSError` and also the built-in exception that callers already catch::

    KittenTTSError
    ├── TextError            (ValueError)         text that cannot be spoken, unknown locale
    │   ├── SilentTextError  (ValueError)         empty text, or nothing in it that has a sound
    │   └── TextTypeError    (TypeError)          the text is not a str
    ├── VoiceError           (ValueError)         the model has no such voice
    ├── SettingError         (ValueError)         speed, workers, sample rate ... out of range
    ├── BackendError         (ValueError)         an unknown backend, or one this onnxruntime lacks
    ├── ModelError           (ValueError)         the files of a model are malformed or unsafe
    ├── ModelNotFoundError   (FileNotFoundError)  no such directory, file or repository
    │   └── HubError         (ConnectionError)    the Hugging Face Hub did not answer
    ├── MissingExtraError    (ImportError)        an optional package is not installed
    ├── ProtocolError        (ValueError)         a client of a server sent what the protocol does not allow
    ├── BusyError            (RuntimeError)       too many requests of a server wait already
    │   └── QueueTimeoutError (RuntimeError)      a request has waited too long
    ├── EspeakError          (RuntimeError)       espeak-ng cannot be loaded, or is busy in the calling thread
    ├── StoppedError         (RuntimeError)       the call was cancelled, or its model closed
    └── SynthesisError       (RuntimeError)       the graph failed while it ran

File-system errors while writing audio (no space, no permission) stay plain `OSError`.
"""


class KittenTTSError(Exception):
    """Base class of all errors that kittentts raises on purpose."""


class TextError(KittenTTSError, ValueError):
    """The text cannot be spoken."""


class SilentTextError(TextError):
    """The text is blank, or nothing in it has a sound."""


class TextTypeError(TextError, TypeError):
    """The text is not a `str`."""


class VoiceError(KittenTTSError, ValueError):
    """The model has no such voice; the message lists those it has."""


class SettingError(KittenTTSError, ValueError):
    """A parameter is outside its range; the message names the range."""


class BackendError(KittenTTSError, ValueError):
    """The backend is unknown, or this onnxruntime lacks its provider."""


class ModelError(KittenTTSError, ValueError):
    """A file of the model is malformed, incomplete or unsafe to open."""


class ModelNotFoundError(KittenTTSError, FileNotFoundError):
    """A model directory, one of its files, or a Hub repository does not exist."""


class HubError(ModelNotFoundError, ConnectionError):
    """The Hugging Face Hub could not be reached or broke off, and the cache lacks the model."""


class MissingExtraError(KittenTTSError, ImportError):
    """An optional package is missing; the message has the `pip install` that brings it."""


class ProtocolError(KittenTTSError, ValueError):
    """A client of a server sent what its protocol does not allow."""


class BusyError(KittenTTSError, RuntimeError):
    """A server speaks as many requests as it may, and too many others wait already."""


class QueueTimeoutError(BusyError):
    """A request has waited too long to be spoken."""


class EspeakError(KittenTTSError, RuntimeError):
    """espeak-ng, which turns text into phonemes, cannot be loaded, or is busy in the very thread that calls it."""


class StoppedError(KittenTTSError, RuntimeError):
    """The call was cancelled, or its model is closed."""


class SynthesisError(KittenTTSError, RuntimeError):
    """ONNX Runtime failed while running the graph."""
