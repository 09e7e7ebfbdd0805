"""The parts of a document with markup -> a request for each, or for each stretch of one."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
from collections import deque
from typing import TYPE_CHECKING

from kittentts.errors import SilentTextError
from kittentts.preprocess import chunk_text
from kittentts.preprocess.text import has_sound
from kittentts.synthesis.request import WHOLE, nothing_to_speak
from kittentts.synthesis.trimming import joint_silence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from kittentts.markup.parts import Mark, Part
    from kittentts.synthesis.request import Request, Stretch

    # (text, cut=, stretch=) -> request
    Make = Callable[..., Request]
    RequestsOf = Callable[[Iterable[str], Make], Iterable[Request]]


def document_requests(
    parts: Iterable[Part], make: Make, requests_of: RequestsOf = lambda texts, make: map(make, texts)
) -> Iterator[Request]:
    """Yield the requests for all parts, in order. A part of which the cleaning leaves nothing is only silence.

    Args:
        parts: of the document, at least one.
        make: (text, cut=, stretch=) -> request.
        requests_of: ([text of a part], make) -> requests for it.

    Raises:
        SilentTextError: nothing is left of any part.
    """
    place = _Place()
    for part in parts:
        yield from _requests_of_part(part, place, make, requests_of)
    if place.index == 0:
        raise nothing_to_speak(None)


class _Place:
    """How far the requests of a document have come."""

    def __init__(self) -> None:
        self.index = 0  # of the next chunk
        self.lead = 0.0  # seconds of silence before it, beyond what the chunk before has at its end
        self.marks: deque[Mark] = deque()  # those whose times no request tells yet
        self.continues = False  # whether the ends on both sides are cut, for silence, or a sentence, is between them


def _requests_of_part(part: Part, place: _Place, make: Make, requests_of: RequestsOf) -> Iterator[Request]:
    first_index = place.index
    place.lead += part.lead
    place.marks.extend(part.marks)
    is_complete = False
    # what has no sound is no stretch, so the last one ends here, or later
    sound_end = next((end for end in range(len(part.text), 0, -1) if has_sound(part.text[end - 1])), 0)

    def make_stretch(text: str, *, cut: Callable[[str], list[str]] = chunk_text, stretch: Stretch = WHOLE) -> Request:
        nonlocal is_complete
        end = stretch.start + len(text)
        is_last = end >= sound_end
        joint = joint_silence(part.text) if is_last and part.is_continued else stretch.joint
        pause = part.pause if is_last else None
        position = part.to_document(end - 1, end)[1]
        marks = itertools.takewhile(lambda mark: is_last or mark.position < position, place.marks)
        moved = dataclasses.replace(
            stretch,
            first_index=first_index + stretch.first_index,
            continues=stretch.continues or place.continues or place.lead > 0,
            joint=joint,
            pause=pause,
            lead=place.lead,
            part=part,
            marks=tuple(marks),
        )
        request = make(text, cut=cut, stretch=moved)
        place.index = request.last_index + 1
        place.lead = 0.0
        place.continues = (joint, pause) != (None, None)
        for _ in moved.marks:
            place.marks.popleft()
        is_complete = is_last
        return request

    with contextlib.suppress(SilentTextError):
        yield from requests_of([part.text], make_stretch)
    if not is_complete:
        # the silence after it is then before what comes next
        place.lead += part.pause or 0.0
