"""What was to be spoken is in the log only if the operator asks for it."""

import asyncio
import re

import httpx
import pytest
from speech_server import CLIENT, leave_in_the_middle, metric, running, speak, wait_for

from kittentts.errors import SynthesisError
from kittentts.server.api_errors import UnexpectedErrors

TEXT = "A secret text."


@pytest.mark.parametrize("log_text", [False, True])
def test_what_is_spoken(tiny, caplog, log_text):
    # no `caplog.set_level`: the command shows warnings
    with running(tiny, log_text=log_text) as url:
        speak(url, TEXT)
        speak(url, TEXT, voice="Nobody")
    assert caplog.text.count(TEXT) == 2 * log_text
    # a wrong voice is the client's failure
    assert "a request failed" not in caplog.text


@pytest.mark.parametrize("log_text", [False, True])
@pytest.mark.parametrize("kind", [ValueError, SynthesisError])
@pytest.mark.parametrize("field", [{}, {"timings": True, "stream_format": "sse"}])
def test_errors_of_the_engine(tiny, caplog, monkeypatch, log_text, kind, field):
    def fail(text, **_):
        raise kind(f"cannot say {text!r}") from KeyError(text)

    caplog.set_level("DEBUG")
    monkeypatch.setattr(tiny, "generate_stream", fail)
    monkeypatch.setattr(tiny, "synthesize_stream", fail)
    with running(tiny, log_text=log_text) as url:
        response = speak(url, TEXT, **field)
        assert response.status_code == 500
        assert TEXT not in response.text
    assert f"a request failed: {kind.__name__}" in caplog.text
    # the place where it was raised
    assert (f"{kind.__name__} at test_log.py:" in caplog.text) == (not log_text)
    assert (f"cannot say '{TEXT}'" in caplog.text) == log_text
    assert (TEXT in caplog.text) == log_text


@pytest.mark.parametrize("log_text", [False, True])
def test_other_errors(tiny, caplog, monkeypatch, log_text):
    def fail(body):
        raise RuntimeError(body.input)

    caplog.set_level("DEBUG")
    monkeypatch.setattr("kittentts.server.app.check_request", fail)
    with running(tiny, log_text=log_text) as url:
        response = speak(url, TEXT)
        assert response.status_code == 500
        assert response.json()["error"]["message"] == "the server failed; its log says more"
        assert response.json()["error"]["type"] == "server_error"
        assert metric(url, 'kittentts_failures_total{status="500"}') == 1
    assert "a request failed: RuntimeError" in caplog.text
    assert (TEXT in caplog.text) == log_text


def test_an_error_while_another_is_told(tiny, caplog, monkeypatch):
    def fail(_):
        raise RuntimeError(TEXT)

    monkeypatch.setattr("kittentts.server.response.api_error", fail)
    with running(tiny) as url:
        assert speak(url, TEXT, voice="Nobody").status_code == 500
    assert "a request failed: RuntimeError at test_log.py:" in caplog.text
    assert TEXT not in caplog.text


def test_an_error_after_the_beginning_of_an_answer(caplog):
    async def broken(_, __, send):
        await send({"type": "http.response.start", "status": 200})
        raise RuntimeError(TEXT)

    async def send(message):
        sent.append(message["type"])

    sent = []
    asyncio.run(UnexpectedErrors(broken, log_text=False)({"type": "http"}, None, send))
    # uvicorn breaks off what has no end
    assert sent == ["http.response.start"]
    assert TEXT not in caplog.text


def test_an_error_at_the_end_of_an_answer(tiny, caplog, monkeypatch):
    def fail(text, **_):
        try:
            yield tiny.generate(text)
        finally:
            raise RuntimeError(text)

    monkeypatch.setattr(tiny, "generate_stream", fail)
    with running(tiny) as url, pytest.raises(httpx.RemoteProtocolError):
        speak(url, TEXT, response_format="pcm")
    assert "a request failed: RuntimeError" in caplog.text
    assert TEXT not in caplog.text


def lines(caplog):
    return [record.message for record in caplog.records if record.name == "kittentts.server.request_log"]


def test_a_line_for_each_request(tiny, caplog):
    caplog.set_level("INFO", "kittentts.server.request_log")
    with running(tiny) as url:
        seconds = len(speak(url, TEXT, response_format="pcm").content) / 48000
        speak(url, TEXT, voice="Nobody")
        CLIENT.get(url + "/health?key=secret")
        CLIENT.get(url + "/none%7F%0Anew")
    patterns = [
        rf"POST /v1/audio/speech 200 \d+\.\d\d s, {seconds:.1f} s of audio",
        r"POST /v1/audio/speech 400 \d+\.\d\d s",
        r"GET /health 200 \d+\.\d\d s",
        r"GET /none%7F%0Anew 404 \d+\.\d\d s",
    ]
    # a client may have its answer, and ask again, before the line is there
    found = lines(caplog)
    assert len(found) == len(patterns)
    for pattern in patterns:
        assert any(re.fullmatch(pattern, line) for line in found), found


def test_a_client_that_leaves(tiny, caplog):
    caplog.set_level("INFO", "kittentts.server.request_log")
    with running(tiny) as url:
        leave_in_the_middle(url, "Hello there. " * 300)
        wait_for(lambda: lines(caplog))
    (line,) = lines(caplog)
    assert re.fullmatch(r"POST /v1/audio/speech 200 broken off \d+\.\d\d s, \d+\.\d s of audio", line)


@pytest.mark.parametrize(("loudness", "expected"), [([], 1), (["-q"], 0)])
def test_the_command_shows_it(serve, tiny_directory, loudness, expected):
    process, url = serve("-m", tiny_directory, *loudness)
    assert CLIENT.get(url + "/health").status_code == 200
    process.terminate()
    assert process.communicate(timeout=60)[1].count("kittentts: GET /health 200 ") == expected
