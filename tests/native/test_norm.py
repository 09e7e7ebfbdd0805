"""AdaptiveNorm: the bits of ONNX Runtime's operators, and of NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper
from operators import native, normalized, run, same_bits, sine

FORMS = ["reduce_mean", "instance_norm"]
ACTIVATIONS = ["none", "leaky_relu", "snake"]
SHAPES = st.tuples(st.integers(1, 2), st.integers(1, 11), st.one_of(st.integers(1, 40), st.integers(41, 400)))


def published(form, activation):
    """The nodes of a graph of standard operators."""
    if form == "instance_norm":
        nodes = [helper.make_node("InstanceNormalization", ["x", "weight", "bias"], ["z"], epsilon=1e-5)]
    else:
        nodes = [
            helper.make_node("ReduceMean", ["x", "axes"], ["mean"]),
            helper.make_node("Sub", ["x", "mean"], ["d"]),
            helper.make_node("Mul", ["d", "d"], ["square"]),
            helper.make_node("ReduceMean", ["square", "axes"], ["variance"]),
            helper.make_node("Add", ["variance", "epsilon"], ["v"]),
            helper.make_node("Sqrt", ["v"], ["root"]),
            helper.make_node("Div", ["d", "root"], ["z"]),
        ]
    plain = "y" if activation == "none" else "plain"
    nodes += [
        helper.make_node("Mul", ["scale", "z"], ["scaled"]),
        helper.make_node("Add", ["scaled", "shift"], [plain]),
    ]
    if activation == "leaky_relu":
        nodes.append(helper.make_node("LeakyRelu", ["plain"], ["y"], alpha=0.2))
    if activation == "snake":
        nodes += [
            helper.make_node("Mul", ["alpha", "plain"], ["angle"]),
            helper.make_node("Sin", ["angle"], ["sine"]),
            helper.make_node("Pow", ["sine", "two"], ["power"]),
            helper.make_node("Mul", ["inverse", "power"], ["wave"]),
            helper.make_node("Add", ["plain", "wave"], ["y"]),
        ]
    return nodes


def compare(library, form, activation, x, scale, shift, constants):
    inputs = {"x": x, "scale": scale, "shift": shift}
    standard = {"axes": np.array([2], np.int64), "epsilon": np.float32(1e-5), "two": np.float32(2)}
    expected = [
        run(published(form, activation), inputs, constants | standard, {"y": "float32"}, threads=threads)[0]
        for threads in (1, 2)
    ]
    assert same_bits(*expected), "ONNX Runtime's own result depends on the number of threads"
    names = ["x", "scale", "shift", *(["weight", "bias"] if form == "instance_norm" else ["", ""])]
    names += ["alpha", "inverse"] if activation == "snake" else []
    node = native("AdaptiveNorm", names, ["y", "range"], form=form, activation=activation, alpha=0.2)
    for threads in (1, 2):
        y, least_greatest = run(
            [node], inputs, constants, {"y": "float32", "range": "float32"}, library=library, threads=threads
        )
        assert same_bits(y, expected[0]), threads
        finite = y[~np.isnan(y)]
        assert finite.size == 0 or least_greatest.tolist() == [finite.min(), finite.max()]
    return expected[0]


def factors(rng, channels, size=1.0):
    vector = (1, channels, 1)
    alpha = rng.uniform(0.1, 5, vector).astype(np.float32)
    constants = {
        "weight": rng.standard_normal(channels).astype(np.float32),
        "bias": rng.standard_normal(channels).astype(np.float32),
    }
    constants |= {"alpha": alpha, "inverse": np.float32(1) / alpha}
    return (
        (rng.standard_normal(vector) * size).astype(np.float32),
        rng.standard_normal(vector).astype(np.float32),
        constants,
    )


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("form", FORMS)
@given(SHAPES, st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_norm(library, form, activation, shape, seed):
    rng = np.random.default_rng(seed)
    x = (rng.standard_normal(shape) * rng.choice([0.01, 1, 100]) + rng.standard_normal()).astype(np.float32)
    scale, shift, constants = factors(rng, shape[1])
    theirs = compare(library, form, activation, x, scale, shift, constants)

    weight, bias = (constants["weight"], constants["bias"]) if form == "instance_norm" else (None, None)
    y = normalized(x, 1e-5, weight, bias) * scale + shift
    if activation == "leaky_relu":
        y = np.where(y >= 0, y, np.float32(0.2) * y)
    if activation == "snake":
        s = sine(constants["alpha"] * y)
        y = y + constants["inverse"] * (s * s)
    assert same_bits(y, theirs)


@pytest.mark.parametrize("frames", [1, 3, 4, 35, 64, 333])
@pytest.mark.parametrize("form", FORMS)
def test_arguments_of_the_sine_beyond_its_first_reduction(library, form, frames):
    rng = np.random.default_rng(frames)
    x = rng.standard_normal((1, 7, frames)).astype(np.float32)
    scale, shift, constants = factors(rng, 7, 30000)
    shift *= 20000
    for size in (1, 1e30):
        compare(library, form, "snake", x, (scale * size).astype(np.float32), shift, constants)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf, 1e-40, -1e-45, 3e38, -0.0], ids=str)
def test_extreme_values(library, special, form, activation):
    rng = np.random.default_rng(5)
    x = rng.standard_normal((2, 5, 50)).astype(np.float32)
    x[0, 1, 17] = special
    x[0, 2] = special
    scale, shift, constants = factors(rng, 5)
    compare(library, form, activation, x, scale, shift, constants)


@pytest.mark.parametrize("frames", [5000, 5064])
def test_long_rows(library, frames):
    rng = np.random.default_rng(6)
    scale, shift, constants = factors(rng, 21)
    for form in FORMS:
        compare(
            library, form, "snake", rng.standard_normal((1, 21, frames)).astype(np.float32), scale, shift, constants
        )


def test_scale_and_shift_of_each_row_of_a_batch(library):
    rng = np.random.default_rng(7)
    x = rng.standard_normal((2, 5, 30)).astype(np.float32)
    scale, shift = (rng.standard_normal((2, 5, 1)).astype(np.float32) for _ in range(2))
    node = native("AdaptiveNorm", ["x", "scale", "shift"], ["y"])
    (y,) = run([node], {"x": x, "scale": scale, "shift": shift}, {}, {"y": "float32"}, library=library)
    assert same_bits(y, normalized(x, 1e-5) * scale + shift)
