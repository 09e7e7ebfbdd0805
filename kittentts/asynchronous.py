"""Speech for asyncio: the calls of `KittenTTS` in a thread of their own, which a cancelled task stops."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import numpy as np

from kittentts.errors import SettingError, TextTypeError
from kittentts.runtime.cancellation import TaskEvent

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterable, Iterator

    from numpy.typing import NDArray

    Samples = NDArray[np.float32]
    Stream = Generator[Samples, None, None]
    Text = str | Iterable[str] | AsyncIterable[str]
    Run = Callable[..., asyncio.Future[Any]]

_END = object()
# for a text that does not end when it is cancelled
_LAST_SECONDS = 0.05


async def agenerate(generate: Callable[..., Samples], text: str, **options: Any) -> Samples:
    """Return what `generate(text, **options)` returns; cancelling the task ends it."""
    _check(text, options)
    cancel = TaskEvent(asyncio.get_running_loop())
    with _thread() as run:
        try:
            samples: Samples = await run(generate, text, cancel=cancel, **options)
            return samples
        finally:
            cancel.set()


async def agenerate_pieces(generate_stream: Callable[..., Stream], text: Text, **options: Any) -> Samples:
    """Return all that `generate_stream(text, **options)` yields; cancelling the task ends it."""
    for name in ("look_ahead", "low_latency"):
        if name in options:
            raise SettingError(f"{name}= is for agenerate_stream: agenerate returns all at once")
    async with contextlib.aclosing(agenerate_stream(generate_stream, text, look_ahead=True, **options)) as waveforms:
        return np.concatenate([waveform async for waveform in waveforms])


async def agenerate_stream(
    generate_stream: Callable[..., Stream], text: Text, **options: Any
) -> AsyncGenerator[Samples, None]:
    """Yield what `generate_stream(text, **options)` yields; cancelling the task, or closing this, ends it."""
    _check(text, options)
    loop = asyncio.get_running_loop()
    cancel = TaskEvent(loop)
    pieces = _AsyncText(text, loop) if isinstance(text, AsyncIterable) else None
    with _thread() as run:
        stream: Any = None
        try:
            stream = await run(generate_stream, text if pieces is None else pieces, cancel=cancel, **options)
            while (waveform := await run(next, stream, _END)) is not _END:
                yield waveform
        finally:
            # the thread may be in the midst of the stream, which closing it would not stop
            cancel.set()
            if stream is not None:
                run(stream.close)
            if pieces is not None:
                await pieces.stop()


def _check(text: object, options: dict[str, Any]) -> None:
    if isinstance(text, AsyncIterable) and options.get("markup") is not None:
        what = type(text).__name__
        raise TextTypeError(f"the text is of type {what}; with markup={options['markup']!r} a str is needed")
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
    """Iterates in any thread over what an async iterator yields in its loop.

    One task reads it all, in the context of who made this, as `async for` would: what the iterator holds while it
    yields, like a time-out, is bound to the task.
    """

    def __init__(self, text: AsyncIterable[str], loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._wanted = asyncio.Semaphore(0)
        self._pieces: SimpleQueue[Future[Any]] = SimpleQueue()
        self._task = loop.create_task(self._read(aiter(text)))

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        self._loop.call_soon_threadsafe(self._wanted.release)
        piece = self._pieces.get().result()
        if piece is _END:
            raise StopIteration
        return piece  # type: ignore[no-any-return]

    async def _read(self, iterator: AsyncIterator[str]) -> None:
        piece: Any = None
        while piece is not _END:
            await self._wanted.acquire()
            read: Future[Any] = Future()
            try:
                try:
                    piece = await anext(iterator)
                except StopAsyncIteration:
                    piece = _END
                read.set_result(piece)
            except StopIteration as error:
                # raised by `__next__`, it would end the text
                read.set_exception(RuntimeError(f"the text raised {error!r}"))
            except Exception as error:  # noqa: BLE001 (it is raised where the piece is waited for)
                read.set_exception(error)
            except BaseException:
                read.cancel()
                raise
            finally:
                self._pieces.put(read)

    async def stop(self) -> None:
        """Let no thread wait for a piece, and end the reading."""
        stopped: Future[Any] = Future()
        stopped.cancel()
        self._pieces.put(stopped)
        self._task.cancel()
        # who closes the iterator next must not find it running
        await asyncio.wait({self._task}, timeout=_LAST_SECONDS)
