"""Text -> waveform with one open model: connects requests, model inputs, the scheduler and the results."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import sys
import time
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from kittentts import defaults
from kittentts.alignment.speech import joined
from kittentts.alignment.word_times import with_times
from kittentts.audio.files import open_file
from kittentts.audio.waveform import silence
from kittentts.errors import KittenTTSError, SynthesisError
from kittentts.markup import read_parts
from kittentts.models.blend import check_own_voice, find_style
from kittentts.models.voices_file import load_voices
from kittentts.phonemes.espeak import Phonemizer
from kittentts.phonemes.lexicon import as_it_is, check_lexicon, phonemize_with_lexicon
from kittentts.phonemes.vocabulary import TextCleaner
from kittentts.preprocess import TextPreprocessor
from kittentts.runtime.cancellation import Cancellation
from kittentts.runtime.chunks import ModelInput, SynthesizedChunk
from kittentts.runtime.resources import cores_of_a_call, usable_cores
from kittentts.runtime.sessions import Cores, SessionHandle
from kittentts.synthesis import plan
from kittentts.synthesis.document import document_requests
from kittentts.synthesis.in_order import run_in_order
from kittentts.synthesis.low_latency import LatencyCut, Pace
from kittentts.synthesis.many import check_many, run_many
from kittentts.synthesis.model_input import make_model_inputs, run_seed
from kittentts.synthesis.progress import ChunkReporter, TextReporter
from kittentts.synthesis.request import WHOLE, check_model_options, check_options, check_switches, excerpt, make_request
from kittentts.synthesis.scheduler import WINDOW, Scheduler
from kittentts.synthesis.stream_requests import check_pieces, stream_requests
from kittentts.synthesis.trimming import trimmed, with_pauses

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
    from threading import Event

    from numpy.typing import NDArray
    from typing_extensions import Self

    from kittentts.alignment.source_map import ChunkSource
    from kittentts.alignment.speech import Speech
    from kittentts.markup.parts import Part
    from kittentts.synthesis.plan import Plan
    from kittentts.synthesis.progress import ManyProgress, Progress
    from kittentts.synthesis.request import Request, Stretch
    from kittentts.synthesis.results import Item, Result
    from kittentts.synthesis.speech_options import SpeechOptions

    Samples = NDArray[np.float32]
    Report = bool | Callable[[Progress], object]

logger = logging.getLogger(__name__)

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Engine:
    """One open model. Thread-safe: any number of threads may call any method.

    `KittenTTS` calls its methods, whose parameters and errors are those of `KittenTTS.generate` and the like.

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
        SettingError: `max_workers` is no whole number from 1 to 1024, or an entry of the lexicon cannot be spoken.
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
        self._own_voices: set[str] = set()
        self.speed_priors = dict(speed_priors)
        self.voice_aliases = {name: raw for name, raw in voice_aliases.items() if raw in self.voices}
        for name in voice_aliases.keys() - self.voice_aliases.keys():
            logger.info("%s lacks %r, the voice of %r", voices_path, voice_aliases[name], name)
        cores = Cores(runs=int(max_workers or usable_cores()), threads=cores_of_a_call())
        self.model_path = model_path
        self._sessions = SessionHandle(model_path, backend, cores)
        self._pace = Pace()
        self.phonemizer = Phonemizer()
        self.preprocessor = TextPreprocessor(remove_punctuation=False)
        self.text_cleaner = TextCleaner()

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

    def speak(
        self, text: str, options: SpeechOptions, *, cancel: Event | None = None, progress: Report = False
    ) -> Samples:
        """Return the waveform of a text; parameters and errors of all these methods as for those of `KittenTTS`."""
        requests = self._requests(text, options)
        chunks = self._run(requests, self._parallel(requests), cancel, progress)
        return np.concatenate(list(with_pauses(chunks, silence(options.sentence_silence))))

    def speak_stream(
        self,
        text: str | Iterable[str],
        options: SpeechOptions,
        *,
        look_ahead: bool = False,
        low_latency: bool = False,
        cancel: Event | None = None,
        progress: Report = False,
    ) -> Generator[Samples, None, None]:
        """Return a generator of the chunks' waveforms, in order."""
        chunks = self._run_stream(text, options, look_ahead, low_latency, cancel, progress)
        return with_pauses(chunks, silence(options.sentence_silence))

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
        requests = self._requests(text, options)
        chunks = self._run(requests, self._parallel(requests), cancel, progress, window=WINDOW * self._workers)
        file = open_file(output_path, sample_rate, format=format, subtype=subtype)
        # closed, so that a failure to write stops the runs at once
        with contextlib.closing(with_pauses(chunks, silence(options.sentence_silence))) as waveforms, file as write:
            for waveform in waveforms:
                write(waveform)

    def speak_with_times(
        self, text: str, options: SpeechOptions, *, cancel: Event | None = None, progress: Report = False
    ) -> Speech:
        """Return the waveform of a text, and what sounds in it when."""
        requests = self._requests(text, options, partial(self._request, options=options, is_timed=True))
        return joined(self._with_times(requests, self._run(requests, self._parallel(requests), cancel, progress)))

    def speak_stream_with_times(
        self,
        text: str | Iterable[str],
        options: SpeechOptions,
        *,
        look_ahead: bool = False,
        low_latency: bool = False,
        cancel: Event | None = None,
        progress: Report = False,
    ) -> Generator[Speech, None, None]:
        """Return a generator of the chunks as a `Speech` each, in order."""
        sources: dict[int, ChunkSource] = {}
        chunks = self._run_stream(text, options, look_ahead, low_latency, cancel, progress, sources)
        phonemize = self._phonemizer(options.phonemes, options.has_lower_case)
        return with_times(chunks, sources, silence(options.sentence_silence), phonemize)

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
        self._style(options.voice)
        reporter = TextReporter(texts, progress)
        window = WINDOW * self._workers
        scheduler = self._scheduler(plan.many(self._workers), options.seed, cancel, window)

        def requests(item: Item) -> list[Request]:
            own = {name: value for name in ("voice", "speed", "markup") if (value := getattr(item, name)) is not None}
            options_of_item = dataclasses.replace(options, **own)
            make = partial(self._request, options=options_of_item, is_timed=timings)
            return self._requests(item.text, options_of_item, make)

        return run_many(texts, requests, self._assemble, scheduler, reporter, window=window, in_order=order == "input")

    def add_voice(self, name: str, style: Any) -> Samples:
        """Add a voice, as `KittenTTS.add_voice`; return its array."""
        voice = check_own_voice(name, style, {*self.voices, *self.voice_aliases} - (self._own_voices & {name}))
        self._own_voices.add(name)
        self.voices[name] = voice
        if self.voice_aliases:
            self.voice_aliases[name] = name
        return voice

    def _requests(self, text: Any, options: SpeechOptions, make: Callable[..., Request] | None = None) -> list[Request]:
        """Check whatever a user passes to a method that speaks one text: one request, or with markup one for each part.

        `make` is (text, cut=, stretch=) -> request; without it the times of words are not told.
        """
        make = make or partial(self._request, options=options)
        return [make(text)] if options.markup is None else [*document_requests(self._parts(text, options), make)]

    def _request(self, text: str, options: SpeechOptions, stretch: Stretch = WHOLE, **how: Any) -> Request:
        """Make a request of a text without markup, or a stretch of one; the rest is as for `make_request`."""
        if stretch.part is not None:
            options = options.of_part(stretch.part)
        style, prior = self._style(options.voice)
        return make_request(text, style, prior, options, self.preprocessor, stretch=stretch, **how)

    def _parts(self, text: object, options: SpeechOptions) -> list[Part]:
        check_options(options)
        self._style(options.voice)
        return read_parts(text, str(options.markup), self._style)

    def _style(self, voice: object) -> tuple[NDArray[np.float32], float]:
        """Return the array of a voice or blend, and the factor on its speed."""
        return find_style(voice, self.voice_aliases, self.voices, self.speed_priors)

    def _parallel(self, requests: Sequence[Request]) -> Plan:
        return plan.parallel([len(text) for request in requests for text in request.texts], self._workers)

    def _run_stream(
        self,
        text: str | Iterable[str],
        options: SpeechOptions,
        look_ahead: bool,
        low_latency: bool,
        cancel: Event | None,
        progress: Report,
        sources: dict[int, ChunkSource] | None = None,
    ) -> Generator[SynthesizedChunk, None, None]:
        """Begin a call that yields its chunks as they come, and fills `sources` if there are any to fill."""

        def make(text: str, **how: Any) -> Request:
            request = self._request(text, options, is_timed=sources is not None, **how)
            if sources is not None:
                sources.update(enumerate(request.sources, request.stretch.first_index))
            return request

        check_switches(look_ahead=look_ahead, low_latency=low_latency)
        is_ahead = look_ahead or low_latency
        window = WINDOW * self._workers if is_ahead else 1  # each chunk when it is asked for
        if (isinstance(text, str) or options.markup is not None) and not low_latency:
            requests = self._requests(text, options, make)
            count = requests[-1].last_index + 1
            how = plan.look_ahead(count, self._workers) if is_ahead else plan.SEQUENTIAL
            return self._run(requests, how, cancel, progress, window)
        check_options(options)
        _, prior = self._style(options.voice)
        latency = LatencyCut(self._pace, options.speed * prior) if low_latency else None
        is_cleaned = bool(options.clean_text) and not options.phonemes
        how = plan.look_ahead(sys.maxsize, self._workers) if is_ahead else plan.SEQUENTIAL
        scheduler = self._scheduler(how, options.seed, cancel, window)
        if options.markup is None:
            pieces = check_pieces(text, phonemes=options.phonemes)
            scheduler.feed_all(stream_requests(pieces, make, latency, is_cleaned=is_cleaned))
        else:
            cut = partial(stream_requests, latency=latency, is_cleaned=is_cleaned)
            scheduler.feed_all(document_requests(self._parts(text, options), make, cut))
        scheduler.end()
        return run_in_order(scheduler, ChunkReporter(None, progress), None)

    def _run(
        self,
        requests: Sequence[Request],
        how: Plan,
        cancel: Event | None = None,
        progress: Report = False,
        window: int | None = None,
    ) -> Generator[SynthesizedChunk, None, None]:
        """Begin a call, and return a generator of its chunks, in order."""
        reporter = ChunkReporter([text for request in requests for text in request.texts], progress)
        scheduler = self._scheduler(how, requests[0].seed, cancel, window)
        for number, request in enumerate(requests):
            scheduler.feed(request, number)
        scheduler.end()
        return run_in_order(scheduler, reporter, requests[0].texts[0])

    def _scheduler(self, how: Plan, seed: int | None, cancel: Event | None, window: int | None) -> Scheduler:
        call = Cancellation(cancel)
        self._sessions.register(call, seed=seed)
        return Scheduler(self._make_inputs, partial(self._synthesize, call), how, call, window)

    def _make_inputs(self, request: Request) -> Iterator[ModelInput]:
        phonemize = partial(self._phonemizer(request.phonemes, request.any_case), stand_ins=request.stand_ins)
        return make_model_inputs(request, phonemize, self.text_cleaner)

    def _phonemizer(self, phonemes: bool, any_case: bool) -> Callable[..., str]:
        """Return what turns a text into phonemes: (text, stand_ins={}). One that has them already stays as it is."""
        if phonemes:
            return as_it_is
        return partial(phonemize_with_lexicon, phonemizer=self.phonemizer, lexicon=self._lexicon, any_case=any_case)

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
        is_joined = model_input.continues or model_input.joint is not None
        began = time.perf_counter()
        try:
            waveform, durations = self._sessions.run(
                model_input,
                call,
                with_durations=bool(request.sources) or request.trim == "exact" or is_joined,
                seed=None if request.seed is None else run_seed(request.seed, model_input),
                single_threaded=single_threaded,
                release_memory=release_memory,
            )
        except Exception as error:
            if isinstance(error, KittenTTSError) and not isinstance(error, SynthesisError):
                # stopped, or a file that is gone when a session is opened
                raise
            total = f" of {len(request.texts)}" if request.stretch is WHOLE else ""
            where = f"chunk {model_input.index + 1}{total}, {excerpt(model_input.text)}"
            raise SynthesisError(f"{where}: {error}") from error
        if request.stretch.is_urgent:
            characters = len(model_input.text) * len(model_input.symbols) / len(model_input.all_symbols)
            self._pace.record(time.perf_counter() - began, characters, float(request.speed))
        waveform, boundaries = trimmed(
            waveform, durations, request.trim, model_input.continues, model_input.joint, model_input.lead
        )
        if request.stretch.spoken is not None:
            request.stretch.spoken(len(waveform))
        return SynthesizedChunk(model_input, waveform, boundaries)

    def _with_times(
        self, requests: Sequence[Request], chunks: Generator[SynthesizedChunk, None, None]
    ) -> Generator[Speech, None, None]:
        first = requests[0]
        sources = dict(enumerate(source for request in requests for source in request.sources))
        return with_times(chunks, sources, first.silence, self._phonemizer(first.phonemes, first.any_case))

    def _assemble(
        self, requests: Sequence[Request], chunks: Sequence[SynthesizedChunk]
    ) -> tuple[Samples, Speech | None]:
        """Return the whole waveform of a text, and the times of its words where they are wanted."""
        generator = (chunk for chunk in chunks)
        if not requests[0].sources:
            return np.concatenate(list(with_pauses(generator, requests[0].silence))), None
        speech = joined(self._with_times(requests, generator))
        return speech.audio, speech
