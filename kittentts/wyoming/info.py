"""Which voices there are, and which one a client means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wyoming.info import Attribution, Info, TtsProgram, TtsVoice, TtsVoiceSpeaker

from kittentts import __version__
from kittentts.errors import VoiceError
from kittentts.models.published import DEMO

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kittentts import KittenTTS

LANGUAGE = "en-US"
"""Of all models, for espeak-ng's American English makes their phonemes."""

_PROGRAM = Attribution(name="kittentts", url="https://github.com/KittenML/KittenTTS")


def make_info(model: KittenTTS, model_name: str) -> Info:
    """Return what a client is told that asks what this server is: a voice for each of the model, its only speaker."""
    voices = [
        TtsVoice(
            name=name,
            description=name,
            attribution=_attribution(model_name),
            installed=True,
            version=None,
            languages=[LANGUAGE],
            speakers=[TtsVoiceSpeaker(name=name)],
        )
        for name in model.available_voices
    ]
    program = TtsProgram(
        name="kittentts",
        description=f"KittenTTS with {model_name}",
        attribution=_PROGRAM,
        installed=True,
        version=__version__,
        voices=voices,
        supports_synthesize_streaming=True,
    )
    return Info(tts=[program])


def choose_voice(model: KittenTTS, wanted: Mapping[str, str], default: str) -> str:
    """Return the voice that a request names by its speaker, or else its name, or the default.

    Raises:
        VoiceError: the model does not speak the language. Whether it has the voice is found out when it is to speak.
    """
    language = wanted.get("language", LANGUAGE)
    if not language.lower().startswith("en"):
        voices = ", ".join(model.available_voices)
        raise VoiceError(f"language={language!r}: the model speaks {LANGUAGE} only; its voices are {voices}")
    return wanted.get("speaker") or wanted.get("name") or default


def _attribution(model_name: str) -> Attribution:
    if model_name == DEMO:
        return Attribution(name="Kokoro-82M", url="https://huggingface.co/hexgrad/Kokoro-82M")
    is_repository = "/" in model_name
    return Attribution(name=model_name, url=f"https://huggingface.co/{model_name}" if is_repository else _PROGRAM.url)
