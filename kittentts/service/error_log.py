"""A failed request in the log; what was to be spoken stays out of it, unless the operator wants it there."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path

logger = logging.getLogger(__name__)


def log_error(error: Exception, *, log_text: bool) -> None:
    """Log an error; without `log_text` only its class and place, because messages may quote what was to be spoken."""
    name = type(error).__name__
    if log_text:
        logger.error("a request failed: %s: %s", name, error, exc_info=error)
    else:
        place = traceback.extract_tb(error.__traceback__)[-1]
        logger.error(
            "a request failed: %s at %s:%d (--log-text shows more)", name, Path(place.filename).name, place.lineno
        )
