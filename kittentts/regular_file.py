"""A model's files are regular files."""

from __future__ import annotations

import os

from kittentts.errors import ModelError, ModelNotFoundError


def check_regular_file(path: str | os.PathLike[str], missing: str) -> None:
    """Check that a path, or what it links to, is a regular file: a pipe or a device could be read for ever.

    Args:
        path: of the file.
        missing: the message if nothing is there.

    Raises:
        ModelNotFoundError: there is nothing of that name.
        ModelError: it is a folder, a pipe, a socket or a device.
    """
    # os.path, unlike pathlib, says False for names that are too long or hold a NUL
    if os.path.isfile(path):  # noqa: PTH113
        return
    if os.path.exists(path):  # noqa: PTH110
        raise ModelError(f"{os.fspath(path)!r} is a folder, a pipe or a device; a regular file is needed")
    raise ModelNotFoundError(missing)
