"""The server as clients use it: OpenAI's own, and the shapes that well-known programs send."""

import asyncio
import base64
import io
import json
import shutil
import subprocess
import time

import numpy as np
import openai
import pytest
import soundfile
import tiny_model
from speech_server import CLIENT, SPEECH, check_pcm, metric, post_raw, running, speak

from kittentts import KittenTTS
from kittentts.errors import SettingError
from kittentts.server.app import make_app
from kittentts.server.settings import Settings
from kittentts.server.web_page import PAGE_PATHS

FORMATS = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}
TEXT = "The first sentence is here. The second one follows. And this is the third, and the last."
KEY = "a secret key"


@pytest.fixture(scope="module")
def url(tiny):
    with running(tiny) as url:
        yield url


@pytest.fixture(scope="module")
def locked_url(tiny):
    with running(tiny, api_key=KEY) as url:
        yield url


@pytest.fixture(scope="module")
def client(url):
    with openai.OpenAI(base_url=f"{url}/v1", api_key="anything", max_retries=0) as client:
        yield client


def decode(body, name):
    """Return the samples, by soundfile, or by ffmpeg what it does not read."""
    if name == "pcm":
        return np.frombuffer(body, "<i2") / 32768
    if name != "aac":
        return soundfile.read(io.BytesIO(body))[0]
    if not shutil.which("ffmpeg"):
        pytest.skip("ffmpeg is not installed")
    command = ["ffmpeg", "-v", "error", "-i", "pipe:0", "-f", "f32le", "-ar", "24000", "-ac", "1", "pipe:1"]
    result = subprocess.run(command, input=body, capture_output=True, check=True)
    assert not result.stderr
    return np.frombuffer(result.stdout, np.float32)


def seconds(model, text=TEXT, voice="Leo", **parameters):
    return len(model.generate(text, voice, clean_text=True, **parameters)) / 24000


