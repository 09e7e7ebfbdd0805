"""Text -> waveform with one open model: `KittenTTS_1_Onnx`, the engine, and names of the replaced library."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import logging
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from kittentts import defaults
from kittentts.alignment.speech import joined
from kittentts.alignment.word_times import with_times
from kittentts.audio.files import open_file
from kittentts.audio.waveform import mono_audio_array
from kittentts.errors import KittenTTSError, SynthesisError, TextError
from kittentts.models.voices_file import find_voice, load_voices
from kittentts.phonemes.espeak import Phonemizer
from kittentts.phonemes.lexicon import check_lexicon, phonemize_with_lexicon
from kittentts.phonemes.vocabulary import TextCleaner, basic_english_tokenize
from kittentts.preprocess import TextPreprocessor, chunk_text, ensure_punctuation, normalize_text
from kittentts.runtime import onnx_graph
from kittentts.runtime.cancellation import Cancellation
from kittentts.runtime.chunks import ModelInput, SynthesizedChunk
from kittentts.runtime.resources import cores_of_a_call, usable_cores
from kittentts.runtime.sessions import Cores, SessionHandle
from kittentts.synthesis import plan
from kittentts.synthesis.many import check_many, run_many
from kittentts.synthesis.model_input import make_model_inputs
from kittentts.synthesis.progress import ChunkReporter, TextReporter
from kittentts.synthesis.request import check_model_options, check_options, excerpt, make_request
from kittentts.synthesis.scheduler import WINDOW, Scheduler, run_request
from kittentts.synthesis.speech_options import SpeechOptions
from kittentts.synthesis.trimming import trimmed, with_pauses

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
    from threading import Event

    from numpy.typing import NDArray
    from typing_extensions import Self

    from kittentts.alignment.speech import Speech
    from kittentts.synthesis.plan import Plan
    from kittentts.synthesis.progress import ManyProgress, Progress
    from kittentts.synthesis.request import Request
    from kittentts.synthesis.results import Result

    Samples = NDArray[np.float32]
    Report = bool | Callable[[Progress], object]

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

    `generate` and the others of that name are those of the replaced library. `KittenTTS` calls `speak` and the like,
    which take all its parameters.

    Args:
        model_path: the ONNX file.
        voices_path: the .npz file with one style array per raw voice.
        speed_priors: raw voice -> factor on the speed.
        voice_aliases: friendly name -> raw voice.
        backend: None or "cpu", "cuda", "amd_gpu".
        max_workers: how many chunks run at a time; None is the number of physical cores this process may use (for one
            call no more than `OMP_NUM_THREADS`, if that is set).
        lexicon: word -> phonemes (IPA) that replace espeak's; see `phonemize_with_lexicon` about case.

    Raises:
        ModelError, ModelNotFoundError: a file is missing or malformed.
        BackendError: the backend is unknown, or this onnxruntime lacks its provider.
        SettingError: `max_workers` is no whole number above 0, or the lexicon has an entry that cannot be spoken.
    """

    def __init__(
        self,
        model_path: str | os.PathLike[str] = "kitten_tts_nano_preview.onnx",
        voices_path: str | os.PathLike[str] = "voices.npz",
        speed_priors: Mapping[str, float] = _NOTHING,
        voice_aliases: Mapping[str, str] = _NOTHING,
        backend: str | None = None,
        *,
        max_workers: int | None = None,
        lexicon: Mapping[str, str] | None = None,
    ) -> None:
        check_model_options(backend, max_workers, lexicon)
        self._workers = int(max_workers or cores_of_a_call())
        self._lexicon = check_lexicon(lexicon or {})
        self.voices = load_voices(voices_path)
        self.speed_priors = dict(speed_priors)
        self.voice_aliases = {name: raw for name, raw in voice_aliases.items() if raw in self.voices}
        for name in voice_aliases.keys() - self.voice_aliases.keys():
            logger.info("%s lacks %r, the voice of %r", voices_path, voice_aliases[name], name)
        cores = Cores(runs=int(max_workers or usable_cores()), threads=cores_of_a_call())
        self.model_path = model_path
        self._sessions = SessionHandle(model_path, backend, cores)
        self.phonemizer = Phonemizer()
        self.preprocessor = TextPreprocessor(remove_punctuation=False)
        self.text_cleaner = TextCleaner()

    normalize_text = staticmethod(normalize_text)

    @property
    def session(self) -> Any:
        """The `onnxruntime.InferenceSession` whose runs use all cores; one that is assigned is used for all runs."""
        return self._sessions.session

    @session.setter
    def session(self, session: Any) -> None:
        self._sessions.session = session

    def keep_open(self) -> None:
        """Let the sessions stay open after this object, for the next that opens the same file."""
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
        request = self._request(text, SpeechOptions(voice, speed), is_single=True)
        return np.concatenate([chunk.waveform for chunk in self._run(request, plan.SEQUENTIAL)])

    def _prepare_inputs(self, text: str, voice: str, speed: float = 1.0) -> dict[str, NDArray[Any]]:
        """Return `input_ids` int64 `(1, n)`, `style` float32 `(1, 256)` and `speed` float32 `(1,)` of one chunk."""
        request = self._request(text, SpeechOptions(voice, speed), is_single=True)
        first, *more = itertools.islice(self._make_inputs(request), 2)
        if more:
            raise TextError(f"{excerpt(text)} has too many tokens for one run; generate() speaks any text")
        return {"input_ids": first.token_ids, "style": first.style, "speed": first.speed}

    def speak(
        self, text: str, options: SpeechOptions, *, cancel: Event | None = None, progress: Report = False
    ) -> Samples:
        """Return the waveform of a text; parameters and errors of all these methods as for those of `KittenTTS`."""
        request = self._request(text, options)
        chunks = self._run(request, self._parallel(request), cancel, progress)
        return np.concatenate(list(with_pauses(chunks, request.silence)))

    def speak_stream(
        self,
        text: str,
        options: SpeechOptions,
        *,
        look_ahead: bool = False,
        cancel: Event | None = None,
        progress: Report = False,
    ) -> Generator[Samples, None, None]:
        """Return a generator of the chunks' waveforms, in order."""
        request = self._request(text, options)
        return with_pauses(self._run_stream(request, look_ahead, cancel, progress), request.silence)

    def speak_to_file(
        self,
        text: str,
        output_path: str | os.PathLike[str],
        options: SpeechOptions,
        sample_rate: int = defaults.SAMPLE_RATE,
        *,
        format: str | None = None,  # noqa: A002
        subtype: str | None = None,
        cancel: Event | None = None,
        progress: Report = False,
    ) -> None:
        """Write the waveform of a text to a file, chunk by chunk."""
        request = self._request(text, options)
        chunks = self._run(request, self._parallel(request), cancel, progress, window=WINDOW * self._workers)
        file = open_file(output_path, sample_rate, format=format, subtype=subtype)
        # closed, so that a failure to write stops the runs at once
        with contextlib.closing(with_pauses(chunks, request.silence)) as waveforms, file as write:
            for waveform in waveforms:
                write(waveform)

    def speak_with_times(
        self, text: str, options: SpeechOptions, *, cancel: Event | None = None, progress: Report = False
    ) -> Speech:
        """Return the waveform of a text, and what sounds in it when."""
        request = self._request(text, options, is_timed=True)
        return joined(self._with_times(request, self._run(request, self._parallel(request), cancel, progress)))

    def speak_stream_with_times(
        self,
        text: str,
        options: SpeechOptions,
        *,
        look_ahead: bool = False,
        cancel: Event | None = None,
        progress: Report = False,
    ) -> Generator[Speech, None, None]:
        """Return a generator of the chunks as a `Speech` each, in order."""
        request = self._request(text, options, is_timed=True)
        return self._with_times(request, self._run_stream(request, look_ahead, cancel, progress))

    def speak_many(
        self,
        texts: Iterable[str | tuple[Any, ...]],
        options: SpeechOptions,
        *,
        timings: bool = False,
        order: str = "input",
        cancel: Event | None = None,
        progress: bool | Callable[[ManyProgress], object] = False,
    ) -> Generator[Result, None, None]:
        """Return a generator of what becomes of each text."""
        check_many(texts, order)
        check_options(options)
        self._raw_voice(options.voice)
        reporter = TextReporter(texts, progress)
        window = WINDOW * self._workers
        scheduler = self._scheduler(plan.many(self._workers), options.seed, cancel, window)

        def request(text: str, voice: str | None, speed: float | None) -> Request:
            own = dataclasses.replace(
                options,
                voice=options.voice if voice is None else voice,
                speed=options.speed if speed is None else speed,
            )
            return self._request(text, own, is_timed=timings)

        return run_many(texts, request, self._assemble, scheduler, reporter, window=window, in_order=order == "input")

    def _request(
        self, text: str, options: SpeechOptions, *, is_single: bool = False, is_timed: bool = False
    ) -> Request:
        """Check whatever a user passes to a method that speaks one text."""
        raw = self._raw_voice(options.voice)
        prior = self.speed_priors.get(raw, 1.0)
        return make_request(text, raw, prior, options, self.preprocessor, is_single=is_single, is_timed=is_timed)

    def _raw_voice(self, voice: str) -> str:
        return find_voice(voice, self.voice_aliases, self.voices)

    def _parallel(self, request: Request) -> Plan:
        return plan.parallel([len(text) for text in request.texts], self._workers)

    def _run_stream(
        self, request: Request, look_ahead: bool, cancel: Event | None, progress: Report
    ) -> Generator[SynthesizedChunk, None, None]:
        if look_ahead:
            ahead = plan.look_ahead(len(request.texts), self._workers)
            return self._run(request, ahead, cancel, progress, window=WINDOW * self._workers)
        # each chunk when it is asked for
        return self._run(request, plan.SEQUENTIAL, cancel, progress, window=1)

    def _run(
        self,
        request: Request,
        how: Plan,
        cancel: Event | None = None,
        progress: Report = False,
        window: int | None = None,
    ) -> Generator[SynthesizedChunk, None, None]:
        """Begin a call, and return a generator of its chunks, in order."""
        reporter = ChunkReporter(request.texts, progress)
        return run_request(request, self._scheduler(how, request.seed, cancel, window), reporter)

    def _scheduler(self, how: Plan, seed: int | None, cancel: Event | None, window: int | None) -> Scheduler:
        call = Cancellation(cancel)
        self._sessions.register(call, seed=seed)
        return Scheduler(self._make_inputs, partial(self._synthesize, call), how, call, window)

    def _make_inputs(self, request: Request) -> Iterator[ModelInput]:
        return make_model_inputs(request, self.voices[request.voice], self._phonemizer_of(request), self.text_cleaner)

    def _phonemizer_of(self, request: Request) -> Callable[[str], str]:
        """Return what turns a text of the request into phonemes."""

        def phonemize(text: str) -> str:
            if request.phonemes:
                return text
            if self._lexicon:
                return phonemize_with_lexicon(text, self.phonemizer, self._lexicon, any_case=request.any_case)
            return "".join(self.phonemizer.phonemize([text]))

        return phonemize

    def _synthesize(
        self,
        call: Cancellation,
        model_input: ModelInput,
        request: Request,
        *,
        single_threaded: bool,
        release_memory: bool,
    ) -> SynthesizedChunk:
        """Run a chunk in the graph, and cut its ends.

        Raises:
            SynthesisError: the graph failed; the message begins with the chunk.
            StoppedError: the model is closed.
        """
        handle = self._sessions
        seed = None if request.seed is None else _chunk_seed(request.seed, model_input)
        with_durations = bool(request.sources) or request.trim == "exact"
        try:
            with handle.take(model_input, call, single_threaded=single_threaded, seed=seed) as session:
                waveform, durations = onnx_graph.run(
                    session,
                    {
                        handle.token_input: model_input.token_ids,
                        "style": model_input.style,
                        "speed": model_input.speed,
                    },
                    handle.waveform_output,
                    handle.duration_output if with_durations else None,
                    call.run_options(release_memory=release_memory),
                )
        except Exception as error:
            if isinstance(error, KittenTTSError) and not isinstance(error, SynthesisError):
                # stopped, or a file that is gone when a session is opened
                raise
            where = f"chunk {model_input.index + 1} of {len(request.texts)}, {excerpt(model_input.text)}"
            raise SynthesisError(f"{where}: {error}") from error
        return SynthesizedChunk(model_input, *trimmed(waveform, durations, request.trim))

    def _with_times(
        self, request: Request, chunks: Generator[SynthesizedChunk, None, None]
    ) -> Generator[Speech, None, None]:
        return with_times(chunks, request.source_text, request.sources, request.silence, self._phonemizer_of(request))

    def _assemble(self, request: Request, chunks: Sequence[SynthesizedChunk]) -> tuple[Samples, Speech | None]:
        """Return the whole waveform of a text, and the times of its words where they are wanted."""
        generator = (chunk for chunk in chunks)
        if not request.sources:
            return np.concatenate(list(with_pauses(generator, request.silence))), None
        speech = joined(self._with_times(request, generator))
        return speech.audio, speech


def _chunk_seed(seed: int, model_input: ModelInput) -> int:
    """Return a seed of the chunk's own, 32 bits, so that not all chunks have the same noise."""
    place = model_input.index, model_input.first_symbol
    return int(np.random.SeedSequence([seed, *place]).generate_state(1)[0])
