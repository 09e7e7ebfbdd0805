"""Speak chunk by chunk, show how long each is, write them as one file: what the streaming example of 0.8.1 does."""

import numpy as np
import soundfile as sf

from kittentts import KittenTTS

SAMPLE_RATE = 24000

m = KittenTTS("KittenML/kitten-tts-mini-0.8")
text = "The kettle sang on the stove. Anna poured two cups of tea. She sat down by the window. It rained!"

chunks = []
for i, chunk in enumerate(m.generate_stream(text=text, voice="Bruno")):
    audio = chunk.squeeze()
    chunks.append(audio)
    print(f"chunk {i + 1}: {len(audio)} samples, {len(audio) / SAMPLE_RATE:.2f} s")

full_audio = np.concatenate(chunks)
sf.write("output_streaming.wav", full_audio, SAMPLE_RATE)
print(f"written to output_streaming.wav, {len(full_audio) / SAMPLE_RATE:.2f} s")
