"""The server under load: many clients at once, a queue, clients that leave, a server that is told to stop."""

import asyncio
import contextlib
import gc
import os
import random
import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import tiny_model
from speech_server import CLIENT, SPEECH, asking, check_pcm, leave_in_the_middle, metric, running, speak, wait_for

from kittentts import KittenTTS
from kittentts.errors import StoppedError
from kittentts.server import run
from kittentts.server.app import make_app
from kittentts.server.settings import Settings
from kittentts.service.listening import bind

BUSY = "kittentts_busy_workers"
QUEUE = "kittentts_queue"
BOOK = "This is one of many sentences. " * 25
# far beyond the time of a test
FOR_EVER = 10_000_000
# about a fiftieth of a second for each chunk
SLOW = 40


@pytest.fixture(scope="module")
def endless(tmp_path_factory):
    """A model that never comes to an end."""
    return tiny_model.make_directory(tmp_path_factory.mktemp("endless"), loops=FOR_EVER)


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    return tiny_model.make_directory(tmp_path_factory.mktemp("slow"), loops=SLOW)


@contextlib.contextmanager
def held(url):
    """A request that takes a place until the context ends."""
    with asking(url, "This one stays.") as connection:
        wait_for(lambda: metric(url, BUSY) + metric(url, QUEUE) > 0)
        yield connection


class TestLoad:
    @pytest.mark.slow
    def test_200_requests_of_50_clients(self, tiny):
        numbers = random.Random(8)
        texts = {number: f"Request {number} is here. It has {number} words, or {number * 7}." for number in range(160)}
        expected = {number: tiny.generate(text, "Leo", clean_text=True) for number, text in texts.items()}
        bad = [b"{", b"[]", b'{"input": 5}', b'{"input": "Hi.", "voice": "Nobody"}', b'{"input": "Hi.", "speed": 99}']

        def speak_right(number):
            response = speak(url, texts[number], response_format="pcm")
            assert response.status_code == 200, response.text
            check_pcm(response.content, expected[number])
            return "right"

        def leave(_):
            leave_in_the_middle(url, BOOK)
            return "left"

        def speak_wrong(number):
            headers = {"Content-Type": "application/json"}
            response = CLIENT.post(url + SPEECH, content=bad[number % len(bad)], headers=headers)
            assert response.status_code == 400
            return "wrong"

        jobs = [(speak_right, number) for number in texts] + [(leave, 0)] * 20 + [(speak_wrong, i) for i in range(20)]
        with running(tiny, queue=50) as url:
            self.rest(url)
            threads, tasks = self.threads(), self.tasks(url)
            numbers.shuffle(jobs)
            with ThreadPoolExecutor(50) as clients:
                results = list(clients.map(lambda job: job[0](job[1]), jobs[:60]))
                self.rest(url)
                before = memory()
                results = list(clients.map(lambda job: job[0](job[1]), jobs))
                self.rest(url)
            assert [results.count(result) for result in ("right", "left", "wrong")] == [160, 20, 20]
            # all of them need no more than the first few
            assert memory() - before < 30e6
            wait_for(lambda: self.tasks(url) <= tasks)
            wait_for(lambda: self.threads() <= threads)
            assert metric(url, "kittentts_requests_total") == 260
            assert metric(url, 'kittentts_failures_total{status="left"}') >= 20

    def rest(self, url):
        wait_for(lambda: metric(url, BUSY) == metric(url, QUEUE) == 0)
        gc.collect()

    def threads(self):
        # the server's own stay, for the next requests
        return sum(not thread.name.startswith("kittentts-speech") for thread in threading.enumerate())

    def tasks(self, url):
        async def count():
            return len(asyncio.all_tasks())

        return asyncio.run_coroutine_threadsafe(count(), url.loop).result()

    def test_a_short_request_is_not_stuck_behind_books(self, slow):
        with KittenTTS(slow, max_workers=1) as model, running(model) as url, ThreadPoolExecutor(2) as clients:
            books = [clients.submit(speak, url, BOOK) for _ in range(2)]
            wait_for(lambda: metric(url, BUSY) == 2)
            assert speak(url).status_code == 200
            assert not any(book.done() for book in books)
            assert [book.result().status_code for book in books] == [200, 200]

    def test_the_first_bytes_come_before_the_last_are_made(self, slow):
        with KittenTTS(slow, max_workers=1) as model, running(model) as url:
            body = {"input": BOOK, "response_format": "pcm"}
            with CLIENT.stream("POST", url + SPEECH, json=body) as response:
                blocks = response.iter_bytes()
                next(blocks)
                assert metric(url, BUSY) == 1


