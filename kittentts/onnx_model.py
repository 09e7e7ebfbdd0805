"""Text -> waveform with one open model: `KittenTTS_1_Onnx`, one chunk at a time and many at once."""

from __future__ import annotations

import contextlib
import logging
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from kittentts import defaults
from kittentts.alignment.speech import joined
from kittentts.alignment.word_times import with_times
from kittentts.audio.files import mono_audio_array, open_file
from kittentts.errors import TextError, VoiceError
from kittentts.models.voices_file import load_voices
from kittentts.phonemes.espeak import (
    Phonemizer,
    TextCleaner,
    basic_english_tokenize,
    check_lexicon,
    phonemize_with_lexicon,
)
from kittentts.preprocess import TextPreprocessor, chunk_text, ensure_punctuation
from kittentts.runtime.call import Call
from kittentts.runtime.chunks import ModelInput, SynthesizedChunk
from kittentts.runtime.resources import cores_of_a_call, run_bytes, usable_cores
from kittentts.runtime.sessions import Cores, Sessions
from kittentts.synthesis.many import Steps, Tally, check_many, speak_many
from kittentts.synthesis.model_input import make_chunks, with_pauses
from kittentts.synthesis.request import Request, beginning, check_clean_text, check_options, make_request, silent
from kittentts.synthesis.trimming import trimmed
from kittentts.synthesis.ways import Speaking

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
    from threading import Event

    from numpy.typing import NDArray
    from typing_extensions import Self, Unpack

    from kittentts.alignment.speech import Speech
    from kittentts.runtime.call import Progress
    from kittentts.synthesis.many import ManyProgress, Result
    from kittentts.synthesis.request import Options

    Samples = NDArray[np.float32]
    CleanText = bool | Callable[[str], str]
    Reporter = bool | Callable[[Progress], object]
    Way = Callable[[Speaking], Iterator[SynthesizedChunk]]

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


