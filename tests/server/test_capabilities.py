"""What the server says of itself, for its page and other clients."""

import pytest
from speech_server import CLIENT, running

from kittentts.defaults import MARKUPS

FORMATS = ["mp3", "opus", "aac", "flac", "wav", "pcm"]


@pytest.fixture(scope="module")
def url(tiny):
    with running(tiny) as url:
        yield url


def test_of_the_library(url):
    expected = {
        "model": "tiny", "formats": FORMATS, "markups": [*MARKUPS], "max_chars": 4096, "voice": "Leo", "speed": 1.0,
    }  # fmt: skip
    assert CLIENT.get(url + "/v1/audio/capabilities").json() == expected


def test_of_the_operator(tiny, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with running(tiny, speech={"voice": "Bella", "speed": 1.5}, max_chars=12) as url:
        expected = {
            "model": "tiny", "formats": [name for name in FORMATS if name != "aac"],
            "markups": [*MARKUPS], "max_chars": 12, "voice": "Bella", "speed": 1.5,
        }  # fmt: skip
        assert CLIENT.get(url + "/v1/audio/capabilities").json() == expected


def test_the_schema_lists_the_formats(url):
    schemas = CLIENT.get(url + "/openapi.json").json()["components"]["schemas"]
    assert schemas["Capabilities"]["properties"]["formats"]["items"]["enum"] == FORMATS
    assert schemas["Capabilities"]["properties"]["markups"]["items"]["enum"] == [*MARKUPS]
    assert schemas["SpeechRequest"]["properties"]["markup"]["anyOf"][0]["enum"] == [*MARKUPS]
