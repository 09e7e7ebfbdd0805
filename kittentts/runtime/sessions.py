"""The ONNX Runtime sessions of this process: who shares them, and who runs in them when."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import itertools
import os
import threading
import time
import weakref
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from kittentts.errors import SettingError, StoppedError
from kittentts.runtime import onnx_graph
from kittentts.runtime.resources import available_memory, run_bytes
from kittentts.runtime.slots import Slots

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from kittentts.runtime.cancellation import Cancellation
    from kittentts.runtime.chunks import ModelInput

# How many sessions that travelling models have opened stay open when nobody holds them, for the next task.
_KEPT = 2
# How long the program's end waits for runs that it has stopped, which takes some 15 ms.
_LAST_SECONDS = 5.0

# These locks are re-entrant, so that a signal handler may use a model whose method it has interrupted.
_lock = threading.RLock()
_shared: weakref.WeakValueDictionary[tuple[Any, ...], SharedSessions] = weakref.WeakValueDictionary()
_kept: deque[SharedSessions] = deque(maxlen=_KEPT)
_handles: weakref.WeakSet[SessionHandle] = weakref.WeakSet()
_hooks = itertools.count()


class Cores(NamedTuple):
    """How much of the machine a graph uses."""

    runs: int
    """Runs at a time, over all callers."""
    threads: int
    """Intra-op threads of a multi-threaded run."""


class SessionHandle:
    """A model's access to its graph, whose sessions it shares with the models that opened the same file alike.

    Thread-safe. `close` ends it for this model only. In a forked child the graph is opened anew on first use.

    Args:
        path, backend: as for `onnx_graph.open_session`, and so are the errors.
        cores: how much to use.

    Attributes:
        token_input, waveform_output, duration_output: the graph's names of them; None for durations that it lacks.
    """

    def __init__(self, path: str | os.PathLike[str], backend: str | None, cores: Cores) -> None:
        _set_hooks()
        self._assigned: Any = None
        self._lock = threading.RLock()
        self._calls: weakref.WeakSet[Cancellation] = weakref.WeakSet()
        self._shared: SharedSessions | None = _shared_sessions(path, backend, cores)
        session = self._shared.multi_threaded()
        self.token_input = onnx_graph.token_input(session)
        self.waveform_output = onnx_graph.waveform_output(session)
        self.duration_output = onnx_graph.duration_output(session)
        with _lock:
            _handles.add(self)

    def after_fork(self) -> None:
        """Start afresh in the child."""
        _leak(self._assigned)
        self._assigned = None
        self._lock = threading.RLock()
        self._calls = weakref.WeakSet()

    @property
    def slots(self) -> Slots:
        """Where the runs of all models with these sessions wait for one another."""
        return self._open().slots

    @property
    def session(self) -> Any:
        """The session whose runs use all cores; one that is assigned is used for all runs of this model."""
        return self._assigned or self._open().multi_threaded()

    @session.setter
    def session(self, session: Any) -> None:
        self._assigned = session

    def keep(self) -> None:
        """Let the sessions stay open after this model: where models travel, the next that needs them comes soon."""
        shared = self._open()
        with _lock:
            if shared in _kept:
                _kept.remove(shared)
            _kept.append(shared)

    def register(self, call: Cancellation, *, seed: int | None = None) -> None:
        """Let `close` stop a call, and check that it can run.

        Raises:
            StoppedError: this handle is closed.
            SettingError: a seed is needed, and the session is one that was assigned.
        """
        with self._lock:
            shared = self._open()
            self._calls.add(call)
        if seed is not None and self._assigned and shared.is_random():
            raise SettingError("seed= cannot seed a session that was assigned to the model; leave one of them out")

    @contextlib.contextmanager
    def take(
        self, model_input: ModelInput, call: Cancellation, *, single_threaded: bool, seed: int | None = None
    ) -> Iterator[Any]:
        """Wait for a slot and hold it; yield the session for one run.

        Args:
            model_input: what is to run.
            call: ends the waiting.
            single_threaded: for a run on one core; else, or where memory is short of a second run beside it, on all.
            seed: of the graph's random nodes, if it has any; each run has a session of its own then.

        Raises:
            StoppedError: this handle is closed, or the call is stopped.
        """
        memory = run_bytes(model_input.token_ids.size / float(model_input.speed[0]), self._open().file_bytes)
        with self.slots.take(lambda: call.is_stopped, memory) as has_company, call.run():
            if call.is_stopped:
                raise StoppedError("nobody wants this chunk any more")
            yield self._session_of_a_run(single_threaded=single_threaded and has_company, seed=seed)

    def run(
        self,
        model_input: ModelInput,
        call: Cancellation,
        *,
        with_durations: bool,
        seed: int | None,
        single_threaded: bool,
        release_memory: bool,
    ) -> tuple[NDArray[np.float32], NDArray[np.int64] | None]:
        """Run a chunk in the graph as `take` says; return its waveform and, if wanted and known, its durations."""
        with self.take(model_input, call, single_threaded=single_threaded, seed=seed) as session:
            return onnx_graph.run(
                session,
                {self.token_input: model_input.token_ids, "style": model_input.style, "speed": model_input.speed},
                self.waveform_output,
                self.duration_output if with_durations else None,
                call.run_options(release_memory=release_memory),
            )

    def _session_of_a_run(self, *, single_threaded: bool, seed: int | None) -> Any:
        if self._assigned:
            return self._assigned
        shared = self._open()
        if seed is not None and shared.is_random():
            return shared.seeded(seed, single_threaded=single_threaded)
        return shared.single_threaded() if single_threaded else shared.multi_threaded()

    def stop_abandoned(self) -> list[Cancellation]:
        """Stop the calls that nobody waits for when the main thread is done; return them."""
        with self._lock:
            abandoned = [call for call in self._calls if call.is_abandoned]
        for call in abandoned:
            call.stop()
        return abandoned

    def close(self) -> None:
        """Stop all calls and let go of the graph; may be called again, and in a signal handler."""
        with self._lock:
            self._shared = self._assigned = None
            calls = list(self._calls)
        for call in calls:
            call.stop()

    def _open(self) -> SharedSessions:
        shared = self._shared
        if shared is None:
            raise StoppedError("the model is closed; open it again with KittenTTS(...)")
        return shared


class SharedSessions:
    """Two sessions of one graph, each opened on first use: a multi-threaded and a single-threaded one. Thread-safe.

    Python lets go of it when no model holds it.
    """

    def __init__(self, path: Path, backend: str | None, cores: Cores, file_bytes: int) -> None:
        self.path = path
        self.file_bytes = file_bytes
        self._backend = backend
        self._cores = cores
        self._is_random: bool | None = None
        self._start()

    def _start(self) -> None:
        self._lock = threading.RLock()
        self._multi_threaded: Any = None
        self._single_threaded: Any = None
        self.slots = Slots(self._cores.runs, available_memory)

    def after_fork(self) -> None:
        """Start afresh in the child."""
        _leak(self._multi_threaded)
        _leak(self._single_threaded)
        self._start()

    def multi_threaded(self) -> Any:
        """Return the session whose runs use all cores."""
        with self._lock:
            if self._multi_threaded is None:
                self._multi_threaded = onnx_graph.open_session(self.path, self._backend, threads=self._cores.threads)
            return self._multi_threaded

    def single_threaded(self) -> Any:
        """Return the session whose runs use one core each; on another device than the CPU there is only the other."""
        if not onnx_graph.is_cpu(self._backend) or self._cores.threads == 1:
            return self.multi_threaded()
        with self._lock:
            if self._single_threaded is None:
                self._single_threaded = onnx_graph.open_session(self.path, self._backend, threads=1)
            return self._single_threaded

    def seeded(self, seed: int, *, single_threaded: bool) -> Any:
        """Return a new session for a single run, whose random nodes begin with this seed."""
        threads = 1 if single_threaded else self._cores.threads
        return onnx_graph.open_session(self.path, self._backend, threads=threads, seed=seed)

    def is_random(self) -> bool:
        """Whether the graph has random nodes."""
        if self._is_random is None:
            self._is_random = onnx_graph.has_random_nodes(self.path)
        return self._is_random


def _shared_sessions(path: str | os.PathLike[str], backend: str | None, cores: Cores) -> SharedSessions:
    """Return the process's sessions of a file; a file that was replaced is another one."""
    path = Path(path)
    try:
        status = path.stat()
        version = status.st_size, status.st_mtime_ns, status.st_ino
    except OSError:
        version = 0, 0, 0  # opening it will say why
    key = os.path.realpath(path), version, backend, cores
    with _lock:
        found = _shared.get(key)
        if found is None:
            found = _shared[key] = SharedSessions(path, backend, cores, file_bytes=version[0])
    return found


