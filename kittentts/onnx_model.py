"""Text -> waveform with one open model: `KittenTTS_1_Onnx`, one chunk at a time and many at once."""

from __future__ import annotations

import contextlib
import itertools
import logging
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from kittentts import defaults
from kittentts.audio import mono_audio_array, open_file, silence, trim_tail, with_pauses
from kittentts.call import Call
from kittentts.chunks import Chunk, make_chunks
from kittentts.errors import TextError, VoiceError
from kittentts.many import Steps, Tally, check_many, speak_many
from kittentts.parallel import make_plan, map_ordered
from kittentts.phonemes import Phonemizer, TextCleaner, basic_english_tokenize, check_lexicon
from kittentts.preprocess import TextPreprocessor, chunk_text, ensure_punctuation
from kittentts.request import (
    Request,
    beginning,
    check_clean_text,
    check_numbers,
    check_options,
    clean,
    silent,
    sounding,
)
from kittentts.resources import cores_of_a_call, run_bytes, runs_in_memory, usable_cores
from kittentts.sessions import Cores, Sessions
from kittentts.voices import load_voices

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
    from threading import Event

    from numpy.typing import NDArray
    from typing_extensions import Self

    from kittentts.call import Progress
    from kittentts.many import ManyProgress, Result

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

# so many waveforms for each worker may wait to be written to a file
_WINDOW = 4
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class KittenTTS_1_Onnx:
    """One open model. Thread-safe: any number of threads may call any method.

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
        look_ahead: bool = False,
        cancel: Event | None = None,
        progress: Reporter = False,
    ) -> Generator[Samples, None, None]:
        """Return a generator of the chunks' waveforms, in order; as `KittenTTS.generate_stream`."""
        request = self._check(text, voice, speed, clean_text, phonemes, sentence_silence)
        return self._speak_all(request, cancel, progress, way=self._ahead if look_ahead else self._in_turn)

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
        format: str | None = None,  # noqa: A002
        subtype: str | None = None,
        cancel: Event | None = None,
        progress: Reporter = False,
    ) -> None:
        """Write the waveform of a text to a file, chunk by chunk; as `KittenTTS.generate_to_file`."""
        request = self._check(text, voice, speed, clean_text, phonemes, sentence_silence)
        waveforms = self._speak_all(request, cancel, progress, way=partial(self._by_plan, window=self._window))
        file = open_file(output_path, sample_rate, format=format, subtype=subtype)
        # closed, so that a failure to write stops the runs at once
        with contextlib.closing(waveforms), file as write:
            for waveform in waveforms:
                write(waveform)

    def generate_many(
        self,
        texts: Iterable[str | tuple[Any, ...]],
        voice: str = defaults.VOICE,
        speed: float = 1.0,
        clean_text: CleanText = True,
        *,
        phonemes: bool = False,
        sentence_silence: float = 0.0,
        order: str = "input",
        cancel: Event | None = None,
        progress: bool | Callable[[ManyProgress], object] = False,
    ) -> Generator[Result, None, None]:
        """Return a generator of what becomes of each text; as `KittenTTS.generate_many`."""
        check_many(texts, order)
        check_clean_text(clean_text)
        self._check("a", voice, speed, sentence_silence=sentence_silence)

        def check(text: str, own_voice: str | None, own_speed: float | None) -> Request:
            return self._check(
                text,
                voice if own_voice is None else own_voice,
                speed if own_speed is None else own_speed,
                clean_text, phonemes, sentence_silence,
            )  # fmt: skip

        call = Call((), cancel, progress=False, wake=self._sessions.slots.wake)
        tally = Tally(texts, progress)
        self._sessions.begin(call)
        steps = Steps(check, self._chunks, partial(self._run, call=call))
        return speak_many(texts, steps, call, tally, workers=self._workers, in_order=order == "input")

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
        way: Callable[[Request, Call], Iterator[Part]] | None = None,
    ) -> Generator[Samples, None, None]:
        """Yield the waveforms of the chunks in order, with the silence between them.

        Args:
            request: what to speak.
            cancel: stops the call.
            progress: where to report it.
            way: how to run several chunks; None is `_by_plan`.
        """
        call = Call(request.texts, cancel, progress, self._sessions.slots.wake)
        self._sessions.begin(call)
        run = self._in_turn if len(request.texts) == 1 else way or self._by_plan
        return _join(run(request, call), request, call)

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

    def _ahead(self, request: Request, call: Call) -> Iterator[Part]:
        """Run the first chunk on all cores, so that it comes soonest, and then the others at the same time.

        They run while the caller uses what came before, but in the order of the text and no more than the window ahead.
        """
        chunks = self._chunks(request)
        speak = partial(self._speak, call=call, total=len(request.texts))
        first = list(itertools.islice(chunks, 1))
        spoken = list(map_ordered(speak, first, 1, size=_size, stop=call.stop, check=call.check))
        sizes = [len(text) for text in request.texts[1:]]
        plan = make_plan(sizes, self._workers, runs_in_memory(max(sizes) / float(request.speed)))
        workers = max(1, plan.workers)
        one_core = plan.pooled > 0 and plan.one_core_each
        left = itertools.count(len(sizes) - 1, -1)
        # the first waits in the window, too, so that the next are begun before it is yielded
        yield from map_ordered(
            lambda chunk: (
                spoken.pop() if chunk in first else speak(chunk, one_core=one_core, workers=workers, left=left)
            ),
            itertools.chain(first, chunks),
            workers,
            size=lambda _: 0,
            stop=call.stop,
            check=call.check,
            window=self._window,
        )

    @property
    def _window(self) -> int:
        """How many waveforms may wait to be used, where the text may be a book."""
        return _WINDOW * self._workers

    def _by_plan(self, request: Request, call: Call, window: int | None = None) -> Iterator[Part]:
        """Run the chunks at the same time, as `make_plan` says; `window` as for `map_ordered`."""
        sizes = [len(text) for text in request.texts]
        plan = make_plan(sizes, self._workers, runs_in_memory(max(sizes) / float(request.speed)))
        total = len(sizes)
        for texts, workers, one_core in (
            (range(plan.pooled), plan.workers, plan.one_core_each),
            (range(plan.pooled, total), 1, False),
        ):
            if texts:
                left = itertools.count(len(texts) - 1, -1)
                speak = partial(self._speak, call=call, total=total, one_core=one_core, workers=workers, left=left)
                chunks = self._chunks(request, texts)
                yield from map_ordered(
                    speak, chunks, workers, size=_size, stop=call.stop, check=call.check, window=window
                )

    def _chunks(self, request: Request, which: Iterable[int] | None = None) -> Iterator[Chunk]:
        return make_chunks(
            request, self.voices[request.voice], self.phonemizer, self.text_cleaner, self._lexicon, which
        )

    def _speak(
        self,
        chunk: Chunk,
        *,
        call: Call,
        total: int,
        one_core: bool = False,
        workers: int = 1,
        left: Iterator[int] | None = None,
    ) -> Part:
        """Run one chunk, beside others.

        The last `workers` to begin give the memory of their session back. The very last is on all cores, for those are
        coming free, and so the memory of that session goes back, too.

        Args:
            chunk: what to speak.
            call: stops it.
            total: chunks of the text.
            one_core: run on one core; else on all.
            workers: how many run at a time.
            left: counts the runs that are still to begin after this one; None for a run that stands alone.
        """
        after = workers if left is None else next(left)
        waveform = self._run(chunk, total, call, one_core=one_core and after > 0, shrink=after < workers)
        call.note(chunk.index, len(waveform))
        return chunk.index, waveform

    def _run(self, chunk: Chunk, total: int, call: Call, *, one_core: bool, shrink: bool) -> Samples:
        inputs: dict[str, NDArray[Any]] = {
            self._sessions.token_input: chunk.token_ids,
            "style": chunk.style,
            "speed": chunk.speed,
        }
        try:
            memory = run_bytes(_size(chunk) / float(chunk.speed[0]))
            return trim_tail(self._sessions.run(inputs, call, memory=memory, one_core=one_core, shrink=shrink))
        except Exception as error:
            if call.is_stopped():
                call.check()
            error.args = (f"chunk {chunk.index + 1} of {total}, {beginning(chunk.text)}: {error}",)
            raise


def _join(parts: Iterable[Part], request: Request, call: Call) -> Generator[Samples, None, None]:
    """Yield the waveforms, a pause before each new chunk (not between the pieces of one).

    Raises:
        TextError: there are none.
    """
    empty = True
    try:
        call.check()
        for waveform in with_pauses(parts, request.silence):
            empty = False
            yield waveform
        call.check()
    finally:
        call.close()
    if empty:
        raise silent(request.texts[0])


def _size(chunk: Chunk) -> int:
    return chunk.token_ids.size
