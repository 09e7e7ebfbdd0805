"""Waveform -> sound card."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from kittentts.defaults import pip_install
from kittentts.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

_INSTEAD = "or write a file: -o hello.wav"
# how long Ctrl-C may have to wait
_BLOCK_SECONDS = 0.1


@contextlib.contextmanager
def open_speaker(sample_rate: int) -> Iterator[Callable[[NDArray[np.float32]], None]]:
    """Open the default sound device and yield a function that plays a waveform of this rate after those before it.

    The function returns when nearly all is played; what comes within the device's latency then follows without a gap.
    The context ends when all is played; an exception ends the sound at once.

    Raises:
        MissingExtraError: sounddevice is not installed.
        OSError: PortAudio, which it needs, is not there; or there is no sound device, or it does not take the rate.
    """
    try:
        import sounddevice
    except ImportError as error:
        raise MissingExtraError(f"playing needs sounddevice: {pip_install('play')}; {_INSTEAD}") from error
    except OSError as error:
        raise OSError(
            f"playing needs the PortAudio library ({error}): on Debian and Ubuntu apt install libportaudio2, "
            f"on Fedora dnf install portaudio; {_INSTEAD}"
        ) from error
    from kittentts.audio.conditioner import OutputConditioner
    from kittentts.audio.waveform import silence

    prepare = OutputConditioner(sample_rate, "the sound card")
    try:
        stream = sounddevice.OutputStream(samplerate=sample_rate, channels=1, dtype="float32", latency="high")
    except (sounddevice.PortAudioError, ValueError) as error:
        raise OSError(f"there is no sound device that plays {sample_rate} Hz ({error}); {_INSTEAD}") from error

    def write(waveform: NDArray[np.float32], *, last: bool = False) -> None:
        if stream.stopped:
            # only now, so that it does not play silence while the first waveform is made
            stream.start()
        step = int(_BLOCK_SECONDS * sample_rate)
        for block in prepare.blocks(waveform, last=last):
            for start in range(0, len(block), step):
                stream.write(block[start : start + step].reshape(-1, 1))

    with contextlib.closing(stream):
        try:
            yield write
            write(silence(0), last=True)
        except sounddevice.PortAudioError as error:
            raise OSError(f"the sound device does not play ({error}); {_INSTEAD}") from error
        except BaseException:
            stream.abort()
            raise
        stream.stop()
