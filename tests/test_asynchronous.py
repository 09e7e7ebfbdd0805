"""agenerate and agenerate_stream: the same samples, a free event loop, and an end whenever the task ends."""

import asyncio
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


def test_errors_of_the_call(tiny, failing):
    async def first(model, *arguments, **options):
        return await anext(model.agenerate_stream(*arguments, **options))

    for error, call in (
        (VoiceError, lambda: first(tiny, "Hello.", "Nobody")),
        (VoiceError, lambda: tiny.agenerate("Hello.", "Nobody")),
        (TextTypeError, lambda: tiny.agenerate(5)),
        (SettingError, lambda: tiny.agenerate("Hello.", cancel=threading.Event())),
        (SettingError, lambda: first(tiny, "Hello.", cancel=threading.Event())),
        (SynthesisError, lambda: failing.agenerate("It has roses.")),
        (TypeError, lambda: tiny.agenerate("Hello.", sped=2.0)),
    ):
        with pytest.raises(error):
            asyncio.run(call())
    assert threads.left_behind() == []
