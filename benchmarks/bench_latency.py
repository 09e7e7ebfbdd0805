"""How soon the first sound comes, and whether playback has gaps: ways to stream the same texts, in turn, medians.

    python benchmarks/bench_latency.py [--rounds 5] [--texts 75 200]

Playback is simulated: it begins with the first piece, and a piece that comes when all before it have sounded leaves a
gap. A text that arrives at 20 words a second is read as it comes where that can be; the others wait until it is
complete.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
from contestants import ORIGINAL, Contestant, sequential_stream
from measure import Process, machine
from workloads import WORKLOADS, long_sentences

from kittentts import KittenTTS
from kittentts.defaults import SAMPLE_RATE, VOICE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    Stream = Callable[[Iterable[str]], Iterator[NDArray[np.float32]]]

WORDS_A_SECOND = 20
# name -> text, and whether it arrives slowly
TEXTS = {
    "75": ("Fishermen carry their nets down to the boats and then talk about the weather.", False),
    "200": (long_sentences(1, 200), False),
    "20": (WORKLOADS["20"], False),
    "20, arriving": (WORKLOADS["20"], True),
}


@dataclass(frozen=True)
class Playback:
    """One time that a text was streamed; in seconds."""

    first: float
    """Until the first piece."""
    gap: float
    """In which nothing sounded, after it, in all."""
    total: float
    """Until the last piece."""


def play(stream: Stream, text: tuple[str, bool]) -> Playback:
    """Stream a text, and simulate its playback."""
    began = time.perf_counter()
    first = silent_at = gap = now = 0.0
    for waveform in stream(_pieces(*text)):
        now = time.perf_counter() - began
        if not first:
            first = silent_at = now
        gap += max(0.0, now - silent_at)
        silent_at = max(now, silent_at) + len(waveform) / SAMPLE_RATE
    return Playback(first, gap, now)


def _pieces(text: str, arrives_slowly: bool) -> Iterator[str]:
    if not arrives_slowly:
        yield text
        return
    began = time.perf_counter()
    for number, word in enumerate(text.split(" ")):
        time.sleep(max(0.0, began + number / WORDS_A_SECOND - time.perf_counter()))
        yield f"{word} "


def replaced(model: str, **options: Any) -> Stream:
    """Stream as the replaced library does."""
    stream = sequential_stream(model, **options)
    return lambda pieces: stream("".join(pieces))


def ours(model: str, *, low_latency: bool = False, look_ahead: bool = False, **options: Any) -> Stream:
    opened = KittenTTS(model, **options)
    return lambda pieces: opened.generate_stream(pieces, VOICE, low_latency=low_latency, look_ahead=look_ahead)


@contextlib.contextmanager
def running_server(model: str, optimize: str) -> Iterator[str]:
    """Run the real command, with low latency; yield its URL."""
    command = [sys.executable, "-m", "kittentts", "serve", "-m", model, "-v", VOICE, "--port", "0", "--no-clean-text"]
    command += ["--optimize", optimize, "--low-latency", "--max-chars", "100000"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        yield process.stderr.readline().rpartition(" ")[2].strip()
    finally:
        process.terminate()
        process.communicate()


def server(_model: str, *, url: str) -> Stream:
    """Stream from the server, which wants the whole text."""

    def stream(pieces: Iterable[str]) -> Iterator[NDArray[np.float32]]:
        body = {"input": "".join(pieces), "response_format": "pcm"}
        with httpx.stream("POST", f"{url}/v1/audio/speech", json=body, timeout=600) as response:
            for block in response.iter_bytes():
                yield np.zeros(len(block) // 2, np.float32)

    return stream


def contestants(optimize: str, url: str) -> dict[str, Contestant]:
    graph = {"optimize": optimize}
    return {
        "replaced": Contestant(replaced, ORIGINAL),
        "ours": Contestant(ours, graph),
        "ours, look_ahead": Contestant(ours, graph | {"look_ahead": True}),
        "ours, low_latency": Contestant(ours, graph | {"low_latency": True}),
        "server, low_latency": Contestant(server, {"url": url}),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="demo", help="what KittenTTS() takes (default: %(default)s)")
    parser.add_argument("--optimize", default="exact", help="of ours (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="(default: %(default)s)")
    parser.add_argument("--texts", nargs="+", choices=TEXTS, default=list(TEXTS), help="(default: all)")
    options = parser.parse_args()
    print(machine())
    with contextlib.ExitStack() as stack:
        competing = contestants(options.optimize, stack.enter_context(running_server(options.model, options.optimize)))
        processes = {name: stack.enter_context(Process(one, options.model, play)) for name, one in competing.items()}
        for name in options.texts:
            compare(name, processes, options.rounds)


def compare(name: str, processes: dict[str, Process], rounds: int) -> None:
    """Print how the contestants stream one text."""
    text = TEXTS[name]
    played: dict[str, list[Playback]] = {contestant: [] for contestant in processes}
    for number in range(rounds + 1):
        # every second round the other way round
        for contestant in list(processes)[:: 1 if number % 2 else -1]:
            found = processes[contestant].speak(text)
            if number:  # the first is for opening files and for the pace
                played[contestant].append(found)
    print(
        f"\n| {name} | first sound, s | times as early | gaps, s | all, s | times as long |\n|---|---|---|---|---|---|"
    )
    base = played["replaced"]
    for contestant, found in played.items():
        first, gap, total = (
            statistics.median(getattr(one, what) for one in found) for what in ("first", "gap", "total")
        )
        earlier = statistics.median(a.first / b.first for a, b in zip(base, found, strict=True))
        longer = statistics.median(b.total / a.total for a, b in zip(base, found, strict=True))
        print(f"| {contestant} | {first:.2f} | {earlier:.1f} | {gap:.2f} | {total:.2f} | {longer:.2f} |", flush=True)


if __name__ == "__main__":
    main()
