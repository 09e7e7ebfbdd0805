"""Speak many short texts at the same time, a file for each. One that fails does not stop the others.

python examples/many_lines.py
"""

import os

import soundfile

from kittentts import Item, KittenTTS

ITEMS = [
    Item("welcome", "Welcome back."),
    Item("question", "How are you today?", voice="Bella"),
    Item("nothing", "..."),
    Item("goodbye", "See you soon.", voice="Jasper", speed=1.2),
]

model = KittenTTS(os.environ.get("KITTENTTS_MODEL", "demo"))
for result in model.generate_many(ITEMS, voice="Leo", order="completed"):
    if result.error:
        print(f"{result.id}: {result.error}")
    else:
        soundfile.write(f"{result.id}.wav", result.audio, 24_000)
        print(f"{result.id}: {len(result.audio) / 24_000:.1f} s")
