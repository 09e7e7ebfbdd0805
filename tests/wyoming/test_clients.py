"""Clients that err, leave, stop in the middle, or ask for too much: the others are not harmed."""

import asyncio
import contextlib
import json
import socket
from urllib.parse import urlsplit

import pytest
from speech_server import wait_for
from wyoming.client import AsyncClient
from wyoming.event import Event
from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop, SynthesizeVoice
from wyoming_server import ask, check_audio, receive, running, talk

from kittentts.wyoming import connection, events, request


@pytest.fixture(scope="module")
def uri(tiny):
    with running(tiny, max_chars=100) as uri:
        yield uri


def error_of(events):
    """Return the code and the text of the error that is the last of the events."""
    assert events
    assert events[-1].type == "error"
    return events[-1].data["code"], events[-1].data["text"]


@contextlib.contextmanager
def connected(uri):
    address = urlsplit(uri)
    with socket.create_connection((address.hostname, address.port), timeout=60) as client:
        yield client


def everything(client):
    """Return what comes until the server closes the connection."""
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while part := client.recv(65_536):
            data += part
    return data


def answers(uri, tiny):
    """Whether the server answers the next client."""
    check_audio(talk(uri, Synthesize("Hello there."), until=["audio-stop"]), tiny.generate("Hello there.", "Leo"))


def admission(uri):
    return uri.server._service.admission


@pytest.mark.parametrize(
    ("sent", "code", "message"),
    [
        ([Synthesize("Hi.", SynthesizeVoice("Nobody"))], "VoiceError", "this model has Bella, Jasper, Leo"),
        ([Synthesize("Hi.", SynthesizeVoice("kittentts", speaker="No"))], "VoiceError", "has Bella, Jasper, Leo"),
        ([SynthesizeStart(SynthesizeVoice("Nobody"))], "VoiceError", "this model has Bella, Jasper, Leo"),
        ([Synthesize("Hi.", SynthesizeVoice(language="de"))], "VoiceError", "en-US only; its voices are Bella, Jasper"),
        ([Synthesize("word " * 21)], "ProtocolError", "more than 100 characters"),
        ([SynthesizeStart(), *[SynthesizeChunk("a word ")] * 15], "ProtocolError", "more than 100 characters"),
        ([SynthesizeChunk("Hi.")], "ProtocolError", "synthesize-chunk came without a synthesize-start"),
        ([SynthesizeStop()], "ProtocolError", "synthesize-stop came without a synthesize-start"),
        ([SynthesizeStart(), SynthesizeStart()], "ProtocolError", "before the synthesize-stop"),
        ([Event("synthesize")], "ProtocolError", "the text is missing"),
        ([Event("synthesize", {"text": 5})], "ProtocolError", "or no string"),
        ([Event("synthesize", {"text": "Hi.", "voice": "Leo"})], "ProtocolError", "a voice is an object"),
        ([Event("synthesize", {"text": "Hi.", "voice": {"name": ["Leo"]}})], "ProtocolError", "are strings"),
        ([Event("synthesize", {"text": "<b>Hi.</b>", "text_format": "ssml"})], "ProtocolError", "send plain text"),
        ([Event("synthesize", {"text": "Hi.", "text_format": []})], "ProtocolError", "send plain text"),
        ([Event("synthesize-start"), Event("synthesize-chunk", {"text": None})], "ProtocolError", "or no string"),
    ],
)
def test_errors_are_told_and_end_the_connection(uri, tiny, sent, code, message):
    got, text = error_of(talk(uri, *sent))
    assert got == code
    assert message in text
    answers(uri, tiny)


