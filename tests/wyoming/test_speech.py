"""What the package's own client gets over each kind of connection: plain, and while the text is being written."""

import asyncio
import subprocess
import sys

import numpy as np
import pytest
from wyoming.client import AsyncClient
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.tts import (
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    SynthesizeVoice,
)
from wyoming_server import ask, check_audio, receive, running, talk

from kittentts import __version__

TEXT = "It cost $5. Is that not cheap? I think so."
PIECES = [SynthesizeChunk(TEXT[i : i + 4]) for i in range(0, len(TEXT), 4)]


@pytest.fixture(scope="module", params=["tcp", "unix"])
def uri(request, tiny, tmp_path_factory):
    wanted = {"tcp": "tcp://127.0.0.1:0", "unix": f"unix://{tmp_path_factory.mktemp('socket')}/wyoming"}
    with running(tiny, wanted[request.param]) as uri:
        yield uri


def kinds(events):
    """Return the types in order, each once where several follow each other."""
    types = [event.type for event in events]
    return [one for one, before in zip(types, [None, *types], strict=False) if one != before]


def test_describe(uri, tiny):
    info = Info.from_event(talk(uri, Describe(), until=["info"])[-1])
    (program,) = info.tts
    assert (program.name, program.version, program.installed) == ("kittentts", __version__, True)
    assert program.supports_synthesize_streaming
    assert [voice.name for voice in program.voices] == tiny.available_voices
    for voice in program.voices:
        assert voice.installed
        assert voice.languages == ["en-US"]
        assert [speaker.name for speaker in voice.speakers] == [voice.name]
        assert voice.attribution.name == "tiny"


@pytest.mark.parametrize(
    ("voice", "spoken"),
    [
        (None, "Leo"),
        (SynthesizeVoice("Bella"), "Bella"),
        (SynthesizeVoice("kittentts", speaker="Jasper"), "Jasper"),
        (SynthesizeVoice(language="en-GB"), "Leo"),
    ],
)
def test_plain(uri, tiny, voice, spoken):
    events = talk(uri, Synthesize(TEXT, voice), until=["audio-stop"])
    assert kinds(events) == ["audio-start", "audio-chunk", "audio-stop"]
    assert {key: events[0].data[key] for key in ("rate", "width", "channels")} == {
        "rate": 24_000,
        "width": 2,
        "channels": 1,
    }
    check_audio(events, tiny.generate(TEXT, spoken, clean_text=True))


@pytest.mark.parametrize("again", [[], [Synthesize(TEXT)]])
def test_streaming(uri, tiny, again):
    # as Home Assistant sends it: the whole text once more, for servers that do not stream
    start = SynthesizeStart(SynthesizeVoice("Bella"))
    events = talk(uri, start, *PIECES, *again, SynthesizeStop(), Describe(), until=["info"])
    assert kinds(events) == ["audio-start", "audio-chunk", "audio-stop", "synthesize-stopped", "info"]
    check_audio(events, tiny.generate(TEXT, "Bella", clean_text=True))


def test_several_requests_on_one_connection(uri, tiny):
    requests = [Synthesize("One."), SynthesizeStart(), *PIECES, SynthesizeStop(), Event("unknown"), Synthesize("Two.")]
    events = talk(uri, *requests, Describe(), until=["info"])
    stops = [place for place, event in enumerate(events) if event.type == "audio-stop"]
    check_audio(events[: stops[0]], tiny.generate("One.", "Leo"))
    check_audio(events[stops[0] : stops[1]], tiny.generate(TEXT, "Leo", clean_text=True))
    check_audio(events[stops[1] :], tiny.generate("Two.", "Leo"))


@pytest.mark.parametrize("text", ["", "..."])
def test_a_text_without_a_sound_is_silence(uri, text):
    assert kinds(talk(uri, Synthesize(text), until=["audio-stop", "error"])) == ["audio-start", "audio-stop"]
    events = talk(
        uri, SynthesizeStart(), SynthesizeChunk(text), SynthesizeStop(), until=["synthesize-stopped", "error"]
    )
    assert kinds(events) == ["audio-start", "audio-stop", "synthesize-stopped"]


def test_the_first_audio_comes_before_the_second_sentence_is_sent(uri, tiny):
    async def converse():
        async with AsyncClient.from_uri(uri) as client:
            await client.write_event(SynthesizeStart().event())
            await client.write_event(SynthesizeChunk("This is the first. ").event())
            first = await receive(client, ["audio-chunk"])
            await client.write_event(SynthesizeChunk("This is the second.").event())
            await client.write_event(SynthesizeStop().event())
            return first + await receive(client, ["synthesize-stopped"])

    check_audio(asyncio.run(converse()), tiny.generate("This is the first. This is the second.", "Leo"))


def test_ten_clients_at_once(tiny):
    texts = [f"Client number {number} says {number * 7}. It is number {number}." for number in range(10)]

    async def everybody(uri):
        def request(number, text):
            if number % 2:
                return ask(uri, Synthesize(text, SynthesizeVoice("Bella")), until=["audio-stop"])
            pieces = [SynthesizeChunk(word + " ") for word in text.split()]
            return ask(uri, SynthesizeStart(), *pieces, SynthesizeStop(), until=["synthesize-stopped"])

        return await asyncio.gather(*(request(number, text) for number, text in enumerate(texts)))

    with running(tiny, concurrency=4) as uri:
        for number, events in enumerate(asyncio.run(everybody(uri))):
            check_audio(events, tiny.generate(texts[number], "Bella" if number % 2 else "Leo", clean_text=True))


# The package's client for stdio is a process that the server's pipes are connected to.
STDIO_CLIENT = """
import asyncio, sys
from wyoming.audio import AudioChunk
from wyoming.client import AsyncClient
from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop

async def main():
    client = AsyncClient.from_uri("stdio://")
    for events, last in (
        ([Synthesize("It cost $5.")], "audio-stop"),
        (
            [SynthesizeStart(), SynthesizeChunk("It cost"), SynthesizeChunk(" $5."), SynthesizeStop()],
            "synthesize-stopped",
        ),
    ):
        for event in events:
            await client.write_event(event.event())
        while (event := await client.read_event()).type != last:
            if AudioChunk.is_type(event.type):
                sys.stderr.buffer.write(AudioChunk.from_event(event).audio)

asyncio.run(main())
"""


def test_stdio(serve, tiny, tiny_directory):
    server, uri, _ = serve(
        "-m", tiny_directory, uri="stdio://", stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    )
    assert uri == "stdio://"
    client = subprocess.run(
        [sys.executable, "-c", STDIO_CLIENT],
        stdin=server.stdout, stdout=server.stdin, stderr=subprocess.PIPE, timeout=60, check=True,
    )  # fmt: skip
    expected = tiny.generate("It cost five dollars.", "expr-voice-5-m")
    got = [Event("audio-chunk", {"rate": 24_000, "width": 2, "channels": 1}, client.stderr)]
    check_audio(got, np.tile(expected, 2))
    server.stdin.close()
    server.stdout.close()
    assert server.wait(20) == 0, server.stderr.read()


def test_a_request_from_a_pipe_that_ends(kitten, tiny, tiny_directory):
    line = b'{"type": "synthesize-start"}\n{"type": "synthesize-chunk", "data": {"text": "Hello there."}}\n'
    result = kitten("wyoming", "-m", tiny_directory, "--uri", "stdio://", input=line, text=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.endswith(b"\n")
    assert b'"synthesize-stopped"' in result.stdout
    # 16-bit samples, besides the lines around them
    assert len(result.stdout) > 2 * len(tiny.generate("Hello there.", "Leo"))
