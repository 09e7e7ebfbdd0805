"""A voice by what a user calls it: its name, or a blend like "Bella:0.7+Luna:0.3"; and voices of the user's own."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from kittentts.errors import SettingError, VoiceError
from kittentts.models.voices_file import STYLE_SIZE, check_style, find_voice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Style = NDArray[np.float32]

# "Bella:0.7" or "Bella(2)"; a name alone counts once
_SHARE = re.compile(
    r"\s*(?P<name>[^:()]*[^:()\s])\s*(?::\s*(?P<weight>[^:()]*)|\(\s*(?P<count>[^:()]*)\)\s*)?", re.DOTALL
)
_SIGNS = frozenset("+:()")


def find_style(
    name: object, aliases: Mapping[str, str], voices: Mapping[str, Style], speed_priors: Mapping[str, float]
) -> tuple[Style, float]:
    """Return the style array of a voice, or of a blend of voices, and the factor on its speed.

    Of a blend both are the weighted means; where its arrays have different numbers of rows, the last row of the
    shorter ones is repeated.

    Args:
        name: what the user gave: as for `find_voice`, or several such names with a weight each.
        aliases: friendly name -> raw voice.
        voices: raw voice -> array.
        speed_priors: raw voice -> factor on the speed, where it is not 1.

    Raises:
        VoiceError: a voice is unknown, or the blend is malformed; the message names the part that is wrong.
    """
    if not isinstance(name, str) or name in voices or name in aliases or not _SIGNS & set(name):
        raw = find_voice(name, aliases, voices)
        return voices[raw], speed_priors.get(raw, 1.0)
    weights: list[float] = []
    raws = []
    for share in name.split("+"):
        match = _SHARE.fullmatch(share)
        if match is None:
            raise VoiceError(
                f"voice={name!r}: {share.strip()!r} is no part of a blend, which is written 'Bella:0.7+Luna:0.3' or "
                "'Bella(2)+Luna(1)'"
            )
        weights.append(_weight(name, share, match["count"] if match["weight"] is None else match["weight"]))
        try:
            raws.append(find_voice(match["name"], aliases, voices))
        except VoiceError as error:
            raise VoiceError(f"voice={name!r}: {error}") from error
    whole = sum(weights)
    if not 0 < whole < math.inf:
        raise VoiceError(f"voice={name!r}: the weights add up to {whole:g}")
    shares = [weight / whole for weight in weights]
    rows = max(len(voices[raw]) for raw in raws)
    style = sum(
        share * _with_rows(voices[raw], rows).astype(np.float64) for share, raw in zip(shares, raws, strict=True)
    )
    prior = sum(share * speed_priors.get(raw, 1.0) for share, raw in zip(shares, raws, strict=True))
    return np.asarray(style, np.float32), prior


def _weight(name: str, share: str, text: str | None) -> float:
    if text is None:
        return 1.0
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not 0 < weight < math.inf:
        raise VoiceError(f"voice={name!r}: the weight of {share.strip()!r} is not a number above 0")
    return weight


def _with_rows(voice: Style, rows: int) -> Style:
    flat = voice.reshape(len(voice), STYLE_SIZE)
    return np.concatenate([flat, np.repeat(flat[-1:], rows - len(flat), axis=0)])


def check_own_voice(name: object, style: Any, taken: set[str]) -> Style:
    """Return a copy of the style array of a user's own voice, as float32.

    Args:
        name: of the voice.
        style: of shape `(rows, 256)` or `(rows, 1, 256)`.
        taken: the names that the model's own voices have.

    Raises:
        VoiceError: the name is none, has a sign of blends in it, or is that of a voice of the model.
        SettingError: the array is of another shape or type, or has NaN or infinity in it.
    """
    if not isinstance(name, str) or not name.strip() or _SIGNS & set(name):
        raise VoiceError(f"name={name!r} cannot name a voice: a str without + : ( ) is needed")
    if name.casefold() in {one.casefold() for one in taken}:
        raise VoiceError(f"name={name!r} is a voice of this model already; choose another name")
    try:
        array = np.array(style)
    except (TypeError, ValueError) as error:
        raise SettingError(f"the style of the voice {name!r} is no array: {error}") from error
    return check_style(array, f"the style of the voice {name!r}", SettingError)