HUGE = 10**12


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\n",
        b"[]\n",
        b"null\n",
        b'{"data": {}}\n',
        b'{"type": "describe", "data_length": "5"}\n',
        b'{"type": "describe", "data_length": 1.5}\n',
        b'{"type": "describe", "data": [1], "data_length": 2}\n{}',
        b'{"type": "describe", "data_length": 3}\n[5]',
        b'{"type": "synthesize", "data": 5}\n',
        b"[" * 60_000 + b"\n",
        b"\xff\xfe\n",
        b"x" * 200_000,
        f'{{"type": "describe", "data_length": {HUGE}}}\n'.encode() + b"x" * 500_000,
        f'{{"type": "audio-chunk", "payload_length": {HUGE}}}\n'.encode() + b"x" * 500_000,
    ],
)
def test_what_is_no_event(uri, tiny, data):
    with connected(uri) as client:
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            client.sendall(data)
        told = everything(client)
    # at once, whatever it still waits for
    assert b"did not come" not in told
    # with much more to come, the system may throw the error away
    assert b"ProtocolError" in told or len(data) > 100_000
    answers(uri, tiny)


def test_half_a_surrogate_pair(uri, tiny):
    with connected(uri) as client:
        client.sendall(b'{"type": "synthesize", "data": {"text": "Hi.", "voice": {"name": "\\ud800"}}}\n')
        assert b"VoiceError" in everything(client)
    with connected(uri) as client:
        client.sendall(b'{"type": "synthesize", "data": {"text": "Hi \\ud800 there."}}\n')
        client.settimeout(20)
        assert client.recv(10)
    answers(uri, tiny)


def test_a_client_that_leaves_frees_its_place(endless):
    """In half a second, though the graph would run for ever."""
    with running(endless, concurrency=1, queue=0) as uri:
        for events in ([Synthesize("Hello there.")], [SynthesizeStart(), SynthesizeChunk("Hello there. And")]):

            async def leave(events=events):
                async with AsyncClient.from_uri(uri) as client:
                    for event in events:
                        await client.write_event(event.event())
                    await asyncio.to_thread(wait_for, lambda: admission(uri).active == 1)
                    code, text = error_of(await ask(uri, Synthesize("Hello.")))
                    assert code == "BusyError"
                    assert "0 requests wait already" in text

            asyncio.run(leave())
            assert wait_for(lambda: admission(uri).active == 0) < 0.5


def test_a_client_that_waits_and_leaves(endless):
    with running(endless, concurrency=1, queue=1) as uri, connected(uri) as first:
        first.sendall(b'{"type": "synthesize", "data": {"text": "Hello."}}\n')
        wait_for(lambda: admission(uri).active == 1)
        with connected(uri) as second:
            second.sendall(b'{"type": "synthesize", "data": {"text": "Hello."}}\n')
            wait_for(lambda: admission(uri).waiting == 1)
        wait_for(lambda: admission(uri).waiting == 0)
        assert admission(uri).active == 1


def test_waiting_and_speaking_have_limits_of_time(endless):
    with running(endless, concurrency=1, queue=1, queue_timeout=0.2) as uri, connected(uri) as first:
        first.sendall(b'{"type": "synthesize", "data": {"text": "Hello."}}\n')
        wait_for(lambda: admission(uri).active == 1)
        assert error_of(talk(uri, Synthesize("Hello.")))[0] == "QueueTimeoutError"
    with running(endless, concurrency=1, timeout=0.3) as uri:
        code, text = error_of(talk(uri, Synthesize("Hello.")))
        assert code == "StoppedError"
        assert "the request took more than 0 s" in text


@pytest.mark.parametrize(
    "data", [b'{"type"', b'{"type": "describe", "data_length": 5}\n{', b'{"type": "x", "payload_length": 5}\n1']
)
def test_an_event_that_does_not_end(uri, tiny, monkeypatch, data):
    monkeypatch.setattr(events, "_EVENT_TIMEOUT", 0.1)
    with connected(uri) as client:
        client.sendall(data)
        assert b"the rest of an event did not come" in everything(client)
    # one that ends in the middle
    with connected(uri) as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        assert b"audio" not in everything(client)
    answers(uri, tiny)


