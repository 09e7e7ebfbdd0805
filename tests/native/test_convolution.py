"""QuantizedConv and DynamicQuantizedConv: the bits of ONNX Runtime's operators, and of NumPy."""

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper
from operators import convolution, dequantized, frames_out, native, opened, packed, quantization, run, same_bits

CASES = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 2**32 - 1),
        "batch": st.sampled_from([1, 1, 2]),
        "channels": st.integers(1, 18),
        "outputs": st.integers(1, 18),
        "taps": st.integers(1, 7),
        "stride": st.integers(1, 6),
        "dilation": st.integers(1, 5),
        "pads": st.tuples(st.integers(0, 9), st.integers(0, 9)),
        "more": st.integers(0, 130),
        "signed": st.booleans(),
        "extreme": st.booleans(),
        "zero": st.sampled_from(["none", "one", "each"]),
        "bias": st.booleans(),
        "residual": st.booleans(),
    }
)
WITHOUT_PATTERN = {
    "batch": 1,
    "stride": 1,
    "dilation": 1,
    "pads": (0, 0),
    "more": 60,
    "zero": "one",
    "bias": True,
    "residual": False,
}


def arrays(case):
    """Weights, zero points and the number of frames; as few frames as the taps need, and `more`."""
    rng = np.random.default_rng(case["seed"])
    dtype = np.int8 if case["signed"] else np.uint8
    low, high = (
        (np.iinfo(dtype).min, np.iinfo(dtype).max) if case["extreme"] else (-60, 60) if case["signed"] else (0, 127)
    )
    shape = (case["outputs"], case["channels"], case["taps"])
    # the worst pairs: all weights at the ends of their range
    w = (rng.choice([low, high], shape) if case["extreme"] else rng.integers(low, high + 1, shape)).astype(dtype)
    zeros = {"none": 1, "one": 1, "each": case["outputs"]}[case["zero"]]
    w_zero = rng.integers(low, high + 1, zeros).astype(dtype) if case["zero"] != "none" else np.zeros(1, dtype)
    if case["zero"] == "one":
        w_zero = w_zero.reshape(())
    frames = max(1, (case["taps"] - 1) * case["dilation"] + 1 - sum(case["pads"])) + case["more"]
    return rng, w, w_zero, frames


def settings_of(case):
    return {"stride": case["stride"], "dilation": case["dilation"], "pads": list(case["pads"])}


def conv_integer(case, x_zero="x_zero"):
    return helper.make_node(
        "ConvInteger",
        ["x", "w", x_zero, "w_zero"],
        ["sums"],
        strides=[case["stride"]],
        dilations=[case["dilation"]],
        pads=list(case["pads"]),
    )


@given(CASES)
@settings(max_examples=80, deadline=None, derandomize=True)
def test_quantized_conv(library, case):
    rng, w, w_zero, frames = arrays(case)
    shape = (case["batch"], case["channels"], frames)
    x = (np.full(shape, 255) if case["extreme"] else rng.integers(0, 256, shape)).astype(np.uint8)
    x_zero = np.uint8(0 if case["extreme"] else rng.integers(0, 256))
    scale = np.float32(rng.random() * 0.01)
    count = frames_out(frames, case["taps"], case["stride"], case["dilation"], case["pads"])
    bias = rng.integers(-(10**6), 10**6, (1, case["outputs"], 1)).astype(np.int32) if case["bias"] else None
    residual = (
        rng.standard_normal((case["batch"], case["outputs"], count)).astype(np.float32) if case["residual"] else None
    )

    sums = convolution(x, x_zero, w, w_zero, **settings_of(case))
    expected = dequantized(sums, bias if bias is not None else [0], scale, residual)

    inputs = {"x": x} | ({"residual": residual} if case["residual"] else {})
    weights, sizes = packed(w, w_zero)
    constants = weights | {"x_zero": x_zero, "scale": scale} | ({"bias": bias} if case["bias"] else {})
    node = native(
        "QuantizedConv",
        ["x", "x_zero", "w", "w_zero" if weights["w_zero"].any() else "", "scale", "bias" if case["bias"] else ""]
        + (["residual"] if case["residual"] else []),
        ["y"],
        **settings_of(case),
        **sizes,
    )
    for threads in (1, 2):
        (y,) = run([node], inputs, constants, {"y": "float32"}, library=library, threads=threads)
        assert same_bits(y, expected)

    if case["zero"] != "each":  # ONNX Runtime wants one zero point
        (theirs,) = run(
            [conv_integer(case)], {"x": x}, {"w": w, "w_zero": w_zero.reshape(()), "x_zero": x_zero}, {"sums": "int32"}
        )
        np.testing.assert_array_equal(theirs, sums)


