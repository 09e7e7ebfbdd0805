"""A Wyoming server in a thread of the test's process, and what the package's own client gets from it."""

import asyncio
import contextlib
import threading

import numpy as np
from wyoming.audio import AudioChunk
from wyoming.client import AsyncClient

from kittentts.wyoming.run import Server, bind_uri
from kittentts.wyoming.settings import Settings


class Uri(str):
    """Where a server is, with it."""

    __slots__ = ("server",)


@contextlib.contextmanager
def running(model, uri="tcp://127.0.0.1:0", *, low_latency=False, **settings):
    """Serve the model; yield the URI."""
    speech = {"voice": "Leo", "clean_text": True, "look_ahead": True, "low_latency": low_latency}
    started = threading.Event()
    server = Server(model, Settings("tiny", speech, **settings), grace=3600, announce=started.set)
    with bind_uri(uri) as bound:
        address = Uri(uri.replace(":0", f":{bound.getsockname()[1]}") if uri.startswith("tcp") else uri)
        address.server = server
        thread = threading.Thread(target=server.run, args=[bound], name="test-server")
        thread.start()
        try:
            assert started.wait(10)
            yield address
        finally:
            server.stop()
            thread.join()


def talk(uri, *events, until=()):
    """Send events with the package's client; return what comes until an event of these types, or the end."""
    return asyncio.run(ask(uri, *events, until=until))


async def ask(uri, *events, until=()):
    async with AsyncClient.from_uri(uri) as client:
        for event in events:
            await client.write_event(getattr(event, "event", lambda event=event: event)())
        return await receive(client, until)


async def receive(client, until=()):
    """Return the events that come until one of these types, which is the last, or the end."""
    answer = []
    while (event := await client.read_event()) is not None:
        answer.append(event)
        if event.type in until:
            break
    return answer


def check_audio(events, waveform):
    """Whether the events hold this waveform, to the last bit, which libsndfile rounds its own way."""
    audio = b"".join(AudioChunk.from_event(event).audio for event in events if AudioChunk.is_type(event.type))
    got = np.frombuffer(audio, "<i2").astype(int)
    assert len(got) == len(waveform)
    assert np.abs(got - np.clip(waveform * 32768, -32768, 32767).round()).max() <= 1
