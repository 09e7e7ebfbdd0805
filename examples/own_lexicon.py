"""Say how single words are pronounced, in IPA as espeak-ng writes it.

python examples/own_lexicon.py
"""

import os

from kittentts import KittenTTS

# A key in lower case is the word in any case; a key with capitals is this spelling only.
LEXICON = {"ONNX": "ˈɑːnɪks", "gif": "dʒˈɪf"}

model = KittenTTS(os.environ.get("KITTENTTS_MODEL", "demo"), lexicon=LEXICON)
model.generate_to_file("The GIF shows an ONNX graph.", "lexicon.wav", voice="Bella", clean_text=False)
