"""The field `markup` of a request, and blends of voices in it."""

import json
from typing import get_args

import numpy as np
import pytest
from speech_server import running, speak

from kittentts.defaults import MARKUPS
from kittentts.server.speech_request import Markup, SpeechRequest

SSML = '<speak>One.<break time="1s"/> <voice name="Bella">Two <mark name="x"/>three.</voice></speak>'


@pytest.fixture(scope="module")
def url(tiny):
    with running(tiny) as url:
        yield url


def pcm(audio):
    return len(audio) * 2


def test_the_request_says_how_its_input_is_marked_up(tiny, url):
    expected = tiny.generate(SSML, "Leo", markup="ssml")
    assert len(speak(url, SSML, markup="ssml", response_format="pcm").content) == pcm(expected)
    plain = speak(url, SSML, response_format="pcm").content
    assert len(plain) != pcm(expected)
    assert len(speak(url, SSML, markup=None, response_format="pcm").content) == len(plain)


def test_timings_lead_back_into_the_document(url):
    response = speak(url, SSML, markup="ssml", stream_format="sse", timings=True, response_format="pcm")
    events = [json.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: ")]
    chunks = [chunk for event in events for chunk in event.get("chunks", ())]
    assert [chunk["text"] for chunk in chunks] == ["One.", "Two three."]
    assert chunks[1]["start"] - chunks[0]["end"] == pytest.approx(1.0)
    assert [mark["name"] for mark in chunks[1]["marks"]] == ["x"]
    assert SSML[slice(*chunks[1]["words"][0]["span"])].startswith("Two")
    (subtitles,) = [event["srt"] for event in events if "srt" in event]
    assert "<" not in subtitles


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"markup": "html"}, "markup: Input should be 'ssml', 'ssml-lenient' or 'pauses'"),
        ({"markup": "ssml", "input": "<speak>\n<audio/></speak>"}, "line 2 of the SSML: <audio>"),
        ({"markup": "ssml", "input": "<!DOCTYPE s><speak>Hi</speak>"}, "a document type"),
        ({"voice": "Bella:x+Leo"}, "the weight of 'Bella:x' is not a number above 0"),
    ],
)
def test_what_is_wrong_is_the_clients_fault(url, fields, message):
    fields = {"input": SSML, **fields}
    response = speak(url, fields.pop("input"), **fields)
    assert response.status_code == 400
    assert message in response.json()["error"]["message"]


def test_blends_have_openais_names_too():
    aliases = {"alloy": "Bella", "nova": "Luna", "0.3": "wrong"}
    for given, voice in (
        ("alloy", "Bella"), ("alloy:0.7+nova:0.3", "Bella:0.7+Luna:0.3"), ("alloy(2)+Leo", "Bella(2)+Leo"),
        ("nova + alloy", "Luna + Bella"), ("my alloy", "my alloy"),
    ):  # fmt: skip
        request = SpeechRequest(input="x", voice=given)
        assert request.parameters({}, aliases)["voice"] == voice


def test_a_blend_is_spoken(tiny, url):
    expected = tiny.generate("Hello.", "Bella:3+Jasper")
    found = speak(url, "Hello.", voice="Bella:3+Jasper", response_format="pcm").content
    assert len(found) == pcm(expected)
    assert np.abs(np.frombuffer(found, "<i2") / 32767 - np.clip(expected, -1, 1)).max() < 0.001


def test_the_names_are_those_of_the_library():
    assert get_args(Markup) == MARKUPS
