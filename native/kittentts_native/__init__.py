"""Operators for ONNX Runtime that make `kittentts` faster with the same bits: where their library lies and what it found."""

import ctypes
import sys
from importlib.metadata import version as _installed_version
from pathlib import Path

__all__ = ["kernel", "library_path", "version"]

_SUFFIX = {"win32": ".dll"}.get(sys.platform, ".so")  # CMake's MODULE libraries end in .so on macOS, too


def library_path() -> Path:
    """Path of the shared library, for `onnxruntime.SessionOptions.register_custom_ops_library`."""
    return Path(__file__).with_name(f"operators{_SUFFIX}")


def version() -> str:
    """Version of this distribution, e.g. `"0.1.0"`."""
    return _installed_version("kittentts-native")


def kernel() -> str:
    """Name of the kernels that the library chose for this CPU, e.g. `"avx512_vnni"`; loads the library.

    Raises:
        OSError: the library cannot be loaded, e.g. since it was built for another platform.
    """
    function = ctypes.CDLL(str(library_path())).kittentts_native_kernel
    function.restype = ctypes.c_char_p
    name: bytes = function()
    return name.decode()