class TestQueue:
    def test_too_many_and_too_long(self, endless):
        with (
            KittenTTS(endless) as model,
            running(model, concurrency=1, queue=1, queue_timeout=1.0) as url,
            held(url),
            ThreadPoolExecutor(1) as clients,
        ):
            waiting = clients.submit(speak, url)
            wait_for(lambda: metric(url, QUEUE) == 1)
            refused = speak(url)
            assert refused.status_code == 429
            assert int(refused.headers["retry-after"]) > 0
            assert refused.json()["error"]["code"] == "rate_limit_exceeded"
            # the event loop is not busy
            assert CLIENT.get(url + "/health").json() == {"status": "ok"}
            response = waiting.result()
            assert response.status_code == 503
            assert int(response.headers["retry-after"]) > 0
            assert response.json()["error"]["type"] == "server_error"

    def test_who_leaves_frees_the_worker(self, endless):
        with KittenTTS(endless) as model, running(model, concurrency=1) as url:
            threads = threading.active_count()
            with held(url):
                pass
            # how long it takes: see the documentation
            wait_for(lambda: metric(url, BUSY) == 0)
            wait_for(lambda: threading.active_count() <= threads + 1)
            assert metric(url, 'kittentts_failures_total{status="left"}') == 1

    def test_the_stream_of_who_leaves_is_closed_outside_the_event_loop(self, tiny, monkeypatch):
        threads = []

        def endless(text, **parameters):
            # the server looks ahead
            assert parameters["look_ahead"]
            try:
                while True:
                    yield tiny.generate(text)
            finally:
                threads.append(threading.current_thread().name)

        monkeypatch.setattr(tiny, "generate_stream", endless)
        with running(tiny) as url:
            leave_in_the_middle(url, "Hello.")
            wait_for(lambda: threads)
        assert threads[0].startswith("kittentts-speech")

    def test_a_cancelled_request_stops_its_work(self, tiny, monkeypatch):
        began = threading.Event()

        def endless(cancel, **_):
            began.set()
            assert cancel.wait(20)
            yield from ()

        async def cancel_it():
            app = make_app(tiny, Settings(("tiny",), {}))
            messages = [{"type": "http.request", "body": b'{"input": "Hello."}'}]

            async def receive():
                return messages.pop() if messages else await asyncio.Future()

            scope = {"type": "http", "method": "POST", "path": SPEECH, "query_string": b"", "http_version": "1.1"}
            headers = [(b"content-type", b"application/json")]
            request = asyncio.create_task(app(scope | {"headers": headers}, receive, None))
            await asyncio.to_thread(began.wait)
            request.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asyncio.wait_for(request, 10)

        monkeypatch.setattr(tiny, "generate_stream", endless)
        asyncio.run(cancel_it())

    def test_who_leaves_the_queue_is_forgotten(self, endless):
        with KittenTTS(endless) as model, running(model, concurrency=1) as url, held(url):
            with held(url):
                wait_for(lambda: metric(url, QUEUE) == 1)
            wait_for(lambda: metric(url, QUEUE) == 0)
            assert metric(url, BUSY) == 1

    def test_the_time_of_a_request_is_bounded(self, endless):
        with KittenTTS(endless) as model, running(model, timeout=0.3) as url:
            response = speak(url)
            assert response.status_code == 503
            assert "took too long" in response.json()["error"]["message"]

    def test_a_failure_in_the_middle_breaks_the_answer_off(self, failing):
        text = "Hello there. " * 60 + "Roses."
        with running(failing) as url:
            with pytest.raises(httpx.RemoteProtocolError):
                speak(url, text)
            answer = speak(url, text, stream_format="sse").text
            assert '{"error": {"message": "the model failed' in answer.rpartition("data: ")[2]
            assert metric(url, 'kittentts_failures_total{status="broken"}') == 2