class TestOpenAI:
    @pytest.mark.parametrize("name", FORMATS)
    def test_every_format(self, client, tiny, name):
        response = client.audio.speech.create(model="tts-1", voice="Leo", input=TEXT, response_format=name)
        assert response.response.headers["content-type"] == FORMATS[name]
        length = len(decode(response.content, name)) / 24000
        assert seconds(tiny) - 0.001 <= length < seconds(tiny) + 0.15

    @pytest.mark.parametrize("name", FORMATS)
    def test_streams(self, client, tiny, name):
        create = client.audio.speech.with_streaming_response.create
        with create(model="gpt-4o-mini-tts", voice="Leo", input=TEXT, response_format=name) as response:
            blocks = list(response.iter_bytes())
        assert seconds(tiny) - 0.001 <= len(decode(b"".join(blocks), name)) / 24000 < seconds(tiny) + 0.15

    def test_audio_is_what_generate_returns(self, client, tiny):
        response = client.audio.speech.create(
            model="tts-1", voice="Bella", input=TEXT, response_format="pcm", speed=1.5
        )
        check_pcm(response.content, tiny.generate(TEXT, "Bella", 1.5, clean_text=True))

    @pytest.mark.parametrize("voice", ["alloy", "nova", "onyx", "verse"])
    def test_openai_voices(self, client, voice):
        assert client.audio.speech.create(model="tts-1-hd", voice=voice, input="Hello there.").content

    def test_voice_by_id(self, client, tiny):
        create = client.audio.speech.create
        response = create(model="tts-1", voice={"id": "Bella"}, input=TEXT, response_format="pcm")
        check_pcm(response.content, tiny.generate(TEXT, "Bella", clean_text=True))

    def test_times_of_sentences_and_words(self, url, tiny):
        response = speak(url, TEXT, response_format="pcm", stream_format="sse", timings=True, voice="Leo")
        events = [json.loads(part.removeprefix("data: ")) for part in response.text.split("\n\n") if part]
        assert [event["type"] for event in events] == ["speech.audio.timing", "speech.audio.delta"] * 3 + [
            "speech.audio.subtitles", "speech.audio.done"
        ]  # fmt: skip
        speech = tiny.synthesize(TEXT, "Leo", clean_text=True)
        assert events[-2] == {"type": events[-2]["type"], "srt": speech.to_srt(), "vtt": speech.to_vtt()}
        expected = json.loads(json.dumps(speech.to_dict()))["chunks"]
        for chunk in expected:
            del chunk["phonemes"]
        assert [chunk for event in events for chunk in event.get("chunks", [])] == expected
        body = b"".join(base64.b64decode(event["audio"]) for event in events if "audio" in event)
        check_pcm(body, tiny.generate(TEXT, "Leo", clean_text=True))

    def test_times_need_events(self, url):
        response = speak(url, TEXT, timings=True)
        assert response.status_code == 400
        assert response.json()["error"]["param"] == "timings"

    def test_server_sent_events(self, url, tiny):
        response = speak(url, TEXT, response_format="pcm", stream_format="sse", voice="Leo")
        assert response.headers["content-type"].startswith("text/event-stream")
        events = [json.loads(part.removeprefix("data: ")) for part in response.text.split("\n\n") if part]
        assert [event["type"] for event in events] == ["speech.audio.delta"] * 3 + ["speech.audio.done"]
        assert events[-1]["usage"]["total_tokens"] == len(TEXT)
        body = b"".join(base64.b64decode(event["audio"]) for event in events[:-1])
        check_pcm(body, tiny.generate(TEXT, "Leo", clean_text=True))

    def test_lists_models(self, client):
        names = [model.id for model in client.models.list()]
        assert names[:2] == ["tiny", "tts-1"]
        assert client.models.retrieve("tiny").owned_by == "kittentts"

    def test_the_form_of_the_list(self, url):
        models = CLIENT.get(f"{url}/v1/models").json()
        assert models["object"] == "list"
        assert {model["object"] for model in models["data"]} == {"model"}
        assert all(abs(model["created"] - time.time()) < 3600 for model in models["data"])

    @pytest.mark.parametrize(
        ("parameters", "kind", "param", "code", "message"),
        [
            ({"voice": "Nobody"}, openai.BadRequestError, "voice", "voice_not_found", "Bella, Jasper, Leo"),
            ({"model": "gpt-9"}, openai.NotFoundError, "model", "model_not_found", "no model 'gpt-9' here"),
            ({"input": ""}, openai.BadRequestError, "input", None, "at least 1 character"),
            ({"input": " \n"}, openai.BadRequestError, "input", None, "blank"),
            ({"input": "..."}, openai.BadRequestError, "input", None, "no word, number or symbol"),
            ({"input": "a" * 4097}, openai.BadRequestError, "input", "string_above_max_length", "up to 4096"),
            ({"response_format": "ogg"}, openai.BadRequestError, "response_format", None, "'mp3', 'opus'"),
            ({"speed": 0.2}, openai.BadRequestError, "speed", None, "greater than or equal to 0.25, not 0.2"),
            ({"speed": 4.1}, openai.BadRequestError, "speed", None, "less than or equal to 4, not 4.1"),
            ({"stream_format": "x"}, openai.BadRequestError, "stream_format", None, "'audio' or 'sse'"),
        ],
    )
    def test_errors(self, client, parameters, kind, param, code, message):
        given = {"model": "tts-1", "voice": "Leo", "input": "Hello."} | parameters
        with pytest.raises(kind, match=message) as caught:
            client.audio.speech.create(**given)
        assert (caught.value.param, caught.value.code) == (param, code)
        assert caught.value.type == "invalid_request_error"

    def test_an_unknown_model_of_the_list(self, client):
        with pytest.raises(openai.NotFoundError, match="no model"):
            client.models.retrieve("../../etc/passwd")

    def test_a_wrong_key(self, locked_url):
        with (
            openai.OpenAI(base_url=f"{locked_url}/v1", api_key="wrong", max_retries=0) as client,
            pytest.raises(openai.AuthenticationError, match="wrong API key") as caught,
        ):
            client.audio.speech.create(model="tts-1", voice="alloy", input="Hello.")
        assert caught.value.code == "invalid_api_key"
        with openai.OpenAI(base_url=f"{locked_url}/v1", api_key=KEY) as client:
            assert client.audio.speech.create(model="tts-1", voice="alloy", input="Hello.").content

    def test_a_failure_of_the_model(self, failing, caplog):
        with (
            running(failing) as url,
            openai.OpenAI(base_url=f"{url}/v1", api_key="x", max_retries=0) as client,
            pytest.raises(openai.InternalServerError, match="the server's log says more"),
        ):
            client.audio.speech.create(model="tts-1", voice="Leo", input="Roses.")
        assert "a request failed: SynthesisError at " in caplog.text


