"""Forked children, in a test's process or in one that it has started."""

import os
import traceback


def in_child(check):
    """Return whether `check()` is true in a forked child, which then ends at once, without the hooks of an exit."""
    child = os.fork()
    if child == 0:
        passed = False
        try:
            passed = check()
        except BaseException:  # noqa: BLE001 (the child must not go on as a second parent)
            traceback.print_exc()
        os._exit(0 if passed else 1)
    return os.waitpid(child, 0)[1] == 0
