"""What the server costs: four clients at once against `generate`, and when the first bytes come, each way of streaming.

Speaks with the demo voice, over real HTTP on loopback; the contestants take turns, medians are printed:

    python benchmarks/bench_server.py
"""

import contextlib
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx

from kittentts import KittenTTS

# seconds until the first samples, until the last, and of audio
Result = tuple[float, float, float]

TEXT = "The sentences of a text run at the same time. A server speaks for several people. Nobody waits for a book."
CLIENTS = 4
ROUNDS = 3
RATE = 24_000


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Run the real command; yield its URL."""
    command = [sys.executable, "-m", "kittentts", "serve", "-m", "demo", "--port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        yield process.stderr.readline().rpartition(" ")[2].strip()
    finally:
        process.terminate()
        process.wait()


def ask(url: str) -> Result:
    body = {"input": TEXT, "voice": "Luna", "response_format": "pcm"}
    began = time.perf_counter()
    first = 0.0
    size = 0
    with httpx.stream("POST", url + "/v1/audio/speech", json=body, timeout=600) as response:
        for block in response.iter_bytes():
            first = first or time.perf_counter() - began
            size += len(block)
    return first, time.perf_counter() - began, size / 2 / RATE


def stream(model: KittenTTS, *, look_ahead: bool) -> Result:
    """As `ask`, without a server."""
    began = time.perf_counter()
    first = 0.0
    samples = 0
    for waveform in model.generate_stream(TEXT, "Luna", clean_text=True, look_ahead=look_ahead):
        first = first or time.perf_counter() - began
        samples += len(waveform)
    return first, time.perf_counter() - began, samples / RATE


def whole(model: KittenTTS) -> Result:
    began = time.perf_counter()
    samples = len(model.generate(TEXT, "Luna", clean_text=True))
    seconds = time.perf_counter() - began
    return seconds, seconds, samples / RATE


def many(url: str) -> Result:
    began = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as clients:
        answers = list(clients.map(ask, [url] * CLIENTS))
    seconds = time.perf_counter() - began
    return statistics.median(first for first, _, _ in answers), seconds, sum(audio for _, _, audio in answers)


def main() -> None:
    model = KittenTTS("demo")
    with server() as url:
        contestants = {
            "generate": lambda: whole(model),
            "generate_stream, in turn": lambda: stream(model, look_ahead=False),
            "generate_stream, look_ahead": lambda: stream(model, look_ahead=True),
            "server, 1 client": lambda: ask(url),
            f"server, {CLIENTS} clients at once": lambda: many(url),
        }
        for run in contestants.values():
            run()
        results = {name: [] for name in contestants}
        for _ in range(ROUNDS):
            for name, run in contestants.items():
                results[name].append(run())
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}\n")
    print("| contestant | first bytes, s | all, s | times real time | of generate |\n|---|---|---|---|---|")
    speeds = {name: statistics.median(audio / all_ for _, all_, audio in rows) for name, rows in results.items()}
    for name, rows in results.items():
        first, all_ = (statistics.median(row[i] for row in rows) for i in (0, 1))
        print(f"| {name} | {first:.2f} | {all_:.2f} | {speeds[name]:.2f} | {speeds[name] / speeds['generate']:.2f} |")


if __name__ == "__main__":
    main()
