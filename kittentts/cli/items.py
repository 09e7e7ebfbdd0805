"""The inputs of `kittentts batch`: files, lines of files, or JSON Lines, each with the path of its audio file."""

from __future__ import annotations

import contextlib
import glob
import json
import os
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any, NamedTuple

from kittentts.cli.options import describe, find_markup, read_file, read_text
from kittentts.errors import SettingError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence

# bytes: what most file systems allow, less the prefix of a file that is being written
_LONGEST_NAME = 255 - 10
# folders in folders; the functions of Python that make and remove folders fail at several hundred
_DEEPEST = 100


class BatchItem(NamedTuple):
    """One text, which becomes one file."""

    source: str
    """Where it is from, for messages: a file, and the number of the line."""
    path: Path
    """Where it goes to."""
    text: Callable[[], str]
    """Reads it; raises SettingError or OSError."""
    voice: str | None = None
    speed: float | None = None
    markup: str | None = None


class _Entry(NamedTuple):
    source: str
    name: Any
    text: Callable[[], str]
    voice: str | None = None
    speed: float | None = None
    markup: str | None = None


def find_items(options: argparse.Namespace, directory: Path, suffixes: Sequence[str]) -> Iterator[BatchItem | str]:
    """Yield the items of all inputs; a message for each that is malformed or cannot have the file that it names.

    Args:
        options: of the command.
        directory: where the files go.
        suffixes: of the files of each item, the audio's first.
    """
    # what each path in the directory is the file, or a folder, of
    files: dict[Path, str] = {}
    folders: dict[Path, str] = {}
    suffixes_read = (".jsonl",) if options.jsonl else (".md", ".ssml", ".txt")
    names = []
    for name in options.inputs:
        found = _expanded(name, suffixes_read)
        if not found:
            # os.path raises no error for a name that no file can have
            where = f"in this folder ends in {' or '.join(suffixes_read)}" if os.path.isdir(name) else "matches"  # noqa: PTH112
            yield f"{name}: no file {where}"
        names += found
    inputs = {Path(name).resolve() for name in names if name != "-"}
    for entry in _entries(names, options):
        if isinstance(entry, str):
            yield entry
            continue
        try:
            paths = [_path(entry.name, directory, suffix, inputs) for suffix in suffixes]
        except SettingError as error:
            yield f"{entry.source}: {error}"
            continue
        parents = paths[0].parents
        if file := next((path for path in (*paths, *parents) if path in files), None):
            yield f"{entry.source}: {file} is already the file of {files[file]}"
            continue
        if folder := next((path for path in paths if path in folders), None):
            yield f"{entry.source}: {folder} is already a folder for {folders[folder]}"
            continue
        files |= dict.fromkeys(paths, entry.source)
        folders |= dict.fromkeys(parents, entry.source)
        yield BatchItem(entry.source, paths[0], entry.text, entry.voice, entry.speed, entry.markup)


def _expanded(name: str, suffixes: Sequence[str]) -> list[str]:
    """Return the files that an input stands for, sorted: those of a folder, or those that match a pattern."""
    if os.path.isdir(name):  # noqa: PTH112
        return sorted(str(path) for path in Path(name).iterdir() if path.suffix.lower() in suffixes and path.is_file())
    if glob.has_magic(name) and not os.path.lexists(name):
        # as a shell does with one that is not in quotes
        return sorted(path for path in glob.glob(name, recursive=True) if Path(path).is_file())  # noqa: PTH207
    return [name]


def _entries(names: Sequence[str], options: argparse.Namespace) -> Iterator[_Entry | str]:
    for name in names:
        label = "stdin" if name == "-" else name
        stem = Path(label).stem
        if not options.lines and not options.jsonl:
            markup = find_markup(options, name)
            yield _Entry(label, stem, lambda name=name: read_text(name), markup=markup)  # type: ignore[misc]
            continue
        try:
            lines = read_file(name).split("\n")
        except (SettingError, OSError) as error:
            yield describe(error)
            continue
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            source = f"{label}:{number}"
            if options.lines:
                yield _Entry(source, f"{stem}-{number:05}", lambda line=line: line)  # type: ignore[misc]
                continue
            try:
                yield _parse(source, line)
            except SettingError as error:
                yield f"{source}: {error}"


def _parse(source: str, line: str) -> _Entry:
    """Read a line of JSON Lines; raise `SettingError` where it is malformed."""
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise SettingError(f"not valid JSON: {error}") from error
    if not isinstance(fields, dict):
        raise SettingError(f"a JSON {type(fields).__name__}, not an object")
    missing = [name for name in ("id", "text") if name not in fields]
    if missing:
        raise SettingError(f"lacks {' and '.join(map(repr, missing))}")
    name, text = fields["id"], fields["text"]
    if isinstance(name, bool) or not isinstance(name, str | int):
        raise SettingError(f"'id' is {name!r}; a string or a whole number is needed")
    # what else can be wrong with text, voice, speed and markup is the engine's to say
    return _Entry(source, str(name), lambda: text, fields.get("voice"), fields.get("speed"), fields.get("markup"))


def _path(name: str, directory: Path, suffix: str, inputs: set[Path]) -> Path:
    """Return where an item goes; raise `SettingError` for a name that is none, leaves the directory or is an input."""
    windows = PureWindowsPath(name)
    posix = PurePosixPath(name)
    if not posix.name or name.endswith(("/", "\\")) or not name.isprintable():
        raise SettingError(f"{name!r} cannot be the name of a file")
    if ".." in {*posix.parts, *windows.parts} or posix.is_absolute() or windows.drive or windows.root:
        raise SettingError(f"the name {name!r} leaves the directory; this is refused")
    path = directory / f"{posix}{suffix}"
    if max(len(os.fsencode(part)) for part in (*posix.parts, path.name)) > _LONGEST_NAME:
        raise SettingError(f"the name {name[:40]!r}... is too long for a file")
    if len(posix.parts) > _DEEPEST:
        raise SettingError(f"the name {name[:40]!r}... has {len(posix.parts)} parts; at most {_DEEPEST} are possible")
    try:
        real = path.resolve()
        for one in (path, real.with_name("." * 10 + real.name)):
            with contextlib.suppress(FileNotFoundError):
                one.stat()
    except (OSError, RuntimeError) as error:
        # what the file system says of it; the RuntimeError is that of Python 3.12 for links that form a circle
        reason = getattr(error, "strerror", None) or error
        raise SettingError(f"the name {name[:40]!r} cannot be used here: {reason}") from error
    if not path.resolve().is_relative_to(directory.resolve()):
        raise SettingError(f"the name {name!r} leaves the directory through a link; this is refused")
    if path.resolve() in inputs:
        raise SettingError(f"{str(path)!r} is an input, and would be overwritten; choose another directory")
    if path.is_dir():
        raise SettingError(f"{str(path)!r} is a folder")
    return path
