"""How to speak: the parameters that all methods which speak have in common. Light to import."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kittentts import defaults

if TYPE_CHECKING:
    from collections.abc import Callable

    from kittentts.markup.parts import Part


@dataclass(frozen=True)
class SpeechOptions:
    """The parameters of a call, as `KittenTTS.generate` documents them. Checked by `make_request`."""

    voice: str = defaults.VOICE
    speed: float = 1.0
    clean_text: bool | Callable[[str], str] = False
    phonemes: bool = False
    sentence_silence: float = 0.0
    trim: str = defaults.TRIMS[0]
    seed: int | None = None
    markup: str | None = None

    @property
    def has_lower_case(self) -> bool:
        """Whether our normalization lowers all letters before the lexicon sees them."""
        return bool(self.clean_text) and not callable(self.clean_text)

    def of_part(self, part: Part) -> SpeechOptions:
        """Return the options for a part of a document with markup."""
        voice = self.voice if part.voice is None else part.voice
        return dataclasses.replace(self, voice=voice, speed=self.speed * part.rate)
