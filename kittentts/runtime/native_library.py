"""The operators of kittentts-native, a library for ONNX Runtime that need not be there: find it, register it.

It is a distribution of its own, in `native/` of the repository. Graphs that need it name its domain, see `MARK`.
"""

from __future__ import annotations

import functools
import importlib.util
import logging
from typing import Any, NamedTuple

DOMAIN = "kittentts"
MARK = b"\x0a\x09" + DOMAIN.encode()
"""In the file of a graph with operators of the library: the domain after its length, as protobuf writes it."""
_SERIES = "0.1"
"""The versions, without their last number, whose operators are those that `optimize` writes into graphs."""

logger = logging.getLogger(__name__)


class NativeLibrary(NamedTuple):
    """An installed library that can be used."""

    path: str
    """The shared library."""
    version: str
    kernel: str
    """What it has chosen for this CPU, like "avx512_vnni"."""


@functools.cache
def native_library() -> NativeLibrary | None:
    """Return the library, or None where there is none that can be used; why not is logged, once."""
    if importlib.util.find_spec("kittentts_native") is None:
        logger.debug("kittentts-native is not installed")
        return None
    try:
        import kittentts_native

        found = NativeLibrary(
            str(kittentts_native.library_path()), kittentts_native.version(), kittentts_native.kernel()
        )
    except Exception as error:  # noqa: BLE001 (whatever is broken, there are graphs that need no library)
        logger.warning("kittentts-native is not used: it cannot be loaded (%s: %s)", type(error).__name__, error)
        return None
    if found.version.rpartition(".")[0] != _SERIES:
        logger.warning("kittentts-native %s is not used: this version needs %s", found.version, _SERIES)
        return None
    return found


def register(options: Any) -> None:
    """Let sessions with these `onnxruntime.SessionOptions` run the library's operators, if it is there."""
    library = native_library()
    if library is not None:
        options.register_custom_ops_library(library.path)
