"""The open graphs of this process: their ONNX Runtime sessions, who shares them, and who runs in them when."""

from __future__ import annotations

import atexit
import itertools
import os
import threading
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from kittentts.errors import SettingError, StoppedError
from kittentts.runtime import onnx_graph
from kittentts.runtime.resources import available_memory
from kittentts.synthesis.parallel import Slots

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from kittentts.runtime.call import Call

# How long a graph that is kept stays open when nobody holds it, at least; at most it is twice as long.
_KEEP_SECONDS = 60.0

_lock = threading.Lock()
_graphs: weakref.WeakValueDictionary[tuple[Any, ...], OpenGraph] = weakref.WeakValueDictionary()
_all: weakref.WeakSet[Sessions] = weakref.WeakSet()
_hooks = itertools.count()
# the parent's sessions in a forked child: to close them would be to wait for threads that are gone
_lost: list[Any] = []


class Cores(NamedTuple):
    """How much of the machine a graph uses."""

    runs: int
    """Runs at a time, over all threads."""
    threads: int
    """Intra-op threads of a run that has all cores."""


class Sessions:
    """A model's way into its graph, which it shares with the models that opened the same file in the same way.

    Thread-safe. `close` ends it for this model only. In a forked child the graph is opened anew on first use.

    Args:
        path, backend: as for `onnx_graph.open_session`, and so are the errors.
        cores: how much to use.
    """

    def __init__(self, path: str | os.PathLike[str], backend: str | None, cores: Cores) -> None:
        _set_hooks()
        self._replaced: Any = None
        self._reset()
        self._graph: OpenGraph | None = _graph(path, backend, cores, self)
        self.slots = self._graph.slots
        session = self._graph.all_cores()
        self.token_input = onnx_graph.token_input(session)
        self._waveform = onnx_graph.waveform_output(session)
        self._durations = onnx_graph.duration_output(session)
        _all.add(self)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._calls: weakref.WeakSet[Call] = weakref.WeakSet()

    def after_fork(self) -> None:
        """Start afresh in the child."""
        _lost.append(self._replaced)
        self._replaced = None
        self._reset()

    def all_cores(self) -> Any:
        """Return the session whose runs use all cores."""
        return self._replaced or self._open_graph().all_cores()

    def one_core(self) -> Any:
        """Return the session whose runs use one core each."""
        return self._replaced or self._open_graph().one_core()

    def replace(self, session: Any) -> None:
        """Let all runs of this model use a session of the user's."""
        self._replaced = session

    def keep(self) -> None:
        """Let the graph stay open for a minute when this model is gone: where models travel, the next comes soon."""
        self._open_graph().keep()

    def begin(self, call: Call) -> None:
        """Let `close` stop a call."""
        with self._lock:
            self._open_graph()
            self._calls.add(call)

    def run(
        self,
        inputs: Mapping[str, NDArray[Any]],
        call: Call,
        *,
        memory: float,
        one_core: bool,
        shrink: bool,
        timed: bool = False,
        seed: int | None = None,
    ) -> tuple[NDArray[np.float32], NDArray[np.int64] | None]:
        """Run the graph once, as soon as there is a slot; returns what `onnx_graph.run` does.

        Args:
            inputs: of the graph.
            call: stops it.
            memory: bytes that it takes, and waits for.
            one_core: run on one core; else on all.
            shrink: give the memory of the session back afterwards.
            timed: the durations are wanted, if the graph tells them.
            seed: of the graph's random nodes, if it has any; each run has a session of its own then.

        Raises:
            SettingError: a seed is needed, and the session is one of the user's.
        """
        with self.slots.take(call.is_stopped, memory):
            if seed is not None and self._open_graph().is_random():
                if self._replaced:
                    raise SettingError(
                        "seed= cannot seed a session that was assigned to the model; leave one of them out"
                    )
                session = self._open_graph().seeded(seed, one_core=one_core)
            else:
                session = self.one_core() if one_core else self.all_cores()
            durations = self._durations if timed else None
            return onnx_graph.run(session, inputs, self._waveform, durations, call.options(shrink=shrink))

    def stop_daemons(self) -> None:
        """Stop the calls of daemon threads, which must not hold up the end of the program."""
        for call in list(self._calls):
            if call.is_daemon:
                call.stop()

    def close(self) -> None:
        """Stop all calls and let go of the graph; may be called again."""
        with self._lock:
            if self._graph is not None:
                self._graph.users.discard(self)
            self._graph = self._replaced = None
            calls = list(self._calls)
        for call in calls:
            call.stop()

    def _open_graph(self) -> OpenGraph:
        found = self._graph
        if found is None:
            raise StoppedError("the model is closed; open it again with KittenTTS(...)")
        return found