def _set_hooks() -> None:
    """Once a process, when the first model is opened."""
    # `next()` on `itertools.count` is atomic, so exactly one thread registers the hooks
    if next(_hooks) == 0:
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=_after_fork)
        # The hooks of `concurrent.futures`, which wait at the program's end for the executors' threads, are called
        # through the same list, last in, first out: they must be there before ours. phonemizer imports `process`, too,
        # which would be refused once the program ends.
        import concurrent.futures.process
        import concurrent.futures.thread  # noqa: F401

        getattr(threading, "_register_atexit", atexit.register)(_at_exit)
        # A plain `atexit` function is called when all threads are done, for what they have begun and left since.
        atexit.register(_at_exit)


def _leak(session: Any) -> None:
    """Never let go of a session of the parent's: to close it is to wait for threads that the child does not have."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(session))


def _after_fork() -> None:
    global _lock  # noqa: PLW0603
    _lock = threading.RLock()
    onnx_graph.session_creation_lock = threading.Lock()
    for shared in list(_shared.values()):
        shared.after_fork()
    for handle in list(_handles):
        handle.after_fork()


def _at_exit() -> None:
    """Stop the calls that nobody waits for, so that the program ends; when the main thread is done, and all others."""
    with _lock:
        handles = list(_handles)
    stopped = [call for handle in handles for call in handle.stop_abandoned()]
    deadline = time.monotonic() + _LAST_SECONDS
    # ONNX Runtime must not be taken down under a run
    while any(call.is_running for call in stopped) and time.monotonic() < deadline:
        time.sleep(0.002)
