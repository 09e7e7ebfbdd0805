"""`kittentts voices`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kittentts.cli.options import add_command, add_model_option

if TYPE_CHECKING:
    import argparse

    from kittentts.cli.options import Commands
    from kittentts.models.repository import ModelFiles

_EXAMPLES = """\
kittentts voices
kittentts voices -m demo"""


def add_to(commands: Commands) -> None:
    """Add the command."""
    add_model_option(add_command(commands, "voices", _run, "list the voices of a model", _EXAMPLES))


def _run(options: argparse.Namespace) -> None:
    from kittentts.models.repository import find_model

    # without the graph, which takes a second to open
    print("\n".join(voice_names(find_model(options.model))))


def voice_names(files: ModelFiles) -> list[str]:
    """Return the friendly names of a model's voices; the raw ones where it has none."""
    from kittentts.models.voices_file import load_voices

    voices = load_voices(files.voices_path)
    return [name for name, raw in files.voice_aliases.items() if raw in voices] or list(voices)
