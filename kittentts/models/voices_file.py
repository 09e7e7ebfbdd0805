"""The voices file: one style array per voice, a row for each length of text."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kittentts.errors import ModelError, ModelNotFoundError

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

STYLE_SIZE = 256


def load_voices(path: str | os.PathLike[str]) -> dict[str, NDArray[np.float32]]:
    """Read an .npz file of float arrays of shape `(rows, 256)` or `(rows, 1, 256)`, by raw voice, in the file's order.

    Raises:
        ModelNotFoundError: the file does not exist.
        ModelError: it is no .npz file, has no voice, an array of another shape, or pickled objects (never loaded).
    """
    try:
        with Path(path).open("rb") as raw:
            file = np.load(raw, allow_pickle=False)
            if not isinstance(file, np.lib.npyio.NpzFile):
                raise ModelError(f"{path} is a single array; a voices file is an .npz with one array per voice")
            voices = {name: np.asarray(file[name]) for name in file.files}
    except FileNotFoundError as error:
        raise ModelNotFoundError(f"there is no voices file {str(path)!r}") from error
    except (ValueError, zipfile.BadZipFile, EOFError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(f"{path} cannot be read as an .npz file of plain arrays: {error}") from error
    if not voices:
        raise ModelError(f"{path} holds no voice")
    for name, array in voices.items():
        rows = array.size // STYLE_SIZE
        if array.shape not in {(rows, STYLE_SIZE), (rows, 1, STYLE_SIZE)} or rows == 0 or array.dtype.kind != "f":
            raise ModelError(
                f"{path}: voice {name!r} is {array.dtype} of shape {array.shape}; "
                f"floats of shape (rows, {STYLE_SIZE}) or (rows, 1, {STYLE_SIZE}) are expected"
            )
    return {name: array.astype(np.float32, copy=False) for name, array in voices.items()}


def style_row(voice: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    """Return the row for a text of `length` characters, the last row for longer ones; float32 of shape `(1, 256)`."""
    row = voice[min(length, len(voice) - 1)]
    return np.asarray(row, np.float32).reshape(1, STYLE_SIZE)
