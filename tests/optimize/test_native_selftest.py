"""The self-test of kittentts-native: its graph, and that it notices what differs."""

import base64
import textwrap

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from kittentts.optimize import native_selftest
from kittentts.optimize.native_weights import packed_weights
from kittentts.runtime.native_library import DOMAIN, native_library

needs_native = pytest.mark.skipif(native_library() is None, reason="kittentts-native is not installed")


def make_graph():
    """Both forms of the normalization, the sine and the spectrum, by both, and a convolution by the library."""
    constants = {
        "axis": np.array([2]),
        "epsilon": np.float32(1e-5),
        "two": np.float32(2),
        "ones": np.ones(native_selftest.CHANNELS_IN, np.float32),
        "zeros": np.zeros(native_selftest.CHANNELS_IN, np.float32),
        "weights": packed_weights(native_selftest.worst_weights(), np.int8(0))[0],
        "one": np.float32(1),
        "bias": np.ones(native_selftest.CHANNELS_OUT, np.int32),
        "first": np.array([0]),
        "window": np.hanning(20).astype(np.float32),
        "step": np.array(5),
        "length": np.array(20),
    }
    instance = {"form": "instance_norm", "activation": "leaky_relu", "alpha": 0.2}
    nodes = [
        helper.make_node(
            "AdaptiveNorm", ["x", "scale", "shift", "ones", "zeros"], ["native"], domain=DOMAIN, **instance
        ),
        helper.make_node(
            "AdaptiveNorm", ["x", "scale", "shift", "", "", "alpha", "inverse"], ["native_snake"], domain=DOMAIN,
            activation="snake",
        ),
        helper.make_node("InstanceNormalization", ["x", "ones", "zeros"], ["instance"]),
        helper.make_node("Mul", ["instance", "scale"], ["instance_scaled"]),
        helper.make_node("Add", ["instance_scaled", "shift"], ["instance_shifted"]),
        helper.make_node("LeakyRelu", ["instance_shifted"], ["standard"], alpha=0.2),
        helper.make_node("ReduceMean", ["x", "axis"], ["mean"]),
        helper.make_node("Sub", ["x", "mean"], ["d"]),
        helper.make_node("Mul", ["d", "d"], ["squares"]),
        helper.make_node("ReduceMean", ["squares", "axis"], ["variance"]),
        helper.make_node("Add", ["variance", "epsilon"], ["positive"]),
        helper.make_node("Sqrt", ["positive"], ["deviation"]),
        helper.make_node("Div", ["d", "deviation"], ["normal"]),
        helper.make_node("Mul", ["normal", "scale"], ["scaled"]),
        helper.make_node("Add", ["scaled", "shift"], ["shifted"]),
        helper.make_node("Mul", ["alpha", "shifted"], ["phase"]),
        helper.make_node("Sin", ["phase"], ["sine"]),
        helper.make_node("Pow", ["sine", "two"], ["power"]),
        helper.make_node("Mul", ["inverse", "power"], ["last"]),
        helper.make_node("Add", ["shifted", "last"], ["standard_snake"]),
        helper.make_node("Squeeze", ["x", "first"], ["signals"]),
        helper.make_node("Stft", ["signals", "window"], ["native_stft"], domain=DOMAIN, frame_length=20, frame_step=5),
        helper.make_node("STFT", ["signals", "step", "window", "length"], ["standard_stft"]),
        helper.make_node(
            "QuantizedConv", ["quantized", "", "weights", "", "one", "bias"], ["product"], domain=DOMAIN,
            channels_out=native_selftest.CHANNELS_OUT, channels_in=native_selftest.CHANNELS_IN,
        ),
    ]  # fmt: skip
    channels = [1, native_selftest.CHANNELS_IN, 1]
    inputs = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, native_selftest.CHANNELS_IN, "t"]),
        *(
            helper.make_tensor_value_info(n, TensorProto.FLOAT, channels)
            for n in ("scale", "shift", "alpha", "inverse")
        ),
        helper.make_tensor_value_info("quantized", TensorProto.UINT8, [1, native_selftest.CHANNELS_IN, "t"]),
    ]
    names = ("native", "standard", "native_snake", "standard_snake", "native_stft", "standard_stft", "product")
    shapes = [["n", "frames", 11, 2] if "stft" in name else [1, "channels", "t"] for name in names]
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in zip(names, shapes, strict=True)
    ]
    weights = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "selftest", inputs, outputs, weights)
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid(DOMAIN, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="kittentts")


def test_the_graph_is_the_one_that_is_made_here():
    made = make_graph().SerializeToString()
    if made != native_selftest._GRAPH:
        lines = textwrap.wrap(base64.b64encode(made).decode(), 112)
        pytest.fail("\n".join(f'    "{line}"' for line in lines))
    onnx.checker.check_model(onnx.load_from_string(made))


@needs_native
def test_the_library_passes():
    assert native_selftest.is_native_exact.__wrapped__()


def change_attribute(graph, place, name, value):
    (one,) = [one for one in graph.node[place].attribute if one.name == name]
    one.CopyFrom(helper.make_attribute(name, value))


def change_constant(graph, name, value):
    (one,) = [one for one in graph.initializer if one.name == name]
    one.CopyFrom(numpy_helper.from_array(value, name))


WRONG = {
    "slope": lambda graph: change_attribute(graph, 0, "alpha", 0.2000001),
    "sums": lambda graph: change_constant(graph, "epsilon", np.float32(2e-5)),
    "sines": lambda graph: change_constant(graph, "two", np.float32(2.0001)),
    "spectra": lambda graph: change_constant(graph, "step", np.array(6)),
    "products": lambda graph: change_constant(graph, "bias", np.arange(9, dtype=np.int32)),
    "a graph that does not run": lambda graph: change_attribute(graph, 0, "form", "another"),
}


@needs_native
@pytest.mark.parametrize("wrong", WRONG)
def test_what_differs_is_noticed(wrong, monkeypatch):
    model = make_graph()
    WRONG[wrong](model.graph)
    monkeypatch.setattr(native_selftest, "_GRAPH", model.SerializeToString())
    assert not native_selftest.is_native_exact.__wrapped__()


@needs_native
def test_the_values_are_the_worst():
    inputs = native_selftest._inputs(1)
    largest = np.abs(native_selftest._product()).max()
    assert largest == 255 * 128 * native_selftest.CHANNELS_IN * native_selftest.TAPS - 1
    # beyond 25,966 sines are computed in another way
    options = native_selftest.open_single_threaded(native_selftest._GRAPH)
    y = options.run(["native_snake"], inputs)[0]
    assert np.abs(y[0, -1] * inputs["alpha"][0, -1]).max() > 25_966
