"""The ends of a chunk's waveform, and the pauses between chunks."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import numpy as np

from kittentts.audio.waveform import count_samples, silence, trim_tail
from kittentts.defaults import SAMPLE_RATE

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

    from kittentts.runtime.chunks import SynthesizedChunk

    Samples = NDArray[np.float32]

# samples of one unit of a token's duration: what the graphs make of it
_FRAME = 600
# tokens that are no symbols of the text: one before it, two after it
_BOUNDARIES = 3
# 5 ms, the steps in which loudness is looked at
_STEP = SAMPLE_RATE // 200
# What is softer than this, of the loudness that 5 % of the steps exceed, is silence. Measured with the demo voice on
# 90 sentences, its silence is at 0.0018 or below; a last "k" that was looked at is at 0.006 to 0.018.
_SILENCE = 0.004
_MARGIN = SAMPLE_RATE // 50
_FADE = _STEP
# The sound may begin before the first token says so: by 30 ms, and up to 125, in these sentences.
_EARLY = 3 * SAMPLE_RATE // 20
# steps: shorter than the first, and further from the speech than the second, it is the click at a waveform's end
_CLICK = 6
_APART = 30
# Seconds at speed 1 that a speaker rests inside of a sentence, without the margins. In 50 sentences of the demo voice
# there is silence of 0.59 s around a comma (median of 47; half between 0.54 and 0.63), 0.58 around a semicolon, 0.69
# around a colon, and 0.03 between words without a mark, which the margins are.
_JOINTS = ((":", 0.65), (tuple(',;—–…)]}”»"'), 0.55), ("...", 0.55))
_NO_MARK = 0.0


def trimmed(
    waveform: Samples,
    durations: NDArray[np.int64] | None,
    trim: str,
    continues: bool = False,
    joint: float | None = None,
    lead: float = 0.0,
) -> tuple[Samples, NDArray[np.int64] | None]:
    """Cut the ends of a chunk's waveform.

    Args:
        waveform: float32 of shape `(samples,)`, as the graph made it.
        durations: how many frames of 600 samples each token sounds, if that is known. Ignored unless there are at least
            three and they add up to the waveform's length. The first token and the last two are boundaries.
        trim: "fixed" drops the last 5,000 samples. "exact" drops what is silent at both ends but for 20 ms, and what
            sounds in the boundary tokens; the sound is faded in and out within 5 ms.
        continues: cut the beginning as "exact" does, for it is inside of a sentence.
        joint: cut the end as "exact" does, and let so many seconds of silence follow; None is no joint.
        lead: put so many seconds of silence before it.

    Returns:
        The waveform, and the samples at which the tokens begin and the last one ends, as far as they are left. None if
        that is not known.
    """
    token_boundaries = None
    # else they mean something else than in this family of graphs
    if durations is not None and len(durations) >= _BOUNDARIES and durations.sum() * _FRAME == len(waveform):
        token_boundaries = np.concatenate([[0], np.cumsum(durations)]) * _FRAME
    begin, end = 0, len(trim_tail(waveform))
    cuts_begin, cuts_end = trim == "exact" or continues, trim == "exact" or joint is not None
    if cuts_begin or cuts_end:
        first, last = _ends(waveform, token_boundaries)
        begin, end = first if cuts_begin else begin, last if cuts_end else end
        waveform = _faded(waveform[begin:end], begin=cuts_begin, end=cuts_end)
    else:
        waveform = waveform[begin:end]
    if token_boundaries is not None:
        token_boundaries = np.clip(token_boundaries - begin, 0, len(waveform)) + count_samples(lead)
    if joint or lead:
        waveform = np.concatenate([silence(lead), waveform, silence(joint or 0.0)])
    return waveform, token_boundaries


def _ends(waveform: Samples, token_boundaries: NDArray[np.int64] | None) -> tuple[int, int]:
    """Return the sample where the speech begins, and the one after its end, each with a margin of silence."""
    first, last = 0, len(waveform)
    if token_boundaries is not None:
        first, last = max(0, int(token_boundaries[1]) - _EARLY), int(token_boundaries[-3])
    steps = waveform[first : first + (last - first) // _STEP * _STEP].reshape(-1, _STEP)
    loudness = np.sqrt((steps**2).mean(axis=1))
    loud = np.flatnonzero(loudness > _SILENCE * np.quantile(loudness, 0.95)) if loudness.size else loudness
    if not loud.size:
        return first, last
    runs = np.split(loud, np.flatnonzero(np.diff(loud) > _APART) + 1)
    if len(runs) > 1 and runs[-1][-1] - runs[-1][0] < _CLICK:
        runs.pop()
    begin, end = first + runs[0][0] * _STEP - _MARGIN, first + (runs[-1][-1] + 1) * _STEP + _MARGIN
    return max(first, int(begin)), min(last, int(end))


def _faded(waveform: Samples, *, begin: bool, end: bool) -> Samples:
    faded = waveform.copy()
    length = min(_FADE, len(faded))
    rise = np.linspace(0, 1, length, dtype=np.float32)
    if begin:
        faded[:length] *= rise
    if end:
        faded[len(faded) - length :] *= rise[::-1]
    return faded


def joint_silence(text: str) -> float:
    """Return how many seconds, at speed 1, a speaker rests inside of a sentence, after a stretch of it."""
    return next((seconds for marks, seconds in _JOINTS if text.rstrip().endswith(marks)), _NO_MARK)


def with_pauses(chunks: Generator[SynthesizedChunk, None, None], pause: Samples) -> Generator[Samples, None, None]:
    """Yield the waveforms, a pause before each new sentence, not between pieces of one. Closes the chunks."""
    previous = None
    # closed also where somebody holds the traceback of an interruption, and so the iterator
    with contextlib.closing(chunks):
        for chunk in chunks:
            index = chunk.input.index
            is_new = previous not in (None, index) and not chunk.input.continues
            yield np.concatenate([pause if is_new else pause[:0], chunk.waveform])
            previous = index
