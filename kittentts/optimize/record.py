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
from kittentts.optimize.selftest import LARGEST_PAIR, is_exact

if TYPE_CHECKING:
    from pathlib import Path

logger = logging.getLogger(__name__)

RULES = 1
"""The version of the rule set: a graph made by another one is made anew."""
RECORD_FILE = "optimized.json"
MODEL_FILE = "optimized.onnx"
ORIGINAL = "original"


@dataclass(frozen=True)
class Record:
    """How the best variant of a graph was found."""

    source: str
    """SHA-1 of the original ONNX file."""
    variant: str
    """"signed", "unsigned", "float"; or "original": no other was verified and faster."""
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


def read_record(folder: Path) -> Record | None:
    """Return the record in a folder; None where there is none, or it is damaged."""
    file = folder / RECORD_FILE
    if not file.is_file():
        return None
    try:
        record = Record(**json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError) as error:
        logger.warning("%s cannot be read (%s)", file, error)
        return None
    return record if isinstance(record.largest_pair, int) and 0 <= record.largest_pair <= LARGEST_PAIR else None


def write_record(record: Record, folder: Path) -> None:
    """Write it."""
    (folder / RECORD_FILE).write_text(json.dumps(dataclasses.asdict(record), indent=2), encoding="utf-8")


def usable_file(folder: Path, original: Path, *, thorough: bool = False) -> Path | None:
    """Return which file to open: the folder's optimized one, or the original where this CPU or the record says so.

    None where the folder has no undamaged graph that was made of this original by these rules, `thorough`ly if that is
    asked for. The hashes tell damage, not intent: whoever can write to the folder decides what is spoken.
    """
    record = read_record(folder)
    if record is None or (record.source, record.rules) != (sha1(original), RULES):
        return None
    if thorough and not record.thorough:
        return None
    if record.variant == ORIGINAL:
        return original
    file = folder / MODEL_FILE
    if not file.is_file() or sha1(file) != record.file:
        logger.warning("%s is damaged", file)
        return None
    if not is_exact(record.largest_pair):
        logger.info("this CPU does not multiply 8-bit integers as %s needs it; the original graph is used", file)
        return original
    return file


def cache_key(original: Path) -> str:
    """Return the name of a graph's folder in the cache."""
    parts = sha1(original), str(RULES), import_onnxruntime().__version__, cpu_identity()
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
