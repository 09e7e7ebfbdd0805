"""What a model is given to run for a text, in the order of the text."""

import numpy as np
from recording import Recording

from kittentts import KittenTTS


def one_by_one(directory, **options):
    """A model that runs its chunks in the order of the text, and remembers its inputs."""
    model = KittenTTS(directory, max_workers=1, **options)
    model.model.session = Recording(model.model.session)
    return model


def inputs_of(model, text, **options):
    """(token ids, style, speed) of each run."""
    recording = model.model.session
    recording.inputs.clear()
    model.generate(text, **options)
    return [
        (tuple(one["input_ids"][0]), one["style"].tobytes(), float(np.float32(one["speed"][0])))
        for one in recording.inputs
    ]


def ids_of(model, text, **options):
    return [ids for ids, _, _ in inputs_of(model, text, **options)]
