"""For the workers of the tests: counts the ONNX Runtime sessions that this process opens."""

import hashlib
import os

import onnxruntime

opened = 0


class _Counted(onnxruntime.InferenceSession):
    def __init__(self, *arguments, **options):
        global opened  # noqa: PLW0603
        opened += 1
        super().__init__(*arguments, **options)


onnxruntime.InferenceSession = _Counted
_together = None


def set_barrier(barrier):
    """Let the first task of each process wait for that of the others, so that none does all the work."""
    global _together  # noqa: PLW0603
    _together = barrier


def speak(model, text):
    """Return the process, the sessions that it has opened so far, and a digest of the audio."""
    global _together  # noqa: PLW0603
    if _together is not None:
        _together.wait(60)
        _together = None
    audio = model.generate(text).tobytes()
    return os.getpid(), opened, hashlib.sha256(audio).hexdigest()
