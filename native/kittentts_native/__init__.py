"""Operators for ONNX Runtime that make `kittentts` faster with the same bits: where they lie, and for which CPU."""

import ctypes
import sys
from importlib.metadata import version as _installed_version
from pathlib import Path

__all__ = ["available_kernels", "kernel", "library_path", "version"]

_SUFFIX = ".dll" if sys.platform == "win32" else ".so"  # CMake's modules end in .so on macOS, too


def library_path() -> Path:
    """Path of the shared library, for `onnxruntime.SessionOptions.register_custom_ops_library`."""
    return Path(__file__).with_name(f"operators{_SUFFIX}")


def version() -> str:
    """Version of this distribution, e.g. `"0.2.0"`."""
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


def available_kernels() -> list[str]:
    """Names of all kernels that this CPU runs, the best first; the last is always `"portable"`. Loads the library.

    For tests, the environment variable `KITTENTTS_NATIVE_KERNEL` chooses one of them when the library is first used.

    Raises:
        OSError: as `kernel`.
    """
    function = ctypes.CDLL(str(library_path())).kittentts_native_available_kernel
    function.argtypes = [ctypes.c_size_t]
    function.restype = ctypes.c_char_p
    names: list[bytes] = []
    while (name := function(len(names))) is not None:
        names.append(name)
    return [name.decode() for name in names]
