"""Speech for asyncio: the calls of `KittenTTS` in a thread of their own, which a cancelled task stops."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import numpy as np

from kittentts.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Iterator

    from numpy.typing import NDArray

    Samples = NDArray[np.float32]
    Stream = Generator[Samples, None, None]
    Text = str | Iterable[str] | AsyncIterable[str]
    Run = Callable[..., asyncio.Future[Any]]

_END = object()


async def agenerate(generate: Callable[..., Samples], text: str, **options: Any) -> Samples:
    """Return what `generate(text, **options)` returns; cancelling the task ends it."""
    _check(options)
    cancel = threading.Event()
    with _thread() as run:
        try:
            samples: Samples = await run(generate, text, cancel=cancel, **options)
            return samples
        finally:
            cancel.set()


async def agenerate_pieces(generate_stream: Callable[..., Stream], text: Text, **options: Any) -> Samples:
    """Return all that `generate_stream(text, **options)` yields; cancelling the task ends it."""
    async with contextlib.aclosing(agenerate_stream(generate_stream, text, look_ahead=True, **options)) as waveforms:
        return np.concatenate([waveform async for waveform in waveforms])


async def agenerate_stream(
    generate_stream: Callable[..., Stream], text: Text, **options: Any
) -> AsyncGenerator[Samples, None]:
    """Yield what `generate_stream(text, **options)` yields; cancelling the task, or closing this, ends it."""
    _check(options)
    cancel = threading.Event()
    pieces = _AsyncText(text, asyncio.get_running_loop()) if isinstance(text, AsyncIterable) else None
    with _thread() as run:
        stream: Any = None
        try:
            stream = await run(generate_stream, text if pieces is None else pieces, cancel=cancel, **options)
            while (waveform := await run(next, stream, _END)) is not _END:
                yield waveform
        finally:
            # the thread may be in the midst of the stream, which closing it would not stop
            cancel.set()
            if pieces is not None:
                pieces.stop()
            if stream is not None:
                run(stream.close)


def _check(options: dict[str, Any]) -> None:
    if "cancel" in options:
        raise SettingError("cancel= is for calls without asyncio: cancel the task, or close the generator")


@contextlib.contextmanager
def _thread() -> Iterator[Run]:
    """Yield a function that calls another in a thread, and returns the future of what it returns.

    The thread is no one's else, for it waits for chunks, and ends by itself when it has nothing left to do.
    """
    loop = asyncio.get_running_loop()
    executor = ThreadPoolExecutor(1, thread_name_prefix="kittentts-asyncio")
    try:
        yield lambda function, *arguments, **options: loop.run_in_executor(
            executor, partial(function, *arguments, **options)
        )
    finally:
        executor.shutdown(wait=False)


class _AsyncText:
    """Iterates in any thread over what an async iterator yields in its loop."""

    def __init__(self, text: AsyncIterable[str], loop: asyncio.AbstractEventLoop) -> None:
        self._iterator = aiter(text)
        self._loop = loop
        self._task: asyncio.Task[None] | None = None
        self._pieces: SimpleQueue[Future[Any]] = SimpleQueue()
        self._is_stopped = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        # the coroutine is made in the loop: the loop may be over before, and Python warns of one that never ran
        self._loop.call_soon_threadsafe(self._start)
        piece = self._pieces.get().result()
        if piece is _END:
            raise StopIteration
        return piece  # type: ignore[no-any-return]

    def _start(self) -> None:
        if not self._is_stopped:
            self._task = self._loop.create_task(self._read())

    async def _read(self) -> None:
        piece: Future[Any] = Future()
        try:
            piece.set_result(await anext(self._iterator, _END))
        except Exception as error:  # noqa: BLE001 (it is raised where the piece is waited for)
            piece.set_exception(error)
        except BaseException:
            piece.cancel()
            raise
        finally:
            self._pieces.put(piece)

    def stop(self) -> None:
        """Let no thread wait for a piece. Called in the loop."""
        self._is_stopped = True
        if self._task is not None:
            self._task.cancel()
        stopped: Future[Any] = Future()
        stopped.cancel()
        self._pieces.put(stopped)
