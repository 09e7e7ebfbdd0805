"""Text -> waveform with one open model: `KittenTTS_1_Onnx`, one chunk at a time and many at once."""

from __future__ import annotations

import contextlib
import itertools
import logging
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from kittentts import defaults
from kittentts.audio import mono_audio_array, open_file, silence, trim_tail
from kittentts.call import Call
from kittentts.errors import TextError, VoiceError
from kittentts.parallel import make_plan, map_ordered
from kittentts.phonemes import (
    Phonemizer,
    TextCleaner,
    basic_english_tokenize,
    check_lexicon,
    is_speakable,
    phonemize_with_lexicon,
    split_symbols,
    to_symbols,
    to_token_ids,
)
from kittentts.preprocess import TextPreprocessor, chunk_text, ensure_punctuation
from kittentts.request import Request, beginning, check_numbers, check_options, clean, silent, sounding
from kittentts.resources import available_memory, usable_cores
from kittentts.sessions import Sessions
from kittentts.voices import load_voices, style_row

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
    from threading import Event

    from numpy.typing import NDArray
    from typing_extensions import Self

    from kittentts.call import Progress

    Samples = NDArray[np.float32]
    CleanText = bool | Callable[[str], str]
    Reporter = bool | Callable[[Progress], object]
    Part = tuple[int, Samples]
    """A chunk's index and its waveform, or that of a piece of it."""

__all__ = [
    "KittenTTS_1_Onnx",
    "TextCleaner",
    "basic_english_tokenize",
    "chunk_text",
    "ensure_punctuation",
    "mono_audio_array",
]

logger = logging.getLogger(__name__)