class TestOtherClients:
    """Bodies and headers as these programs send them."""

    def test_librechat(self, url, tiny):
        # no response_format, fields of its own; it joins the bodies of several requests
        texts = ["The first part is here.", "The second part follows."]
        fields = {"model": "tts-1", "voice": "Leo", "backend": "xtts", "language": None}
        answers = [post_raw(url, {"input": text} | fields, Authorization="Bearer ") for text in texts]
        assert {media_type for media_type, _ in answers} == {"audio/mpeg"}
        length = len(soundfile.read(io.BytesIO(b"".join(body for _, body in answers)))[0]) / 24000
        whole = sum(seconds(tiny, text) for text in texts)
        assert whole <= length < whole + 0.3

    def test_open_webui(self, url):
        voices = CLIENT.get(f"{url}/v1/audio/voices").json()["voices"]
        assert voices[0] == {"id": "Bella", "name": "Bella"}
        models = CLIENT.get(f"{url}/v1/audio/models").json()["models"]
        assert models[0]["id"] == "tiny"
        response = CLIENT.post(
            url + SPEECH,
            json={
                "input": "Hello there.",
                "model": models[1]["id"],
                "voice": voices[0]["id"],
                "user": "me",
                "stream": True,
            },
            headers={"Authorization": "Bearer key", "X-OpenWebUI-User-Name": "me"},
        )
        assert response.status_code == 200

    def test_sillytavern(self, url):
        body = {"model": "tts-1", "input": "Hello there.", "voice": "nova", "response_format": "mp3", "speed": 1}
        headers = {"Authorization": "Bearer undefined"}
        assert CLIENT.post(url + SPEECH, json=body, headers=headers).headers["content-type"] == "audio/mpeg"

    def test_home_assistant(self, url):
        body = {
            "model": "gpt-4o-mini-tts", "input": "The door is open.", "voice": "shimmer", "response_format": "wav",
            "speed": 1.0, "instructions": "Speak like a butler.", "chat_template": "",
        }  # fmt: skip
        response = CLIENT.post(url + SPEECH, json=body)
        assert soundfile.info(io.BytesIO(response.content)).samplerate == 24000

    def test_the_least(self, url):
        body = {"input": "Hello there.", "voice": None, "speed": None, "response_format": None, "model": None}
        assert CLIENT.post(url + SPEECH, json=body).headers["content-type"] == "audio/mpeg"
        assert CLIENT.post(url + SPEECH, json={"input": "Hello there."}).status_code == 200


class TestErrors:
    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/nothing", 404),
            ("POST", "/nothing", 404),
            ("GET", "/v1/audio/nothing", 404),
            ("GET", SPEECH, 405),
            ("POST", "/v1/models", 405),
            ("DELETE", "/health", 405),
            ("GET", "/docs", 404),
            ("GET", "/page/../../cli/serve.py", 404),
            ("GET", "/%2e%2e/%2e%2e/etc/passwd", 404),
        ],
    )
    def test_paths_and_methods(self, url, method, path, status):
        response = CLIENT.request(method, url + path)
        assert response.status_code == status
        assert response.json()["error"].keys() == {"message", "type", "param", "code"}

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "must be a JSON object"),
            (b"{", "not valid JSON"),
            (b"[]", "must be a JSON object"),
            (b'"text"', "must be a JSON object"),
            (b"\xff\xfe", "not valid JSON"),
            (b'{"input": "\xff"}', "parsing the body"),
            (b"[" * 60_000, ""),
            (b'{"input": 5}', "input: Input should be a valid string"),
            (b'{"voice": "Leo"}', "input: Field required"),
            (b'{"input": "a", "speed": NaN}', "speed: Input should be a finite number"),
            (b'{"input": "\\ud800"}', "input: "),
            (b'{"input": "a", "voice": {"name": "Leo"}}', "voice: "),
            (b'{"input": "a", "model": "\\u0000"}', "no model"),
        ],
    )
    def test_bodies(self, url, content, message):
        response = CLIENT.post(url + SPEECH, content=content, headers={"Content-Type": "application/json"})
        assert response.status_code in {400, 404}
        assert message in response.json()["error"]["message"]

    def test_a_large_body(self, url):
        response = CLIENT.post(url + SPEECH, json={"input": "a" * 200_000})
        assert response.status_code == 413
        assert response.json()["error"]["code"] == "request_too_large"

    def test_a_large_body_without_its_length(self, url):
        content = (b" " * 10_000 for _ in range(20))
        response = CLIENT.post(url + SPEECH, content=content, headers={"Content-Type": "application/json"})
        assert response.status_code == 413

    def test_aac_without_pyav(self, url, monkeypatch):
        monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
        error = speak(url, response_format="aac").json()["error"]
        assert "pip install av" in error["message"]
        assert error["param"] == "response_format"


