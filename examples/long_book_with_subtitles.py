"""Speak a text of any length into an mp3 file, with subtitles. The audio is never in memory as a whole.

python examples/long_book_with_subtitles.py BOOK.txt
"""

import os
import sys
from pathlib import Path

import numpy as np

from kittentts import Encoder, KittenTTS, Speech

if not sys.argv[1:]:
    sys.exit(__doc__)
book = Path(sys.argv[1])
model = KittenTTS(os.environ.get("KITTENTTS_MODEL", "demo"))
encoder = Encoder("mp3")
chunks = []
with book.with_suffix(".mp3").open("wb") as file:
    text = book.read_text(encoding="utf-8")
    # times count from the beginning of the stream
    for speech in model.synthesize_stream(text, clean_text=True, sentence_silence=0.2, look_ahead=True):
        file.write(encoder.encode(speech.audio))
        chunks.extend(speech.chunks)
    file.write(encoder.finish())
subtitles = Speech(np.zeros(0, np.float32), tuple(chunks)).to_srt()
book.with_suffix(".srt").write_text(subtitles, encoding="utf-8")
