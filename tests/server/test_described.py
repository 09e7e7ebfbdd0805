"""What the server says of itself is true: its OpenAPI description, and docs/server.md."""

import re
from pathlib import Path

import pytest
from speech_server import CLIENT, SPEECH, running, speak

import kittentts
from kittentts.server.settings import HOST, PORT, VOICE_ALIASES, Settings

PAGE = " ".join((Path(__file__).parent.parent.parent / "docs" / "server.md").read_text(encoding="utf-8").split())


@pytest.fixture(scope="module")
def url(tiny):
    with running(tiny) as url:
        yield url


class TestOpenAPI:
    @pytest.fixture(scope="class")
    def operations(self, url):
        paths = CLIENT.get(url + "/openapi.json").json()["paths"]
        return {path: operation for path, operations in paths.items() for operation in operations.values()}

    def test_every_operation_describes_its_errors(self, operations):
        everywhere = {"200", "403", "421", "500", "default"}
        speech = {"400", "401", "404", "408", "413", "429", "503"}
        assert {path: set(operation["responses"]) - everywhere for path, operation in operations.items()} == {
            SPEECH: speech, "/v1/models": {"401"}, "/v1/models/{name}": {"401", "404"}, "/v1/audio/models": {"401"},
            "/v1/audio/voices": {"401"}, "/v1/audio/capabilities": {"401"}, "/health": set(), "/ready": set(),
            "/metrics": {"401"},
        }  # fmt: skip
        for operation in operations.values():
            assert everywhere <= set(operation["responses"])

    def test_the_body_of_an_error_is_as_described(self, url, operations):
        schemas = CLIENT.get(url + "/openapi.json").json()["components"]["schemas"]
        assert "HTTPValidationError" not in schemas
        for status in ("400", "default"):
            described = operations[SPEECH]["responses"][status]["content"]["application/json"]["schema"]["$ref"]
            assert described == "#/components/schemas/ErrorBody"
        error = speak(url, speed=99).json()
        assert list(error) == list(schemas["ErrorBody"]["properties"]) == schemas["ErrorBody"]["required"]
        detail = schemas["ErrorDetail"]
        assert set(error["error"]) == set(detail["properties"]) == set(detail["required"])
        assert error["error"]["type"] in detail["properties"]["type"]["enum"]

    def test_its_name_and_version(self, url):
        info = CLIENT.get(url + "/openapi.json").json()["info"]
        assert (info["title"], info["version"]) == ("kittentts", kittentts.__version__)

    def test_media_types(self, operations):
        content = operations[SPEECH]["responses"]["200"]["content"]
        assert set(content) == {
            "audio/mpeg", "audio/ogg", "audio/aac", "audio/flac", "audio/wav", "audio/pcm", "text/event-stream",
        }  # fmt: skip
        assert set(operations["/metrics"]["responses"]["200"]["content"]) == {"text/plain"}


def test_the_aliases_of_openais_voices_are_those_that_the_page_lists():
    (listed,) = re.findall(r"OpenAI's voices are spoken by: (.*?)\.", PAGE)
    aliases = {}
    for part in listed.split(";"):
        *names, voice = part.replace(" and ", " ").split()
        aliases |= dict.fromkeys(names, voice)
    assert aliases == VOICE_ALIASES


def test_what_the_operator_does_not_decide_is_as_documented():
    defaults = Settings((), {})
    assert f"`http://{HOST}:{PORT}/v1`" in PAGE
    assert defaults.host == HOST
    assert f"1 to {defaults.max_chars} characters (`--max-chars`)" in PAGE
    assert f"`--concurrency` requests ({defaults.concurrency}) are" in PAGE
    assert f"`--queue` more ({defaults.queue}) wait" in PAGE
    assert f"`--queue-timeout` seconds ({defaults.queue_timeout:.0f})" in PAGE
    assert f"`--timeout` seconds ({defaults.timeout:.0f}) in all" in PAGE
    assert (defaults.api_key, defaults.log_text, defaults.speech) == (None, False, {})
    assert defaults.allow_hosts == defaults.allow_origins == ()
