"""Speak lines in several processes with Dask; the same code runs on a cluster of machines.

pip install "dask[distributed]" && python examples/dask_lines.py

docs/scale-out.md tells when that is worth it, and has the same for other engines.
"""

import os
from pathlib import Path

from dask.distributed import Client, LocalCluster

from kittentts import KittenTTS

LINES = ["Welcome back.", "How are you today?", "See you soon."]


def speak(model: KittenTTS, line: str, path: Path) -> Path:
    """Speak a line into a file, in a process of Dask's."""
    model.generate_to_file(line, path, voice="Bella")
    return path


if __name__ == "__main__":
    # A model travels as how it was opened, some hundred bytes. Each process opens it once.
    model = KittenTTS(os.environ.get("KITTENTTS_MODEL", "demo"))
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        paths = [Path(f"line-{number}.wav").resolve() for number in range(1, len(LINES) + 1)]
        for path in client.gather(client.map(speak, [model] * len(LINES), LINES, paths)):
            print(path)
