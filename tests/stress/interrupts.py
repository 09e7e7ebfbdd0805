"""Interrupt every method at random moments, and see that nothing hangs, leaks or stays locked. Run by hand.

    python tests/stress/interrupts.py [--interrupts 5000] [--seed 1]

A timer raises KeyboardInterrupt in the main thread, as Ctrl-C does, at a random moment of a call. After each: the
exception arrived, no file is left, and, every so often, no thread is left and the model gives the same samples. If it
hangs, the stacks of all threads are printed after a minute.
"""

import argparse
import contextlib
import faulthandler
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "helpers"))
import tiny_model

from kittentts import KittenTTS

TEXT = "One is here. Two is there, too. Three is nowhere to be seen. Four! Five is the end of it?"
# A call takes a few milliseconds; some interrupts come before it, some after it.
LONGEST = 0.015
# so often is looked whether all is as before
LOOK = 100


def take(iterator, count):
    return [item for _, item in zip(range(count), iterator, strict=False)]


def calls(model, folder):
    """Every method, used to its end and half."""
    return {
        "one chunk": lambda: model.generate("Only one sentence."),
        "generate": lambda: model.generate(TEXT),
        "stream": lambda: list(model.generate_stream(TEXT)),
        "half a stream": lambda: take(model.generate_stream(TEXT), 2),
        "look-ahead": lambda: list(model.generate_stream(TEXT, look_ahead=True)),
        "half a look-ahead": lambda: take(model.generate_stream(TEXT, look_ahead=True), 2),
        "file": lambda: model.generate_to_file(TEXT, folder / "speech.wav"),
        "synthesize": lambda: model.synthesize(TEXT, clean_text=True),
        "synthesize_stream": lambda: list(model.synthesize_stream(TEXT, look_ahead=True)),
        "many": lambda: list(model.generate_many([TEXT, "One.", ""])),
        "half of many": lambda: take(model.generate_many([TEXT] * 9, order="completed"), 2),
    }


def look(model, expected, before):
    deadline = time.monotonic() + 30
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.001)
    assert threading.active_count() <= before, threading.enumerate()
    assert model.generate(TEXT).tobytes() == expected


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--interrupts", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    hits, began = Counter(), time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "out").mkdir()
        model = KittenTTS(tiny_model.make_directory(folder / "model"), max_workers=2)
        methods = calls(model, folder / "out")
        expected, before = model.generate(TEXT).tobytes(), threading.active_count()
        turn = 0
        while hits.total() < options.interrupts:
            method = chance.choice(list(methods))
            faulthandler.dump_traceback_later(60, exit=True)
            try:
                signal.setitimer(signal.ITIMER_REAL, chance.uniform(1e-5, LONGEST))
                methods[method]()
                signal.setitimer(signal.ITIMER_REAL, 0)
            except KeyboardInterrupt:
                hits[method] += 1
            with contextlib.suppress(FileNotFoundError):
                (folder / "out" / "speech.wav").unlink()
            assert list((folder / "out").iterdir()) == [], method
            turn += 1
            if turn % LOOK == 0:
                look(model, expected, before)
        look(model, expected, before)
        faulthandler.cancel_dump_traceback_later()
    for method, count in hits.items():
        print(f"{method:20}{count:6} interrupts")
    print(f"{hits.total()} interrupts of {turn} calls in {time.monotonic() - began:.0f} s: all clean")


if __name__ == "__main__":
    main()