class OpenGraph:
    """Two sessions of one graph, each made on first use: one whose runs use all cores, one for a core a run.

    Thread-safe. Python lets go of it when no model holds it.
    """

    def __init__(self, path: str | os.PathLike[str], backend: str | None, cores: Cores) -> None:
        self._path = path
        self._backend = backend
        self._threads = cores.threads
        self._all_cores: Any = None
        self._one_core: Any = None
        self._is_random: bool | None = None
        self._lock = threading.Lock()
        self.slots = Slots(cores.runs, available_memory)
        self.users: weakref.WeakSet[Sessions] = weakref.WeakSet()
        self._was_used = False
        self._is_kept = False

    def after_fork(self) -> None:
        """Start afresh in the child."""
        _lost.extend([self._all_cores, self._one_core])
        self._all_cores = self._one_core = None
        self._lock = threading.Lock()
        self.slots.reset()
        # the thread that kept it is gone
        self._is_kept = False

    def all_cores(self) -> Any:
        """Return the session whose runs use all cores."""
        with self._lock:
            if self._all_cores is None:
                self._all_cores = onnx_graph.open_session(self._path, self._backend, threads=self._threads)
            return self._all_cores

    def one_core(self) -> Any:
        """Return the session whose runs use one core each; on another device than the CPU there is only the other."""
        if not onnx_graph.is_cpu(self._backend) or self._threads == 1:
            return self.all_cores()
        with self._lock:
            if self._one_core is None:
                self._one_core = onnx_graph.open_session(self._path, self._backend, threads=1)
            return self._one_core

    def is_random(self) -> bool:
        """Whether the graph has random nodes."""
        with self._lock:
            if self._is_random is None:
                self._is_random = onnx_graph.has_random_nodes(self._path)
            return self._is_random

    def seeded(self, seed: int, *, one_core: bool) -> Any:
        """Return a new session for a single run, whose random nodes begin with this seed."""
        return onnx_graph.open_session(self._path, self._backend, threads=1 if one_core else self._threads, seed=seed)

    def keep(self) -> None:
        """Stay open until nobody has used it for `_KEEP_SECONDS`."""
        with self._lock:
            self._was_used = True
            if not self._is_kept:
                self._is_kept = True
                threading.Thread(target=self._linger, name="kittentts-keep", daemon=True).start()

    def _linger(self) -> None:
        while True:
            time.sleep(_KEEP_SECONDS)
            with self._lock:
                if not self._was_used and not self.users:
                    self._is_kept = False
                    return
                self._was_used = False


def _graph(path: str | os.PathLike[str], backend: str | None, cores: Cores, user: Sessions) -> OpenGraph:
    """Return the process's graph of a file; a file that was replaced is another one."""
    try:
        status = Path(path).stat()
        version: tuple[int, ...] = status.st_mtime_ns, status.st_size, status.st_ino
    except OSError:
        version = ()  # opening it will say why
    key = os.path.realpath(path), version, backend, cores
    with _lock:
        found = _graphs.get(key)
        if found is None:
            found = _graphs[key] = OpenGraph(path, backend, cores)
        found.users.add(user)
    return found


def _set_hooks() -> None:
    """Once a process, when the first model is opened."""
    # the count gives the 0 to one thread only
    if next(_hooks) == 0:
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=onnx_graph.session_creation_lock.acquire,
                after_in_parent=onnx_graph.session_creation_lock.release,
                after_in_child=_after_fork,
            )
        # Imported now, because phonemizer imports it on first use, and its own hook is refused once the program ends.
        import concurrent.futures.process  # noqa: F401

        # concurrent.futures waits at the end of the program for its threads, through this same hook, which is called
        # before it; a plain atexit function would be called after it, when all is spoken.
        getattr(threading, "_register_atexit", atexit.register)(_at_exit)


def _after_fork() -> None:
    global _lock  # noqa: PLW0603
    onnx_graph.session_creation_lock.release()
    _lock = threading.Lock()
    for found in list(_graphs.values()):
        found.after_fork()
    for sessions in list(_all):
        sessions.after_fork()


def _at_exit() -> None:
    for sessions in list(_all):
        sessions.stop_daemons()
