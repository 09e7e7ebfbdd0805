"""What happens to the waveforms of one stream before they are encoded or played."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from kittentts.defaults import SAMPLE_RATE, pip_install
from kittentts.errors import MissingExtraError, SynthesisError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kittentts.audio.waveform import Samples

logger = logging.getLogger(__name__)

# libsndfile 1.2.2 crashes the process when 90 s of Vorbis are written at once; 20 s are fine.
_BLOCK = 10 * SAMPLE_RATE


class OutputConditioner:
    """Resamples and clips the waveforms of one stream and cuts them into blocks. For one thread at a time.

    Args:
        sample_rate: to resample to, in Hz.
        name: of the stream, for messages.
        full_scale: what is beyond it is clipped, with one warning at the end; None leaves everything as it is.

    Raises:
        MissingExtraError: resampling is needed and soxr is not installed.
    """

    def __init__(self, sample_rate: int, name: str, full_scale: float | None = 1.0) -> None:
        self._name = name
        self._resampler = None if sample_rate == SAMPLE_RATE else _open_resampler(sample_rate)
        self._full_scale = full_scale
        self._clipped = 0
        self._peak = 0.0

    def blocks(self, waveform: Samples, *, last: bool = False) -> Iterator[Samples]:
        """Yield the next samples in blocks of at most 10 s at 24 000 Hz.

        Args:
            waveform: the next samples at 24 000 Hz, float32 of shape `(n,)`.
            last: there is no further waveform.

        Raises:
            SynthesisError: a sample is NaN or infinite (LAME would end the process).
        """
        samples = waveform
        if self._resampler is not None:
            samples = np.asarray(self._resampler.resample_chunk(waveform, last=last), np.float32)
        samples = self._clip(samples)
        for start in range(0, len(samples), _BLOCK):
            yield samples[start : start + _BLOCK]
        if last and self._clipped:
            logger.warning(
                "%s: %d samples were beyond full scale (peak %.2f) and were clipped to it",
                self._name,
                self._clipped,
                self._peak,
            )

    def _clip(self, samples: Samples) -> Samples:
        peak = float(np.max(np.abs(samples), initial=0.0))
        if not math.isfinite(peak):
            raise SynthesisError(f"{self._name}: the waveform has samples that are NaN or infinite, which is no audio")
        if self._full_scale is None or peak <= self._full_scale:
            return samples
        self._clipped += int(np.count_nonzero(np.abs(samples) > self._full_scale))
        self._peak = max(self._peak, peak)
        return np.clip(samples, -self._full_scale, self._full_scale)


def _open_resampler(sample_rate: int) -> Any:
    try:
        import soxr
    except ImportError as error:
        raise MissingExtraError(
            f"the models speak at {SAMPLE_RATE} Hz; resampling to {sample_rate} Hz needs soxr: {pip_install('audio')}"
        ) from error
    return soxr.ResampleStream(SAMPLE_RATE, sample_rate, 1, dtype="float32")
