"""ONNX graph -> a faster ONNX graph that gives the same bits on this CPU.

What is made is verified, measured and kept in the cache (see `record`). Only making a graph needs the onnx package;
one that exists is opened without it, after a self-test of the CPU.
"""

from __future__ import annotations

import importlib.util
import logging
from typing import TYPE_CHECKING, Any

from kittentts.defaults import pip_install
from kittentts.errors import MissingExtraError
from kittentts.models.cache import cache_directory, replaced_directory
from kittentts.progress_bar import open_bar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from filelock import FileLock
    from numpy.typing import NDArray

    from kittentts.optimize.build import Variant
    from kittentts.optimize.record import Record

    Probes = Callable[[str], Sequence[Mapping[str, NDArray[Any]]]]

MODES = ("auto", "off", "exact", "fast")

logger = logging.getLogger(__name__)


def optimized_file(original: Path, probes: Probes, mode: str = "auto") -> Path:
    """Return the file to open instead of a model's ONNX file: a faster one with the same output, or this very one.

    The first time, it is made, which takes some 15 s for 80M parameters; concurrent processes wait for the one that
    makes it. Whatever goes wrong then is logged as a warning, and the original is returned.

    Args:
        original: the ONNX file. What lies beside it, from `optimize`, is used first.
        probes: inputs for verifying and measuring, see `build.build`.
        mode: "off", "exact", "fast" (measures all variants and takes the fastest; the others take the first that is
            faster than the original) or "auto": "exact" if the onnx package is installed, else "off" unless an
            optimized graph exists already.

    Raises:
        MissingExtraError: "exact" or "fast" must make a graph, and onnx is not installed.
    """
    if mode == "off" or not _may_gain(original):
        return original
    thorough = mode == "fast"
    try:
        found = _existing_file(original, thorough=thorough)
        if found is None and (mode != "auto" or importlib.util.find_spec("onnx")):
            _check_onnx(f"optimize={mode!r}")
            found = _made_in_cache(original, probes, thorough=thorough)
    except MissingExtraError:
        raise
    except Exception as error:  # noqa: BLE001 (whatever it is, the original speaks)
        logger.warning("%s is not optimized (%s: %s); the original is used", original, type(error).__name__, error)
        return original
    return found or original


def optimize(
    original: Path, probes: Probes, folder: Path | None = None, report: Callable[[Variant], object] = lambda _: None
) -> Record:
    """Measure all variants of a model's graph; put the fastest into the cache, or with its record into a folder.

    Beside a copy of the original's files, the folder's are found by `optimized_file` on any machine.

    Args:
        original: the ONNX file.
        probes: see `build.build`.
        folder: exists; None is the cache.
        report: called with each variant, verified and measured.

    Raises:
        MissingExtraError: onnx is not installed.
        OSError: the folder cannot be written.
    """
    _check_onnx("optimizing")
    from kittentts.optimize.build import build

    if folder is not None:
        return build(original, folder, probes, thorough=True, report=report)
    with _lock(original), replaced_directory(_cache_folder(original)) as aside:
        return build(original, aside, probes, thorough=True, report=report)


def _may_gain(original: Path) -> bool:
    """Whether a graph has what a rule is about. One with tensors in other files will not be opened at all."""
    from kittentts.runtime.native_library import native_library
    from kittentts.runtime.onnx_graph import file_contains, has_external_data

    operators = [b"ConvInteger"]
    if native_library() is not None:
        operators += [b"InstanceNormalization", b"ReduceMean", b"STFT"]
    return file_contains(original, *operators) and not has_external_data(original)


def _check_onnx(what: str) -> None:
    if importlib.util.find_spec("onnx") is None:
        raise MissingExtraError(
            f"{what} needs the onnx package, for there is no faster graph yet: {pip_install('fast')}"
        )


def _existing_file(original: Path, *, thorough: bool) -> Path | None:
    """Return the file to open, from beside the original or from the cache; None where neither has an undamaged one."""
    from kittentts.optimize.record import usable_file

    return usable_file(original.parent, original) or usable_file(_cache_folder(original), original, thorough=thorough)


def _made_in_cache(original: Path, probes: Probes, *, thorough: bool) -> Path | None:
    """Return the file to open after making it, unless another process just did."""
    from kittentts.optimize.build import build, variant_names

    with _lock(original):
        found = _existing_file(original, thorough=thorough)
        if found is not None:
            return found
        logger.info("optimizing %s, once for this machine", original)
        # the bar is for terminals only
        with (
            replaced_directory(_cache_folder(original)) as aside,
            open_bar(total=len(variant_names()), desc="optimizing the model, once", leave=False, disable=None) as bar,
        ):
            record = build(original, aside, probes, thorough=thorough, report=lambda _: bar.update())
        logger.info("the %s variant is the fastest: %s", record.variant, record.seconds)
    return _existing_file(original, thorough=thorough)


def _cache_folder(original: Path) -> Path:
    from kittentts.optimize.record import cache_key

    return cache_directory() / "optimized" / cache_key(original)


def _lock(original: Path) -> FileLock:
    """Return a lock on a graph's folder in the cache, for all processes."""
    from filelock import FileLock

    folder = _cache_folder(original)
    folder.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(folder.with_suffix(".lock"))
