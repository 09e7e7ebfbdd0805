"""Graphs that break a rule of native/OPERATORS.md give an error that names it, and never end the process."""

import numpy as np
import pytest
from operators import native, run

F, U, I8, I32 = np.float32, np.uint8, np.int8, np.int32
X, W = np.zeros((1, 3, 20), F), np.zeros((1, 1, 2, 8, 4), I8)
SIZES = {"channels_out": 4, "channels_in": 3}
# input -> value; a constant unless it stands in INPUTS
CONV = {
    "x": X,
    "w": W,
    "w_zero": np.zeros((), I8),
    "w_scale": F(1),
    "bias": np.zeros(4, F),
    "residual": np.zeros((1, 4, 19), F),
    "range": np.zeros(2, F),
}
QUANTIZED = {
    "x": X.astype(U),
    "x_zero": U(0),
    "w": W,
    "w_zero": np.zeros(4, I8),
    "scale": F(1),
    "bias": np.zeros(4, I32),
    "residual": np.zeros((1, 4, 19), F),
}
NORM = {"x": X, "scale": np.zeros((1, 3, 1), F), "shift": np.zeros(3, F)}
SNAKE = NORM | {"weight": np.zeros(3, F), "bias": np.zeros(3, F), "alpha": np.zeros(3, F), "inverse": np.zeros(3, F)}
INSTANCE = {"form": "instance_norm", "activation": "snake"}


def with_one(place):
    w = W.copy()
    w[place] = 1
    return w


def attempt(library, name, values, attributes, runtime=("x", "residual")):
    """Run the operator; an attribute None is left out."""
    sizes = SIZES if "w" in values else {}
    attributes = {k: v for k, v in (sizes | attributes).items() if v is not None}
    inputs = {k: v for k, v in values.items() if k in runtime and v is not None}
    constants = {k: v for k, v in values.items() if k not in runtime and v is not None}
    node = native(name, [k if v is not None else "" for k, v in values.items()], ["y"], **attributes)
    return run([node], inputs, constants, {"y": "float32"}, library=library)


@pytest.mark.parametrize(
    ("name", "values", "attributes"),
    [
        ("DynamicQuantizedConv", CONV, {}),
        ("QuantizedConv", QUANTIZED, {}),
        ("AdaptiveNorm", NORM, {}),
        ("AdaptiveNorm", SNAKE, INSTANCE),
    ],
)
def test_the_graphs_that_are_spoilt_below_are_right(library, name, values, attributes):
    attempt(library, name, values, attributes)


