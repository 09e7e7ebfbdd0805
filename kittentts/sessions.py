"""The open graph of one model: its ONNX Runtime sessions, and who runs in them when."""

from __future__ import annotations

import atexit
import itertools
import os
import threading
import weakref
from typing import TYPE_CHECKING, Any

from kittentts import graph
from kittentts.errors import StoppedError
from kittentts.parallel import Slots
from kittentts.resources import available_memory, threads_for_one_run

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from kittentts.call import Call

_open: weakref.WeakSet[Sessions] = weakref.WeakSet()
_hooks = itertools.count()


class Sessions:
    """Two sessions of one graph: one whose runs use all cores, and, made on first use, one for a core a run.

    Thread-safe. In a forked child, where ONNX Runtime's threads are gone, both are opened anew on first use.

    Args:
        path, backend: as for `graph.open_session`, and so are the errors.
        workers: how many runs at a time, over all threads.
    """

    def __init__(self, path: str | os.PathLike[str], backend: str | None, workers: int) -> None:
        self._path = path
        self._backend = backend
        self._workers = workers
        self._lost: list[Any] = []
        self._closed = False
        self._all_cores: Any
        self._one_core: Any
        self._reset()
        self._all_cores = graph.open_session(path, backend, threads=threads_for_one_run())
        self.token_input = graph.token_input(self._all_cores)
        self._output = graph.waveform_output(self._all_cores)
        _open.add(self)
        _set_hooks()

    def _reset(self) -> None:
        self._all_cores = self._one_core = None
        self._lock = threading.Lock()
        self._calls: weakref.WeakSet[Call] = weakref.WeakSet()
        self.slots = Slots(self._workers, available_memory)

    def after_fork(self) -> None:
        """Start afresh in the child; the parent's sessions are kept, for closing them would wait for lost threads."""
        self._lost += [self._all_cores, self._one_core]
        self._reset()

    def all_cores(self) -> Any:
        """Return the session whose runs use all cores."""
        with self._lock:
            self._check_open()
            if self._all_cores is None:
                self._all_cores = graph.open_session(self._path, self._backend, threads=threads_for_one_run())
            return self._all_cores

    def one_core(self) -> Any:
        """Return the session whose runs use one core each; on another device than the CPU there is only the other."""
        if self._backend not in (None, "cpu"):
            return self.all_cores()
        with self._lock:
            self._check_open()
            if self._one_core is None:
                self._one_core = graph.open_session(self._path, self._backend, threads=1)
            return self._one_core

    def replace(self, session: Any) -> None:
        """Let all runs use a session of the user's."""
        with self._lock:
            self._all_cores = self._one_core = session

    def begin(self, call: Call) -> None:
        """Let `close` stop a call."""
        with self._lock:
            self._check_open()
            self._calls.add(call)

    def run(
        self, inputs: Mapping[str, NDArray[Any]], call: Call, *, memory: float, one_core: bool, shrink: bool
    ) -> NDArray[np.float32]:
        """Run the graph once, as soon as there is a slot, and so many bytes of memory; see `graph.run`."""
        with self.slots.take(call.is_stopped, memory):
            session = self.one_core() if one_core else self.all_cores()
            return graph.run(session, inputs, self._output, call.options(shrink=shrink))

    def stop_daemons(self) -> None:
        """Stop the calls of daemon threads, which must not hold up the end of the program."""
        for call in list(self._calls):
            if call.is_daemon:
                call.stop()

    def close(self) -> None:
        """Stop all calls and let go of the sessions; may be called again."""
        with self._lock:
            self._closed = True
            self._all_cores = self._one_core = None
            calls = list(self._calls)
        for call in calls:
            call.stop()

    def _check_open(self) -> None:
        if self._closed:
            raise StoppedError("the model is closed; open it again with KittenTTS(...)")


def _set_hooks() -> None:
    """Once a process, when the first model is opened."""
    # the count gives the 0 to one thread only
    if next(_hooks) == 0:
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=_after_fork)
        # Imported now, because phonemizer imports it on first use, and its own hook is refused once the program ends.
        import concurrent.futures.process  # noqa: F401

        # concurrent.futures waits at the end of the program for its threads, through this same hook, which is called
        # before it; a plain atexit function would be called after it, when all is spoken.
        getattr(threading, "_register_atexit", atexit.register)(_at_exit)


def _after_fork() -> None:
    for sessions in list(_open):
        sessions.after_fork()


def _at_exit() -> None:
    for sessions in list(_open):
        sessions.stop_daemons()