class TestStopping:
    @pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
    def test_what_runs_is_finished(self, serve, slow, number):
        process, url = serve("-m", slow, "--max-workers", 1)
        with ThreadPoolExecutor(1) as clients:
            book = clients.submit(speak, url, BOOK, response_format="pcm")
            wait_for(lambda: metric(url, BUSY) == 1)
            process.send_signal(number)
            wait_for(lambda: refuses(url))
            assert not book.done()
            with KittenTTS(slow) as model:
                check_pcm(book.result().content, model.generate(BOOK, "Leo", clean_text=True))
        assert process.wait(30) == 0

    @pytest.mark.slow
    def test_what_does_not_end_is_stopped(self, serve, endless):
        process, url = serve("-m", endless, "--grace", 0.3)
        with ThreadPoolExecutor(1) as clients:
            answer = clients.submit(speak, url)
            wait_for(lambda: metric(url, BUSY) == 1)
            process.send_signal(signal.SIGTERM)
            assert answer.result().status_code == 503
        assert process.wait(30) == 0

    def test_a_second_ctrl_c_stops_what_runs(self, serve, endless):
        process, url = serve("-m", endless, "-q")
        with ThreadPoolExecutor(2) as clients:
            answers = [clients.submit(speak, url), clients.submit(speak, url, stream_format="sse")]
            wait_for(lambda: metric(url, BUSY) == 2)
            process.send_signal(signal.SIGINT)
            wait_for(lambda: refuses(url))
            process.send_signal(signal.SIGINT)
            for answer in answers:
                assert answer.result().status_code == 503
                assert "going down" in answer.result().json()["error"]["message"]
        assert process.wait(30) == 0
        assert process.stderr.read() == ""

    @pytest.mark.slow
    def test_a_client_that_does_not_read_does_not_delay_the_end(self, serve, tiny_directory):
        process, url = serve("-m", tiny_directory, "--grace", 0.3)
        with asking(url, "This is one of many sentences. " * 130, receive_buffer=4096):
            wait_for(lambda: metric(url, BUSY) == 1)
            process.send_signal(signal.SIGTERM)
            assert process.wait(15) == 0
        assert "Traceback" not in process.stderr.read()

    def test_nothing_to_finish(self, serve, tiny_directory):
        process, url = serve("-m", tiny_directory)
        assert CLIENT.get(f"{url}/v1/models").json()["data"][0]["id"] == tiny_directory.name
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0

    def test_the_model_is_closed_whatever_happens(self, tiny_directory):
        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        model = KittenTTS(tiny_directory)

        def fail():
            raise ZeroDivisionError

        try:
            with bind("127.0.0.1", 0) as bound, pytest.raises(ZeroDivisionError):
                run.serve(model, Settings(("tiny",), {}), bound, 60.0, fail)
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        with pytest.raises(StoppedError):
            model.generate("Hello.")

    @pytest.mark.slow
    def test_a_port_in_use(self, serve, kitten, tiny_directory):
        _, url = serve("-m", tiny_directory)
        result = kitten("serve", "-m", tiny_directory, "--port", url.rpartition(":")[2])
        assert result.returncode == 1
        assert "Address already in use" in result.stderr
        assert result.stderr.count("\n") == 1


def refuses(url):
    try:
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=1):
            return False
    except OSError:
        return True


def memory():
    """Return the memory that this process has, in bytes."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if statm.exists() else 0
