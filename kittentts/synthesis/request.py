"""The door of the engine: what a user passes is checked here, once, and becomes a `Request`."""

from __future__ import annotations

import numbers
import unicodedata
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict

import numpy as np

from kittentts import defaults
from kittentts.alignment.source_map import map_to_source
from kittentts.audio.files import silence
from kittentts.errors import SettingError, TextError, TextTypeError
from kittentts.optimize import MODES
from kittentts.phonemes.espeak import check_lexicon, check_phonemes
from kittentts.preprocess import TextPreprocessor, chunk_text
from kittentts.runtime import onnx_graph

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from numpy.typing import NDArray

    from kittentts.alignment.source_map import ChunkSource
    from kittentts.preprocess.edits import Edit

# characters of a text in a message
_BEGINNING = 40
# what float32 holds after a speed prior
_SPEEDS = (1e-30, 1e30)
_LONGEST_SILENCE = 60.0


class Options(TypedDict, total=False):
    """How to speak; what is left out is as in `make_request`."""

    phonemes: bool
    sentence_silence: float
    trim: str
    seed: int | None


class Request(NamedTuple):
    """A call's parameters, checked."""

    texts: list[str]
    """The chunks' texts, none of them without a sound."""
    voice: str
    """The raw voice."""
    speed: np.float32
    """The speed prior included."""
    phonemes: bool
    """Whether the texts are phonemes."""
    any_case: bool
    """Whether capitals are gone from the texts, so that the lexicon must not heed them."""
    silence: NDArray[np.float32]
    """What is between two chunks."""
    trim: str
    """How the ends of a chunk are cut: one of `defaults.TRIMS`."""
    seed: int | None
    """Of the graph's random nodes."""
    source: str
    """The text as it was given."""
    sources: list[ChunkSource]
    """What of `source` became each chunk; empty where the times are not wanted."""


def make_request(
    text: str,
    voice: str,
    speed: float,
    prior: float,
    preprocessor: TextPreprocessor,
    *,
    clean_text: bool | Callable[[str], str] = False,
    phonemes: bool = False,
    sentence_silence: float = 0.0,
    trim: str = "fixed",
    seed: int | None = None,
    single: bool = False,
    timed: bool = False,
) -> Request:
    """Check what a user passes to `generate` and its like.

    Args:
        text, speed, clean_text, phonemes, sentence_silence, trim, seed: the user's.
        voice: the raw one.
        prior: factor on the speed.
        preprocessor: normalizes with `clean_text=True`.
        single: the text is one chunk.
        timed: find out what of the text becomes which chunk.

    Raises:
        TextError, TextTypeError, SettingError: as `KittenTTS.generate`.
    """
    check_numbers(speed, sentence_silence, seed)
    check_trim(trim)
    steps: list[list[Edit]] = []

    def normalized(text: str) -> str:
        # another one may have taken its place, which does not tell its edits
        if not timed or type(preprocessor) is not TextPreprocessor:
            return preprocessor.process(text)
        cleaned, steps[:] = preprocessor.process_with_edits(text)
        return cleaned

    cleaned = clean(text, False if phonemes else clean_text, normalized)
    chunks = [cleaned] if single else chunk_text(cleaned)
    texts = sounding(chunks, phonemes=phonemes)
    sources = []
    if timed:
        found = map_to_source(text, cleaned, steps, chunks)
        sources = [one for one, chunk in zip(found, chunks, strict=True) if may_sound(chunk)]
    return Request(
        texts=texts,
        voice=voice,
        speed=np.float32(speed * prior),
        phonemes=phonemes,
        any_case=bool(clean_text) and not callable(clean_text),
        silence=silence(sentence_silence),
        trim=trim,
        seed=None if seed is None else int(seed),
        source=text,
        sources=sources,
    )


def check_options(
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
        isinstance(max_workers, bool) or not isinstance(max_workers, numbers.Integral) or max_workers < 1
    ):
        raise SettingError(f"max_workers={max_workers!r} is not a whole number above 0; leave it out for one a core")


def check_numbers(speed: float, sentence_silence: float, seed: int | None) -> None:
    """Raise `SettingError` where one is out of its range."""
    if not _is_number(speed, *_SPEEDS):
        raise SettingError(f"speed={speed!r} is not a finite number above 0, like 1.0, the voice's own pace")
    if not _is_number(sentence_silence, 0, _LONGEST_SILENCE):
        raise SettingError(f"sentence_silence={sentence_silence!r} is not a number of seconds from 0 to 60")
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, numbers.Integral) or seed < 0):
        raise SettingError(f"seed={seed!r} is not a whole number from 0 up; leave it out for noise that is always new")


def check_trim(trim: str) -> None:
    """Raise `SettingError` unless it is a way to cut the ends of a chunk."""
    if trim not in defaults.TRIMS:
        raise SettingError(f"trim={trim!r} is unknown; use one of {', '.join(map(repr, defaults.TRIMS))}")


def check_clean_text(how: object) -> None:
    """Raise `SettingError` unless it is a way to clean a text."""
    if not callable(how) and not isinstance(how, bool | int | np.bool_):
        raise SettingError(f"clean_text={how!r} is neither True nor False nor a function str -> str")


def clean(text: str, how: bool | Callable[[str], str], ours: Callable[[str], str]) -> str:
    """Normalize a text: not at all (False), with `ours` (True), or with the user's function.

    Raises:
        TextTypeError: the text, or what the function makes of it, is no `str`.
        TextError: it is blank, or nothing is left of it.
        SettingError: `how` is something else.
    """
    check_clean_text(how)
    _check_type(text)
    if how:
        text = how(text) if callable(how) else ours(text)
        _check_type(text)
    if not text.strip():
        raise TextError("the text is blank (or nothing is left of it after cleaning); there is nothing to speak")
    return text


def sounding(texts: Iterable[str], *, phonemes: bool) -> list[str]:
    """Return the texts that have a letter, number or symbol; whether espeak-ng has a sound for it shows later.

    Raises:
        TextError: there is none, or one that should be phonemes is not.
    """
    texts = list(texts)
    if phonemes:
        check_phonemes("".join(texts))
    found = list(filter(may_sound, texts))
    if not found:
        raise silent(" ".join(texts))
    return found


def may_sound(text: str) -> bool:
    """Whether it has a letter, number or symbol."""
    return any(unicodedata.category(character)[0] in "LNS" for character in text)


def silent(text: str) -> TextError:
    """Return the error for a text without a sound."""
    return TextError(f"{beginning(text)} has no word, number or symbol that can be spoken")


def beginning(text: str) -> str:
    """Return the beginning of a text, quoted, for a message."""
    line = " ".join(text.split())
    return repr(line if len(line) <= _BEGINNING else f"{line[:_BEGINNING]}...")


def _check_type(text: object) -> None:
    if not isinstance(text, str):
        raise TextTypeError(f"the text is of type {type(text).__name__}; a str is needed")


def _is_number(value: Any, low: float, high: float) -> bool:
    """Whether it is a real number of this range; NaN is in none."""
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and bool(low <= value <= high)
