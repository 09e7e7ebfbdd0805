"""Load a model, list its voices, speak, write a file: what the example of kittentts 0.8.1 does."""

import soundfile as sf

from kittentts import KittenTTS

m = KittenTTS("KittenML/kitten-tts-mini-0.8")
print(m.available_voices)

text = "The kettle sang on the stove. Anna poured two cups of tea and sat down by the window. "
audio = m.generate(text=text, voice="Bruno")

sf.write("output.wav", audio, 24000)
print("written to output.wav")
