"""What `generate_many` takes and yields: an item with its text, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from kittentts.alignment.speech import Speech


class Item(NamedTuple):
    """A text with a name, and a voice, speed and markup of its own where they are not None; any such tuple will do."""

    id: Any
    text: str
    voice: str | None = None
    speed: float | None = None
    markup: str | None = None


@dataclass(frozen=True, eq=False)
class Result:
    """What became of one text: either `audio` or `error` is None."""

    index: int
    """The place of the text in the iterable, from 0."""
    id: Any
    """That of the item; None for a text alone."""
    text: Any
    """The text as it was given."""
    audio: NDArray[np.float32] | None
    """The waveform that `generate` returns, float32 of shape `(samples,)` at 24 000 Hz."""
    error: Exception | None
    """What `generate` would have raised, without its stack (which is logged at level DEBUG)."""
    speech: Speech | None = None
    """With `timings=True` what `synthesize` returns, of which `audio` is the waveform."""
