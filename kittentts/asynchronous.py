"""Speech for asyncio: the calls of `KittenTTS` in a thread of their own, which a cancelled task stops."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from kittentts.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Iterator
    from concurrent.futures import Future

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
    pieces = _Pieces(text, asyncio.get_running_loop()) if isinstance(text, AsyncIterable) else None
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


class _Pieces:
    """Iterates in any thread over what an async iterator yields in its loop."""

    def __init__(self, text: AsyncIterable[str], loop: asyncio.AbstractEventLoop) -> None:
        self._iterator = aiter(text)
        self._loop = loop
        self._next: Future[Any] | None = None
        self._is_stopped = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        self._next = asyncio.run_coroutine_threadsafe(self._piece(), self._loop)
        if self._is_stopped:
            self._next.cancel()
        piece = self._next.result()
        if piece is _END:
            raise StopIteration
        return piece  # type: ignore[no-any-return]

    async def _piece(self) -> Any:
        return await anext(self._iterator, _END)

    def stop(self) -> None:
        """Let no thread wait for the next piece."""
        self._is_stopped = True
        if self._next is not None:
            self._next.cancel()
