"""Which threads a test has left behind; those of earlier tests do not count."""

import threading

_before = set()


def remember():
    """Called before each test."""
    _before.clear()
    _before.update(threading.enumerate())


def new():
    """Return the threads that the test has started and that still run."""
    return [thread for thread in threading.enumerate() if thread not in _before]
