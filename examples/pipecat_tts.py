"""Speak in a Pipecat pipeline, with the model in the same process: `KittenTTSService` is what an own bot takes.

pip install pipecat-ai && python examples/pipecat_tts.py

As it stands, it speaks two answers into pipecat.raw (16-bit samples, 24 000 Hz).
"""

import asyncio
import os
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from pipecat.frames.frames import EndFrame, ErrorFrame, Frame, TTSAudioRawFrame, TTSSpeakFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.settings import TTSSettings
from pipecat.services.tts_service import TTSService
from pipecat.workers.runner import WorkerRunner

from kittentts import Encoder, KittenTTS
from kittentts.errors import KittenTTSError, SilentTextError


class KittenTTSService(TTSService):
    """A text-to-speech service of Pipecat. Interruptions end the work within a tenth of a second.

    Args:
        model: an open model; several services may share one.
        voice: one of `model.available_voices`.
        options: further ones of `TTSService`.
    """

    def __init__(self, model: KittenTTS, voice: str = "Bella", **options: Any) -> None:
        settings = TTSSettings(model=None, voice=voice, language=None)
        super().__init__(push_start_frame=True, push_stop_frames=True, settings=settings, **options)
        self._kitten = model

    def can_generate_metrics(self) -> bool:
        """Let Pipecat measure how soon the first audio comes."""
        return True

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame, None]:
        """Yield the audio of a sentence, which Pipecat has collected, while it is made."""
        # at the sample rate of the pipeline; another than 24 000 Hz needs soxr, which Pipecat brings
        encoder = Encoder("raw", self.sample_rate)
        await self.start_tts_usage_metrics(text)

        def frame(audio: bytes) -> TTSAudioRawFrame:
            return TTSAudioRawFrame(audio, self.sample_rate, num_channels=1, context_id=context_id)

        waveforms = self._kitten.agenerate_stream(text, self._settings.voice, clean_text=True, low_latency=True)
        try:
            async for waveform in waveforms:
                await self.stop_ttfb_metrics()
                yield frame(encoder.encode(waveform))
            yield frame(encoder.finish())
        except SilentTextError:
            return
        except KittenTTSError as error:
            yield ErrorFrame(str(error))
        finally:
            await waveforms.aclose()
            await self.stop_ttfb_metrics()


class Collector(FrameProcessor):
    """Stands for the transport, which sends the audio to the user: collects it."""

    audio = b""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Take a frame, and pass it on."""
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSAudioRawFrame):
            self.audio += frame.audio
        await self.push_frame(frame, direction)


async def main() -> bytes:
    """Return the samples that a user would hear."""
    model = KittenTTS(os.environ.get("KITTENTTS_MODEL", "demo"))
    collector = Collector()
    worker = PipelineWorker(Pipeline([KittenTTSService(model), collector]))
    await worker.queue_frames([TTSSpeakFrame("Hello there."), TTSSpeakFrame("That is $5."), EndFrame()])
    runner = WorkerRunner()
    await runner.add_workers(worker)
    await runner.run()
    return collector.audio


if __name__ == "__main__":
    Path("pipecat.raw").write_bytes(asyncio.run(main()))
