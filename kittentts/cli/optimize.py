"""`kittentts optimize`: make the faster graph ahead of time, and print what was measured."""

from __future__ import annotations

import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kittentts.cli.completion import complete_model
from kittentts.cli.options import add_command
from kittentts.errors import SettingError

if TYPE_CHECKING:
    import argparse

    from kittentts.cli.options import Commands
    from kittentts.models.repository import ModelFiles
    from kittentts.optimize.build import Variant
    from kittentts.optimize.record import Record

_EXAMPLES = """\
kittentts optimize demo
kittentts optimize kitten-tts-mini-0.8 -o fast-mini"""
_DETAILS = """\
Measures all ways to compute the same bits, on one core, and keeps the fastest
in the cache, where every program finds it. With -o it writes a model directory
for other machines; they need no onnx package, and test their CPU first."""


def add_to(commands: Commands) -> None:
    """Add the command."""
    summary = "make a faster graph with the same output"
    parser = add_command(commands, "optimize", _run, summary, _EXAMPLES, arguments="MODEL", details=_DETAILS)
    parser.add_argument(
        "model", metavar="MODEL", help="a model directory, 'demo', or a repository on the Hub"
    ).completer = complete_model  # type: ignore[attr-defined]
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="write a model directory; it must not exist")


def _run(options: argparse.Namespace) -> None:
    from kittentts.models.repository import copy_directory, find_model

    if options.output is not None and options.output.exists():
        raise SettingError(f"{options.output} exists; name a directory that does not")
    files = find_model(options.model)
    if options.output is None:
        _print_result(_optimize(files, None, quiet=options.quiet))
        return
    options.output.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{options.output.name}-", dir=options.output.parent))
    try:
        copied = copy_directory(files, aside)
        record = _optimize(copied, copied.model_path.parent, quiet=options.quiet)
        aside.chmod(0o755)
        aside.rename(options.output)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    _print_result(record)


def _optimize(files: ModelFiles, folder: Path | None, *, quiet: bool) -> Record:
    from kittentts.models.probes import probes
    from kittentts.optimize import optimize

    def report(variant: Variant) -> None:
        if quiet:
            return
        if variant.difference:
            print(f"{variant.name:10} cannot be used here: {variant.difference}")
        else:
            print(f"{variant.name:10} {variant.seconds:8.2f} s   {variant.gain:4.2f} times as fast, same bits")

    return optimize(files.model_path, partial(probes, files.voices_path), folder, report)


def _print_result(record: Record) -> None:
    if not record.seconds:
        print("nothing to gain: no rule applies to the model")
        return
    print(f"{'original':10} {record.seconds['original']:8.2f} s")
    if record.variant == "original":
        print("nothing is gained here; the original stays")
    else:
        print(f"the {record.variant} graph is used from now on")
        if record.native:
            print("where kittentts-native is missing, another one is")
