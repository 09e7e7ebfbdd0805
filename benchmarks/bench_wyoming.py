"""How soon a Wyoming server sends its first audio: ours, and one that is built as wyoming-piper is, in turn.

    python benchmarks/bench_wyoming.py [--rounds 9]

The other one speaks the whole of what it is asked for into a WAV file, with the same model, and then sends that. Times
are from the last byte of a request to the first audio-chunk; for a text that arrives at 20 words a second, as that of a
language model, from its first word.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import re
import statistics
import subprocess
import sys
import time
import wave
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from bench_latency import WORDS_A_SECOND
from measure import machine
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient
from wyoming.server import AsyncEventHandler, AsyncTcpServer
from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop

from kittentts import KittenTTS
from kittentts.defaults import DEMO_VOICE, SAMPLE_RATE
from kittentts.service.listening import bind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wyoming.event import Event

SENTENCE = "Fishermen carry their nets down to the boats and then talk about the winds."
ANSWER = f"{SENTENCE} In the evening they come back with their fish. Then the whole village eats together."
# samples in an audio-chunk, wyoming-piper's default
CHUNK = 1024


class WholeText(AsyncEventHandler):
    """Answers as wyoming-piper does where the text is one sentence: a WAV file, then its chunks; one at a time."""

    def __init__(self, model: KittenTTS, lock: asyncio.Lock, *args: Any) -> None:
        super().__init__(*args)
        self._model = model
        self._lock = lock

    async def handle_event(self, event: Event) -> bool:
        """Answer a request."""
        if not Synthesize.is_type(event.type):
            return True
        async with self._lock:
            audio = self._model.generate(Synthesize.from_event(event).text, DEMO_VOICE, clean_text=True)
        file = io.BytesIO()
        with wave.open(file, "wb") as writer:
            writer.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
            writer.writeframes((np.clip(audio, -1, 1) * 32767).astype("<i2").tobytes())
        file.seek(0)
        shape = {"rate": SAMPLE_RATE, "width": 2, "channels": 1}
        await self.write_event(AudioStart(**shape).event())
        with wave.open(file) as reader:
            while part := reader.readframes(CHUNK):
                await self.write_event(AudioChunk(audio=part, **shape).event())
        await self.write_event(AudioStop().event())
        return True


async def serve_whole_texts(model: str, optimize: str, port: int) -> None:
    server = AsyncTcpServer("127.0.0.1", port)
    await server.start(partial(WholeText, KittenTTS(model, optimize=optimize), asyncio.Lock()))
    print(f"listening on tcp://127.0.0.1:{port}", file=sys.stderr)
    await asyncio.Event().wait()


@contextlib.contextmanager
def running(*command: str) -> Iterator[str]:
    """Run a server; yield its URI."""
    process = subprocess.Popen([sys.executable, *command], stderr=subprocess.PIPE, text=True)
    try:
        line = next(line for line in process.stderr if "listening on" in line)
        yield re.search(r"tcp:\S+", line)[0]
    finally:
        process.terminate()
        process.communicate()


async def whole(uri: str) -> float:
    """Return the seconds after the last byte of a `synthesize`."""
    async with AsyncClient.from_uri(uri) as client:
        await client.write_event(Synthesize(SENTENCE).event())
        return await first_audio(client)


async def arriving(uri: str, *, is_streaming: bool) -> float:
    """Return the seconds after the first word of a text that arrives slowly."""
    async with AsyncClient.from_uri(uri) as client:
        heard = asyncio.create_task(first_audio(client))
        if is_streaming:
            await client.write_event(SynthesizeStart().event())
        for word in ANSWER.split(" "):
            if is_streaming:
                await client.write_event(SynthesizeChunk(f"{word} ").event())
            await asyncio.sleep(1 / WORDS_A_SECOND)
        await client.write_event((SynthesizeStop() if is_streaming else Synthesize(ANSWER)).event())
        return await heard


async def first_audio(client: AsyncClient) -> float:
    began = time.perf_counter()
    while (event := await client.read_event()) is not None:
        if AudioChunk.is_type(event.type):
            return time.perf_counter() - began
    raise ConnectionError("the server has closed the connection")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="demo", help="what KittenTTS() takes (default: %(default)s)")
    parser.add_argument("--optimize", default="exact", help="(default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=9, help="(default: %(default)s)")
    parser.add_argument("--whole-texts", type=int, metavar="PORT", help=argparse.SUPPRESS)
    options = parser.parse_args()
    model = ["--model", options.model, "--optimize", options.optimize]
    if options.whole_texts is not None:
        asyncio.run(serve_whole_texts(options.model, options.optimize, options.whole_texts))
    ours = ["-m", "kittentts", "wyoming", *model, "--uri", "tcp://127.0.0.1:0"]
    with bind("127.0.0.1", 0) as free:
        port = str(free.getsockname()[1])
    with (
        running(__file__, *model, "--whole-texts", port) as piper,
        running(*ours, "--no-low-latency") as plain,
        running(*ours) as low_latency,
    ):
        streams = {"whole text, as wyoming-piper": piper, "ours, --no-low-latency": plain, "ours": low_latency}
        compare(streams, options.rounds)


def compare(uris: dict[str, str], rounds: int) -> None:
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in uris}
    for number in range(rounds + 1):
        # every second round the other way round
        for name in list(uris)[:: 1 if number % 2 else -1]:
            pair = asyncio.run(whole(uris[name])), asyncio.run(arriving(uris[name], is_streaming=name[:4] == "ours"))
            # the first round warms up
            if number:
                times[name].append(pair)
    print(machine())
    print(
        f"\n| first audio after, s | {len(SENTENCE)} characters | {len(ANSWER)} characters that arrive |\n|---|---|---|"
    )
    for name, pairs in times.items():
        print(f"| {name} | {' | '.join(map(_spread, zip(*pairs, strict=True)))} |")


def _spread(seconds: tuple[float, ...]) -> str:
    return f"{statistics.median(seconds):.2f} ({min(seconds):.2f}-{max(seconds):.2f})"


if __name__ == "__main__":
    main()
