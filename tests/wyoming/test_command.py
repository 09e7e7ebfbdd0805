"""`kittentts wyoming`, in a process of its own: what it says, and how it ends."""

import asyncio
import re
import signal
import socket
import subprocess
import sys

import pytest
import tiny_model
from speech_server import wait_for
from wyoming.client import AsyncClient
from wyoming.info import Describe, Info
from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop
from wyoming_server import ask, check_audio, receive, talk

from kittentts import KittenTTS

TEXT = "Hello there. It is five."


@pytest.mark.slow
def test_options_and_log(serve, tiny, tiny_directory, tmp_path):
    # one that another server has left behind
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(tmp_path / "socket"))
    process, uri, said = serve(
        "-m", tiny_directory, "--voice", "Jasper", "--speed", 2, "--max-chars", 30, uri=f"unix://{tmp_path}/socket"
    )
    assert said == []
    program = Info.from_event(talk(uri, Describe(), until=["info"])[-1]).tts[0]
    assert program.voices[0].attribution.name == tiny_directory.name
    events = talk(uri, Synthesize(TEXT), until=["audio-stop"])
    check_audio(events, tiny.generate(TEXT, "Jasper", 2.0, clean_text=True))
    assert talk(uri, Synthesize(TEXT * 2))[-1].type == "error"
    talk(uri, SynthesizeStart(), SynthesizeChunk("Hello."), SynthesizeStop(), until=["synthesize-stopped"])
    process.terminate()
    assert process.wait(20) == 0
    assert not (tmp_path / "socket").exists()
    log = process.stderr.read().decode()
    assert "Hello" not in log
    lines = log.splitlines()
    spoken = r"first sound after \d\.\d\d s, \d\.\d s of audio, \d+\.\d times real time; 0 are spoken, 0 wait"
    assert re.fullmatch(rf"kittentts: synthesize ok \d\.\d\d s, 24 characters, {spoken}", lines[0])
    assert re.fullmatch(rf"kittentts: stream ok \d\.\d\d s, 6 characters, {spoken}", lines[-1])


@pytest.mark.slow
def test_low_latency(serve, tiny, tiny_directory):
    """On unless told otherwise: then a long sentence is spoken in pieces, whose samples are others."""
    text = "When the rain had stopped at last, we went out into the garden, and looked for the cat."
    _, uri, _ = serve("-m", tiny_directory, "--voice", "Leo")
    with pytest.raises(AssertionError):
        check_audio(talk(uri, Synthesize(text), until=["audio-stop"]), tiny.generate(text, "Leo"))
    _, uri, _ = serve("-m", tiny_directory, "--voice", "Leo", "--no-low-latency")
    check_audio(talk(uri, Synthesize(text), until=["audio-stop"]), tiny.generate(text, "Leo"))


def test_sigterm_finishes_what_runs(serve, tmp_path):
    directory = tiny_model.make_directory(tmp_path / "slow", loops=40)
    text = "This is one of many sentences. " * 20
    process, uri, _ = serve("-m", directory, "--voice", "Leo", "--no-low-latency")

    async def converse():
        async with AsyncClient.from_uri(uri) as client:
            await client.write_event(Synthesize(text).event())
            first = await receive(client, ["audio-chunk"])
            process.send_signal(signal.SIGTERM)
            return first + await receive(client)

    events = asyncio.run(converse())
    assert events[-1].type == "audio-stop"
    with KittenTTS(directory) as model:
        check_audio(events, model.generate(text, "Leo"))
    assert process.wait(20) == 0


async def is_busy(uri):
    """Whether a request is spoken, so that the server refuses another."""
    event = (await ask(uri, Synthesize("..."), until=["audio-start", "error"]))[-1]
    return event.type == "error"


@pytest.mark.parametrize("grace", [0, 60])
def test_the_end_of_the_grace_and_a_second_signal(serve, tmp_path, grace):
    directory = tiny_model.make_directory(tmp_path / "endless", loops=10_000_000)
    process, uri, _ = serve("-m", directory, "--voice", "Leo", "--grace", grace, "--concurrency", 1, "--queue", 0)

    async def converse():
        async with AsyncClient.from_uri(uri) as client, AsyncClient.from_uri(uri) as idle:
            await client.write_event(Synthesize("Hello.").event())
            while not await is_busy(uri):
                pass
            process.send_signal(signal.SIGTERM)
            # the shutdown has begun
            assert await idle.read_event() is None
            if grace:
                process.send_signal(signal.SIGTERM)
            return await receive(client)

    (error,) = asyncio.run(converse())
    assert error.data["code"] == "StoppedError"
    assert process.wait(20) == 0


def test_an_address_that_others_reach(serve, tiny_directory):
    process, uri, said = serve("-m", tiny_directory, uri="tcp://0.0.0.0:0")
    assert said == ["kittentts: others can reach tcp://0.0.0.0:0, and the Wyoming protocol has no key\n"]
    port = uri.rpartition(":")[2]
    assert talk(f"tcp://127.0.0.1:{port}", Describe(), until=["info"])
    process.terminate()


@pytest.mark.slow
def test_zeroconf(serve, tiny_directory):
    """What Home Assistant asks the network for, it finds."""
    zeroconf = pytest.importorskip("zeroconf")
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        if probe.connect_ex(("224.0.0.251", 1)) != 0:
            pytest.skip("this machine has no route for multicast")
    process, uri, _ = serve("-m", tiny_directory, "--zeroconf", uri="tcp://0.0.0.0:0")
    port = int(uri.rpartition(":")[2])
    with zeroconf.Zeroconf() as client:
        browser = zeroconf.ServiceBrowser(
            client, "_wyoming._tcp.local.", handlers=[lambda name, **_: found.append(name)]
        )
        wait_for(lambda: any(name.endswith(f"-{port}._wyoming._tcp.local.") for name in found), 20)
        browser.cancel()
        service = client.get_service_info("_wyoming._tcp.local.", found[0])
    assert service.port == port
    process.terminate()
    assert process.wait(20) == 0


def test_stdio_needs_pipes(tiny_directory, tmp_path):
    with (tmp_path / "out").open("wb") as out:
        result = subprocess.run(
            [sys.executable, "-m", "kittentts", "wyoming", "-m", tiny_directory, "--uri", "stdio://"],
            stdin=subprocess.PIPE, stdout=out, stderr=subprocess.PIPE, timeout=60, check=False,
        )  # fmt: skip
    assert result.returncode == 1
    assert b"--uri stdio:// needs pipes" in result.stderr
