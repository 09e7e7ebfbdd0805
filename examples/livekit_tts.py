"""Speak in an agent of LiveKit, with the model in the same process: `AgentSession(tts=KittenTTSPlugin(model), ...)`.

pip install livekit-agents && python examples/livekit_tts.py

As it stands, it speaks an answer that comes word by word into livekit.wav.
"""

import asyncio
import os
from collections.abc import AsyncGenerator
from pathlib import Path

from livekit import rtc
from livekit.agents import APIConnectOptions, tts, utils
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS

from kittentts import Encoder, KittenTTS
from kittentts.errors import SilentTextError

SAMPLE_RATE = 24_000


class KittenTTSPlugin(tts.TTS):
    """Text to speech for LiveKit Agents, from text that is still being written.

    Args:
        model: an open model; several sessions may share one.
        voice: one of `model.available_voices`.
    """

    def __init__(self, model: KittenTTS, voice: str = "Bella") -> None:
        super().__init__(capabilities=tts.TTSCapabilities(streaming=True), sample_rate=SAMPLE_RATE, num_channels=1)
        self.kitten = model
        self.voice = voice

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> tts.ChunkedStream:
        """Speak a whole text."""
        return self._synthesize_with_stream(text, conn_options=conn_options)

    def stream(self, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS) -> tts.SynthesizeStream:
        """Speak a text whose pieces are pushed."""
        return Stream(tts=self, conn_options=conn_options)


class Stream(tts.SynthesizeStream):
    """Speaks each segment (what comes before a flush) while its text comes; cancelling it ends the work."""

    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        output_emitter.initialize(
            request_id=utils.shortuuid(), sample_rate=SAMPLE_RATE, num_channels=1, mime_type="audio/pcm", stream=True
        )
        plugin = self._tts
        async for piece in self._input_ch:
            if isinstance(piece, self._FlushSentinel) or not piece.strip():
                continue
            self._mark_started()
            output_emitter.start_segment(segment_id=utils.shortuuid())
            encoder = Encoder("raw")
            waveforms = plugin.kitten.agenerate_stream(
                self._segment(piece), plugin.voice, clean_text=True, low_latency=True
            )
            try:
                async for waveform in waveforms:
                    output_emitter.push(encoder.encode(waveform))
                output_emitter.push(encoder.finish())
            except SilentTextError:
                pass
            finally:
                await waveforms.aclose()
            output_emitter.end_segment()

    async def _segment(self, first: str) -> AsyncGenerator[str, None]:
        yield first
        async for piece in self._input_ch:
            if isinstance(piece, self._FlushSentinel):
                return
            yield piece


async def main() -> bytes:
    """Return a WAV file."""
    model = KittenTTS(os.environ.get("KITTENTTS_MODEL", "demo"))
    plugin = KittenTTSPlugin(model)
    async with plugin.stream() as stream:
        for word in ["Hello ", "there. ", "That ", "is ", "$5."]:
            stream.push_text(word)
        stream.end_input()
        frames = [audio.frame async for audio in stream]
    return rtc.combine_audio_frames(frames).to_wav_bytes()


if __name__ == "__main__":
    Path("livekit.wav").write_bytes(asyncio.run(main()))
