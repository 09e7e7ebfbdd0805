"""A text that is not spoken as a whole -> a request for each stretch of it.

It is one that is still being written, or one whose first sound is to come soon.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from kittentts.errors import SilentTextError, TextTypeError
from kittentts.preprocess import chunk_text, ensure_punctuation
from kittentts.preprocess.incremental import no_cut, segments
from kittentts.preprocess.text import has_sound
from kittentts.synthesis.request import Stretch, drop_silent, nothing_to_speak
from kittentts.synthesis.trimming import joint_silence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kittentts.synthesis.low_latency import LatencyCut
    from kittentts.synthesis.request import Request


def stream_requests(
    pieces: Iterable[str], make: Callable[..., Request], latency: LatencyCut | None, *, is_cleaned: bool
) -> Iterator[Request]:
    """Yield a request for each sentence or part of one, as soon as it is known; what has no sound is left out.

    Args:
        pieces: what they are together is the text.
        make: (text, cut=, stretch=) -> request.
        latency: where to cut sentences; None is nowhere.
        is_cleaned: what `make` normalizes may become several sentences; else the stretches are chunks.

    Raises:
        SilentTextError: nothing has a sound.
        Whatever `pieces` and `make` raise.
    """
    index = 0
    continues = False
    for segment in segments(pieces, latency or no_cut):
        cut = chunk_text if is_cleaned else _as_packed_chunk if segment.is_packed else _as_sentence
        stretch = Stretch(
            start=segment.start,
            first_index=index,
            continues=continues,
            joint=joint_silence(segment.text) if segment.is_continued else None,
            is_urgent=latency is not None and not latency.is_relaxed,
            spoken=latency.spoken if latency else None,
        )
        if has_sound(segment.text):
            try:
                request = make(segment.text, cut=cut, stretch=stretch)
            except SilentTextError:
                continue
            index += len(request.texts)
            continues = segment.is_continued
            yield request
    if index == 0:
        raise nothing_to_speak(None)


def check_pieces(text: object, *, phonemes: bool) -> Iterable[str]:
    """Return the pieces of a text that is given as a whole, or as an iterable of pieces.

    Raises:
        TextTypeError: it is neither.
        TextError: the whole has nothing to speak, or should be phonemes and is not.
    """
    if isinstance(text, str):
        drop_silent([text], phonemes=phonemes)
        return [text]
    if isinstance(text, bytes | Mapping) or not isinstance(text, Iterable):
        hint = "; agenerate_stream takes it" if hasattr(text, "__aiter__") else ""
        raise TextTypeError(f"the text is of type {type(text).__name__}; a str or an iterable of them is needed{hint}")
    return text


def _as_sentence(text: str) -> list[str]:
    return [ensure_punctuation(text)]


def _as_packed_chunk(text: str) -> list[str]:
    return [ensure_punctuation(" ".join(text.split()))]
