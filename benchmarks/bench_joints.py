"""What low latency does to the sound, in 50 sentences: silence at the joints, and the words that a recogniser finds.

    python benchmarks/bench_joints.py [--recognised 30]

The pieces are those of a machine that takes half a second for a second of audio. Needs pocketsphinx and soxr.
"""

from __future__ import annotations

import argparse
import difflib
import re
import statistics
from typing import TYPE_CHECKING
from unittest import mock

import numpy as np
import pocketsphinx
import soxr
from latency_sentences import SENTENCES

from kittentts import KittenTTS
from kittentts.defaults import SAMPLE_RATE
from kittentts.synthesis.low_latency import Pace

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kittentts import Speech

    Samples = NDArray[np.float32]

VOICE = "Luna"
# steps of 5 ms; what is softer than this part of the loud ones is silence
STEP, SILENCE = SAMPLE_RATE // 200, 0.012
# of the recogniser, in Hz
RATE = 16_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recognised", type=int, default=30, help="sentences to recognise (default: %(default)s)")
    options = parser.parse_args()
    model = KittenTTS("demo")
    differences: dict[bool, list[float]] = {True: [], False: []}  # by: is there a mark
    right, words = [0, 0], 0
    recogniser = pocketsphinx.Decoder(samprate=RATE, loglevel="FATAL")
    for number, sentence in enumerate(SENTENCES):
        whole = model.synthesize(sentence, VOICE)
        # so that the pieces do not depend on the machine
        with mock.patch.object(Pace, "record"):
            pieces = list(model.synthesize_stream(sentence, VOICE, low_latency=True))
        audio = np.concatenate([piece.audio for piece in pieces])
        for index in range(1, len(pieces)):
            left, right_word = pieces[index - 1].chunks[0].words[-1], pieces[index].chunks[0].words[0]
            has_mark = not sentence[left.span[1] : right_word.span[0]].isspace()
            differences[has_mark].append(
                rest(audio, left, right_word) - rest(whole.audio, word_at(whole, left), word_at(whole, right_word))
            )
        if number < options.recognised:
            spoken = re.findall(r"[a-z']+", sentence.lower())
            words += len(spoken)
            right = [a + found(recogniser, spoken, one) for a, one in zip(right, (whole.audio, audio), strict=True)]
    for has_mark, found_differences in differences.items():
        what = "with" if has_mark else "without"
        print(
            f"{len(found_differences)} joints {what} a mark: silence differs by "
            f"{statistics.median(found_differences):+.3f} s "
            f"in the median, in size by {statistics.median(map(abs, found_differences)):.3f} s"
        )
    print(f"words recognised of {words}: whole {right[0]}, in pieces {right[1]}")


def word_at(speech: Speech, word: object) -> object:
    return next(one for chunk in speech.chunks for one in chunk.words if one.span == word.span)


def rest(audio: Samples, left: object, right: object) -> float:
    """Return the longest silence between the middles of two words, in seconds."""
    steps = audio[: len(audio) // STEP * STEP].reshape(-1, STEP)
    loudness = np.sqrt((steps**2).mean(axis=1))
    first, last = (round((word.start + word.end) / 2 * SAMPLE_RATE / STEP) for word in (left, right))
    longest = run = 0
    for is_silent in loudness[first:last] < SILENCE * np.quantile(loudness, 0.95):
        run = run + 1 if is_silent else 0
        longest = max(longest, run)
    return longest * STEP / SAMPLE_RATE


def found(recogniser: pocketsphinx.Decoder, spoken: list[str], audio: Samples) -> int:
    """Return how many of the words the recogniser finds, in order."""
    samples = soxr.resample(audio, SAMPLE_RATE, RATE)
    recogniser.start_utt()
    recogniser.process_raw((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes(), full_utt=True)
    recogniser.end_utt()
    hypothesis = recogniser.hyp()
    heard = hypothesis.hypstr.split() if hypothesis else []
    return sum(
        block.size for block in difflib.SequenceMatcher(None, spoken, heard, autojunk=False).get_matching_blocks()
    )


if __name__ == "__main__":
    main()
