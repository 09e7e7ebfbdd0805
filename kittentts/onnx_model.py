"""Text -> waveform with one open model: `KittenTTS_1_Onnx`, one chunk at a time and many at once."""

from __future__ import annotations

import logging
import math
import numbers
import textwrap
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kittentts import defaults, graph
from kittentts.audio import mono_audio_array, open_file, silence, trim_tail
from kittentts.errors import SettingError, TextError, TextTypeError, VoiceError
from kittentts.parallel import map_ordered
from kittentts.phonemes import (
    Phonemizer,
    TextCleaner,
    basic_english_tokenize,
    check_lexicon,
    check_phonemes,
    is_speakable,
    phonemize_with_lexicon,
    split_symbols,
    to_symbols,
    to_token_ids,
)
from kittentts.preprocess import TextPreprocessor, chunk_text, ensure_punctuation
from kittentts.voices import load_voices, style_row

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    Samples = NDArray[np.float32]
    CleanText = bool | Callable[[str], str]

__all__ = [
    "KittenTTS_1_Onnx",
    "TextCleaner",
    "basic_english_tokenize",
    "chunk_text",
    "ensure_punctuation",
    "mono_audio_array",
]

logger = logging.getLogger(__name__)

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class Chunk:
    """What one run of the graph speaks."""

    index: int
    """Place in the text, from 0. The pieces of a chunk that exceeded the model's positions share it."""
    text: str
    token_ids: NDArray[np.int64]
    """Shape `(1, n)`, n <= 512."""
    style: Samples
    """Shape `(1, 256)`."""
    speed: Samples
    """Shape `(1,)`."""


class _Request(NamedTuple):
    """A call's parameters, checked."""

    texts: list[str]
    voice: str
    speed: np.float32
    phonemes: bool
    any_case: bool
    silence: Samples


