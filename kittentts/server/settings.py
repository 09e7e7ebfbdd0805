"""What the operator of a server decides, with defaults. Imports nothing heavy, because the command line reads it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

HOST = "127.0.0.1"
PORT = 8880

MODEL_ALIASES = ("tts-1", "tts-1-hd", "gpt-4o-mini-tts")
"""OpenAI's names of models; here each is another name of the model that is served."""

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
"""OpenAI's voices -> the voices of KittenTTS that are used for them. See `known_aliases`."""


@dataclass(frozen=True)
class Settings:
    """Settings of a server; each but the first two has a default."""

    model_names: tuple[str, ...]
    """Names of the model that requests may use; the first is its own name."""
    voice_aliases: Mapping[str, str]
    """Other names of voices."""
    speech: Mapping[str, Any] = field(default_factory=dict)
    """Parameters of `generate_stream` for what a request does not specify."""
    api_key: str | None = None
    """The key that `Authorization: Bearer` must carry; None means that no key is needed."""
    max_chars: int = 4096
    """The longest input, in characters."""
    concurrency: int = 16
    """How many requests are spoken at a time; their chunks are interleaved."""
    queue: int = 32
    """How many more requests may wait."""
    queue_timeout: float = 60.0
    """How long a request may wait, in seconds."""
    timeout: float = 1800.0
    """How long a request may take in all, in seconds, waiting included."""
    host: str = HOST
    """The name or address that the server listens on; requests may use it as their `Host`."""
    allow_hosts: tuple[str, ...] = ()
    """Further names that requests may use as their `Host`, in lower case; `*` means any."""
    allow_origins: tuple[str, ...] = ()
    """Origins of web pages that may use the API, besides the server's own; `*` means any."""
    log_text: bool = False
    """Whether the log may contain the texts of requests."""


def known_aliases(aliases: Mapping[str, str], voices: list[str]) -> dict[str, str]:
    """Return the aliases for a model that has these voices.

    An alias of a voice that the model lacks means its first voice. An alias that is a voice of the model is left out.
    """
    return {name: voice if voice in voices else voices[0] for name, voice in aliases.items() if name not in voices}
