"""`kittentts serve`: what it refuses before it listens, and what its options do to the server."""

import logging
import os
import signal

import pytest
from speech_server import CLIENT, SPEECH, check_pcm, speak

from kittentts import KittenTTS
from kittentts.cli import main
from kittentts.service.listening import is_loopback


@pytest.fixture
def command(tiny_directory, monkeypatch, capsys):
    """Run the command in this process; return its status and what it says on stderr."""
    monkeypatch.setenv("KITTENTTS_MODEL", str(tiny_directory))
    monkeypatch.delenv("KITTENTTS_API_KEY", raising=False)
    handler = signal.getsignal(signal.SIGTERM)
    levels = {name: logging.getLogger(name).level for name in ("kittentts", "kittentts.server.request_log")}

    def run(*arguments):
        try:
            status = main(list(arguments))
        except SystemExit as error:
            # argparse leaves like this
            status = error.code
        return status, capsys.readouterr().err

    yield run
    signal.signal(signal.SIGTERM, handler)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("0.0.0.0", False),  # noqa: S104
        ("::", False),
        ("192.168.1.5", False),
        ("localhost.example.org", False),
        ("", False),
    ],
)
def test_whether_others_can_reach_a_host(host, is_ours):
    assert is_loopback(host) == is_ours


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--host", "0.0.0.0"], 2, "others can reach 0.0.0.0: give --api-key"),  # noqa: S104
        (["--host", "::"], 2, "others can reach ::"),
        (["--api-key", ""], 2, "the API key (--api-key or KITTENTTS_API_KEY) is empty"),
        (["--api-key", " \n"], 2, "is empty or has control characters"),
        (["--api-key", "a\nb"], 2, "is empty or has control characters"),
        (["--api-key", "", "--no-auth"], 2, "is empty or has control characters"),
        (["--host", "0.0.0.0", "--api-key", ""], 2, "is empty or has control characters"),  # noqa: S104
        (["--port", "70000"], 2, "a number from 0 to 65535"),
        (["--queue", "-1"], 2, "--queue -1: a number of at least 0"),
        (["--concurrency", "0"], 2, "--concurrency 0: a number of at least 1"),
        (["--timeout", "nan"], 2, "--timeout nan"),
        (["--allow-host", "http://tts.lan"], 2, "a name without scheme and port"),
        (["--allow-host", "tts.lan:80"], 2, "a name without scheme and port"),
        (["--allow-origin", "https://example.org/"], 2, "scheme://host[:port] is needed"),
        (["--allow-origin", "example.org"], 2, "scheme://host[:port] is needed"),
        (["--voice-alias", "alloy"], 2, "NAME=VOICE is needed"),
        (["--voice-alias", "alloy=Nobody"], 2, "'Nobody' is unknown; this model has"),
        (["--voice", "Nobody"], 1, "voice='Nobody' is unknown"),
        (["--speed", "9"], 2, "--speed"),
        (["--host", "192.0.2.1", "--no-auth"], 1, "192.0.2.1:0"),
        (["-m", "/no/such/directory"], 1, "there is no model directory"),
    ],
)
def test_wrong_usage(command, arguments, status, message):
    got, stderr = command("serve", "--port", "0", *arguments)
    assert got == status
    assert message in stderr


def test_an_empty_key_in_the_environment(command, monkeypatch):
    monkeypatch.setenv("KITTENTTS_API_KEY", "")
    status, stderr = command("serve", "--port", "0")
    assert status == 2
    assert "KITTENTTS_API_KEY) is empty" in stderr


def test_a_key_that_ends_in_a_newline(serve, tiny_directory):
    _, url = serve("-m", tiny_directory, KITTENTTS_API_KEY="secret\n")
    assert CLIENT.get(url + "/metrics", headers={"Authorization": "Bearer secret"}).status_code == 200
    assert CLIENT.get(url + "/metrics").status_code == 401


def test_options(serve, tiny_directory):
    process, url = serve(
        "-m", tiny_directory, "--voice", "Jasper", "--speed", 2, "--voice-alias", "alloy=Leo", "--model-alias", "mine",
        "--max-chars", 20, "--allow-host", "TTS.lan", "--allow-origin", "https://example.org", "--log-text",
    )  # fmt: skip
    with KittenTTS(tiny_directory) as model:
        spoken = CLIENT.post(url + SPEECH, json={"input": "Hello there.", "response_format": "pcm"})
        check_pcm(spoken.content, model.generate("Hello there.", "Jasper", 2.0, clean_text=True))
        spoken = speak(url, "Hello again.", voice="alloy", speed=1.0, model="mine", response_format="pcm")
        check_pcm(spoken.content, model.generate("Hello again.", "Leo", 1.0, clean_text=True))
    assert speak(url, voice="nova").status_code == 200
    assert speak(url, "A text of 21 letters.").status_code == 400
    assert CLIENT.get(url + "/health", headers={"Host": "tts.lan", "Origin": "https://example.org"}).status_code == 200
    process.terminate()
    assert "to speak: 'Hello there.'" in process.stderr.read()


def test_without_the_extra(kitten, tiny_directory, tmp_path):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/fastapi.py").write_text("raise ImportError('not there')")
    result = kitten("serve", "-m", tiny_directory, env=os.environ | {"PYTHONPATH": str(tmp_path / "broken")})
    assert result.returncode == 1
    assert "pip install fastapi uvicorn h11 prometheus-client" in result.stderr