class KittenTTS_1_Onnx:
    """One open model. Thread-safe: any number of threads may call any method.

    Args:
        model_path: the ONNX file.
        voices_path: the .npz file with one style array per raw voice.
        speed_priors: raw voice -> factor on the speed.
        voice_aliases: friendly name -> raw voice.
        backend: None or "cpu", "cuda", "amd_gpu".
        max_workers: how many chunks run at a time; None is the number of physical cores this process may use.
        lexicon: word -> phonemes (IPA) that replace espeak's; see `phonemes.phonemize_with_lexicon` about case.

    Raises:
        ModelError, ModelNotFoundError: a file is missing or malformed.
        BackendError: the backend is unknown, or this onnxruntime lacks its provider.
        SettingError: `max_workers` is no whole number above 0, or the lexicon has an entry that cannot be spoken.
    """

    def __init__(
        self,
        model_path: str | os.PathLike[str],
        voices_path: str | os.PathLike[str],
        speed_priors: Mapping[str, float] = _NOTHING,
        voice_aliases: Mapping[str, str] = _NOTHING,
        backend: str | None = None,
        *,
        max_workers: int | None = None,
        lexicon: Mapping[str, str] | None = None,
    ) -> None:
        self._workers = _check_workers(max_workers)
        self._lexicon = check_lexicon(lexicon or {})
        self.voices = load_voices(voices_path)
        self.speed_priors = dict(speed_priors)
        self.voice_aliases = {name: raw for name, raw in voice_aliases.items() if raw in self.voices}
        for name in voice_aliases.keys() - self.voice_aliases.keys():
            logger.warning("%s lacks %r, the voice of %r", voices_path, voice_aliases[name], name)
        self.session = graph.open_session(model_path, backend)
        self._token_input = graph.token_input(self.session)
        self.phonemizer = Phonemizer()
        self.preprocessor = TextPreprocessor(remove_punctuation=False)
        self.text_cleaner = TextCleaner()

    @property
    def available_voices(self) -> list[str]:
        """The raw voices, in the order of the voices file."""
        return list(self.voices)

    @property
    def all_voice_names(self) -> list[str]:
        """The friendly names, in the order of the config; the raw voices where it has none."""
        return list(self.voice_aliases) or self.available_voices

    def generate(
        self,
        text: str,
        voice: str = defaults.VOICE,
        speed: float = 1.0,
        clean_text: CleanText = True,
        *,
        phonemes: bool = False,
        sentence_silence: float = 0.0,
    ) -> Samples:
        """Return the waveform of a text, float32 of shape `(samples,)`; as `KittenTTS.generate`."""
        request = self._check(text, voice, speed, clean_text, phonemes, sentence_silence)
        options = graph.run_options()
        speak = partial(self._speak, total=len(request.texts), options=options)
        workers = min(self._workers, len(request.texts))
        if workers == 1:
            parts = list(map(speak, self._chunks(request)))
        else:
            parts = map_ordered(speak, self._chunks(request), workers, partial(setattr, options, "terminate", True))
        return np.concatenate(list(_with_silence(parts, request.silence)))

    def generate_stream(
        self,
        text: str,
        voice: str = defaults.VOICE,
        speed: float = 1.0,
        clean_text: CleanText = True,
        *,
        phonemes: bool = False,
        sentence_silence: float = 0.0,
    ) -> Iterator[Samples]:
        """Return an iterator of the chunks' waveforms, in order; as `KittenTTS.generate_stream`."""
        request = self._check(text, voice, speed, clean_text, phonemes, sentence_silence)
        speak = partial(self._speak, total=len(request.texts), options=graph.run_options())
        return _with_silence(map(speak, self._chunks(request)), request.silence)

    def generate_to_file(
        self,
        text: str,
        output_path: str | os.PathLike[str],
        voice: str = defaults.VOICE,
        speed: float = 1.0,
        sample_rate: int = defaults.SAMPLE_RATE,
        clean_text: CleanText = True,
        *,
        phonemes: bool = False,
        sentence_silence: float = 0.0,
    ) -> None:
        """Write the waveform of a text to a file; as `KittenTTS.generate_to_file`."""
        with open_file(output_path, sample_rate) as write:
            write(self.generate(text, voice, speed, clean_text, phonemes=phonemes, sentence_silence=sentence_silence))

    def generate_single_chunk(self, text: str, voice: str = defaults.VOICE, speed: float = 1.0) -> Samples:
        """Speak a text as one chunk, neither normalized nor split into sentences; see `generate`."""
        request = self._check(text, voice, speed, single=True)
        speak = partial(self._speak, total=1, options=graph.run_options())
        return np.concatenate([waveform for _, waveform in map(speak, self._chunks(request))])

    def _prepare_inputs(self, text: str, voice: str, speed: float = 1.0) -> dict[str, NDArray[Any]]:
        """Return `input_ids` int64 `(1, n)`, `style` float32 `(1, 256)` and `speed` float32 `(1,)` of one chunk."""
        first, *more = self._chunks(self._check(text, voice, speed, single=True))
        if more:
            raise TextError(f"{_beginning(text)} has too many tokens for one run; generate() speaks any text")
        return {"input_ids": first.token_ids, "style": first.style, "speed": first.speed}

    def _check(
        self,
        text: str,
        voice: str,
        speed: float,
        clean_text: CleanText = False,
        phonemes: bool = False,
        sentence_silence: float = 0.0,
        *,
        single: bool = False,
    ) -> _Request:
        """Check whatever a user passes to a method; the rest of the class trusts it."""
        raw = self.voice_aliases.get(voice, voice) if isinstance(voice, str) else None
        if raw not in self.voices:
            names = ", ".join(dict.fromkeys([*self.voice_aliases, *self.voices]))
            raise VoiceError(f"voice={voice!r} is unknown; this model has {names}")
        if not _is_finite(speed) or speed <= 0:
            raise SettingError(f"speed={speed!r} is not a finite number above 0; 1.0 is the voice's own pace")
        if not _is_finite(sentence_silence) or sentence_silence < 0:
            raise SettingError(f"sentence_silence={sentence_silence!r} is not a finite number of seconds, 0 or more")
        if clean_text not in (True, False) and not callable(clean_text):
            raise SettingError(f"clean_text={clean_text!r} is neither True nor False nor a function str -> str")
        if not isinstance(text, str):
            raise TextTypeError(f"the text is of type {type(text).__name__}; a str is needed")
        if phonemes:
            check_phonemes(text)
        elif clean_text:
            text = clean_text(text) if callable(clean_text) else self.preprocessor.process(text)
        texts = [text] if single else chunk_text(text)
        if not any(map(str.strip, texts)):
            raise TextError("the text is blank (or nothing is left of it after cleaning); there is nothing to speak")
        return _Request(
            texts=texts,
            voice=raw,
            speed=np.float32(speed * self.speed_priors.get(raw, 1.0)),
            phonemes=phonemes,
            any_case=clean_text is True,
            silence=silence(sentence_silence),
        )

    def _chunks(self, request: _Request) -> Iterator[Chunk]:
        """Phonemize in order, as far as asked for. Texts without a sound, like "...", are left out.

        Raises:
            TextError: there was no sound in any of them.
        """
        empty = True
        for index, text in enumerate(request.texts):
            symbols = to_symbols(text if request.phonemes else self._phonemize(text, any_case=request.any_case))
            for piece in split_symbols(symbols):
                if is_speakable(piece):
                    empty = False
                    # a piece counts as that part of the text which its share of the symbols is
                    length = round(len(text) * len(piece) / len(symbols))
                    yield Chunk(
                        index=index,
                        text=text,
                        token_ids=np.array([to_token_ids(piece, self.text_cleaner)], np.int64),
                        style=style_row(self.voices[request.voice], length),
                        speed=np.array([request.speed], np.float32),
                    )
        if empty:
            raise TextError(f"{_beginning(request.texts[0])} has no word, number or symbol that can be spoken")

    def _phonemize(self, text: str, *, any_case: bool) -> str:
        if self._lexicon:
            return phonemize_with_lexicon(text, self.phonemizer, self._lexicon, any_case=any_case)
        return "".join(self.phonemizer.phonemize([text]))

    def _speak(self, chunk: Chunk, *, total: int, options: Any) -> tuple[int, Samples]:
        """Run one chunk; return its index and its waveform."""
        inputs: dict[str, NDArray[Any]] = {
            self._token_input: chunk.token_ids,
            "style": chunk.style,
            "speed": chunk.speed,
        }
        try:
            waveform = graph.run(self.session, inputs, options)
        except Exception as error:
            error.args = (f"chunk {chunk.index + 1} of {total}, {_beginning(chunk.text)}: {error}",)
            raise
        return chunk.index, trim_tail(waveform)


def _with_silence(parts: Iterable[tuple[int, Samples]], pause: Samples) -> Iterator[Samples]:
    """Yield the waveforms, a pause before each new chunk (not between the pieces of one)."""
    previous = None
    for index, waveform in parts:
        yield waveform if previous in (None, index) or not pause.size else np.concatenate([pause, waveform])
        previous = index


def _check_workers(max_workers: int | None) -> int:
    if max_workers is None:
        import joblib

        return int(joblib.cpu_count(only_physical_cores=True))
    if isinstance(max_workers, bool) or not isinstance(max_workers, int) or max_workers < 1:
        raise SettingError(f"max_workers={max_workers!r} is not a whole number above 0; leave it out for one a core")
    return max_workers


def _is_finite(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)


def _beginning(text: str) -> str:
    return repr(textwrap.shorten(text, 40, placeholder="..."))