def published(case):
    """The nodes of the published graph around a convolution."""
    nodes = [
        helper.make_node("DynamicQuantizeLinear", ["f"], ["x", "x_scale", "x_zero"]),
        conv_integer(case),
        helper.make_node("Mul", ["x_scale", "w_scale"], ["scale"]),
        helper.make_node("Cast", ["total"], ["floats"], to=1),
        helper.make_node("Mul", ["floats", "scale"], ["product"]),
        helper.make_node("Add", ["product", "residual"], ["y"])
        if case["residual"]
        else helper.make_node("Identity", ["product"], ["y"]),
    ]
    if not case["bias"]:
        nodes.insert(3, helper.make_node("Identity", ["sums"], ["total"]))
        return nodes
    nodes[3:3] = [
        helper.make_node("Div", ["bias", "scale"], ["quotient"]),
        helper.make_node("Floor", ["quotient"], ["floored"]),
        helper.make_node("Cast", ["floored"], ["as_int"], to=6),
        helper.make_node("Reshape", ["as_int", "shape"], ["column"]),
        helper.make_node("Add", ["sums", "column"], ["total"]),
    ]
    return nodes


def compare_with_published(library, case, f, w, w_zero, w_scale, bias, residual=None, ranged=False):
    inputs = {"f": f} | ({"residual": residual} if residual is not None else {})
    constants = {"w": w, "w_zero": w_zero, "w_scale": w_scale, "shape": np.array([1, -1, 1], np.int64)}
    constants |= {"bias": bias} if case["bias"] else {}
    (expected,) = run(published(case), inputs, constants, {"y": "float32"})
    names = ["f", "w", "w_zero", "w_scale", "bias" if case["bias"] else "", "residual" if residual is not None else ""]
    del constants["shape"]
    weights, sizes = packed(w, w_zero)
    constants |= weights
    if ranged:
        inputs["range"] = np.array([f.min(), f.max()])
        names.append("range")
    node = native("DynamicQuantizedConv", names, ["y"], **settings_of(case), **sizes)
    for threads in (1, 2):
        (y,) = run([node], inputs, constants, {"y": "float32"}, library=library, threads=threads)
        assert same_bits(y, expected), threads
    return expected


@given(CASES, st.sampled_from([1e-41, 1e-3, 1, 1e30]), st.booleans())
@settings(max_examples=80, deadline=None, derandomize=True)
def test_dynamic_quantized_conv(library, case, size, ranged):
    case["zero"] = "one"
    rng, w, w_zero, frames = arrays(case)
    f = (rng.standard_normal((case["batch"], case["channels"], frames)) * size).astype(np.float32)
    w_scale, bias = np.float32(0.0123), rng.standard_normal(case["outputs"]).astype(np.float32)
    count = frames_out(frames, case["taps"], case["stride"], case["dilation"], case["pads"])
    residual = (
        rng.standard_normal((case["batch"], case["outputs"], count)).astype(np.float32) if case["residual"] else None
    )
    theirs = compare_with_published(library, case, f, w, w_zero, w_scale, bias, residual, ranged)
    if size == 1:
        scale, zero = quantization(f)
        x = np.clip(np.rint(f / scale) + np.float32(zero), 0, 255)
        total_scale = scale * w_scale
        columns = np.floor(bias / total_scale) if case["bias"] else [0]
        ours = dequantized(convolution(x, zero, w, w_zero, **settings_of(case)), columns, total_scale, residual)
        assert same_bits(ours, theirs)


@pytest.mark.parametrize(
    "special",
    [[0.0], [-0.0], [1e-45], [5.0], [-5.0], [np.inf], [-np.inf], [np.inf, -np.inf], [3e38, -3e38], [1e-40, -1e-40]],
    ids=str,
)
@pytest.mark.parametrize("among", ["alone", "among others"])
def test_extreme_values_of_x(library, special, among):
    case = WITHOUT_PATTERN | {"seed": 1, "channels": 3, "outputs": 9, "taps": 1, "signed": False, "extreme": False}
    rng, w, w_zero, _ = arrays(case)
    f = np.resize(np.float32(special), (1, 3, 61))
    if among == "among others":
        f[0, :, 5:] = rng.standard_normal((3, 56))
    compare_with_published(library, case, f, w, w_zero, np.float32(0.01), rng.standard_normal(9).astype(np.float32))


