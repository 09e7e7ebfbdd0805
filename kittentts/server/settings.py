"""What the operator of a server decides, and its defaults. Light to import."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

HOST = "127.0.0.1"
PORT = 8880

MODEL_ALIASES = ("tts-1", "tts-1-hd", "gpt-4o-mini-tts")
"""What OpenAI calls its models: here they are other names of the one that is served."""

VOICE_ALIASES = {
    "alloy": "Bella",
    "ash": "Bruno",
    "ballad": "Leo",
    "cedar": "Bruno",
    "coral": "Rosie",
    "echo": "Jasper",
    "fable": "Hugo",
    "marin": "Luna",
    "nova": "Luna",
    "onyx": "Hugo",
    "sage": "Kiki",
    "shimmer": "Rosie",
    "verse": "Leo",
}
"""OpenAI's voices -> the voice of KittenTTS that speaks for them; the first voice of a model that lacks that one."""


@dataclass(frozen=True)
class Settings:
    """How a server is run."""

    model_names: tuple[str, ...]
    """What requests may call the model; the first is its own name."""
    voice_aliases: Mapping[str, str]
    """Other names of voices."""
    speech: Mapping[str, Any] = field(default_factory=dict)
    """Parameters of `generate_stream` that hold where a request does not say otherwise."""
    api_key: str | None = None
    """What `Authorization: Bearer` must carry; None lets everybody in."""
    max_chars: int = 4096
    """The longest input."""
    concurrency: int = 16
    """How many requests are spoken at a time; their chunks take turns."""
    queue: int = 32
    """How many requests may wait to be spoken."""
    queue_timeout: float = 60.0
    """How long one may wait, in seconds."""
    timeout: float = 1800.0
    """How long one may take in all, in seconds."""
    allow_origins: tuple[str, ...] = ()
    """Web pages of which origins may use the API, `*` is any."""
    log_text: bool = False
    """Whether the log may show what was to be spoken."""


def known_aliases(aliases: Mapping[str, str], voices: list[str]) -> dict[str, str]:
    """Return the aliases with the first of the voices in place of those that there are not."""
    return {name: voice if voice in voices else voices[0] for name, voice in aliases.items() if name not in voices}
