"""What a user passes is checked here, once, and becomes a `Request`."""

from __future__ import annotations

import numbers
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kittentts import defaults
from kittentts.alignment.source_map import ChunkSource, in_document, map_to_source
from kittentts.audio.waveform import silence
from kittentts.errors import SettingError, SilentTextError, TextError
from kittentts.markup.parts import LONGEST_PAUSE, STAND_IN
from kittentts.optimize import MODES
from kittentts.phonemes.lexicon import check_lexicon
from kittentts.phonemes.vocabulary import check_phonemes
from kittentts.preprocess import TextPreprocessor, chunk_text
from kittentts.preprocess.paragraphs import end_paragraphs, end_paragraphs_with_edits
from kittentts.preprocess.text import check_is_text, has_sound
from kittentts.runtime import onnx_graph

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from numpy.typing import NDArray

    from kittentts.markup.parts import Mark, Part
    from kittentts.preprocess.edits import Edit
    from kittentts.synthesis.speech_options import SpeechOptions

# characters of a text in a message
_EXCERPT = 40
# what float32 holds after a speed prior
_SPEEDS = (1e-30, 1e30)
# more runs at a time than any machine has cores for
_MOST_WORKERS = 1024


@dataclass(frozen=True, eq=False)
class Stretch:
    """Which part of a text a request is, where that is not spoken as a whole."""

    start: int = 0
    """Where it begins in the text, in characters."""
    first_index: int = 0
    """How many chunks come before its own."""
    continues: bool = False
    """Whether it begins inside of a sentence, whose beginning was spoken before."""
    joint: float | None = None
    """Seconds of silence after it at speed 1, if it ends inside of a sentence."""
    pause: float | None = None
    """Seconds of silence after it, where markup asks for it."""
    lead: float = 0.0
    """Seconds of silence before it."""
    part: Part | None = None
    """Of a document with markup: then `start` counts from its beginning."""
    marks: tuple[Mark, ...] = ()
    """Of the document, whose times are to be told with this stretch."""
    is_urgent: bool = False
    """Whether it runs alone on all cores, whatever the plan."""
    spoken: Callable[[int], object] | None = None
    """Called with the number of samples of each run."""


WHOLE = Stretch()


@dataclass(frozen=True, eq=False)
class Request:
    """What a call speaks, checked."""

    texts: list[str]
    """The chunks' texts, none of them without a sound."""
    stretch: Stretch
    """Which part of the text they are."""
    voice: NDArray[np.float32]
    """The array of the voice."""
    speed: np.float32
    """The speed prior included."""
    phonemes: bool
    """Whether the texts are phonemes."""
    any_case: bool
    """Whether the lexicon must match in any case, for the capitals are gone from the texts."""
    stand_ins: Mapping[str, str]
    """Words of the texts that stand for phonemes."""
    silence: NDArray[np.float32]
    """What is between two chunks."""
    trim: str
    """How the ends of a chunk are cut: one of `defaults.TRIMS`."""
    seed: int | None
    """Of the graph's random nodes."""
    sources: list[ChunkSource]
    """What of the text became each chunk; empty where the times of words are not wanted."""

    @property
    def last_index(self) -> int:
        """That of its last chunk."""
        return self.stretch.first_index + len(self.texts) - 1


def make_request(
    text: str,
    voice: NDArray[np.float32],
    speed_prior: float,
    options: SpeechOptions,
    preprocessor: TextPreprocessor,
    *,
    cut: Callable[[str], list[str]] = chunk_text,
    is_timed: bool = False,
    stretch: Stretch = WHOLE,
) -> Request:
    """Check a text, or a stretch of one, and its options.

    Args:
        text: the user's.
        voice: the array of the options' voice.
        speed_prior: factor on the speed.
        options: the user's.
        preprocessor: normalizes with `clean_text=True`, after blank lines have ended sentences.
        cut: text -> chunks.
        is_timed: find out what of the text becomes which chunk.
        stretch: which part of the user's text it is.

    Raises:
        TextError, TextTypeError, SettingError: as `KittenTTS.generate`.
    """
    check_options(options)
    steps: list[list[Edit]] = []

    def normalize(text: str) -> str:
        # one that a user has put in its place is not known to tell its edits
        if not is_timed or type(preprocessor) is not TextPreprocessor:
            return preprocessor(end_paragraphs(text))
        ended, edits = end_paragraphs_with_edits(text)
        normalized, normalizing = preprocessor.process_with_edits(ended)
        steps[:] = [edits, *normalizing]
        return normalized

    cleaned = clean(text, False if options.phonemes else options.clean_text, normalize)
    part = stretch.part
    stand_ins = {} if part is None else part.stand_ins
    if part is not None:
        _check_stand_ins(text, cleaned)
    chunks = cut(cleaned)
    texts = drop_silent(chunks, phonemes=options.phonemes)
    sources = []
    if is_timed:
        found = map_to_source(text, cleaned, steps, chunks, stretch.start)
        sources = [source for source, chunk in zip(found, chunks, strict=True) if has_sound(chunk)]
        if part is not None:
            sources = in_document(sources, part, stretch.marks)
    return Request(
        texts=texts,
        stretch=stretch,
        voice=voice,
        speed=np.float32(options.speed * speed_prior),
        phonemes=options.phonemes,
        any_case=options.has_lower_case,
        stand_ins=stand_ins,
        silence=silence(options.sentence_silence),
        trim=options.trim,
        seed=None if options.seed is None else int(options.seed),
        sources=sources,
    )


