"""`KittenTTS_1_Onnx`: the engine with the methods of the replaced library; and its other names of this module."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from kittentts import defaults
from kittentts.audio.waveform import mono_audio_array
from kittentts.engine import Engine
from kittentts.errors import TextError
from kittentts.phonemes.vocabulary import TextCleaner, basic_english_tokenize
from kittentts.preprocess import chunk_text, ensure_punctuation, normalize_text
from kittentts.synthesis import plan
from kittentts.synthesis.request import as_one_chunk, excerpt
from kittentts.synthesis.speech_options import SpeechOptions

if TYPE_CHECKING:
    import os
    from collections.abc import Generator

    from numpy.typing import NDArray

    Samples = NDArray[np.float32]

__all__ = [
    "KittenTTS_1_Onnx",
    "TextCleaner",
    "basic_english_tokenize",
    "chunk_text",
    "ensure_punctuation",
    "mono_audio_array",
]


class KittenTTS_1_Onnx(Engine):
    """One open model, with the methods of the replaced library. Parameters and errors are those of `Engine`."""

    normalize_text = staticmethod(normalize_text)

    @property
    def available_voices(self) -> list[str]:
        """The raw voices, in the order of the voices file."""
        return list(self.voices)

    @property
    def all_voice_names(self) -> list[str]:
        """The friendly names, in the order of the config; the raw voices where it has none."""
        return list(self.voice_aliases) or self.available_voices

    def generate(self, text: str, voice: str = defaults.VOICE, speed: float = 1.0, clean_text: bool = True) -> Samples:
        """Return the waveform of a text, float32 of shape `(samples,)`; as `KittenTTS.generate`."""
        return self.speak(text, SpeechOptions(voice, speed, clean_text))

    def generate_stream(
        self, text: str, voice: str = defaults.VOICE, speed: float = 1.0, clean_text: bool = True
    ) -> Generator[Samples, None, None]:
        """Return a generator of the chunks' waveforms, in order; as `KittenTTS.generate_stream`."""
        return self.speak_stream(text, SpeechOptions(voice, speed, clean_text))

    def generate_to_file(
        self,
        text: str,
        output_path: str | os.PathLike[str],
        voice: str = defaults.VOICE,
        speed: float = 1.0,
        sample_rate: int = defaults.SAMPLE_RATE,
        clean_text: bool = True,
    ) -> None:
        """Write the waveform of a text to a file; as `KittenTTS.generate_to_file`."""
        self.speak_to_file(text, output_path, SpeechOptions(voice, speed, clean_text), sample_rate)

    def generate_single_chunk(self, text: str, voice: str = defaults.VOICE, speed: float = 1.0) -> Samples:
        """Speak a text as one chunk, neither normalized nor split into sentences; see `generate`."""
        request = self._request(text, SpeechOptions(voice, speed), cut=as_one_chunk)
        return np.concatenate([chunk.waveform for chunk in self._run([request], plan.SEQUENTIAL)])

    def _prepare_inputs(self, text: str, voice: str, speed: float = 1.0) -> dict[str, NDArray[Any]]:
        """Return `input_ids` int64 `(1, n)`, `style` float32 `(1, 256)` and `speed` float32 `(1,)` of one chunk."""
        request = self._request(text, SpeechOptions(voice, speed), cut=as_one_chunk)
        first, *more = itertools.islice(self._make_inputs(request), 2)
        if more:
            raise TextError(f"{excerpt(text)} has too many tokens for one run; generate() speaks any text")
        return {"input_ids": first.token_ids, "style": first.style, "speed": first.speed}
