"""What is known of an optimized graph: a small JSON file beside it. Needs no onnx."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kittentts.models.cache import sha1
from kittentts.onnxruntime_import import import_onnxruntime
from kittentts.optimize.cpu import cpu_identity
from kittentts.optimize.native_selftest import is_native_exact
from kittentts.optimize.selftest import LARGEST_PAIR, is_exact
from kittentts.runtime.native_library import native_library

if TYPE_CHECKING:
    from pathlib import Path

logger = logging.getLogger(__name__)

RULES = 1
"""The version of the rule set: a graph made by another one is made anew."""
RECORD_FILE = "optimized.json"
MODEL_FILE = "optimized.onnx"
STANDARD_RECORD_FILE = "optimized-standard.json"
STANDARD_MODEL_FILE = "optimized-standard.onnx"
"""Beside a graph that needs kittentts-native: the fastest one that does not."""
ORIGINAL = "original"
NATIVE = "native"


@dataclass(frozen=True)
class Record:
    """How the best variant of a graph was found."""

    source: str
    """SHA-1 of the original ONNX file."""
    variant: str
    """"native", "signed", "unsigned", "float"; or "original": no other was verified and faster."""
    file: str
    """SHA-1 of the optimized file; "" for the original."""
    largest_pair: int
    """What `selftest.is_exact` must hold for."""
    rules: int
    onnxruntime: str
    """Version."""
    cpu: str
    thorough: bool
    """Whether all variants were tried; else those up to the first that was verified and faster."""
    seconds: dict[str, float]
    """Variant -> what the probes took, single-threaded, when it was made."""
    native: str = ""
    """The version of kittentts-native that the graph needs; "" for none."""


def read_record(folder: Path, name: str = RECORD_FILE) -> Record | None:
    """Return a record in a folder; None where there is none, or it is damaged."""
    file = folder / name
    if not file.is_file():
        return None
    try:
        record = Record(**json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError) as error:
        logger.warning("%s cannot be read (%s)", file, error)
        return None
    return record if isinstance(record.largest_pair, int) and 0 <= record.largest_pair <= LARGEST_PAIR else None


def write_record(record: Record, folder: Path, name: str = RECORD_FILE) -> None:
    """Write it."""
    (folder / name).write_text(json.dumps(dataclasses.asdict(record), indent=2), encoding="utf-8")


def usable_file(folder: Path, original: Path, *, thorough: bool = False) -> Path | None:
    """Return which file to open: the folder's optimized one, or the original where this CPU or the record says so.

    None where the folder has no undamaged graph that was made of this original by these rules, `thorough`ly if that is
    asked for; nor where it has only one that needs another kittentts-native than there is. The hashes tell damage, not
    intent: whoever can write to the folder decides what is spoken.
    """
    files = (RECORD_FILE, MODEL_FILE), (STANDARD_RECORD_FILE, STANDARD_MODEL_FILE)
    found = (_usable_file(folder, *names, original, thorough=thorough) for names in files)
    return next((file for file in found if file is not None), None)


def _usable_file(folder: Path, record_name: str, model_name: str, original: Path, *, thorough: bool) -> Path | None:
    record = read_record(folder, record_name)
    if record is None or (record.source, record.rules) != (sha1(original), RULES) or (thorough and not record.thorough):
        return None
    if record.variant == ORIGINAL:
        return original
    file = folder / model_name
    if not file.is_file() or sha1(file) != record.file:
        logger.warning("%s is damaged", file)
        return None
    if record.native and not _has_native(record, file):
        return None
    if not is_exact(record.largest_pair):
        logger.info("this CPU does not multiply 8-bit integers as %s needs it; the original graph is used", file)
        return original
    return file


def _has_native(record: Record, file: Path) -> bool:
    """Whether the library is there in the graph's version, with the ONNX Runtime it was made for, and is right."""
    version = record.native
    library = native_library()
    if library is None or library.version != version:
        there = f"{library.version} is there" if library else "there is none that can be used"
        logger.info("%s needs kittentts-native %s, and %s; another graph is used", file, version, there)
        return False
    installed = import_onnxruntime().__version__
    if record.onnxruntime != installed:
        # another one fuses other nodes of the original, and may round differently in those that are left
        made = record.onnxruntime
        logger.info("%s was made with ONNX Runtime %s, and %s is there; another graph is used", file, made, installed)
        return False
    if not is_native_exact():
        logger.warning("kittentts-native fails its self-test here; another graph than %s is used", file)
        return False
    return True


def cache_key(original: Path) -> str:
    """Return the name of a graph's folder in the cache."""
    parts = [sha1(original), str(RULES), import_onnxruntime().__version__, cpu_identity()]
    library = native_library()
    if library is not None:
        parts += [library.version, library.kernel]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
