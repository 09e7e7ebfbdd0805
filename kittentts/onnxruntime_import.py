"""The one place where ONNX Runtime is imported."""

from __future__ import annotations

import os
import sys
from typing import Any


def import_onnxruntime() -> Any:
    """Return the module `onnxruntime`, imported with its telemetry off.

    Its newer versions (1.27 does not, 1.29 does) write a device id under the user's cache when they are imported, and
    report the device and the sessions to its maker. The environment variable prevents that if it is set before the
    import; `onnxruntime.disable_telemetry_events()` comes too late. A value that the user has set is kept. Where the
    program has imported onnxruntime before us, nothing is changed.

    Raises:
        ImportError: onnxruntime is not installed, or cannot be loaded.
    """
    if "onnxruntime" not in sys.modules:
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    return onnxruntime