class KittenTTS_1_Onnx:
    """One open model. Thread-safe: any number of threads may call any method.

    The methods that speak are those of `KittenTTS`, with its parameters; the options are `request.Options`.

    Args:
        model_path: the ONNX file.
        voices_path: the .npz file with one style array per raw voice.
        speed_priors: raw voice -> factor on the speed.
        voice_aliases: friendly name -> raw voice.
        backend: None or "cpu", "cuda", "amd_gpu".
        max_workers: how many chunks run at a time; None is the number of physical cores this process may use (for one
            call no more than `OMP_NUM_THREADS`, if that is set).
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
        self._workers = int(max_workers or cores_of_a_call())
        self._lexicon = check_lexicon(lexicon or {})
        self.voices = load_voices(voices_path)
        self.speed_priors = dict(speed_priors)
        self.voice_aliases = {name: raw for name, raw in voice_aliases.items() if raw in self.voices}
        for name in voice_aliases.keys() - self.voice_aliases.keys():
            logger.info("%s lacks %r, the voice of %r", voices_path, voice_aliases[name], name)
        cores = Cores(runs=int(max_workers or usable_cores()), threads=cores_of_a_call())
        self._sessions = Sessions(model_path, backend, cores)
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

    def keep_open(self) -> None:
        """Let the graph stay open for a minute or two after this object, for the next that opens the same file."""
        self._sessions.keep()

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
        cancel: Event | None = None,
        progress: Reporter = False,
        **options: Unpack[Options],
    ) -> Samples:
        """Return the waveform of a text, float32 of shape `(samples,)`; as `KittenTTS.generate`."""
        request = self._check(text, voice, speed, clean_text=clean_text, **options)
        return np.concatenate(list(self._waveforms(request, cancel, progress)))

    def generate_stream(
        self,
        text: str,
        voice: str = defaults.VOICE,
        speed: float = 1.0,
        clean_text: CleanText = True,
        *,
        look_ahead: bool = False,
        cancel: Event | None = None,
        progress: Reporter = False,
        **options: Unpack[Options],
    ) -> Generator[Samples, None, None]:
        """Return a generator of the chunks' waveforms, in order; as `KittenTTS.generate_stream`."""
        request = self._check(text, voice, speed, clean_text=clean_text, **options)
        return self._waveforms(request, cancel, progress, _stream(look_ahead))

    def generate_to_file(
        self,
        text: str,
        output_path: str | os.PathLike[str],
        voice: str = defaults.VOICE,
        speed: float = 1.0,
        sample_rate: int = defaults.SAMPLE_RATE,
        clean_text: CleanText = True,
        *,
        format: str | None = None,  # noqa: A002
        subtype: str | None = None,
        cancel: Event | None = None,
        progress: Reporter = False,
        **options: Unpack[Options],
    ) -> None:
        """Write the waveform of a text to a file, chunk by chunk; as `KittenTTS.generate_to_file`."""
        request = self._check(text, voice, speed, clean_text=clean_text, **options)
        waveforms = self._waveforms(request, cancel, progress, partial(Speaking.by_plan, windowed=True))
        file = open_file(output_path, sample_rate, format=format, subtype=subtype)
        # closed, so that a failure to write stops the runs at once
        with contextlib.closing(waveforms), file as write:
            for waveform in waveforms:
                write(waveform)

    def synthesize(
        self,
        text: str,
        voice: str = defaults.VOICE,
        speed: float = 1.0,
        clean_text: CleanText = True,
        *,
        cancel: Event | None = None,
        progress: Reporter = False,
        **options: Unpack[Options],
    ) -> Speech:
        """Return the waveform of a text, and what sounds in it when; as `KittenTTS.synthesize`."""
        request = self._check(text, voice, speed, clean_text=clean_text, timed=True, **options)
        return joined(self._timed(request, cancel, progress))

    def synthesize_stream(
        self,
        text: str,
        voice: str = defaults.VOICE,
        speed: float = 1.0,
        clean_text: CleanText = True,
        *,
        look_ahead: bool = False,
        cancel: Event | None = None,
        progress: Reporter = False,
        **options: Unpack[Options],
    ) -> Generator[Speech, None, None]:
        """Return a generator of the chunks as a `Speech` each, in order; as `KittenTTS.synthesize_stream`."""
        request = self._check(text, voice, speed, clean_text=clean_text, timed=True, **options)
        return self._timed(request, cancel, progress, _stream(look_ahead))

    def generate_many(
        self,
        texts: Iterable[str | tuple[Any, ...]],
        voice: str = defaults.VOICE,
        speed: float = 1.0,
        clean_text: CleanText = True,
        *,
        timings: bool = False,
        order: str = "input",
        cancel: Event | None = None,
        progress: bool | Callable[[ManyProgress], object] = False,
        **options: Unpack[Options],
    ) -> Generator[Result, None, None]:
        """Return a generator of what becomes of each text; as `KittenTTS.generate_many`."""
        check_many(texts, order)
        check_clean_text(clean_text)
        self._check("a", voice, speed, **options)

        def check(text: str, own_voice: str | None, own_speed: float | None) -> Request:
            return self._check(
                text,
                voice if own_voice is None else own_voice,
                speed if own_speed is None else own_speed,
                clean_text=clean_text, timed=timings, **options,
            )  # fmt: skip

        call = Call((), cancel, progress=False, wake=self._sessions.slots.wake)
        tally = Tally(texts, progress)
        self._sessions.begin(call)
        steps = Steps(check, self._chunks, partial(self._run, call=call), self._speech)
        return speak_many(texts, steps, call, tally, workers=self._workers, in_order=order == "input")

    def generate_single_chunk(self, text: str, voice: str = defaults.VOICE, speed: float = 1.0) -> Samples:
        """Speak a text as one chunk, neither normalized nor split into sentences; see `generate`."""
        return np.concatenate(list(self._waveforms(self._check(text, voice, speed, single=True))))

    def _prepare_inputs(self, text: str, voice: str, speed: float = 1.0) -> dict[str, NDArray[Any]]:
        """Return `input_ids` int64 `(1, n)`, `style` float32 `(1, 256)` and `speed` float32 `(1,)` of one chunk."""
        first, *more = self._chunks(self._check(text, voice, speed, single=True))
        if more:
            raise TextError(f"{beginning(text)} has too many tokens for one run; generate() speaks any text")
        return {"input_ids": first.token_ids, "style": first.style, "speed": first.speed}

    def _check(self, text: str, voice: str, speed: float, **options: Any) -> Request:
        """Check whatever a user passes to a method; the options are those of `make_request`."""
        raw = self.voice_aliases.get(voice, voice) if isinstance(voice, str) else None
        if raw not in self.voices:
            names = ", ".join(dict.fromkeys([*self.voice_aliases, *self.voices]))
            raise VoiceError(f"voice={voice!r} is unknown; this model has {names}")
        return make_request(text, raw, speed, self.speed_priors.get(raw, 1.0), self.preprocessor, **options)

    def _parts(
        self,
        request: Request,
        cancel: Event | None = None,
        progress: Reporter = False,
        way: Way = Speaking.by_plan,
    ) -> Generator[SynthesizedChunk, None, None]:
        """Begin a call, and return a generator of what its runs make, in order.

        Args:
            request: what to speak.
            cancel: stops the call.
            progress: where to report it.
            way: how to run several chunks.
        """
        call = Call(request.texts, cancel, progress, self._sessions.slots.wake)
        self._sessions.begin(call)
        run = partial(self._run, request=request, call=call)
        speaking = Speaking(request, call, partial(self._chunks, request), run, self._workers)
        return _to_the_end(way(speaking), request, call)

    def _waveforms(
        self,
        request: Request,
        cancel: Event | None = None,
        progress: Reporter = False,
        way: Way = Speaking.by_plan,
    ) -> Generator[Samples, None, None]:
        """Return the waveforms in order, a pause before each new chunk (not between the pieces of one)."""
        return with_pauses(self._parts(request, cancel, progress, way), request.silence)

    def _timed(
        self,
        request: Request,
        cancel: Event | None = None,
        progress: Reporter = False,
        way: Way = Speaking.by_plan,
    ) -> Generator[Speech, None, None]:
        """Return the chunks in order, with times."""
        parts = self._parts(request, cancel, progress, way)
        return with_times(parts, request.source, request.sources, request.silence, self._spelling(request))

    def _speech(self, request: Request, parts: Iterable[SynthesizedChunk]) -> Speech:
        return joined(with_times(parts, request.source, request.sources, request.silence, self._spelling(request)))

    def _chunks(self, request: Request, which: Iterable[int] | None = None) -> Iterator[ModelInput]:
        voice = self.voices[request.voice]
        return make_chunks(request, voice, self._spelling(request), self.text_cleaner, which)

    def _spelling(self, request: Request) -> Callable[[str], str]:
        """Return what turns a text of the request into phonemes."""
        if request.phonemes:
            return str
        if self._lexicon:
            return partial(
                phonemize_with_lexicon,
                phonemizer=self.phonemizer,
                lexicon=self._lexicon,
                any_case=request.any_case,
            )
        return lambda text: "".join(self.phonemizer.phonemize([text]))

    def _run(
        self, chunk: ModelInput, request: Request, call: Call, *, one_core: bool, shrink: bool
    ) -> SynthesizedChunk:
        inputs: dict[str, NDArray[Any]] = {
            self._sessions.token_input: chunk.token_ids,
            "style": chunk.style,
            "speed": chunk.speed,
        }
        try:
            waveform, durations = self._sessions.run(
                inputs,
                call,
                memory=run_bytes(chunk.token_ids.size / float(chunk.speed[0])),
                one_core=one_core,
                shrink=shrink,
                timed=bool(request.sources) or request.trim == "exact",
                seed=None if request.seed is None else _seed(request.seed, chunk),
            )
        except Exception as error:
            if call.is_stopped():
                call.check()
            error.args = (f"chunk {chunk.index + 1} of {len(request.texts)}, {beginning(chunk.text)}: {error}",)
            raise
        return SynthesizedChunk(chunk, *trimmed(waveform, durations, request.trim))


def _to_the_end(
    parts: Iterable[SynthesizedChunk], request: Request, call: Call
) -> Generator[SynthesizedChunk, None, None]:
    """Yield the parts, and end the call.

    Raises:
        TextError: there are none.
    """
    empty = True
    try:
        call.check()
        for part in parts:
            empty = False
            yield part
        call.check()
    finally:
        call.close()
    if empty:
        raise silent(request.texts[0])


def _stream(look_ahead: bool) -> Way:
    return Speaking.ahead if look_ahead else Speaking.in_turn


def _seed(seed: int, chunk: ModelInput) -> int:
    """Return a seed of the chunk's own, so that not all of them have the same noise: 32 bits."""
    return int(np.random.SeedSequence([seed, chunk.index, chunk.first_symbol]).generate_state(1)[0])
