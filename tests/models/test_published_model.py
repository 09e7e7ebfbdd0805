"""A model of KittenTTS's own, from the Hugging Face Hub. Needs a network: `pytest -m hub`."""

import numpy as np
import pytest

from kittentts import KittenTTS


@pytest.mark.hub
def test_the_published_nano_speaks():
    model = KittenTTS()
    assert model.available_voices == ["Bella", "Jasper", "Luna", "Bruno", "Rosie", "Hugo", "Kiki", "Leo"]
    audio = model.generate("Hello there. How are you today?", voice="Bella")
    assert np.isfinite(audio).all()
    assert 1.5 < len(audio) / 24_000 < 6
    speech = model.synthesize("It cost $5.", voice="Leo", clean_text=True)
    assert [word.text for chunk in speech.chunks for word in chunk.words] == ["It", "cost", "$5"]
