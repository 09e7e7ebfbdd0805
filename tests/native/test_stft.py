"""Stft: the bits of ONNX Runtime's STFT, and of NumPy."""

import numpy as np
import pytest
from onnx import helper
from operators import native, run, same_bits, stft


@pytest.mark.parametrize("length", [3, 5, 12, 20, 21, 33])
@pytest.mark.parametrize(("batch", "more", "step"), [(1, 0, 1), (1, 7, 5), (2, 100, 3), (1, 700, 2)])
def test_stft(library, length, batch, more, step):
    rng = np.random.default_rng(length)
    signal = rng.standard_normal((batch, length + more)).astype(np.float32)
    signal[:, ::7] = 0
    signal[:, ::11] *= np.float32(1e-40)
    window = np.hanning(length + 1)[:length].astype(np.float32)
    compare(library, signal, window, step)
    assert same_bits(compare(library, signal, window, step), stft(signal, window, step))


@pytest.mark.parametrize("value", [0.0, -0.0, 1e-45, 1e30])
def test_signs_of_zeros_and_extreme_values(library, value):
    compare(library, np.full((1, 90), value, np.float32), np.linspace(-1, 1, 20, dtype=np.float32), 5)


def compare(library, signal, window, step):
    constants = {"step": np.int64(step), "window": window, "length": np.int64(len(window))}
    theirs = helper.make_node("STFT", ["signal", "step", "window", "length"], ["y"])
    (expected,) = run([theirs], {"signal": signal}, constants, {"y": "float32"})
    ours = native("Stft", ["signal", "window"], ["y"], frame_length=len(window), frame_step=step)
    for threads in (1, 2):
        (y,) = run([ours], {"signal": signal}, {"window": window}, {"y": "float32"}, library=library, threads=threads)
        assert same_bits(y, expected)
    return expected


def test_without_a_window_and_with_a_third_axis(library):
    signal = np.random.default_rng(1).standard_normal((1, 60, 1)).astype(np.float32)
    node = native("Stft", ["signal"], ["y"], frame_length=20, frame_step=4)
    (y,) = run([node], {"signal": signal}, {}, {"y": "float32"}, library=library)
    assert same_bits(y, stft(signal[:, :, 0], np.ones(20, np.float32), 4))


@pytest.mark.parametrize(
    ("shape", "window", "attributes", "message"),
    [
        ((1, 40), 20, {"frame_length": 16, "frame_step": 4}, "frame_length"),
        ((1, 40), 20, {"frame_step": 4}, "frame_length"),
        ((1, 40), 20, {"frame_length": 20}, "frame_step"),
        ((1, 40), 19, {"frame_length": 20, "frame_step": 4}, "window is"),
        ((1, 19), 20, {"frame_length": 20, "frame_step": 4}, "shorter than a frame"),
        ((40,), 20, {"frame_length": 20, "frame_step": 4}, "signal is"),
        ((1, 40, 2), 20, {"frame_length": 20, "frame_step": 4}, "signal is"),
    ],
)
def test_what_breaks_a_rule_is_refused(library, shape, window, attributes, message):
    node = native("Stft", ["signal", "window"], ["y"], **attributes)
    inputs = {"signal": np.zeros(shape, np.float32), "window": np.zeros(window, np.float32)}
    with pytest.raises(Exception, match=message):
        run([node], inputs, {}, {"y": "float32"}, library=library)
