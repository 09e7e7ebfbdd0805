"""Many threads call two models in every way, leave streams behind, cancel and fork; all results stay right. By hand.

    python tests/stress/callers.py [--seconds 300] [--threads 24] [--seed 1]

The garbage collector runs often, in any of the threads, and closes the streams that are left in reference cycles.
At the end no thread is left. If it hangs, the stacks of all threads are printed after a minute without progress.
"""

import argparse
import faulthandler
import gc
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "helpers"))
import numpy as np
import tiny_model

from kittentts import KittenTTS
from kittentts.errors import StoppedError

TEXTS = (
    "Only one sentence.",
    "One is here. Two is there, too. Three is nowhere to be seen. Four! Five is the end of it?",
    "It cost $3.50 on 5 May 1905. Dr. Lee paid, and left. " * 5,
)


class Player:
    """A stream in a reference cycle, of which the garbage collector disposes."""

    def __init__(self, stream):
        self.stream = stream
        self.play = self.step

    def step(self):
        return next(self.stream)


def speak(model, text, chance, folder):
    """Speak a text in some way; return the samples, or None where it was not spoken to its end."""
    way = chance.randrange(9)
    if way == 0:
        return model.generate(text)
    if way in (1, 2):
        return np.concatenate(list(model.generate_stream(text, look_ahead=way == 2)))
    if way == 3:
        return model.synthesize(text).audio
    if way == 4:
        (result,) = model.generate_many([text])
        return result.audio
    if way == 5:
        Player(model.generate_stream(text, look_ahead=chance.random() < 0.5)).play()
    elif way == 6:
        Player(model.generate_many([text] * 9, order="completed")).play()
    elif way == 7:
        cancel = threading.Event()
        threading.Timer(chance.uniform(0, 0.01), cancel.set).start()
        try:
            return model.generate(text, cancel=cancel)
        except StoppedError:
            return None
    else:
        path = folder / f"{threading.get_ident()}.wav"
        model.generate_to_file(text, path, subtype="float")
        path.unlink()
    return None


def work(models, expected, chance, folder, stop, results):
    while not stop.is_set():
        number, text = chance.randrange(len(models)), chance.choice(TEXTS)
        audio = speak(models[number], text, chance, folder)
        results[
            "unfinished" if audio is None else "right" if audio.tobytes() == expected[number, text] else "WRONG"
        ] += 1


def fork(models, expected, results):
    child = os.fork()
    if child == 0:
        right = all(models[0].generate(text).tobytes() == expected[0, text] for text in TEXTS)
        # at once: to unwind would remove the temporary folder
        os._exit(0 if right else 1)
    deadline = time.monotonic() + 50
    while time.monotonic() < deadline:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            results["forked" if status == 0 else "WRONG child"] += 1
            return
        time.sleep(0.01)
    results["HANGING child"] += 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--threads", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    # often, but not so often that the collection of all objects takes all the time
    gc.set_threshold(500, 5, 20)
    results, stop = Counter(), threading.Event()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        models = [
            KittenTTS(tiny_model.make_directory(folder / "one"), max_workers=2),
            KittenTTS(tiny_model.make_directory(folder / "two", tokens=True, table=tiny_model._TABLE[::-1].copy())),
        ]
        expected = {(i, text): models[i].generate(text).tobytes() for i in range(2) for text in TEXTS}
        threads = [
            threading.Thread(
                target=work, args=(models, expected, random.Random(options.seed + i), folder, stop, results)
            )
            for i in range(options.threads)
        ]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + options.seconds
        while time.monotonic() < deadline:
            faulthandler.dump_traceback_later(60, exit=True)
            fork(models, expected, results)
            time.sleep(1)
        stop.set()
        for thread in threads:
            thread.join()
        gc.collect()
        left = time.monotonic() + 30
        while threading.active_count() > 1 and time.monotonic() < left:
            time.sleep(0.01)
        faulthandler.cancel_dump_traceback_later()
        print(dict(results), threading.enumerate())
        if any(name.isupper() or name.split()[0].isupper() for name in results) or threading.active_count() > 1:
            sys.exit("not clean")


if __name__ == "__main__":
    main()