class TestKey:
    @pytest.mark.parametrize("path", [*sorted(PAGE_PATHS), "/health", "/ready"])
    def test_open_paths(self, locked_url, path):
        assert CLIENT.get(locked_url + path).status_code == 200

    @pytest.mark.parametrize("path", ["/v1/models", "/v1/audio/voices", "/metrics", "/openapi.json", "/nothing"])
    @pytest.mark.parametrize("header", [None, "Bearer", "Bearer wrong", "Bearer schlüssel", KEY, f"Basic {KEY}"])
    def test_everything_else(self, locked_url, path, header):
        headers = {} if header is None else {"Authorization": header.encode()}
        response = CLIENT.get(locked_url + path, headers=headers)
        assert response.status_code == 401
        assert response.headers["www-authenticate"] == "Bearer"
        right = CLIENT.get(locked_url + path, headers={"Authorization": f"Bearer {KEY}"})
        assert right.status_code == (404 if path == "/nothing" else 200)


def test_a_key_in_another_alphabet(tiny):
    with running(tiny, api_key="ключ") as url:
        assert CLIENT.get(f"{url}/metrics", headers={"Authorization": "Bearer ключ".encode()}).status_code == 200


def test_the_request_counts_more_than_the_operators_defaults(tiny):
    with running(tiny, speech={"clean_text": True, "voice": "Bella", "speed": 2.0}) as url:
        check_pcm(speak(url, voice=None, response_format="pcm").content, tiny.generate("Hello there.", "Bella", 2.0))
        body = speak(url, voice="Leo", speed=0.5, response_format="pcm").content
        check_pcm(body, tiny.generate("Hello there.", "Leo", 0.5))


def test_a_voice_of_the_model_counts_more_than_an_alias(tmp_path):
    voices = {"Bella": "expr-voice-2-f", "alloy": "expr-voice-2-m", "Leo": "expr-voice-5-m"}
    directory = tiny_model.make_directory(tmp_path, config={"voice_aliases": voices})
    with KittenTTS(directory) as model, running(model) as url:
        body = speak(url, voice="alloy", response_format="pcm").content
        check_pcm(body, model.generate("Hello there.", "alloy"))
        # not there
        body = speak(url, voice="nova", response_format="pcm").content
        check_pcm(body, model.generate("Hello there.", "Bella"))


@pytest.mark.parametrize("allow_origins", [(), ("https://example.org",)])
def test_servers_that_announce_their_start_and_end_are_answered(tiny, allow_origins):
    """ASGI's lifespan, which `kittentts serve` does not use."""
    received = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent = []

    async def receive():
        return received.pop(0)

    async def send(message):
        sent.append(message["type"])

    app = make_app(tiny, Settings(("tiny",), {}, allow_origins=allow_origins))
    asyncio.run(app({"type": "lifespan", "asgi": {"version": "3.0"}}, receive, send))
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_aliases_and_limits_are_the_operators(tiny):
    settings = {"model_names": ("tiny", "my-model"), "voice_aliases": {"alloy": "Bella"}, "max_chars": 12}
    with running(tiny, **settings) as url:
        assert speak(url, model="my-model", voice="alloy").status_code == 200
        assert speak(url, model="tts-1").status_code == 404
        assert speak(url, "Hello there!!", model="tiny").json()["error"]["param"] == "input"
    with running(tiny, max_chars=20_000) as url:
        # 12 bytes for each character are not too many
        body = json.dumps({"input": "😀" * 20_001}).encode("ascii")
        answer = CLIENT.post(url + SPEECH, content=body, headers={"Content-Type": "application/json"})
        assert answer.json()["error"]["code"] == "string_above_max_length"


def test_a_setting_that_the_engine_refuses(tiny, monkeypatch):
    def refuse(**_):
        raise SettingError("too slow")

    monkeypatch.setattr(tiny, "generate_stream", refuse)
    with running(tiny) as url:
        response = speak(url)
        assert response.status_code == 400
        assert response.json()["error"]["message"] == "too slow"


def test_metrics(tiny):
    with running(tiny) as url:
        speak(url, TEXT)
        speak(url, voice="Nobody")
        assert metric(url, "kittentts_requests_total") == 2
        assert metric(url, 'kittentts_failures_total{status="400"}') == 1
        assert metric(url, "kittentts_audio_seconds_total") == pytest.approx(seconds(tiny))
        assert metric(url, "kittentts_times_real_time") > 0
        assert metric(url, "kittentts_first_sound_seconds_count") == 1
        assert metric(url, "kittentts_queue") == metric(url, "kittentts_busy_workers") == 0
        assert CLIENT.get(url + "/metrics").headers["content-type"].startswith("text/plain; version=")
