"""agenerate and agenerate_stream: the same samples, a free event loop, and an end whenever the task ends."""

import asyncio
import contextlib
import contextvars
import functools
import gc
import threading
from concurrent.futures import CancelledError

import numpy as np
import pytest
import threads
from recording import Recording

from kittentts import KittenTTS
from kittentts.asynchronous import agenerate_stream
from kittentts.errors import SettingError, SynthesisError, TextTypeError, VoiceError

TEXT = "This is one sentence. Here is another one, somewhat longer. And so on it goes."


@pytest.fixture
def held(tiny_directory):
    """A model whose runs wait until they are released, and say that they have begun."""
    model = KittenTTS(tiny_directory, max_workers=2)
    model.begun, model.released = threading.Event(), threading.Event()

    def hold(_):
        model.begun.set()
        assert model.released.wait(60)

    model.model.session = Recording(model.model.session, hold)
    yield model
    model.released.set()
    model.close()


async def turns_until(condition):
    """Let the loop turn until it is so."""
    while not condition():  # noqa: ASYNC110 (threads set it)
        await asyncio.sleep(0.001)


async def pieces_of(text, size=7):
    for place in range(0, len(text), size):
        await asyncio.sleep(0)
        yield text[place : place + size]


@pytest.mark.parametrize(
    "make", [lambda: TEXT, lambda: iter(TEXT.split(" ")), lambda: pieces_of(TEXT)], ids=["str", "iterator", "async"]
)
def test_the_samples_are_those_of_generate(tiny, make):
    async def both():
        whole = await tiny.agenerate(make(), "Leo", speed=1.5)
        return whole, [waveform async for waveform in tiny.agenerate_stream(make(), "Leo", 1.5)]

    text = "".join(TEXT.split(" ")) if not isinstance(make(), str) and hasattr(make(), "__next__") else TEXT
    whole, parts = asyncio.run(both())
    expected = tiny.generate(text, "Leo", 1.5)
    assert np.array_equal(whole, expected)
    assert np.array_equal(np.concatenate(parts), expected)
    assert threads.left_behind() == []


def test_the_loop_is_free_while_a_chunk_is_spoken(held):
    async def main():
        task = asyncio.create_task(held.agenerate("Hello there."))
        await turns_until(held.begun.is_set)
        assert not task.done()
        held.released.set()
        return await task

    assert len(asyncio.run(main()))


@pytest.mark.parametrize("method", ["agenerate", "agenerate_stream"])
def test_a_cancelled_task_ends_at_once_and_leaves_nothing(held, method):
    async def speak():
        if method == "agenerate":
            await held.agenerate(TEXT)
        async for _ in held.agenerate_stream(TEXT, look_ahead=True):
            pass

    async def main():
        task = asyncio.create_task(speak())
        await turns_until(held.begun.is_set)
        task.cancel()
        # though the run is held still
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 60)
        assert not held.released.is_set()
        held.released.set()

    asyncio.run(main())
    assert threads.left_behind() == []


def test_a_stream_that_is_left_ends_its_work(tiny):
    async def main():
        async for _ in tiny.agenerate_stream(TEXT * 100, look_ahead=True):
            break

    asyncio.run(main())
    assert threads.left_behind() == []


def test_a_stream_that_is_left_is_closed_whoever_holds_it():
    closed = threading.Event()

    def chunks(_text, **_options):
        try:
            while True:
                yield np.zeros(1, np.float32)
        finally:
            closed.set()

    held = chunks("Hello.")

    async def main():
        stream = agenerate_stream(lambda _text, **_options: held, "Hello.")
        await anext(stream)
        await stream.aclose()

    asyncio.run(main())
    assert closed.wait(60)


def test_the_first_sentence_sounds_before_the_second_is_written(tiny):
    async def main():
        heard = asyncio.Event()

        async def pieces():
            yield "One. "
            yield "Two"
            await asyncio.wait_for(heard.wait(), 60)
            yield " three."

        count = 0
        async for _ in tiny.agenerate_stream(pieces()):
            heard.set()
            count += 1
        return count

    assert asyncio.run(main()) == 2


def test_a_text_that_never_goes_on_can_be_cancelled(tiny):
    async def main():
        stalled = asyncio.Event()
        ended = []

        async def pieces():
            try:
                yield "One. Two"
                stalled.set()
                await asyncio.Event().wait()
            finally:
                ended.append(True)

        async def speak():
            async for _ in tiny.agenerate_stream(pieces()):
                pass

        task = asyncio.create_task(speak())
        await asyncio.wait_for(stalled.wait(), 60)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 60)
        await turns_until(lambda: ended)

    asyncio.run(main())
    assert threads.left_behind() == []


def test_a_piece_that_is_wanted_when_the_loop_is_over_is_no_warning():
    texts = []

    def keep(text, **_options):
        texts.append(text)
        yield np.zeros(1, np.float32)

    async def main():
        stream = agenerate_stream(keep, pieces_of(TEXT))
        await anext(stream)
        await stream.aclose()

    loop = asyncio.new_event_loop()
    loop.run_until_complete(main())
    with pytest.raises(CancelledError):
        next(texts[0])
    loop.close()
    gc.collect()