def check_options(options: SpeechOptions) -> None:
    """Raise `SettingError` for options (the voice apart) that no call can have."""
    if not _is_number(options.speed, *_SPEEDS):
        low, high = _SPEEDS
        raise SettingError(
            f"speed={options.speed!r} is not a number from {low} to {high}, like 1.0, the voice's own pace"
        )
    if not _is_number(options.sentence_silence, 0, LONGEST_PAUSE):
        raise SettingError(
            f"sentence_silence={options.sentence_silence!r} is not a number of seconds from 0 to {LONGEST_PAUSE:.0f}"
        )
    seed = options.seed
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, numbers.Integral) or seed < 0):
        raise SettingError(f"seed={seed!r} is not a whole number from 0 up; leave it out for noise that is always new")
    if options.trim not in defaults.TRIMS:
        raise SettingError(f"trim={options.trim!r} is unknown; use one of {', '.join(map(repr, defaults.TRIMS))}")
    if options.markup not in (None, *defaults.MARKUPS):
        known = ", ".join(map(repr, defaults.MARKUPS))
        raise SettingError(f"markup={options.markup!r} is unknown; use one of {known}, or leave it out")
    if options.markup not in (None, "pauses") and options.phonemes:
        raise SettingError(f"phonemes=True is not for markup={options.markup!r}; <phoneme> takes phonemes there")
    if not callable(options.clean_text) and not isinstance(options.clean_text, bool | int | np.bool_):
        raise SettingError(f"clean_text={options.clean_text!r} is neither True nor False nor a function str -> str")
    check_switches(phonemes=options.phonemes)


def check_switches(**switches: object) -> None:
    """Raise `SettingError` for one that is neither true nor false."""
    for name, value in switches.items():
        if not isinstance(value, bool | np.bool_):
            raise SettingError(f"{name}={value!r:.60} is neither True nor False")


def check_model_options(
    backend: str | None, max_workers: int | None, lexicon: Mapping[str, str] | None, optimize: str = "off"
) -> None:
    """Raise `BackendError` or `SettingError` for options that no model can have, before it is looked for."""
    onnx_graph.check_backend(backend)
    if optimize not in MODES:
        raise SettingError(f"optimize={optimize!r} is not one of {', '.join(map(repr, MODES))}")
    if optimize in {"exact", "fast"} and not onnx_graph.is_cpu(backend):
        raise SettingError(f"optimize={optimize!r} is for the CPU; leave it out with backend={backend!r}")
    check_lexicon({} if lexicon is None else lexicon)
    if max_workers is not None and (
        isinstance(max_workers, bool)
        or not isinstance(max_workers, numbers.Integral)
        or not 1 <= max_workers <= _MOST_WORKERS
    ):
        raise SettingError(
            f"max_workers={max_workers!r} is not a whole number from 1 to {_MOST_WORKERS}; leave it out for one a core"
        )


def clean(text: str, how: bool | Callable[[str], str], ours: Callable[[str], str]) -> str:
    """Normalize a text: not at all (False), with `ours` (True), or with the user's function.

    Raises:
        TextTypeError: the text, or what the function makes of it, is no `str`.
        SilentTextError: it is blank, or nothing is left of it.
    """
    check_is_text(text)
    if how:
        text = how(text) if callable(how) else ours(text)
        check_is_text(text, "what clean_text returned")
    if not text.strip():
        raise SilentTextError("the text is blank (or nothing is left of it after cleaning); there is nothing to speak")
    return text


def _check_stand_ins(text: str, cleaned: str) -> None:
    """Raise `TextError` where a user's `clean_text` has lost words that stand for phonemes."""
    if STAND_IN.findall(text) != STAND_IN.findall(cleaned):
        raise TextError(
            "clean_text has changed or removed letters of an unknown script (Tangut), which stand for the phonemes of "
            "the markup; let it leave such letters alone"
        )


def drop_silent(texts: Iterable[str], *, phonemes: bool) -> list[str]:
    """Return the texts that have a letter, number or symbol; whether espeak-ng has a sound for it shows later.

    Raises:
        SilentTextError: there is none.
        TextError: one that should be phonemes is not.
    """
    texts = list(texts)
    if phonemes:
        check_phonemes("".join(texts))
    found = list(filter(has_sound, texts))
    if not found:
        raise nothing_to_speak(" ".join(texts))
    return found


def nothing_to_speak(text: str | None) -> SilentTextError:
    """Return the error for a text without a sound; None is one that has not been kept."""
    what = "the text" if text is None else excerpt(text)
    return SilentTextError(f"{what} has no word, number or symbol that can be spoken")


def as_one_chunk(text: str) -> list[str]:
    """Return a text uncut, as `chunk_text` returns chunks."""
    return [text]


def excerpt(text: str) -> str:
    """Return the beginning of a text, quoted, for a message."""
    line = " ".join(text.split())
    return repr(line if len(line) <= _EXCERPT else f"{line[:_EXCERPT]}...")


def _is_number(value: Any, low: float, high: float) -> bool:
    """Whether it is a real number of this range; NaN is in none."""
    return (
        isinstance(value, int | float | np.integer | np.floating)
        and not isinstance(value, bool)
        and bool(low <= value <= high)
    )
