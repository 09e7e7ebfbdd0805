"""What this process may use of the machine: cores and memory."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import warnings
from pathlib import Path

logger = logging.getLogger(__name__)

# The memory of one run, measured with the demo voice (82M parameters, the largest of the family) at speed 1.0 in a
# session with ONNX Runtime's defaults: 20 characters 40 MB, 100 160 MB, 400 650 MB. Raised so that the peak of two of
# 400 characters at a time in ours, 1,642 MiB in all, stays below it.
_RUN_BYTES = 60e6
_CHARACTER_BYTES = 1.8e6
# The size of that voice's ONNX file. A smaller graph takes less, but not in proportion: its tensors are as long as the
# audio, and only less wide. Width goes with the square root of the number of weights.
_FILE_BYTES = 92e6


def usable_cores() -> int:
    """Return the physical cores that affinity and container quotas leave to this process, at least 1."""
    import joblib

    with warnings.catch_warnings():
        # where it cannot tell physical cores from logical ones it says so, and counts the logical ones
        warnings.simplefilter("ignore")
        return int(joblib.cpu_count(only_physical_cores=True))


def cores_of_a_call() -> int:
    """Return how many of the usable cores one call of a user may keep busy.

    That is `OMP_NUM_THREADS`, where it is set to less than all: what joblib, Dask, Ray and Spark tell a worker process
    so that the workers of a machine together do not have more threads than it has cores.
    """
    cores = usable_cores()
    told = os.environ.get("OMP_NUM_THREADS", "").strip()
    # OpenMP also takes a list, of which the first number is for the outermost level
    first = told.partition(",")[0].strip()
    if first.isdecimal() and int(first) > 0:
        return min(cores, int(first))
    if told:
        logger.warning("OMP_NUM_THREADS=%r is ignored: it is no whole number above 0", told)
    return cores


def available_memory() -> int | None:
    """Return the bytes that this process can still use, container limits included; None where that is not known."""
    known = [bytes_ for bytes_ in (_machine_memory(), *_container_memory()) if bytes_ is not None]
    return max(0, min(known)) if known else None


def run_bytes(characters: float, file_bytes: int) -> float:
    """Return how much memory one run takes, at most.

    Args:
        characters: of the chunk (or tokens: about as many) at speed 1.0; at half the speed there are twice as many
            samples.
        file_bytes: the size of the ONNX file.
    """
    return (_RUN_BYTES + _CHARACTER_BYTES * characters) * min(1.0, math.sqrt(file_bytes / _FILE_BYTES))


def _machine_memory() -> int | None:
    with contextlib.suppress(OSError):
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return None


def _container_memory(own: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")) -> list[int | None]:
    """Return what the limits of this process's cgroups (v2 and v1), and of those around them, leave."""
    left = []
    with contextlib.suppress(OSError):
        for line in own.read_text(encoding="utf-8").splitlines():
            _, controllers, path = line.split(":", 2)
            inner = Path(path.lstrip("/"))
            for group in (inner, *inner.parents):
                if controllers == "":
                    left.append(_left(root / group, "memory.max", "memory.current", "inactive_file"))
                elif "memory" in controllers.split(","):
                    names = "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
                    left.append(_left(root / "memory" / group, *names))
    return left


def _left(group: Path, limit: str, used: str, reclaimable: str) -> int | None:
    """Return what a cgroup's limit leaves; the page cache, which counts as used, can be given back."""
    try:
        statistics = dict(line.split() for line in (group / "memory.stat").read_text(encoding="ascii").splitlines())
        return int((group / limit).read_text()) - int((group / used).read_text()) + int(statistics[reclaimable])
    except (OSError, ValueError, KeyError):
        return None  # no such group, or "max": no limit
