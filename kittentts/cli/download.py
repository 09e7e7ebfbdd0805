"""`kittentts download`: for machines that go offline."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kittentts.cli.completion import complete_model
from kittentts.cli.options import add_command

if TYPE_CHECKING:
    import argparse

    from kittentts.cli.options import Commands

_EXAMPLES = """\
kittentts download kitten-tts-mini-0.8
kittentts download kitten-tts-nano-0.8 --refresh"""


def add_to(commands: Commands) -> None:
    """Add the command."""
    summary = "put models into the cache, so that they open without a network"
    parser = add_command(commands, "download", _run, summary, _EXAMPLES, arguments="MODEL ...")
    parser.add_argument(
        "models", nargs="+", metavar="MODEL", help="name or owner/name on the Hugging Face Hub, or demo"
    ).completer = complete_model  # type: ignore[attr-defined]
    parser.add_argument("--refresh", action="store_true", help="ask the Hub for a newer version than the cached one")


def _run(options: argparse.Namespace) -> None:
    if options.quiet:
        os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    from kittentts.models.repository import find_model

    for name in options.models:
        files = find_model(name, refresh=options.refresh)
        size = sum(path.stat().st_size for path in (files.model_path, files.voices_path))
        print(f"{name}: {size / 1e6:.0f} MB in {files.model_path.parent}")
