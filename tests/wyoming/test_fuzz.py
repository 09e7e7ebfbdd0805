"""A thousand streams of bytes, most of them nearly right: the server lives, and its memory does not grow."""

import contextlib
import gc
import json
import os
import random
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from speech_server import wait_for
from wyoming.tts import Synthesize
from wyoming_server import check_audio, running, talk

VALUES = [None, True, 0, -1, 3, 2.5, 10**12, 10**400, "", "Hi.", "\ud800", [], [1], {}, {"name": 5}]
KEYS = ["type", "data", "data_length", "payload_length", "text", "voice", "name", "speaker", "language", "version"]
TYPES = ["describe", "synthesize", "synthesize-start", "synthesize-chunk", "synthesize-stop", "audio-chunk", "unknown"]


def memory():
    """Return this process's memory in bytes, where Linux tells it."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if statm.exists() else 0


def stream(numbers):
    """Return some events, with a few mistakes."""
    data = b""
    for _ in range(numbers.randrange(1, 5)):
        fields = {
            "text": numbers.choice(["Hi.", "One two. Three", ""]),
            "voice": {"name": numbers.choice(["Leo", "Leo", "Bella", "X"])},
        }
        event = {"type": numbers.choice(TYPES), "data": fields}
        for _ in range(numbers.randrange(3)):
            numbers.choice([event, fields])[numbers.choice(KEYS)] = numbers.choice(VALUES)
        data += json.dumps(event).encode() + b"\n"
        data += numbers.randbytes(numbers.choice([0, 0, 0, 3, 2000]))
    data = bytearray(data)
    for _ in range(numbers.choice([0, 0, 1, 5])):
        data[numbers.randrange(len(data))] = numbers.randrange(256)
    return bytes(data[: numbers.choice([None, None, len(data) // 2])])


@pytest.mark.slow
def test_a_thousand_streams(tiny, caplog):
    numbers = random.Random(18)
    with running(tiny) as uri:
        port = urlsplit(uri).port

        def send(data):
            lost = contextlib.suppress(ConnectionResetError, BrokenPipeError)
            with socket.create_connection(("127.0.0.1", port), timeout=20) as client, lost:
                client.sendall(data)
                client.shutdown(socket.SHUT_WR)
                while client.recv(65_536):
                    pass

        for _ in range(200):
            send(stream(numbers))
        gc.collect()
        before = memory()
        for _ in range(800):
            send(stream(numbers))
        service = uri.server._service
        wait_for(lambda: service.admission.active == service.admission.waiting == len(service.connections) == 0)
        gc.collect()
        assert memory() - before < 10e6
        check_audio(talk(uri, Synthesize("Hello there."), until=["audio-stop"]), tiny.generate("Hello there.", "Leo"))
    # no failure of the server's own, neither told nor swallowed by a task
    assert [record for record in caplog.records if record.levelname not in {"DEBUG", "INFO"}] == []
