"""`[pause 0.5s]` and `[pause 300ms]` in a text that is otherwise spoken as it is."""

from __future__ import annotations

import re

from kittentts.errors import TextError
from kittentts.markup.parts import Part, PartsBuilder

SECONDS = r"(?P<number>[0-9]{1,9}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})(?P<unit>ms|s)"
"""A time as in CSS and SSML."""

_PAUSE = re.compile(rf"\[pause\b(?:[ :]\s{{0,9}}{SECONDS}\])?", re.IGNORECASE)


def read_pauses(text: str) -> list[Part]:
    """Return the parts between the pauses of a text.

    Raises:
        TextError: a pause is malformed or too long; the message has the line.
    """
    builder = PartsBuilder()
    position = line = 0
    for match in _PAUSE.finditer(text):
        line += text.count("\n", position, match.start())
        if match["unit"] is None:
            raise TextError(f"line {line + 1}: after '[pause' a time is needed, as in [pause 0.5s] or [pause 300ms]")
        _add(builder, text, position, match.start())
        try:
            builder.pause(to_seconds(match))
        except TextError as error:
            raise TextError(f"line {line + 1}: {error}") from error
        position = match.end()
    _add(builder, text, position, len(text))
    return builder.finish()


def to_seconds(match: re.Match[str]) -> float:
    """Return the seconds of a match of `SECONDS`."""
    return float(match["number"]) / (1000 if match["unit"].lower() == "ms" else 1)


def _add(builder: PartsBuilder, text: str, start: int, end: int) -> None:
    if start < end:
        builder.add(text[start:end], start, end)
