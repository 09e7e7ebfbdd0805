"""Waveforms as numpy arrays: their shape, their end, silence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kittentts.defaults import SAMPLE_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Samples = NDArray[np.float32]

# Every model ends with a stretch of silence and a click; the replaced library cuts this many samples from each chunk.
_TAIL = 5_000


def mono_audio_array(audio: Any) -> Samples:
    """Return audio of shape `(n,)`, `(1, n)` or `(n, 1)` as a float32 array of shape `(n,)`.

    Raises:
        ValueError: the array has more than one channel.
    """
    samples = np.asarray(audio, dtype=np.float32)
    if samples.size != max(samples.shape, default=1):
        raise ValueError(f"audio of shape {samples.shape} is not mono; one dimension of samples is expected")
    return samples.reshape(-1)


def trim_tail(waveform: Samples) -> Samples:
    """Drop the last 5,000 samples (0.21 s); a waveform that is not longer than that is kept whole."""
    return waveform[:-_TAIL] if len(waveform) > _TAIL else waveform


def silence(seconds: float) -> Samples:
    """Return zeros, float32 of shape `(n,)`, at 24 000 Hz."""
    return np.zeros(count_samples(seconds), np.float32)


def count_samples(seconds: float) -> int:
    """Return how many samples, at 24 000 Hz, so many seconds have."""
    return round(seconds * SAMPLE_RATE)
