"""What this process may use of the machine: cores and memory."""

from __future__ import annotations

import contextlib
import os
import warnings
from pathlib import Path


def usable_cores() -> int:
    """Return the physical cores that affinity and container quotas leave to this process, at least 1."""
    import joblib

    with warnings.catch_warnings():
        # where it cannot tell physical cores from logical ones it says so, and counts the logical ones
        warnings.simplefilter("ignore")
        return int(joblib.cpu_count(only_physical_cores=True))


def threads_for_one_run() -> int:
    """Return how many threads a run that has the machine for itself should have; 0 leaves it to ONNX Runtime.

    ONNX Runtime has a thread for each physical core of the machine and binds it to this core, whatever affinity and
    quotas say: measured, `taskset -c 0` then keeps two cores busy.
    """
    import joblib

    return usable_cores() if joblib.cpu_count() < (os.cpu_count() or 1) else 0


def available_memory() -> int | None:
    """Return the bytes that this process can still use, container limits included; None where that is not known."""
    known = [bytes_ for bytes_ in (_machine_memory(), *_container_memory()) if bytes_ is not None]
    return max(0, min(known)) if known else None


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