# The memory of one run, measured with the demo voice (82M parameters, the largest of the family) at speed 1.0 in a
# session with ONNX Runtime's defaults: 20 characters 40 MB, 100 160 MB, 400 650 MB. Raised so that the peak of two of
# 400 characters at a time in ours, 1,642 MiB in all, stays below it.
_RUN_BYTES = 60e6
_CHARACTER_BYTES = 1.8e6
# so many waveforms for each worker may wait to be written to a file
_WINDOW = 4
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
        check_options(backend, max_workers, lexicon)
        self._workers = usable_cores() if max_workers is None else int(max_workers)
        self._lexicon = check_lexicon(lexicon or {})
        self.voices = load_voices(voices_path)
        self.speed_priors = dict(speed_priors)
        self.voice_aliases = {name: raw for name, raw in voice_aliases.items() if raw in self.voices}
        for name in voice_aliases.keys() - self.voice_aliases.keys():
            logger.info("%s lacks %r, the voice of %r", voices_path, voice_aliases[name], name)
        self._sessions = Sessions(model_path, backend, self._workers)
        self.phonemizer = Phonemizer()
        self.preprocessor = TextPreprocessor(remove_punctuation=False)
        self.text_cleaner = TextCleaner()

    @property
    def session(self) -> Any:
        """The `onnxruntime.InferenceSession` whose runs use all cores; one that is assigned is used for all runs."""
        return self._sessions.all_cores()

    @session.setter
    def session(self, session: Any) -> None:
        self._sessions.replace(session)

    def close(self) -> None:
        """Stop what runs and let go of the graph; further calls raise `StoppedError`."""
        self._sessions.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

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
        cancel: Event | None = None,
        progress: Reporter = False,
    ) -> Samples:
        """Return the waveform of a text, float32 of shape `(samples,)`; as `KittenTTS.generate`."""
        request = self._check(text, voice, speed, clean_text, phonemes, sentence_silence)
        return np.concatenate(list(self._speak_all(request, cancel, progress)))

    def generate_stream(
        self,
        text: str,
        voice: str = defaults.VOICE,
        speed: float = 1.0,
        clean_text: CleanText = True,
        *,
        phonemes: bool = False,
        sentence_silence: float = 0.0,
        cancel: Event | None = None,
    ) -> Generator[Samples, None, None]:
        """Return a generator of the chunks' waveforms, in order; as `KittenTTS.generate_stream`."""
        request = self._check(text, voice, speed, clean_text, phonemes, sentence_silence)
        return self._speak_all(request, cancel, one_by_one=True)

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
        cancel: Event | None = None,
        progress: Reporter = False,
    ) -> None:
        """Write the waveform of a text to a file, chunk by chunk; as `KittenTTS.generate_to_file`."""
        request = self._check(text, voice, speed, clean_text, phonemes, sentence_silence)
        waveforms = self._speak_all(request, cancel, progress, window=_WINDOW * self._workers)
        # closed, so that a failure to write stops the runs at once
        with contextlib.closing(waveforms), open_file(output_path, sample_rate) as write:
            for waveform in waveforms:
                write(waveform)

    def generate_single_chunk(self, text: str, voice: str = defaults.VOICE, speed: float = 1.0) -> Samples:
        """Speak a text as one chunk, neither normalized nor split into sentences; see `generate`."""
        return np.concatenate(list(self._speak_all(self._check(text, voice, speed, single=True))))

    def _prepare_inputs(self, text: str, voice: str, speed: float = 1.0) -> dict[str, NDArray[Any]]:
        """Return `input_ids` int64 `(1, n)`, `style` float32 `(1, 256)` and `speed` float32 `(1,)` of one chunk."""
        first, *more = self._chunks(self._check(text, voice, speed, single=True))
        if more:
            raise TextError(f"{beginning(text)} has too many tokens for one run; generate() speaks any text")
        return {"input_ids": first.token_ids, "style": first.style, "speed": first.speed}

    def _speak_all(
        self,
        request: Request,
        cancel: Event | None = None,
        progress: Reporter = False,
        *,
        one_by_one: bool = False,
        window: int | None = None,
    ) -> Generator[Samples, None, None]:
        """Yield the waveforms of the chunks in order, with the silence between them.

        Args:
            request: what to speak.
            cancel: stops the call.
            progress: where to report it.
            one_by_one: never run a chunk before the one before it is yielded.
            window: how many waveforms may wait to be yielded; None is no bound.
        """
        call = Call(request.texts, cancel, progress, self._sessions.slots.wake)
        self._sessions.begin(call)
        if one_by_one or len(request.texts) == 1:
            parts = self._in_turn(request, call)
        else:
            parts = self._by_plan(request, call, window)
        return _join(parts, request, call)

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
    ) -> Request:
        """Check whatever a user passes to a method; the rest of the class trusts it."""
        raw = self.voice_aliases.get(voice, voice) if isinstance(voice, str) else None
        if raw not in self.voices:
            names = ", ".join(dict.fromkeys([*self.voice_aliases, *self.voices]))
            raise VoiceError(f"voice={voice!r} is unknown; this model has {names}")
        check_numbers(speed, sentence_silence)
        text = clean(text, False if phonemes else clean_text, self.preprocessor.process)
        return Request(
            texts=sounding([text] if single else chunk_text(text), phonemes=phonemes),
            voice=raw,
            speed=np.float32(speed * self.speed_priors.get(raw, 1.0)),
            phonemes=phonemes,
            any_case=bool(clean_text) and not callable(clean_text),
            silence=silence(sentence_silence),
        )

    def _in_turn(self, request: Request, call: Call) -> Iterator[Part]:
        """Run one chunk after another, each when it is asked for."""
        speak = partial(self._speak, call=call, total=len(request.texts))
        for chunk in self._chunks(request):
            # from a thread of its own, so that this one can look, and be interrupted
            yield from map_ordered(speak, [chunk], 1, size=_size, stop=call.stop, check=call.check)

    def _by_plan(self, request: Request, call: Call, window: int | None) -> Iterator[Part]:
        """Run the chunks at the same time, as `make_plan` says."""
        sizes = [len(text) for text in request.texts]
        plan = make_plan(sizes, self._workers, _runs_in_memory(max(sizes), float(request.speed)))
        total = len(sizes)
        for texts, workers, one_core in (
            (range(plan.pooled), plan.workers, plan.one_core_each),
            (range(plan.pooled, total), 1, False),
        ):
            if texts:
                # the last runs to begin give the session's memory back
                begun = itertools.count(workers - len(texts))
                speak = partial(self._speak, call=call, total=total, one_core=one_core, begun=begun)
                chunks = self._chunks(request, texts)
                yield from map_ordered(
                    speak, chunks, workers, size=_size, stop=call.stop, check=call.check, window=window
                )

    def _chunks(self, request: Request, which: Iterable[int] | None = None) -> Iterator[Chunk]:
        """Phonemize the texts in order, as far as asked for. What has no sound, like "...", is left out."""
        for index in range(len(request.texts)) if which is None else which:
            text = request.texts[index]
            symbols = to_symbols(text if request.phonemes else self._phonemize(text, any_case=request.any_case))
            for piece in filter(is_speakable, split_symbols(symbols)):
                # a piece counts as that part of the text which its share of the symbols is
                length = round(len(text) * len(piece) / len(symbols))
                yield Chunk(
                    index=index,
                    text=text,
                    token_ids=np.array([to_token_ids(piece, self.text_cleaner)], np.int64),
                    style=style_row(self.voices[request.voice], length),
                    speed=np.array([request.speed], np.float32),
                )

    def _phonemize(self, text: str, *, any_case: bool) -> str:
        if self._lexicon:
            return phonemize_with_lexicon(text, self.phonemizer, self._lexicon, any_case=any_case)
        return "".join(self.phonemizer.phonemize([text]))

    def _speak(
        self,
        chunk: Chunk,
        *,
        call: Call,
        total: int,
        one_core: bool = False,
        begun: Iterator[int] | None = None,
    ) -> Part:
        """Run one chunk. From 0 on, the count of those that have `begun` lets a run give memory back."""
        shrink = begun is not None and next(begun) >= 0
        inputs: dict[str, NDArray[Any]] = {
            self._sessions.token_input: chunk.token_ids,
            "style": chunk.style,
            "speed": chunk.speed,
        }
        try:
            memory = run_bytes(_size(chunk), float(chunk.speed[0]))
            waveform = trim_tail(self._sessions.run(inputs, call, memory=memory, one_core=one_core, shrink=shrink))
        except Exception as error:
            if call.is_stopped():
                call.check()
            error.args = (f"chunk {chunk.index + 1} of {total}, {beginning(chunk.text)}: {error}",)
            raise
        call.note(chunk.index, len(waveform))
        return chunk.index, waveform


def _join(parts: Iterable[Part], request: Request, call: Call) -> Generator[Samples, None, None]:
    """Yield the waveforms, a pause before each new chunk (not between the pieces of one).

    Raises:
        TextError: there are none.
    """
    previous = None
    try:
        for index, waveform in parts:
            pause = request.silence if previous not in (None, index) else request.silence[:0]
            yield np.concatenate([pause, waveform])
            previous = index
        call.check()
    finally:
        call.close()
    if previous is None:
        raise silent(request.texts[0])


def _size(chunk: Chunk) -> int:
    return chunk.token_ids.size


def run_bytes(characters: int, speed: float = 1.0) -> float:
    """Return how much memory one run takes, at most, for a chunk of so many characters (or tokens: about as many)."""
    return _RUN_BYTES + _CHARACTER_BYTES * characters / speed


def _runs_in_memory(characters: int, speed: float) -> int | None:
    """Return how many runs of the longest chunk fit into the memory that is free, at least 1; None where unknown."""
    free = available_memory()
    return None if free is None else max(1, int(free / run_bytes(characters, speed)))
