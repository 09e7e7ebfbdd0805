"""What one run of the graph takes, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class ModelInput:
    """What one run of the graph speaks: a chunk of the text, or a piece of one with more symbols than the graph takes.

    The pieces of a chunk have `index`, `text` and `all_symbols` in common.
    """

    index: int
    """Place of the chunk in the text, from 0."""
    text: str
    """Of the whole chunk."""
    all_symbols: str
    """The phonemes of the whole chunk, one symbol a token."""
    first_symbol: int
    """Where the symbols of this piece begin in `all_symbols`."""
    symbols: str
    """Those of this piece."""
    is_last: bool
    """Whether no further piece of the chunk follows."""
    token_ids: NDArray[np.int64]
    """Shape `(1, n)`, n <= 512."""
    style: NDArray[np.float32]
    """Shape `(1, 256)`."""
    speed: NDArray[np.float32]
    """Shape `(1,)`."""


@dataclass(frozen=True, eq=False)
class SynthesizedChunk:
    """What one run has made."""

    input: ModelInput
    waveform: NDArray[np.float32]
    """Trimmed: shape `(samples,)`."""
    token_boundaries: NDArray[np.int64] | None
    """The samples of `waveform` at which the tokens begin, and the last one ends: shape `(n + 1,)`; None if the times
    are not wanted, or the graph does not tell them."""
