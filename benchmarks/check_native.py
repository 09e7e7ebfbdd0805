"""Compare the graph as it was published with the optimized one, bit for bit: waveforms and durations.

    python benchmarks/check_native.py [--model demo] [--texts 40] [--threads 1 2] [--workers 1 2 4]

Each text, of 1 to 12 words, is spoken with three voices at three speeds, by single runs of both graphs with each number
of intra-op threads; then twenty sentences, by `generate` with each number of workers. With the demo voice on a CPU
without VNNI it takes more than an hour of processor time. It needs no quiet machine, and ends with status 1 at the
first difference. Without numbers, `--threads` or `--workers` leaves that part out.
"""

from __future__ import annotations

import argparse
import itertools
import sys

from measure import add_model_option, machine
from workloads import WORKLOADS

from kittentts import KittenTTS
from kittentts.optimize.record import read_record
from kittentts.preprocess import chunk_text
from kittentts.runtime import onnx_graph

SPEEDS = (0.7, 1.0, 1.6)
_MOST_TEXTS = 48


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_model_option(parser)
    parser.add_argument("--texts", type=int, default=40, help=f"at most {_MOST_TEXTS} (default: %(default)s)")
    parser.add_argument("--threads", type=int, nargs="*", default=[1, 2], help="(default: %(default)s)")
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 4], help="(default: %(default)s)")
    options = parser.parse_args()
    if not 1 <= options.texts <= _MOST_TEXTS:
        parser.error(f"--texts must be 1 to {_MOST_TEXTS}: there are no more words to make texts of")
    optimized = KittenTTS(options.model, optimize="exact")
    record = read_record(optimized.model.model_path.parent)
    print(f"{machine()}\nmodel {options.model}, {record.variant if record else 'original'} against original")
    words = WORKLOADS["20"].split()
    texts = [" ".join(words[4 * number :][: 1 + number % 12]) for number in range(options.texts)]
    runs(options.model, optimized, texts, options.threads)
    workers(options.model, WORKLOADS["20"], options.workers)


def runs(model: str, optimized: KittenTTS, texts: list[str], counts: list[int]) -> None:
    original = KittenTTS(model, optimize="off")
    voices = original.available_voices[:: max(1, len(original.available_voices) // 3)][:3]
    paths = original.model.model_path, optimized.model.model_path
    for threads in counts:
        sessions = [onnx_graph.open_session(path, threads=threads) for path in paths]
        outputs = [node.name for node in sessions[0].get_outputs()]
        tokens = onnx_graph.token_input(sessions[0])
        cases = list(itertools.product(texts, voices, SPEEDS))
        for text, voice, speed in cases:
            inputs = original.model._prepare_inputs(text, voice, speed)  # noqa: SLF001 (a name of the replaced library)
            inputs = {tokens: inputs.pop("input_ids")} | inputs
            wanted, found = (session.run(outputs, inputs) for session in sessions)
            for name, one, other in zip(outputs, wanted, found, strict=True):
                if (one.dtype, one.shape, one.tobytes()) != (other.dtype, other.shape, other.tobytes()):
                    sys.exit(f"{name} differs: {text!r}, {voice}, speed {speed}, {threads} threads")
        print(f"{len(cases)} runs with {threads} threads: same {' and '.join(outputs)}", flush=True)


def workers(model: str, text: str, counts: list[int]) -> None:
    wanted = KittenTTS(model, optimize="off").generate(text).tobytes()
    for count in counts:
        if KittenTTS(model, optimize="exact", max_workers=count).generate(text).tobytes() != wanted:
            sys.exit(f"other samples with {count} workers")
        print(f"{len(chunk_text(text))} chunks with {count} workers: same samples", flush=True)


if __name__ == "__main__":
    main()
