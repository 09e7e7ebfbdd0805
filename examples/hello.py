"""Speak one text into a file.

python examples/hello.py
"""

import os

from kittentts import KittenTTS

model = KittenTTS(os.environ.get("KITTENTTS_MODEL", "demo"))
model.generate_to_file("Hello there. Is this not a fine day?", "hello.wav", voice="Bella")
