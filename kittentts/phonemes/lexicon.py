"""A user's lexicon: words and how they are said."""

from __future__ import annotations

import re
import unicodedata
from collections import ChainMap
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from kittentts.errors import SettingError, TextError
from kittentts.phonemes.vocabulary import check_phonemes, is_speakable

if TYPE_CHECKING:
    from kittentts.phonemes.espeak import Phonemizer

_NOTHING: Mapping[str, str] = MappingProxyType({})
_WORD = re.compile(r"\w+(?:['’]\w+)*")


def check_lexicon(lexicon: Mapping[str, str]) -> dict[str, str]:
    """Return a copy of the lexicon; raise `SettingError` for a key that is no single word or a value that is no IPA."""
    if not isinstance(lexicon, Mapping):
        raise SettingError(f"lexicon={lexicon!r} is no mapping from words to phonemes, like {{'ONNX': 'ˈɑːnɪks'}}")
    for word, phonemes in lexicon.items():
        if not isinstance(word, str) or not _WORD.fullmatch(word):
            raise SettingError(f"the lexicon entry {word!r} is not a single word (letters, digits, inner apostrophes)")
        if not isinstance(phonemes, str) or not is_speakable(phonemes):
            raise SettingError(f"the lexicon says {phonemes!r} for {word!r}: phonemes in IPA are needed")
        try:
            check_phonemes(phonemes)
        except TextError as error:
            raise SettingError(f"the lexicon entry {word!r}: {error}") from error
    return {_fold(word): phonemes for word, phonemes in lexicon.items()}


def _fold(text: str) -> str:
    """Write apostrophes and accented letters in one way."""
    return unicodedata.normalize("NFC", text).replace("’", "'")


def as_it_is(phonemes: str, stand_ins: Mapping[str, str] = _NOTHING) -> str:  # noqa: ARG001
    """Return phonemes, which a text may be already; takes what `phonemize_with_lexicon` takes."""
    return phonemes


def phonemize_with_lexicon(
    text: str,
    phonemizer: Phonemizer,
    lexicon: Mapping[str, str],
    *,
    any_case: bool,
    stand_ins: Mapping[str, str] = _NOTHING,
) -> str:
    """Phonemize `text`, the words of the lexicon, also with an 's, as it says.

    Args:
        text: one chunk.
        phonemizer: speaks the stretches between the lexicon's words, each for itself.
        lexicon: from `check_lexicon`. A key in lower case stands for the word in any case ("read": also "Read"), a key
            with capitals for just this spelling ("US" is not "us").
        any_case: match every key in any case, for a text whose capitals are gone; keys in lower case go first.
        stand_ins: words that stand for phonemes, whatever the lexicon says.
    """
    if not lexicon and not stand_ins:
        return "".join(phonemizer.phonemize([text]))
    entries = {word.lower(): phonemes for word, phonemes in lexicon.items()} | dict(lexicon) if any_case else lexicon
    if stand_ins:
        # not merged: that takes time for each chunk
        entries = ChainMap(stand_ins, entries)  # type: ignore[arg-type]
    text = _fold(text)
    parts, rest = [], 0
    for match in _WORD.finditer(text):
        phonemes = _look_up(match.group(), entries)
        if phonemes:
            # a hyphen at the beginning of the next stretch would be a minus sign
            parts += [text[rest : match.start()], phonemes]
            rest = match.end() + text.startswith("-", match.end())
    parts.append(text[rest:])
    # even parts are text, odd ones phonemes
    parts[::2] = phonemizer.phonemize(parts[::2])
    return " ".join(parts)


def _look_up(word: str, entries: Mapping[str, str]) -> str | None:
    phonemes = entries.get(word) or entries.get(word.lower())
    if phonemes is None and word.lower().endswith("'s") and (owner := _look_up(word[:-2], entries)):
        return owner + ("ᵻz" if owner[-1] in "szʃʒ" else "s" if owner[-1] in "ptkfθ" else "z")
    return phonemes
