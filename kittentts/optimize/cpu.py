"""Which CPU this is, as far as it decides what is fast and exact on it."""

from __future__ import annotations

import contextlib
import functools
import platform
from pathlib import Path

# what /proc/cpuinfo calls it on x86 and on ARM
_FIELDS = {"model name", "flags", "CPU implementer", "CPU part", "Features"}


@functools.cache
def cpu_identity() -> str:
    """Return the CPU's model and features in one line; equal lines mean that the same graph is best."""
    lines = {platform.machine(), platform.processor()}
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            field, _, value = line.partition(":")
            if field.strip() in _FIELDS:
                # the kernel may list features in another order
                lines.add(" ".join(sorted(value.split())))
    return " | ".join(sorted(filter(None, lines)))
