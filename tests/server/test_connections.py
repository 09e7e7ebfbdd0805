"""Clients that send nothing, send slowly, do not read, or come in crowds: the others are still served."""

import contextlib
import errno
import sys
import time

import numpy as np
import pytest
import tiny_model
from recording import Recording
from speech_server import CLIENT, SPEECH, asking, connect, metric, running, speak, wait_for

from kittentts import KittenTTS
from kittentts.server.connections import max_connections

BUSY = "kittentts_busy_workers"
LONG = "This is one of many sentences. " * 130
# seconds; far less than the test's own time limit, and more than a busy machine is late
SHORT = 0.3


def end(connection):
    """Return what the server still sends until it closes the connection."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while data := connection.recv(65_536):
            received += data
    return received


def drip(connection, data, seconds=20.0):
    """Send one byte of the data after another, until the server closes the connection; return what it sent."""
    connection.settimeout(0.02)
    began = time.monotonic()
    received = b""
    with contextlib.suppress(ConnectionError):
        while time.monotonic() - began < seconds:
            connection.sendall(data[:1])
            data = data[1:] or b"a"
            with contextlib.suppress(TimeoutError):
                if not (block := connection.recv(65_536)):
                    return received
                received += block
    assert time.monotonic() - began < seconds
    return received


def is_healthy(connection):
    """Ask for the server's health on a connection that stays open."""
    connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    answer = b""
    while not answer.endswith(b"}") and (data := connection.recv(1000)):
        answer += data
    return answer.endswith(b'{"status":"ok"}')


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
@pytest.mark.parametrize(("descriptors", "connections"), [(1000, 500), (1024, 500), (999, 499), (64, 32), (-1, 500)])
def test_connections_take_half_of_the_file_descriptors(monkeypatch, descriptors, connections):
    import resource

    limit = resource.RLIM_INFINITY if descriptors == -1 else descriptors
    monkeypatch.setattr(
        resource, "getrlimit", lambda which: (limit, 1_000_000) if which == resource.RLIMIT_NOFILE else ()
    )
    assert max_connections() == connections


class TestTimeouts:
    def test_a_client_that_sends_nothing(self, tiny, monkeypatch):
        monkeypatch.setattr("kittentts.server.connections._HEAD_TIMEOUT", SHORT)
        with running(tiny) as url, connect(url) as connection:
            assert end(connection) == b""

    def test_headers_that_come_byte_by_byte(self, tiny, monkeypatch):
        monkeypatch.setattr("kittentts.server.connections._HEAD_TIMEOUT", SHORT)
        with running(tiny) as url, connect(url) as connection:
            assert drip(connection, b"GET /health HTTP/1.1\r\nX-A: ") == b""

    def test_headers_that_come_byte_by_byte_after_an_answer(self, tiny, monkeypatch):
        monkeypatch.setattr("kittentts.server.connections._HEAD_TIMEOUT", SHORT)
        with running(tiny) as url, connect(url) as connection:
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert drip(connection, b"GET /health HTTP/1.1\r\nX-A: ").count(b"HTTP/1.1 200") == 1

    def test_a_body_that_comes_byte_by_byte(self, tiny, monkeypatch):
        monkeypatch.setattr("kittentts.server.middleware._BODY_TIMEOUT", SHORT)
        with running(tiny) as url, connect(url) as connection:
            head = (
                f"POST {SPEECH} HTTP/1.1",
                "Host: localhost",
                "Content-Type: application/json",
                "Content-Length: 9999",
            )
            connection.sendall("\r\n".join((*head, "", "")).encode())
            connection.settimeout(0.02)
            answer = b""
            for _ in range(1000):
                connection.sendall(b" ")
                with contextlib.suppress(TimeoutError):
                    answer = connection.recv(1000)
                    break
            assert answer.startswith(b"HTTP/1.1 408")

    def test_a_body_that_says_it_is_too_large_is_not_waited_for(self, tiny):
        with running(tiny) as url, connect(url) as connection:
            head = f"POST {SPEECH} HTTP/1.1", "Host: localhost", "Content-Type: application/json"
            connection.sendall("\r\n".join((*head, "Content-Length: 999999999", "", "")).encode())
            assert connection.recv(1000).startswith(b"HTTP/1.1 413")

    def test_a_body_that_nobody_reads(self, tiny, monkeypatch):
        monkeypatch.setattr("kittentts.server.connections._BODY_TIMEOUT", SHORT)
        with running(tiny) as url, connect(url) as connection:
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\n\r\n")
            assert drip(connection, b"a").startswith(b"HTTP/1.1 200")

    def test_an_answer_may_take_longer_than_a_request(self, tiny_directory, monkeypatch):
        for limit in ("_HEAD_TIMEOUT", "_BODY_TIMEOUT"):
            monkeypatch.setattr(f"kittentts.server.connections.{limit}", SHORT)
        with KittenTTS(tiny_directory) as model:
            model.model.session = Recording(model.model.session, lambda _: time.sleep(3 * SHORT))
            with running(model) as url:
                assert speak(url).status_code == 200

    def test_a_client_that_does_not_read_gives_its_place_back(self, tiny, monkeypatch):
        monkeypatch.setattr("kittentts.server.connections._SEND_TIMEOUT", SHORT)
        with running(tiny, concurrency=1) as url, asking(url, LONG, receive_buffer=4096):
            wait_for(lambda: metric(url, BUSY) == 1)
            assert speak(url).status_code == 200
            assert metric(url, 'kittentts_failures_total{status="left"}') == 1

    def test_a_client_that_does_not_read_a_short_answer(self, tiny, monkeypatch):
        # its end is in no buffer of the system, and it is no piece that the next one waits for
        monkeypatch.setattr("kittentts.server.connections._SEND_TIMEOUT", SHORT)
        monkeypatch.setattr("kittentts.server.connections._SEND_BUFFER", 4096)
        with running(tiny) as url, asking(url, "A few words.", receive_buffer=4096):
            wait_for(lambda: url.server.server_state.tasks)
            wait_for(lambda: not url.server.server_state.connections)

    def test_a_client_that_has_taken_everything_may_wait_for_more(self, tiny, monkeypatch):
        monkeypatch.setattr("kittentts.server.connections._SEND_TIMEOUT", SHORT)

        def slow(**_):
            for _ in range(2):
                yield np.zeros(240_000, np.float32)
                time.sleep(3 * SHORT)

        monkeypatch.setattr(tiny, "generate_stream", slow)
        with running(tiny) as url, asking(url, "Hello.", receive_buffer=4096) as connection:
            assert len(end(connection)) > 2 * 2 * 240_000

    def test_a_client_that_reads_slowly_gets_everything(self, tiny, monkeypatch):
        monkeypatch.setattr("kittentts.server.connections._SEND_TIMEOUT", SHORT)
        # spoken in one piece, of half a megabyte
        text = "one, " * 75 + "two."
        with running(tiny) as url:
            size = len(speak(url, text, response_format="pcm").content)
            with asking(url, text, receive_buffer=20_000) as connection:
                received = 0
                began = time.monotonic()
                while data := connection.recv(20_000):
                    received += len(data)
                    # in all several times as long as the time-out
                    time.sleep(max(0.0, began + 4 * SHORT * received / size - time.monotonic()))
            assert received > size


