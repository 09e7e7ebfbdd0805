"""What goes into a run of the graph, and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class ModelInput:
    """What one run speaks: a chunk, or a piece of one that has more tokens than the model has positions."""

    index: int
    """Of the chunk in its text, from 0. The pieces of a chunk share it."""
    text: str
    """Of the whole chunk."""
    all_symbols: str
    """The phonemes of the whole chunk, one symbol a token."""
    first_symbol: int
    """Where the symbols of this piece begin."""
    symbols: str
    """Those of this piece."""
    is_last: bool
    """Whether no further piece shares the index."""
    continues: bool
    """Whether it begins inside of a sentence, whose beginning is another chunk."""
    joint: float | None
    """Seconds of silence after it, where another chunk continues its sentence, or markup asks for it; else None."""
    lead: float
    """Seconds of silence before it, where a document with markup begins so."""
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
    """Trimmed, shape `(samples,)`, at 24 000 Hz."""
    token_boundaries: NDArray[np.int64] | None
    """The samples at which the tokens begin, and the last one ends: shape `(n + 1,)`; None if that was not wanted, or
    the graph does not tell it."""
