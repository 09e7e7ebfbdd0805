"""The text front end: importing it, chunking and normalizing a megabyte, and 100 kB of text made to be slow.

    python benchmarks/bench_text.py

Needs neither a model nor a network. Times are CPU seconds, the best of a few.
"""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

from kittentts.alignment.source_map import map_to_source
from kittentts.preprocess import TextPreprocessor, chunk_text, normalize_text

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 3
PROSE = (
    "The cat sat on a mat, and then it slept. We met Mr. Lee at 9:30 a.m. on May 5, 2026, near the harbor and paid "
    "$4.20 for 3 apples. Nobody knew why the old man in the tower never spoke, but everyone agreed that it's a fine "
    "story; Chapter IV tells it. "
)
ADVERSARIAL = (
    "7",
    "½",
    "1-",
    "1–",
    "$",
    "$1K-",
    "a.",
    "<",
    "1,",
    "1,111,",
    "1/",
    "1:",
    '1"',
    "½",
    "+1 1 1 ",
    "a1-$,.:/%'@<5 e ",
)
IMPORT = (
    "import time; start = time.process_time(); from kittentts.preprocess import chunk_text; "
    "print(time.process_time() - start)"
)


def clean_and_map(text: str) -> None:
    """Do what `synthesize` does with a text before it is phonemized."""
    cleaned, steps = TextPreprocessor(remove_punctuation=False).process_with_edits(text)
    map_to_source(text, cleaned, steps, chunk_text(cleaned))


FUNCTIONS = {
    "normalize_text": normalize_text,
    "TextPreprocessor": TextPreprocessor(),
    "chunk_text": chunk_text,
    "TextPreprocessor, chunk_text and map_to_source": clean_and_map,
}


def main() -> None:
    times = [subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, check=True) for _ in range(2 * ROUNDS)]
    print(f"importing chunk_text in a fresh interpreter: {min(float(one.stdout) for one in times) * 1000:.0f} ms\n")
    print("| text | " + " | ".join(FUNCTIONS) + " |")
    print("|---|" + "---|" * len(FUNCTIONS))
    print_row("1 MB of prose", repeated(PROSE, 1_000_000))
    print_row("1 MB of `a. `", repeated("a. ", 1_000_000))
    for unit in ADVERSARIAL:
        print_row(f"100 kB of `{unit}`", repeated(unit, 100_000) + "x%")


def repeated(unit: str, size: int) -> str:
    return (unit * (size // len(unit) + 1))[:size]


def print_row(name: str, text: str) -> None:
    print(f"| {name} | " + " | ".join(f"{seconds(function, text):.3f}" for function in FUNCTIONS.values()) + " |")


def seconds(function: Callable[[str], object], text: str) -> float:
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        function(text)
        times.append(time.process_time() - start)
    return min(times)


if __name__ == "__main__":
    main()