class TestCrowds:
    def test_idle_connections_make_room(self, tiny, monkeypatch):
        monkeypatch.setattr("kittentts.server.connections.max_connections", lambda: 10)
        with running(tiny) as url, contextlib.ExitStack() as stack:
            idle = [stack.enter_context(connect(url)) for _ in range(30)]
            assert CLIENT.get(url + "/health").status_code == 200
            # the oldest were closed
            assert [end(connection) for connection in idle[:15]] == [b""] * 15
            assert is_healthy(idle[-1])

    def test_the_connection_that_asked_last_stays(self, tiny, monkeypatch):
        monkeypatch.setattr("kittentts.server.connections.max_connections", lambda: 10)
        with running(tiny) as url, contextlib.ExitStack() as stack:
            asking = stack.enter_context(connect(url))
            for _ in range(2):
                for _ in range(5):
                    stack.enter_context(connect(url))
                assert is_healthy(asking)

    def test_requests_that_are_answered_are_not_closed(self, tmp_path, monkeypatch):
        monkeypatch.setattr("kittentts.server.connections.max_connections", lambda: 2)
        monkeypatch.setattr("kittentts.server.connections._HEAD_TIMEOUT", 1000.0)
        directory = tiny_model.make_directory(tmp_path, loops=10_000_000)
        with KittenTTS(directory) as model, running(model) as url, asking(url, "One."), asking(url, "Two."):
            wait_for(lambda: len(url.server.server_state.tasks) == 2)
            with connect(url) as refused:
                assert end(refused) == b""
            assert len(url.server.server_state.tasks) == 2

    @pytest.mark.slow
    def test_more_connections_than_file_descriptors(self, serve, tiny_directory):
        resource = pytest.importorskip("resource", reason="Windows has no limit of file descriptors")
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < 2000:
            pytest.skip("this process may not open 1,100 connections")
        resource.setrlimit(resource.RLIMIT_NOFILE, (2000, hard))
        try:
            process, url = serve("-m", tiny_directory, "-q", file_descriptors=1024)
            with contextlib.ExitStack() as stack:
                for _ in range(1100):
                    stack.enter_context(connect(url))
                for _ in range(5):
                    assert CLIENT.get(url + "/health").status_code == 200
                assert speak(url).status_code == 200
            process.terminate()
            assert process.stderr.read() == ""
            assert process.wait(30) == 0
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    def test_a_message_when_no_file_descriptor_is_free(self, tiny, caplog):
        # asyncio reports one for each connection that it could not accept
        context = {"message": "out of system resource", "exception": OSError(errno.EMFILE, "Too many open files")}
        with running(tiny) as url:
            for _ in range(100):
                url.loop.call_soon_threadsafe(url.loop.call_exception_handler, context)
            assert CLIENT.get(url + "/health").status_code == 200
        assert caplog.messages == ["no file descriptor is free for new connections; see ulimit -n"]
