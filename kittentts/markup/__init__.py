"""A text with markup -> the parts that it is spoken in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kittentts.errors import SilentTextError, TextTypeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kittentts.markup.parts import Part


def read_parts(text: object, markup: str, check_voice: Callable[[str], object]) -> list[Part]:
    """Return the parts of a document, each of which has something to speak.

    Args:
        text: the document.
        markup: one of `defaults.MARKUPS`.
        check_voice: raises `VoiceError` for a voice that the model lacks.

    Raises:
        TextTypeError: the document is no `str`.
        TextError: it is malformed, or asks for what is not done; the message has the line.
        SilentTextError: nothing in it can be spoken.
    """
    if not isinstance(text, str):
        raise TextTypeError(f"the text is of type {type(text).__name__}; with markup={markup!r} a str is needed")
    if markup == "pauses":
        from kittentts.markup.pauses import read_pauses

        parts = read_pauses(text)
    else:
        from kittentts.markup.ssml import read_ssml

        parts = read_ssml(text, check_voice, is_lenient=markup == "ssml-lenient")
    if not parts:
        raise SilentTextError(f"nothing in this text with markup={markup!r} has a word, number or symbol to speak")
    return parts
