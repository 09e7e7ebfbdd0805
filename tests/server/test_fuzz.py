"""Whatever is sent: an answer in the API's form, and never a failure of the server's own."""

import json
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from speech_server import CLIENT, SPEECH, running

FIELDS = ("message", "type", "param", "code")


@pytest.fixture(scope="module")
def url(tiny):
    with running(tiny, max_chars=200, timeout=30.0) as url:
        yield url


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
nearly = {
    "input": st.text(max_size=60) | st.sampled_from(["Hello.", "$5 at 3:05 p.m.", "a" * 201, "\ud800", "\x00"]),
    "model": st.sampled_from(["tts-1", "tiny", "", "../tiny", "http://127.0.0.1:9/model"]),
    "voice": st.sampled_from(["Leo", "alloy", "", {"id": "Bella"}, {"id": 5}, {}]),
    "response_format": st.sampled_from(["mp3", "opus", "aac", "flac", "wav", "pcm", "ogg", "MP3"]),
    "speed": st.floats(0.2, 4.1) | st.sampled_from([1, "1.5", float("nan"), float("inf"), 1e308]),
    "stream_format": st.sampled_from(["audio", "sse", "other"]),
    "low_latency": st.booleans(),
    "instructions": anything,
}
bodies = st.fixed_dictionaries({}, optional={name: value | anything for name, value in nearly.items()}).flatmap(
    lambda body: st.dictionaries(st.text(max_size=8), anything, max_size=2).map(lambda more: {**more, **body})
)
plausible = st.fixed_dictionaries(
    {"input": nearly["input"]}, optional={name: value for name, value in nearly.items() if name != "input"}
)
several = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


def check(response):
    assert response.status_code in {200, 400, 404, 413}, response.text
    if response.status_code == 200:
        assert response.content
    else:
        error = response.json()["error"]
        assert tuple(error) == FIELDS
        assert error["message"]


@several
@given(plausible | bodies)
def test_any_fields(url, body):
    content = json.dumps(body).encode()
    check(CLIENT.post(url + SPEECH, content=content, headers={"Content-Type": "application/json"}))


@several
@given(
    st.binary(max_size=200) | anything.map(lambda value: json.dumps(value).encode()),
    st.sampled_from(["application/json", "text/plain", "multipart/form-data", "application/x-www-form-urlencoded", ""]),
)
def test_any_bytes(url, content, content_type):
    check(CLIENT.post(url + SPEECH, content=content, headers={"Content-Type": content_type} if content_type else {}))


@several
@given(st.text(max_size=30), st.sampled_from(["GET", "POST", "PUT", "HEAD"]))
def test_any_path(url, path, method):
    for prefix in ("/", "/v1/models/"):
        response = CLIENT.request(method, url + prefix + quote(path, errors="replace"))
        assert response.status_code in {200, 307, 404, 405}
