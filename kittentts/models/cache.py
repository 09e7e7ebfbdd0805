"""Where kittentts keeps what it makes once and uses often, and how it gets there whole."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

from kittentts.errors import ModelNotFoundError


def cache_directory() -> Path:
    """Return `KITTENTTS_CACHE` if it is set, else the platform's place for caches. The directory may not exist yet.

    Raises:
        ModelNotFoundError: the user has no home directory, as may be in a container, and none of these is set.
    """
    chosen = os.environ.get("KITTENTTS_CACHE")
    if chosen:
        return Path(chosen)
    try:
        if sys.platform == "win32":
            base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
        elif sys.platform == "darwin":
            base = Path.home() / "Library" / "Caches"
        else:
            base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError as error:
        raise ModelNotFoundError(
            "there is no home directory for the cache; set KITTENTTS_CACHE to a folder that can be written"
        ) from error
    return base / "kittentts"


@contextlib.contextmanager
def replaced_directory(directory: Path) -> Iterator[Path]:
    """Yield a new, empty folder that takes the directory's place, whatever is there, unless an exception is raised.

    The caller holds a lock on the directory, so that what others left of their attempts can be removed.
    """
    prefix = f"{directory.name}.new-"
    for leftover in directory.parent.glob(f"{prefix}*"):
        # of a process that was killed
        shutil.rmtree(leftover, ignore_errors=True)
    new = Path(tempfile.mkdtemp(prefix=prefix, dir=directory.parent))
    old = new.with_name(f"{new.name}-old")
    try:
        yield new
        new.chmod(0o755)  # mkdtemp makes it for its owner only
        # aside first, for to remove it takes longer than others shall find nothing there
        with contextlib.suppress(FileNotFoundError):
            directory.rename(old)
        new.rename(directory)
        if old.is_dir():
            shutil.rmtree(old, ignore_errors=True)
        else:
            old.unlink(missing_ok=True)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def sha1(file: Path) -> str:
    """Return a file's SHA-1 in hexadecimal (92 MB: 0.07 s); remembered until its size or its time changes."""
    status = os.stat(file)  # noqa: PTH116 (follows links, like the reading)
    return _sha1(file, status.st_size, status.st_mtime_ns)


@functools.lru_cache(16)
def _sha1(file: Path, size: int, changed: int) -> str:  # noqa: ARG001 (part of the cache's key)
    found = hashlib.sha1(usedforsecurity=False)
    with file.open("rb") as opened:
        while block := opened.read(1 << 20):
            found.update(block)
    return found.hexdigest()
