"""What the server costs: four clients at once against `generate`, and when the first bytes come, each way of streaming.

Speaks with the demo voice, over real HTTP on loopback; the contestants take turns, medians are printed:

    python benchmarks/bench_server.py
"""

import contextlib
import json
import os
import platform
import statistics
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from kittentts import KittenTTS

TEXT = (
    "The library speaks the sentences of a text at the same time. A server does so for several people at once. "
    "Nobody should have to wait for a book."
)
CLIENTS = 4
ROUNDS = 3
RATE = 24_000


@contextlib.contextmanager
def server():
    command = [sys.executable, "-m", "kittentts", "serve", "-m", "demo", "--port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        yield process.stderr.readline().rpartition(" ")[2].strip()
    finally:
        process.terminate()
        process.wait()


def ask(url):
    """Return the seconds until the first bytes and until the last, and the seconds of audio."""
    body = json.dumps({"input": TEXT, "voice": "Luna", "response_format": "pcm"}).encode()
    request = urllib.request.Request(url + "/v1/audio/speech", body, {"Content-Type": "application/json"})
    began = time.perf_counter()
    with urllib.request.urlopen(request) as response:
        first = response.read(1)
        seconds = time.perf_counter() - began
        rest = response.read()
    return seconds, time.perf_counter() - began, len(first + rest) / 2 / RATE


def stream(model, **parameters):
    """As `ask`, without a server."""
    began = time.perf_counter()
    first = None
    samples = 0
    for waveform in model.generate_stream(TEXT, "Luna", clean_text=True, **parameters):
        first = first or time.perf_counter() - began
        samples += len(waveform)
    return first, time.perf_counter() - began, samples / RATE


def whole(model):
    began = time.perf_counter()
    samples = len(model.generate(TEXT, "Luna", clean_text=True))
    seconds = time.perf_counter() - began
    return seconds, seconds, samples / RATE


def many(url):
    began = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as clients:
        answers = list(clients.map(ask, [url] * CLIENTS))
    seconds = time.perf_counter() - began
    return statistics.median(first for first, _, _ in answers), seconds, sum(audio for _, _, audio in answers)


def main():
    model = KittenTTS("demo")
    with server() as url:
        contestants = {
            "generate": lambda: whole(model),
            "generate_stream, in turn": lambda: stream(model),
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
