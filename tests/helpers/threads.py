"""Which threads a test has left behind; those of earlier tests do not count."""

import threading
import time

_before = set()


def remember():
    """Called before each test."""
    _before.clear()
    _before.update(threading.enumerate())


def left_behind(seconds=10):
    """Return the threads that the test has started and that still run; those that end soon are waited for."""
    deadline = time.monotonic() + seconds
    while (found := [thread for thread in threading.enumerate() if thread not in _before]) and (
        time.monotonic() < deadline
    ):
        time.sleep(0.001)
    return found
