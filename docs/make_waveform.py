"""Make docs/waveform.png: three sentences of the demo voice, each in its colour, with the times of its words."""

from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt

from kittentts import KittenTTS
from kittentts.defaults import SAMPLE_RATE

TEXT = "Three sentences are three runs. They take place at the same time. You hear them in order."
COLOURS = ("#3867d6", "#d9480f", "#2b8a3e")

speech = KittenTTS("demo").synthesize(TEXT, voice="Bella", sentence_silence=0.2)
peak = abs(speech.audio).max()
figure, axes = plt.subplots(figsize=(10, 2.2), layout="constrained")
times = np.arange(len(speech.audio)) / SAMPLE_RATE
for chunk, colour in zip(speech.chunks, COLOURS, strict=True):
    inside = (chunk.start <= times) & (times < chunk.end)
    axes.plot(times[inside], speech.audio[inside], color=colour, linewidth=0.4)
    for number, word in enumerate(chunk.words or ()):
        height = peak * (-1.35 - 0.35 * (number % 2))
        axes.text((word.start + word.end) / 2, height, word.text, color=colour, fontsize=8, ha="center")
axes.set(xlim=(0, times[-1]), ylim=(-1.85 * peak, 1.05 * peak), yticks=[], xlabel="seconds")
axes.spines[["left", "right", "top"]].set_visible(False)
figure.savefig(Path(__file__).with_name("waveform.png"), dpi=110)