def test_a_text_that_does_not_end(uri, tiny, monkeypatch):
    monkeypatch.setattr(request, "_PIECE_TIMEOUT", 0.2)
    events = talk(uri, SynthesizeStart(), SynthesizeChunk("Hello there. And"))
    assert error_of(events) == ("ProtocolError", "no synthesize-chunk or synthesize-stop came for 0 s")
    # what was complete has been spoken
    check_audio(events, tiny.generate("Hello there.", "Leo"))
    wait_for(lambda: admission(uri).active == 0)
    answers(uri, tiny)


def test_a_client_that_takes_nothing(tiny, monkeypatch):
    monkeypatch.setattr(connection, "_SEND_TIMEOUT", 0.3)
    with running(tiny, max_chars=100_000) as uri, socket.socket() as client:
        # the least that the system allows
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        client.connect(("127.0.0.1", urlsplit(uri).port))
        # minutes of audio: more than any buffer holds
        text = "This is one of many sentences. " * 2000
        client.sendall(json.dumps({"type": "synthesize", "data_length": len(text) + 12}).encode() + b"\n")
        client.sendall(json.dumps({"text": text}).encode())
        wait_for(lambda: admission(uri).active == 1)
        wait_for(lambda: admission(uri).active == 0, 30)
        answers(uri, tiny)


def test_many_requests_at_once_on_one_connection(uri, tiny, let_go):
    code, text = error_of(talk(uri, *[Synthesize("Hello there.")] * 40))
    assert code == "ProtocolError"
    assert "16 requests of this connection wait already" in text
    let_go(100)
    answers(uri, tiny)


def test_the_connection_that_is_idle_for_the_longest_time_makes_room(tiny, let_go, monkeypatch):
    monkeypatch.setattr(connection, "_MAX_CONNECTIONS", 3)
    with running(tiny) as uri, connected(uri) as busy:
        busy.sendall(b'{"type": "synthesize", "data": {"text": "Hello."}}\n')
        wait_for(lambda: admission(uri).active == 1)
        with connected(uri) as idle, connected(uri) as later:
            for client in (later, idle):
                client.sendall(b'{"type": "describe"}\n')
                assert client.recv(10)
            with connected(uri) as new:
                # dropped, after the answer that it had
                everything(later)
                for client in (idle, new):
                    client.sendall(b'{"type": "describe"}\n')
                    assert client.recv(10)
        let_go()
        assert busy.recv(10)


def test_many_connections_at_once_are_no_more_than_may_be(tiny, monkeypatch):
    monkeypatch.setattr(connection, "_MAX_CONNECTIONS", 3)
    with running(tiny) as uri, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connected(uri)) for _ in range(20)]
        # one that is dropped reads its end
        for client in clients[:-3]:
            assert everything(client) == b""
        for client in clients[-3:]:
            client.sendall(b'{"type": "describe"}\n')
            assert client.recv(10)


def test_stopping_finishes_what_runs(tiny, let_go):
    async def converse(uri):
        async with AsyncClient.from_uri(uri) as client, AsyncClient.from_uri(uri) as idle:
            await client.write_event(SynthesizeStart().event())
            await client.write_event(SynthesizeChunk("This is the first. ").event())
            let_go()
            first = await receive(client, ["audio-chunk"])
            uri.server.stop()
            # closed at once, for nothing runs on it
            assert await idle.read_event() is None
            with pytest.raises(OSError, match=r"refused|Connect"):
                await ask(uri, Synthesize("Hello."))
            await client.write_event(SynthesizeChunk("This is the second.").event())
            await client.write_event(SynthesizeStop().event())
            let_go(10)
            return first + await receive(client)

    with running(tiny) as uri:
        events = asyncio.run(converse(uri))
        assert events[-1].type == "synthesize-stopped"
        check_audio(events, tiny.generate("This is the first. This is the second.", "Leo"))


def test_failures_of_the_model(failing, caplog):
    with running(failing) as uri:
        code, text = error_of(talk(uri, Synthesize("These are roses.")))
    assert (code, text) == ("SynthesisError", "the model failed to speak this text; the server's log says more")
    assert "a request failed: SynthesisError" in caplog.text
    assert "roses" not in caplog.text
