"""What the operator of a Wyoming server decides, with defaults. Imports nothing heavy: the command line reads it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

URI = "tcp://127.0.0.1:10200"
"""Where to listen; 10200 is the port that Home Assistant's users know from Piper."""


@dataclass(frozen=True)
class Settings:
    """Settings of a server; each but the first has a default."""

    model_name: str
    """Shown to clients."""
    speech: Mapping[str, Any] = field(default_factory=dict)
    """Parameters of `agenerate_stream`; its voice is that of a request which names none."""
    max_chars: int = 10_000
    """The longest text of a request, in characters."""
    concurrency: int = 16
    """How many requests are spoken at a time; their chunks are interleaved."""
    queue: int = 32
    """How many more requests may wait."""
    queue_timeout: float = 60.0
    """How long a request may wait, in seconds."""
    timeout: float = 1800.0
    """How long a request may take in all, in seconds, waiting included."""
    log_text: bool = False
    """Whether the log may contain the texts of requests."""
