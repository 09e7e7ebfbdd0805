"""`kittentts voices`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kittentts.cli.options import add_command, add_model_option

if TYPE_CHECKING:
    import argparse

    from kittentts.cli.options import Commands

_EXAMPLES = """\
kittentts voices
kittentts voices -m demo"""


def add_to(commands: Commands) -> None:
    """Add the command."""
    add_model_option(add_command(commands, "voices", _run, "list the voices of a model", _EXAMPLES))


def _run(options: argparse.Namespace) -> None:
    from kittentts.models.repository import find_model
    from kittentts.models.voices_file import load_voices

    # without the graph, which takes a second to open
    files = find_model(options.model)
    voices = load_voices(files.voices_path)
    print("\n".join([name for name, raw in files.voice_aliases.items() if raw in voices] or voices))
