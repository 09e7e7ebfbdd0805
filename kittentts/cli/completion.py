"""What a shell offers for `-m` and `-v`, by argcomplete. The network is not asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse


def complete_model(prefix: str, **_: Any) -> list[str]:
    """Return the published models, those in the Hub's cache, and folders."""
    from argcomplete.completers import DirectoriesCompleter

    from kittentts.models.published import PUBLISHED, short_names
    from kittentts.models.repository import cached_repositories

    folders: list[str] = list(DirectoriesCompleter()(prefix))
    return [*short_names(), *(one.name for one in PUBLISHED), *cached_repositories(), *folders]


def complete_voice(parsed_args: argparse.Namespace, **_: Any) -> list[str]:
    """Return the voices of the model; those of KittenTTS 0.8 for the demo, which has the same, and for one not here."""
    from kittentts.cli.voices import voice_names
    from kittentts.models.demo import VOICES
    from kittentts.models.repository import cached_repositories, full_name, read_directory

    model = parsed_args.model
    files = read_directory(Path(model)) if Path(model).is_dir() else cached_repositories().get(full_name(model))
    return [friendly for friendly, _, _ in VOICES] if files is None else voice_names(files)
