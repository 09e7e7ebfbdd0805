"""What is done to waveforms before they are encoded."""

import numpy as np
import pytest

from kittentts.audio.encoder import Encoder
from kittentts.audio.files import open_file
from kittentts.audio.formats import FORMATS
from kittentts.errors import SynthesisError


def write(path, waveform, rate):
    with open_file(path, rate) as write:
        write(waveform)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("rate", [24000, 48000])
def test_what_is_no_number_is_refused(tmp_path, name, wrong, rate):
    # LAME would end the process
    waveform = np.zeros(24000, np.float32)
    waveform[12000] = wrong
    encoder = Encoder(name, rate)
    for act in (
        lambda: write(tmp_path / f"a.{name}", waveform, rate),
        lambda: encoder.encode(waveform) + encoder.finish(),
    ):
        with pytest.raises(SynthesisError, match=rf"a\.{name}|the {name} stream: .*NaN or infinite"):
            act()
    assert list(tmp_path.iterdir()) == []


def test_floats_are_no_numbers_either(tmp_path):
    with pytest.raises(SynthesisError, match="NaN"), open_file(tmp_path / "a.wav", subtype="float") as write:
        write(np.full(10, np.nan, np.float32))
