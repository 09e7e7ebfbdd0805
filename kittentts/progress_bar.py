"""A progress bar on stderr. Imports tqdm only when there is one."""

from __future__ import annotations

from typing import Any


def open_bar(**options: Any) -> Any:
    """Return a `tqdm` bar without the monitor thread that tqdm starts with its first bar and never ends."""
    from tqdm import tqdm

    class Bar(tqdm):  # type: ignore[misc]
        monitor_interval = 0

    return Bar(**options)