@pytest.mark.parametrize(
    ("name", "good", "wrong", "attributes", "message"),
    [
        ("DynamicQuantizedConv", CONV, {"x": X[0]}, {}, "x is float32"),
        ("DynamicQuantizedConv", CONV, {"x": np.zeros((1, 2, 20), F)}, {}, r"not \[N, 3, T\]"),
        ("DynamicQuantizedConv", CONV, {"x": np.zeros((1, 3, 1), F)}, {}, "shorter than the taps"),
        ("DynamicQuantizedConv", CONV, {"x": X.astype(U)}, {}, r"tensor\(uint8\)"),
        ("DynamicQuantizedConv", CONV, {"w": W[0]}, {}, r"not int8\[1, 1, K, 8, 4\]"),
        ("DynamicQuantizedConv", CONV, {"w": np.zeros((4, 3, 2), I8)}, {}, r"not int8\[1, 1, K, 8, 4\]"),
        ("DynamicQuantizedConv", CONV, {"w": W[:0]}, {}, "w is int8|w is missing"),
        ("DynamicQuantizedConv", CONV, {"w": W[:, :, :0]}, {}, "w is int8|w is missing"),
        ("DynamicQuantizedConv", CONV, {"w": W[..., :7, :]}, {}, r"not int8\[1, 1, K, 8, 4\]"),
        ("DynamicQuantizedConv", CONV, {"w": W.swapaxes(3, 4)}, {}, r"not int8\[1, 1, K, 8, 4\]"),
        ("DynamicQuantizedConv", CONV, {"w": W.reshape(2, 1, 1, 8, 4)}, {}, "4 channels_out and 3 channels_in"),
        ("DynamicQuantizedConv", CONV, {"w": W.astype(U)}, {}, "(?i)type"),
        ("DynamicQuantizedConv", CONV, {"w": W.astype(F)}, {}, "(?i)type"),
        ("DynamicQuantizedConv", CONV, {"w": None}, {}, "input 1 is marked single"),
        ("DynamicQuantizedConv", CONV, {}, {"channels_out": None}, "channels_out is missing"),
        ("DynamicQuantizedConv", CONV, {}, {"channels_in": None}, "channels_in is missing"),
        ("DynamicQuantizedConv", CONV, {}, {"channels_out": 9}, r"not int8\[2, 1, K, 8, 4\]"),
        ("DynamicQuantizedConv", CONV, {}, {"channels_in": 5}, r"not int8\[1, 2, K, 8, 4\]"),
        ("DynamicQuantizedConv", CONV, {}, {"channels_out": -1}, "channels_out is missing or not in"),
        ("DynamicQuantizedConv", CONV, {}, {"channels_in": 2**62}, "channels_in is missing or not in"),
        ("DynamicQuantizedConv", CONV, {"w": with_one((0, 0, 1, 4, 0))}, {}, "w is not 0 beyond"),
        ("DynamicQuantizedConv", CONV, {"w": with_one((0, 0, 0, 0, 3))}, {}, "w is not 0 beyond"),
        ("DynamicQuantizedConv", CONV, {"w_zero": U(0)}, {}, "(?i)type"),
        ("DynamicQuantizedConv", CONV, {"w_zero": np.zeros(3, I8)}, {}, "w_zero_point is int8"),
        ("DynamicQuantizedConv", CONV, {"w_scale": np.zeros(3, F)}, {}, "w_scale is float32"),
        ("DynamicQuantizedConv", CONV, {"w_scale": np.zeros(0, F)}, {}, "w_scale is float32"),
        ("DynamicQuantizedConv", CONV, {"bias": np.zeros(5, F)}, {}, "bias is float32"),
        ("DynamicQuantizedConv", CONV, {"bias": np.zeros(4, I32)}, {}, r"tensor\(int32\)"),
        ("DynamicQuantizedConv", CONV, {"residual": np.zeros((1, 4, 18), F)}, {}, "residual is float32"),
        ("DynamicQuantizedConv", CONV, {"range": np.zeros(3, F)}, {}, "x_range is float32"),
        ("DynamicQuantizedConv", CONV, {}, {"stride": 0}, "stride"),
        ("DynamicQuantizedConv", CONV, {}, {"stride": 2**62}, "stride"),
        ("DynamicQuantizedConv", CONV, {}, {"dilation": -1}, "dilation"),
        ("DynamicQuantizedConv", CONV, {}, {"dilation": 2**31 - 1}, "too large"),
        ("DynamicQuantizedConv", CONV, {}, {"pads": [1]}, "pads"),
        ("DynamicQuantizedConv", CONV, {}, {"pads": [-1, 0]}, "pads"),
        ("DynamicQuantizedConv", CONV, {}, {"pads": [0, 2**40]}, "pads"),
        ("QuantizedConv", QUANTIZED, {"x": X}, {}, r"tensor\(float\)"),
        ("QuantizedConv", QUANTIZED, {"x_zero": np.zeros(2, U)}, {}, "x_zero_point is uint8"),
        ("QuantizedConv", QUANTIZED, {"bias": np.zeros(3, I32)}, {}, "bias is int32"),
        ("QuantizedConv", QUANTIZED, {"scale": np.zeros(5, F)}, {}, "scale is float32"),
        ("AdaptiveNorm", NORM, {"x": X[0]}, {}, "rank 3"),
        ("AdaptiveNorm", NORM, {"x": X[:, :, :0]}, {}, "at least 1"),
        ("AdaptiveNorm", NORM, {"x": X[:, :0]}, {}, "at least 1"),
        ("AdaptiveNorm", NORM, {"scale": np.zeros(4, F)}, {}, "scale is float32"),
        ("AdaptiveNorm", NORM, {"shift": np.zeros(2, F)}, {}, "shift is float32"),
        ("AdaptiveNorm", NORM, {}, {"form": "group"}, "form is neither"),
        ("AdaptiveNorm", NORM, {}, {"activation": "gelu"}, "activation is none of"),
        ("AdaptiveNorm", NORM, {}, {"activation": "snake"}, "snake_alpha is missing"),
        ("AdaptiveNorm", NORM, {}, {"form": "instance_norm"}, "weight is missing"),
        ("AdaptiveNorm", SNAKE, {}, {"form": "instance_norm"}, "snake_alpha is given without"),
        ("AdaptiveNorm", SNAKE, {"weight": np.zeros(4, F)}, INSTANCE, "weight is float32"),
        ("AdaptiveNorm", SNAKE, {"inverse": np.zeros(2, F)}, INSTANCE, "snake_inverse is float32"),
    ],
)
def test_what_breaks_a_rule_is_refused(library, name, good, wrong, attributes, message):
    with pytest.raises(Exception, match=message):  # ONNX Runtime has an exception for each kind of error
        attempt(library, name, good | wrong, attributes)


@pytest.mark.parametrize(
    ("runtime", "message"),
    [
        (("x", "residual", "w"), "w is missing or no constant"),
        (("x", "residual", "w_zero"), "w_zero_point is no constant"),
    ],
)
def test_weights_must_be_constant(library, runtime, message):
    with pytest.raises(Exception, match=message):
        attempt(library, "DynamicQuantizedConv", CONV, {}, runtime)


@pytest.mark.parametrize(
    ("name", "good"), [("DynamicQuantizedConv", CONV), ("QuantizedConv", QUANTIZED), ("AdaptiveNorm", NORM)]
)
def test_missing_inputs_are_refused(library, name, good):
    for count in range(3 if name == "AdaptiveNorm" else 4):
        with pytest.raises(Exception, match=r"(?i)input"):
            attempt(library, name, dict(list(good.items())[:count]), {})


@pytest.mark.parametrize(
    ("name", "good", "shape"), [("DynamicQuantizedConv", CONV, (0, 4, 19)), ("AdaptiveNorm", NORM, (0, 3, 20))]
)
def test_an_empty_batch_gives_an_empty_result(library, name, good, shape):
    values = good | {"x": X[:0]} | ({"residual": np.zeros((0, 4, 19), F)} if "residual" in good else {})
    (y,) = attempt(library, name, values, {})
    assert y.shape == shape
