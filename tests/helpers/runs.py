"""How many runs of a model take place, or wait, in ONNX Runtime now."""

import time


def wait_until(model, *, running=0, waiting=0):
    """Wait until so many runs of a model (or more) hold a slot, and so many wait for one."""
    slots = model.model._sessions.slots
    deadline = time.monotonic() + 60
    while slots.taken < running or slots.waiting < waiting:
        assert time.monotonic() < deadline, (slots.taken, slots.waiting)
        time.sleep(0.001)
