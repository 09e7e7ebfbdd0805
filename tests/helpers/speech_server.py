"""The real server, uvicorn on loopback, in a thread of the test's process: so that a test can hold the model."""

import asyncio
import contextlib
import http.client
import json
import socket
import threading
import time

import httpx
import numpy as np

from kittentts.server.app import make_app
from kittentts.server.run import Server
from kittentts.server.settings import MODEL_ALIASES, VOICE_ALIASES, Settings, known_aliases
from kittentts.service.listening import bind

SPEECH = "/v1/audio/speech"
# one for all threads, for each makes a TLS context
CLIENT = httpx.Client(timeout=60)


class Url(str):
    """Where a server is, with it and its event loop."""

    __slots__ = ("loop", "server")


@contextlib.contextmanager
def running(model, **settings):
    """Serve the model; yield the base URL."""
    given = {
        "model_names": ("tiny", *MODEL_ALIASES),
        "voice_aliases": known_aliases(VOICE_ALIASES, model.available_voices),
        "speech": {"clean_text": True},
    } | settings
    started = threading.Event()

    def announce():
        url.loop = asyncio.get_running_loop()
        started.set()

    server = Server(make_app(model, Settings(**given)), model, grace=3600, announce=announce)
    with bind("127.0.0.1", 0) as listener:
        url = Url(f"http://127.0.0.1:{listener.getsockname()[1]}")
        url.server = server
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="test-server")
        thread.start()
        try:
            assert started.wait(10)
            yield url
        finally:
            server.should_exit = True
            thread.join()


def speak(url, text="Hello there.", **fields):
    """Ask for speech with a plain HTTP client."""
    return CLIENT.post(url + SPEECH, json={"model": "tts-1", "input": text, "voice": "Leo"} | fields)


def check_pcm(body, waveform):
    """Whether a pcm body is this waveform, to the last bit, which libsndfile rounds its own way."""
    got = np.frombuffer(body, "<i2").astype(int)
    assert len(got) == len(waveform)
    assert np.abs(got - np.clip(waveform * 32768, -32768, 32767).round()).max() <= 1


def post_raw(url, fields, **headers):
    """Post with a client that sends headers as they are; return the body of a success."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"))
    with contextlib.closing(connection):
        connection.request("POST", SPEECH, json.dumps(fields), {"Content-Type": "application/json"} | headers)
        response = connection.getresponse()
        assert response.status == 200
        return response.headers["content-type"], response.read()


def metric(url, name):
    """Return the value of a metric, named with its labels; one with labels is not there before it is counted."""
    for line in CLIENT.get(url + "/metrics").text.splitlines():
        if line.rpartition(" ")[0] == name:
            return float(line.rpartition(" ")[2])
    assert "{" in name, f"there is no metric {name}"
    return 0.0


def wait_for(condition, seconds=10.0):
    """Wait until it holds; return how long that took."""
    began = time.perf_counter()
    while not condition():
        assert time.perf_counter() - began < seconds
        time.sleep(0.01)
    return time.perf_counter() - began


def connect(url, receive_buffer=None):
    """Return a connection to the server; the buffer is the system's, in bytes, for what it has received."""
    connection = socket.socket()
    if receive_buffer is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.settimeout(60)
    connection.connect(("127.0.0.1", int(url.rpartition(":")[2])))
    return connection


@contextlib.contextmanager
def asking(url, text, receive_buffer=None):
    """Ask for speech; yield the connection, which is closed whatever has come."""
    with connect(url, receive_buffer) as connection:
        body = json.dumps({"input": text, "voice": "Leo", "response_format": "pcm"})
        head = f"POST {SPEECH} HTTP/1.1", "Host: localhost", "Content-Type: application/json", "Connection: close"
        connection.sendall("\r\n".join((*head, f"Content-Length: {len(body)}", "", body)).encode())
        yield connection


def leave_in_the_middle(url, text):
    """Ask for speech and go away when the first bytes have come."""
    with asking(url, text) as connection:
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")
