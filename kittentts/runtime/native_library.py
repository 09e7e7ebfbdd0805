"""The operators of kittentts-native, a library for ONNX Runtime that need not be there: find it, register it.

It is a distribution of its own, in `native/` of the repository. Graphs that need it are known by `MARK`.
"""

from __future__ import annotations

import functools
import importlib.util
import logging
from typing import Any, NamedTuple

DOMAIN = "kittentts"
MARK = b"\x3a\x09" + DOMAIN.encode()
"""In the file of a graph with operators of the library: a node's domain, as protobuf writes it. (Which domains a graph
imports does not tell: ONNX Runtime stores all that it knows.)"""
_SERIES = "0.2"
"""The versions, without their last number, whose operators are those that `optimize` writes into graphs."""

NOT_INSTALLED = "it is not installed"

logger = logging.getLogger(__name__)


class NativeLibrary(NamedTuple):
    """An installed library that can be used."""

    path: str
    """The shared library."""
    version: str
    kernel: str
    """What it has chosen for this CPU, like "avx512_vnni"."""


def native_library() -> NativeLibrary | None:
    """Return the library; None where there is none that can be used."""
    found = search()
    return found if isinstance(found, NativeLibrary) else None


@functools.cache
def search() -> NativeLibrary | str:
    """Return the library, or why there is none that can be used, which is logged once."""
    found = _search()
    if isinstance(found, str) and found != NOT_INSTALLED:
        logger.warning("kittentts-native is not used: %s", found)
    return found


def _search() -> NativeLibrary | str:
    if importlib.util.find_spec("kittentts_native") is None:
        return NOT_INSTALLED
    try:
        import kittentts_native

        found = NativeLibrary(
            str(kittentts_native.library_path()), kittentts_native.version(), kittentts_native.kernel()
        )
    except Exception as error:  # noqa: BLE001 (whatever is broken, there are graphs that need no library)
        return f"it cannot be loaded ({type(error).__name__}: {error})"
    if found.version.rpartition(".")[0] != _SERIES:
        return f"it is {found.version}, and this kittentts writes graphs for {_SERIES}"
    return found


def register(options: Any) -> None:
    """Let sessions with these `onnxruntime.SessionOptions` run the library's operators, if it is there."""
    library = native_library()
    if library is not None:
        options.register_custom_ops_library(library.path)
