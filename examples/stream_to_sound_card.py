"""Play a text while it is spoken: the first sentence sounds as soon as it is there.

pip install sounddevice && python examples/stream_to_sound_card.py
"""

import os

import sounddevice

from kittentts import KittenTTS

TEXT = "The first sentence is playing now. While you hear it, the next ones are being made. So there is no gap."

model = KittenTTS(os.environ.get("KITTENTTS_MODEL", "demo"))
with sounddevice.OutputStream(samplerate=24_000, channels=1, dtype="float32", latency="high") as speaker:
    # `look_ahead` makes the later sentences while `write` waits for the sound card
    for waveform in model.generate_stream(TEXT, voice="Bella", look_ahead=True):
        speaker.write(waveform.reshape(-1, 1))
