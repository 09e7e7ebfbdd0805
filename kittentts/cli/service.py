"""What `serve` and `wyoming` share: limits for requests, and the name of the model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from kittentts.server import settings as http
    from kittentts.wyoming import settings as wyoming

_LIMITS = (
    ("max-chars", int, 1, "the longest text, in characters"),
    ("concurrency", int, 1, "requests that are spoken at a time, in turns"),
    ("queue", int, 0, "requests that may wait to be spoken; those beyond are refused"),
    ("queue-timeout", float, 0, "seconds that one may wait; then it is refused"),
    ("timeout", float, 1, "seconds that a request may take in all"),
    ("grace", float, 0, "seconds for requests to finish in after SIGTERM or Ctrl-C"),
)
_GRACE = 30.0


def add_limits(group: argparse._ArgumentGroup, defaults: http.Settings | wyoming.Settings) -> None:
    """Add the options; what has the name of a setting has its default."""
    for name, kind, _, meaning in _LIMITS:
        default = getattr(defaults, name.replace("-", "_"), _GRACE)
        group.add_argument(f"--{name}", type=kind, metavar="N", default=default, help=f"{meaning} (default: {default})")
    group.add_argument("--log-text", action="store_true", help="let the log show what is spoken")


def check_limits(options: argparse.Namespace) -> None:
    """End the program with wrong usage if a limit is out of range."""
    for name, _, low, _ in _LIMITS:
        value = getattr(options, name.replace("-", "_"))
        if not low <= value < float("inf"):
            options.wrong_usage(f"--{name} {value}: a number of at least {low} is needed")


def public_name(model: str) -> str:
    """Return what requests call a model: never the path of a directory."""
    return Path(model).resolve().name if Path(model).is_dir() else model
