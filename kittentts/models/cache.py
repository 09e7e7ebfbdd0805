"""Where kittentts keeps what it makes once and uses often."""

from __future__ import annotations

import os
import sys
from pathlib import Path

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
