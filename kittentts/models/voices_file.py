"""The voices file: one style array per voice, a row for each length of text; and the names of the voices."""

from __future__ import annotations

import difflib
import os
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

from kittentts.errors import ModelError, SettingError, VoiceError
from kittentts.regular_file import check_regular_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

STYLE_SIZE = 256
# The 54 voices of the largest file known, Kokoro's, take 28 MB.
_LARGEST_FILE = 256 * 2**20


class Voices(dict[str, "NDArray[np.float32]"]):
    """The arrays by raw voice, in the file's order."""

    @property
    def files(self) -> list[str]:
        """The raw voices; old callers know it from numpy's `NpzFile`."""
        return list(self)


def load_voices(path: str | os.PathLike[str]) -> Voices:
    """Read an .npz file of float arrays of shape `(rows, 256)` or `(rows, 1, 256)`, by raw voice, in the file's order.

    Raises:
        ModelNotFoundError: the file does not exist.
        ModelError: it is no .npz file, unpacks to more than 256 MB, has no voice, an array of another shape or with
            NaN or infinity in it, or pickled objects (never loaded).
    """
    check_regular_file(path, f"there is no voices file {os.fspath(path)!r}")
    try:
        arrays = _read_arrays(path)
    except ModelError:
        raise
    except Exception as error:  # whatever zipfile, zlib and numpy raise for a damaged file, MemoryError included
        raise ModelError(f"{path} cannot be read as an .npz file of plain arrays: {error}") from error
    if not arrays:
        raise ModelError(f"{path} holds no voice")
    return Voices({name: check_style(array, f"{path}: voice {name!r}") for name, array in arrays.items()})


def _read_arrays(path: str | os.PathLike[str]) -> dict[str, NDArray[Any]]:
    arrays = {}
    with zipfile.ZipFile(path) as archive:
        # the sizes in the archive's directory: zipfile reads no more of a member than that
        size = sum(member.file_size for member in archive.infolist())
        if size > _LARGEST_FILE:
            raise ModelError(f"{path} unpacks to {size:,} bytes; voices take at most {_LARGEST_FILE:,}")
        for name in archive.namelist():
            with archive.open(name) as member:
                arrays[name.removesuffix(".npy")] = np.lib.format.read_array(member, allow_pickle=False)
    return arrays


def check_style(
    array: NDArray[Any], name: str, error: type[ModelError | SettingError] = ModelError
) -> NDArray[np.float32]:
    """Return a voice's array as float32; `name` begins the message of the error."""
    rows = array.size // STYLE_SIZE
    if array.shape not in {(rows, STYLE_SIZE), (rows, 1, STYLE_SIZE)} or rows == 0 or array.dtype.kind != "f":
        raise error(
            f"{name} is {array.dtype} of shape {array.shape}; "
            f"floats of shape (rows, {STYLE_SIZE}) or (rows, 1, {STYLE_SIZE}) are expected"
        )
    with np.errstate(over="ignore"):  # a float64 that is too large becomes infinity
        voice = array.astype(np.float32, copy=False)
    if not np.isfinite(voice).all():
        raise error(f"{name} has NaN or infinity in it")
    return voice


def style_row(voice: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    """Return the row for a text of `length` characters, the last row for longer ones; float32 of shape `(1, 256)`."""
    row = voice[min(length, len(voice) - 1)]
    return np.asarray(row, np.float32).reshape(1, STYLE_SIZE)


def find_voice(name: object, aliases: Mapping[str, str], voices: Iterable[str]) -> str:
    """Return the raw voice that a user means: by its exact name, or else by a name in other capitals.

    Args:
        name: what the user gave.
        aliases: friendly name -> raw voice.
        voices: the raw voices, which are names, too.

    Raises:
        VoiceError: no voice is meant, or two are.
    """
    known = {raw: raw for raw in voices} | dict(aliases)
    hint = ""
    if isinstance(name, str):
        if name in known:
            return known[name]
        lower = name.casefold()
        meant = [one for one in known if one.casefold() == lower]
        if len({known[one] for one in meant}) > 1:
            raise VoiceError(f"voice={name!r} may be {' or '.join(map(repr, meant))}; write one of them as it is")
        if meant:
            return known[meant[0]]
        spellings = {one.casefold(): one for one in known}
        near = difflib.get_close_matches(lower, spellings, n=1)
        hint = f" (did you mean {spellings[near[0]]!r}?)" if near else ""
    raise VoiceError(f"voice={name!r} is unknown{hint}; this model has {', '.join(aliases or voices)}")