def test_an_error_of_the_text_comes_after_what_was_written_before_it(tiny):
    async def main():
        async def pieces():
            yield "One. Twenty-two. Thr"
            raise KeyError("the language model is gone")

        stream = tiny.agenerate_stream(pieces(), look_ahead=True)
        assert len(await anext(stream)) != len(await anext(stream))
        with pytest.raises(KeyError, match="is gone"):
            await anext(stream)

    asyncio.run(main())
    assert threads.left_behind() == []


def test_the_text_is_read_in_one_task_and_the_context_of_the_caller(tiny):
    tasks = set()

    async def pieces():
        for piece in ("One. ", "Two. ", "Three."):
            tasks.add(asyncio.current_task())
            yield piece + name.get()

    async def main():
        name.set("Leo.")
        return await tiny.agenerate(pieces())

    name = contextvars.ContextVar("name")
    assert np.array_equal(asyncio.run(main()), tiny.generate("One. Leo.Two. Leo.Three.Leo."))
    assert len(tasks) == 1


def test_when_the_stream_is_closed_the_text_is_not_running(tiny):
    async def main():
        stalled = asyncio.Event()

        async def pieces():
            yield "One. Two"
            stalled.set()
            await asyncio.Event().wait()

        ahead = functools.partial(tiny.agenerate_stream, look_ahead=True)
        async with contextlib.aclosing(pieces()) as text, contextlib.aclosing(ahead(text)) as stream:
            await anext(stream)
            await asyncio.wait_for(stalled.wait(), 60)
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        asyncio.run(main())


def test_a_text_that_raises_stop_iteration_is_an_error(tiny):
    class Text:
        def __aiter__(self):
            return self

        def __anext__(self):
            raise StopIteration("early")

    with pytest.raises(RuntimeError, match="the text raised"):
        asyncio.run(tiny.agenerate(Text()))


def test_a_call_ends_when_its_loop_is_closed():
    ended = threading.Event()

    def speak(_text, *, cancel):
        while not cancel.is_set():
            yield np.zeros(1, np.float32)
        ended.set()

    async def main():
        await anext(streams[0])

    loop = asyncio.new_event_loop()
    streams = [agenerate_stream(lambda text, *, cancel: list(speak(text, cancel=cancel)), "Hello.")]
    task = loop.create_task(main())
    loop.run_until_complete(asyncio.sleep(0.01))
    assert not ended.is_set()
    loop.close()
    assert ended.wait(60)
    # asyncio tells it of every task that a loop leaves
    task._log_destroy_pending = False


def test_a_piece_is_read_when_it_is_wanted(tiny):
    read = []

    async def pieces():
        for piece in ("One. ", "Two. ", "Three. ", "Four. ", "Five. "):
            read.append(piece)
            yield piece

    async def main():
        stream = tiny.agenerate_stream(pieces())
        await anext(stream)
        for _ in range(100):
            await asyncio.sleep(0)
        assert len(read) < 5
        await stream.aclose()

    asyncio.run(main())


@pytest.mark.parametrize("is_closed", [True, False])
@pytest.mark.parametrize("is_text_async", [True, False])
def test_a_program_whose_loop_has_ended_ends(run_python, tiny_directory, is_closed, is_text_async):
    run_python(
        f"""
import asyncio
from kittentts import KittenTTS

async def pieces():
    yield "One. Two"
    await asyncio.sleep(1000)

async def main():
    global task
    text = pieces() if {is_text_async} else "One. " * 200_000
    task = asyncio.create_task(model.agenerate(text, progress=begun.append))
    while not begun:
        await asyncio.sleep(0.01)

model = KittenTTS({str(tiny_directory)!r})
begun = []
loop = asyncio.new_event_loop()
loop.run_until_complete(main())
if {is_closed}:
    loop.close()
""",
        timeout=30,
    )


def test_errors_of_the_call(tiny, failing):
    async def first(model, *arguments, **options):
        return await anext(model.agenerate_stream(*arguments, **options))

    for error, call in (
        (VoiceError, lambda: first(tiny, "Hello.", "Nobody")),
        (VoiceError, lambda: tiny.agenerate("Hello.", "Nobody")),
        (TextTypeError, lambda: tiny.agenerate(5)),
        (SettingError, lambda: tiny.agenerate("Hello.", cancel=threading.Event())),
        (SettingError, lambda: first(tiny, "Hello.", cancel=threading.Event())),
        (SettingError, lambda: tiny.agenerate(["Hello."], look_ahead=True)),
        (SettingError, lambda: tiny.agenerate(["Hello."], low_latency=True)),
        (SynthesisError, lambda: failing.agenerate("It has roses.")),
        (TypeError, lambda: tiny.agenerate("Hello.", sped=2.0)),
    ):
        with pytest.raises(error):
            asyncio.run(call())
    assert threads.left_behind() == []


def test_markup_is_for_a_text_that_is_there(tiny):
    with pytest.raises(TextTypeError, match="of type async_generator; with markup='ssml' a str is needed"):
        asyncio.run(tiny.agenerate(pieces_of(TEXT), markup="ssml"))
