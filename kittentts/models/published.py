"""The models that there are to open by name: those that KittenML has published, and the demo voice."""

from __future__ import annotations

import difflib
from typing import NamedTuple

OWNER = "KittenML"
DEMO = "demo"


class Published(NamedTuple):
    """One model."""

    name: str
    parameters: str
    precision: str
    size: str
    """Of the ONNX file."""


PUBLISHED = (
    Published(f"{OWNER}/kitten-tts-nano-0.8", "15M", "float32", "57 MB"),
    Published(f"{OWNER}/kitten-tts-nano-0.8-int8", "15M", "int8", "24 MB"),
    Published(f"{OWNER}/kitten-tts-micro-0.8", "40M", "int8", "41 MB"),
    Published(f"{OWNER}/kitten-tts-mini-0.8", "80M", "int8", "78 MB"),
    Published(DEMO, "82M", "int8", "92 MB"),
)
"""https://huggingface.co/KittenML, and the demo last."""


def short_names() -> list[str]:
    """Return the names without the owner, who is KittenML where none is given."""
    return [one.name.removeprefix(f"{OWNER}/") for one in PUBLISHED]


def did_you_mean(name: str) -> str:
    """Return a question, like "did you mean 'demo'?", for a name that nearly is one of these; else an empty string."""
    short = name.removeprefix(f"{OWNER}/")
    near = difflib.get_close_matches(short, short_names(), 1)
    return f"did you mean {near[0]!r}?" if near and near[0] != short else ""
