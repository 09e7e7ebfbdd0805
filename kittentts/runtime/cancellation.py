"""What stops the runs of one call: an event of the caller's, a closed generator or model, the end of the program."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import TYPE_CHECKING, Any

from kittentts.errors import SettingError, StoppedError
from kittentts.runtime import onnx_graph

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Iterator


class TaskEvent:
    """The `cancel=` of a call that an asyncio task waits for: is set by the task, or when its loop is closed."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self._is_set = False
        self.loop_thread = threading.current_thread()
        """The thread that runs the loop; the call's own waits for chunks only."""

    def set(self) -> None:
        """End the call."""
        self._is_set = True

    def is_set(self) -> bool:
        """Whether the call is to end."""
        return self._is_set or self._loop.is_closed()


class Cancellation:
    """Stops the runs of one call together.

    Args:
        cancel: a `threading.Event`, a `TaskEvent`, or anything with its `is_set`; None is no such event.

    Raises:
        SettingError: `cancel` is something else.

    Attributes:
        is_stopped: whether `stop` was called.
    """

    def __init__(self, cancel: threading.Event | TaskEvent | None) -> None:
        if cancel is not None and not callable(getattr(cancel, "is_set", None)):
            raise SettingError(f"cancel={cancel!r} has no is_set(); a threading.Event is needed")
        self._cancel = cancel
        self._options = onnx_graph.run_options()
        self._releasing = onnx_graph.run_options(shrink=True)
        self._caller = threading.current_thread()
        self._process = os.getpid()
        # to add to a set and to discard is atomic
        self._runs: set[object] = set()
        self.is_stopped = False

    def run_options(self, *, release_memory: bool) -> Any:
        """Return ONNX Runtime's options for a run of this call."""
        return self._releasing if release_memory else self._options

    def stop(self) -> None:
        """End the runs within some 15 ms (measured), and those that come as soon as they begin.

        Takes no lock and waits for nothing, so that it may be called in any thread, at any moment.
        """
        self.is_stopped = True
        self._options.terminate = self._releasing.terminate = True

    def raise_if_cancelled(self) -> None:
        """Raise `StoppedError` when the call is to end; for the thread that waits for its outcome."""
        self._caller = threading.current_thread()
        if self._process != os.getpid():
            raise StoppedError("the call was begun before a fork, by the parent process; begin a new one in the child")
        if self._cancel is not None and self._cancel.is_set():
            raise StoppedError("the call was cancelled")
        if self.is_stopped:
            raise StoppedError("the model was closed, or the program ended, while it spoke")

    @property
    def is_abandoned(self) -> bool:
        """Whether nobody will wait for the outcome when the main thread is done: no other thread that Python joins."""
        caller = self._cancel.loop_thread if isinstance(self._cancel, TaskEvent) else self._caller
        return caller is threading.main_thread() or caller.daemon or not caller.is_alive()

    @contextlib.contextmanager
    def run(self) -> Iterator[None]:
        """Mark a run as being in ONNX Runtime, for `is_running`."""
        run = object()
        self._runs.add(run)
        try:
            yield
        finally:
            self._runs.discard(run)

    @property
    def is_running(self) -> bool:
        """Whether a run is in ONNX Runtime."""
        return bool(self._runs)