def test_not_a_number_is_quantized_to_zero_and_counts_in_no_range(library):
    case = WITHOUT_PATTERN | {"seed": 1, "channels": 1, "outputs": 1, "taps": 1}
    f = np.linspace(-1, 1, 60, dtype=np.float32).reshape(1, 1, -1)
    f[0, 0, 7] = np.nan
    weights, sizes = packed(np.ones((1, 1, 1), np.int8))
    node = native("DynamicQuantizedConv", ["f", "w", "", "w_scale"], ["y"], **settings_of(case), **sizes)
    constants = weights | {"w_scale": np.float32(1)}
    (y,) = run([node], {"f": f}, constants, {"y": "float32"}, library=library)
    scale, zero = quantization(f[np.isfinite(f)])
    assert y[0, 0, 7] == -np.float32(zero) * scale
    assert abs(y[0, 0, 8] - f[0, 0, 8]) <= scale


@pytest.mark.parametrize(
    ("channels", "outputs", "taps", "frames", "dilation"), [(70, 130, 3, 2000, 5), (33, 65, 11, 5000, 1)]
)
def test_many_blocks(library, channels, outputs, taps, frames, dilation):
    reach = (taps - 1) * dilation
    case = WITHOUT_PATTERN | {"seed": 3, "channels": channels, "outputs": outputs, "taps": taps, "more": frames}
    case |= {"dilation": dilation, "pads": (reach // 2, reach - reach // 2), "signed": False, "extreme": False}
    rng, w, w_zero, _ = arrays(case)
    f = rng.standard_normal((2, channels, frames)).astype(np.float32)
    compare_with_published(
        library, case, f, w, w_zero, np.float32(0.01), rng.standard_normal(outputs).astype(np.float32)
    )


def test_scale_for_each_channel(library):
    case = WITHOUT_PATTERN | {"seed": 4, "channels": 5, "outputs": 11, "taps": 2, "signed": True, "extreme": True}
    rng, w, w_zero, frames = arrays(case)
    x = rng.integers(0, 256, (1, 5, frames)).astype(np.uint8)
    scale = rng.random((1, 11, 1)).astype(np.float32)
    weights, sizes = packed(w, w_zero)
    node = native("QuantizedConv", ["x", "", "w", "w_zero", "scale"], ["y"], **sizes)
    (y,) = run([node], {"x": x, "scale": scale}, weights, {"y": "float32"}, library=library)
    assert same_bits(y, dequantized(convolution(x, 0, w, w_zero, 1, 1, (0, 0)), [0], scale, None))


def test_weights_stay_where_they_are_read(library):
    """Several runs of several sessions with memory taken and given back in between, also what was once folded."""
    case = WITHOUT_PATTERN | {"seed": 6, "channels": 40, "outputs": 50, "taps": 5, "signed": False, "extreme": False}
    rng, w, w_zero, frames = arrays(case)
    xs = [rng.integers(0, 256, (1, 40, frames)).astype(np.uint8) for _ in range(3)]
    wanted = [dequantized(convolution(x, 0, w, w_zero, 1, 1, (0, 0)), [0], 1, None) for x in xs]
    weights, sizes = packed(w, w_zero)
    constants = weights | {"scale": np.float32(1), "same": xs[0]}
    # two that share their weights; the one of a constant is computed when the session is opened
    names = ("x", "y"), ("same", "z")
    nodes = [native("QuantizedConv", [x, "", "w", "w_zero", "scale"], [y], **sizes) for x, y in names]
    outputs = {"y": "float32", "z": "float32"}
    sessions = [opened(nodes, {"x": xs[0]}, constants, outputs, library=library, threads=2) for _ in range(2)]
    shrinking = onnxruntime.RunOptions()
    shrinking.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    for _ in range(3):
        for x, y in zip(xs, wanted, strict=True):
            for session in sessions:
                found = session.run(["y", "z"], {"x": x}, shrinking)
                assert same_bits(found[0], y)
                assert same_bits(found[1], wanted[0])
        sessions[1] = opened(nodes, {"x": xs[0]}, constants, outputs, library=library)


@pytest.mark.parametrize("last", [31, 32, 33, 36])
@pytest.mark.parametrize("sign", [1, -1])
def test_pairs_of_two_taps_at_the_limit_of_16_bits(library, last, sign):
    """255 times 128 fits int16, 255 times 129 does not: the sizes of two weights each of two taps, added."""
    w = np.full((9, 4, 2), 32, np.int8)
    w[:, 1::2, 1] = last
    w *= sign
    x = np.full((1, 4, 40), 255, np.uint8)
    weights, sizes = packed(w, np.int8(0))
    node = native("QuantizedConv", ["x", "", "w", "", "scale"], ["y"], **sizes)
    constants = {"w": weights["w"], "scale": np.float32(1)}
    (y,) = run([node], {"x": x}, constants, {"y": "float32"}, library=library)
    assert same_bits(y, dequantized(convolution(x, 0, w, np.int8(0), 1, 1, (0, 0)), [0], 1, None))
