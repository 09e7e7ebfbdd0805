"""The rules for kittentts-native on small graphs: what they take, what they refuse and why, and the same bits."""

import nano_graph
import numpy as np
import onnx
import pytest
import quantized_model
from native_rules import LEVELS, assert_same, needs_native, operators, rewritten, sound
from onnx import TensorProto, helper
from onnxruntime.quantization import QuantType

from kittentts.runtime.native_library import native_library

CHANNELS = 5


REFUSED_CONVOLUTIONS = {
    "the weights are not constant": {"dynamic": True},
    "it has groups": {"attributes": {"group": 2}, "weights": np.ones((4, 3, 5), np.uint8)},
    "its padding depends on the length": {"attributes": {"auto_pad": "SAME_UPPER"}},
    "it is not one-dimensional": {"rank": 4, "weights": np.ones((4, 6, 5, 5), np.uint8), "attributes": {}},
    "what is added to its sums is not one number for each channel": {"bias_shape": [-1]},
}


class TestConvolution:
    @needs_native
    @pytest.mark.parametrize("kind", [QuantType.QUInt8, QuantType.QInt8])
    @pytest.mark.parametrize("bias", [True, False])
    def test_every_stride_dilation_padding_and_kernel(self, kind, bias):
        model = quantized_model.every_convolution(kind, bias=bias)
        count = operators(model)["ConvInteger"]
        changed, applied = rewritten(model)
        assert applied.rewritten == {"ConvInteger as QuantizedConv": count}
        # x is quantized once, for all of them
        assert operators(changed)["QuantizedConv"] == count
        assert operators(changed)["DynamicQuantizeLinear"] == 1
        assert operators(changed)["ConvInteger"] == operators(changed)["Cast"] == 0
        assert_same(model, changed, sound(batch=2))

    @needs_native
    @pytest.mark.parametrize("time", [1, 3, 90])
    def test_the_quantization_is_taken_in_where_nobody_else_needs_it(self, time):
        model = quantized_model.integer_convolution()
        changed, _ = rewritten(model)
        assert operators(changed) == {"DynamicQuantizedConv": 1, "Identity": 1}
        assert_same(model, changed, sound(time=time))

    def test_other_biases_leave_the_quantization_outside(self):
        model = quantized_model.integer_convolution()
        # rounded in another way
        next(node for node in model.graph.node if node.op_type == "Floor").op_type = "Round"
        changed, _ = rewritten(model)
        assert operators(changed)["QuantizedConv"] == 1
        assert operators(changed)["DynamicQuantizedConv"] == 0
        if native_library() is not None:
            assert_same(model, changed, sound())

    def test_a_bias_of_another_scale_leaves_the_quantization_outside(self):
        model = quantized_model.integer_convolution()
        next(node for node in model.graph.node if node.op_type == "Div").input[1] = "scale"
        changed, _ = rewritten(model)
        assert operators(changed)["QuantizedConv"] == 1
        assert operators(changed)["DynamicQuantizedConv"] == 0
        if native_library() is not None:
            assert_same(model, changed, sound())

    @needs_native
    def test_a_residual_is_taken_in(self):
        model = with_tail(quantized_model.integer_convolution(weights=square_weights()), "Add", ["y", "x"])
        changed, _ = rewritten(model)
        assert operators(changed) == {"DynamicQuantizedConv": 1, "Identity": 1}
        assert changed.graph.node[0].input[5] == "x"
        assert_same(model, changed, sound())

    @needs_native
    def test_of_two_that_are_added_one_takes_the_addition_in(self):
        model = quantized_model.integer_convolution()
        other = [onnx.NodeProto.FromString(node.SerializeToString()) for node in model.graph.node]
        for node in other:
            node.input[:] = [f"other_{name}" if name in made_by(other) else name for name in node.input]
        for node in other:
            node.output[:] = [f"other_{name}" for name in node.output]
        model.graph.node.extend(other)
        model = with_tail(model, "Add", ["y", "other_y"])
        changed, applied = rewritten(model)
        assert applied.rewritten == {"ConvInteger as QuantizedConv": 2}
        assert operators(changed)["Add"] == 0
        assert_same(model, changed, sound())

    @pytest.mark.parametrize("shape", [(1, 6, 1), (1, 1, 90), (6, 90)])
    def test_what_is_spread_is_no_residual(self, shape):
        model = with_tail(quantized_model.integer_convolution(weights=square_weights()), "Add", ["y", "spread"])
        model.graph.initializer.append(onnx.numpy_helper.from_array(np.ones(shape, np.float32), "spread"))
        changed, _ = rewritten(model)
        assert operators(changed)["Add"] == 1

    @pytest.mark.parametrize("reason", REFUSED_CONVOLUTIONS)
    def test_what_is_refused(self, reason):
        model = quantized_model.integer_convolution(**REFUSED_CONVOLUTIONS[reason])
        changed, applied = rewritten(model)
        assert applied.refused[f"ConvInteger as QuantizedConv: {reason}"] == 1
        assert operators(changed) == operators(model)

    @pytest.mark.parametrize(
        ("operator", "replaced", "reason"),
        [
            ("Cast", "Identity", "its sums are not cast to float32"),
            ("Mul", "Sub", "its sums are not scaled"),
        ],
    )
    def test_what_does_not_end_as_the_quantizer_ends_it(self, operator, replaced, reason):
        model = quantized_model.integer_convolution()
        node = [one for one in model.graph.node if one.op_type == operator][-1]
        node.op_type = replaced
        del node.attribute[:]
        _, applied = rewritten(model)
        assert applied.refused[f"ConvInteger as QuantizedConv: {reason}"] == 1

    @needs_native
    def test_names_that_the_graph_has_already_are_left_alone(self):
        names = ["kittentts_constant_0", "kittentts_constant_1"]
        model = with_tail(quantized_model.integer_convolution(), "Sum", ["y", *names])
        for name in names:
            model.graph.initializer.append(onnx.numpy_helper.from_array(np.full((1, 1, 1), 5, np.float32), name))
        changed, _ = rewritten(model)
        assert operators(changed)["DynamicQuantizedConv"] == 1
        assert_same(model, changed, sound())

    def test_a_scale_along_the_time_is_refused(self):
        model = quantized_model.integer_convolution()
        model.graph.node[-1].input[1] = "factors"
        model.graph.initializer.append(onnx.numpy_helper.from_array(np.ones(90, np.float32), "factors"))
        _, applied = rewritten(model)
        reason = "its scale is neither one number nor one for each channel"
        assert applied.refused[f"ConvInteger as QuantizedConv: {reason}"] == 1


def square_weights():
    channels = quantized_model.CHANNELS_IN
    return np.random.default_rng(5).integers(0, 128, (channels, channels, 5)).astype(np.uint8)


def made_by(nodes):
    return {name for node in nodes for name in node.output}


def with_tail(model, op_type, inputs):
    """Add a node at the end of a graph, whose result is the output."""
    model.graph.node.append(helper.make_node(op_type, inputs, ["tail"]))
    model.graph.output[0].name = "tail"
    return model


MEAN = [
    helper.make_node("ReduceMean", ["x"], ["mean"], axes=[2]),
    helper.make_node("Sub", ["x", "mean"], ["d"]),
    helper.make_node("Mul", ["d", "d"], ["squares"]),
    helper.make_node("ReduceMean", ["squares"], ["variance"], axes=[-1]),
    helper.make_node("Add", ["epsilon", "variance"], ["positive"]),
    helper.make_node("Sqrt", ["positive"], ["deviation"]),
    helper.make_node("Div", ["d", "deviation"], ["normal"]),
]
INSTANCE = [helper.make_node("InstanceNormalization", ["x", "weight", "bias"], ["normal"], epsilon=1e-3)]


def shifted(end, scale="scale", shift="shift"):
    return [
        helper.make_node("Mul", [scale, "normal"], [f"{end}_scaled"]),
        helper.make_node("Add", [f"{end}_scaled", shift], [end]),
    ]


def snake(y, end):
    return [
        helper.make_node("Mul", [y, "alpha"], [f"{end}_phase"]),
        helper.make_node("Sin", [f"{end}_phase"], [f"{end}_sine"]),
        helper.make_node("Pow", [f"{end}_sine", "two"], [f"{end}_square"]),
        helper.make_node("Mul", ["inverse", f"{end}_square"], [f"{end}_last"]),
        helper.make_node("Add", [y, f"{end}_last"], [end]),
    ]


def leaky_relu(y, end):
    return [helper.make_node("LeakyRelu", [y], [end], alpha=0.2)]


def normalization(nodes, outputs=("y",), **changes):
    random = np.random.default_rng(7)
    shape = (1, CHANNELS, 1)
    constants = {
        "scale": random.normal(1, 0.3, shape), "shift": random.normal(0, 0.3, shape),
        "alpha": np.exp(random.normal(size=shape)), "inverse": np.exp(random.normal(size=shape)),
        "weight": random.normal(1, 0.3, CHANNELS), "bias": random.normal(size=CHANNELS),
        "epsilon": np.array(1e-5), "two": np.array(2.0),
    } | changes  # fmt: skip
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", CHANNELS, "time"])
    results = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
    floats = {name: np.asarray(value, np.float32) for name, value in constants.items()}
    return quantized_model.model_of(nodes, [x], results, floats)


REFUSED_NORMALIZATIONS = {
    "its mean is not over the last axis": (
        [helper.make_node("ReduceMean", ["x"], ["mean"], axes=[1]), *MEAN[1:], *shifted("y")], {},
    ),
    "its epsilon is not constant": (
        [helper.make_node("ReduceMax", ["x"], ["epsilon"]), *MEAN, *shifted("y")], {"epsilon": None},
    ),
    "its scale or its shift is not one number for each channel": (
        [*MEAN, *shifted("y")], {"scale": np.ones(90)},
    ),
    "it ends no normalization": (
        [*MEAN[:2], helper.make_node("Mul", ["d", "x"], ["squares"]), *MEAN[3:], *shifted("y")], {},
    ),
}  # fmt: skip


class TestNormalization:
    @needs_native
    @pytest.mark.parametrize("form", [MEAN, INSTANCE], ids=["mean", "instance"])
    @pytest.mark.parametrize("activation", [None, snake, leaky_relu])
    @pytest.mark.parametrize("time", [1, 7, 300])
    def test_both_ways_to_write_it_with_every_activation(self, form, activation, time):
        nodes = [*form, *(shifted("y") if activation is None else [*shifted("a"), *activation("a", "y")])]
        model = normalization(nodes)
        changed, _ = rewritten(model)
        assert operators(changed) == {"AdaptiveNorm": 1, "Identity": 1}
        assert_same(model, changed, sound(CHANNELS, time))

    @needs_native
    def test_blocks_that_share_the_quotient(self):
        nodes = [*MEAN, *shifted("a"), *snake("a", "y1"), *shifted("b", "inverse", "alpha"), *leaky_relu("b", "y2")]
        model = normalization([*nodes, *shifted("y3", "alpha")], outputs=("y1", "y2", "y3"))
        changed, _ = rewritten(model)
        assert operators(changed) == {"AdaptiveNorm": 3, "Identity": 3}
        assert_same(model, changed, sound(CHANNELS))

    @needs_native
    @pytest.mark.parametrize("activation", [snake, leaky_relu])
    def test_what_others_need_is_kept(self, activation):
        nodes = [*MEAN, *shifted("a"), *activation("a", "y"), helper.make_node("Neg", ["a"], ["other"])]
        model = normalization(nodes, outputs=("y", "other"))
        changed, _ = rewritten(model)
        assert operators(changed)["AdaptiveNorm"] == 1
        # the activation is not taken in, for then the other output would have nothing
        assert operators(changed)["Sin"] + operators(changed)["LeakyRelu"] == 1
        assert_same(model, changed, sound(CHANNELS))

    @needs_native
    def test_a_square_may_be_a_product_or_a_power(self):
        nodes = [*MEAN, *shifted("a"), *snake("a", "y")]
        nodes[2] = helper.make_node("Pow", ["d", "two"], ["squares"])
        nodes[-3] = helper.make_node("Mul", ["y_sine", "y_sine"], ["y_square"])
        changed, _ = rewritten(normalization(nodes))
        assert operators(changed) == {"AdaptiveNorm": 1, "Identity": 1}
        assert_same(normalization(nodes), changed, sound(CHANNELS))

    @pytest.mark.parametrize("shape", [(CHANNELS, 1, 1), (1, 1, 1), (1, CHANNELS)])
    @pytest.mark.parametrize("form", [MEAN, INSTANCE], ids=["mean", "instance"])
    def test_what_is_not_of_its_channels_is_refused(self, shape, form):
        values = np.arange(np.prod(shape)).reshape(shape)
        _, applied = rewritten(normalization([*form, *shifted("y")], scale=values, shift=values))
        assert applied.rewritten.total() == 0

    @needs_native
    def test_a_snake_that_is_not_of_its_channels_is_left_alone(self):
        model = normalization([*MEAN, *shifted("a"), *snake("a", "y")], alpha=np.full((1, 1, 1), 0.5))
        changed, _ = rewritten(model)
        assert operators(changed)["AdaptiveNorm"] == operators(changed)["Sin"] == 1
        assert_same(model, changed, sound(CHANNELS))

    @pytest.mark.parametrize("reason", REFUSED_NORMALIZATIONS)
    def test_what_is_refused(self, reason):
        nodes, changes = REFUSED_NORMALIZATIONS[reason]
        model = normalization(nodes, **{name: value for name, value in changes.items() if value is not None})
        if any(value is None for value in changes.values()):
            (constant,) = [one for one in model.graph.initializer if one.name in changes]
            model.graph.initializer.remove(constant)
        changed, applied = rewritten(model)
        assert applied.rewritten.total() == 0
        assert applied.refused[f"normalization as AdaptiveNorm: {reason}"] >= 1
        assert operators(changed) == operators(model)

    @needs_native
    @pytest.mark.parametrize(("place", "name"), [(1, "Cos"), (2, "Exp")])
    def test_what_is_no_snake_is_left_alone(self, place, name):
        nodes = [*MEAN, *shifted("a"), *snake("a", "y")]
        end = nodes[-5 + place]
        nodes[-5 + place] = helper.make_node(name, [end.input[0]], end.output)
        changed, _ = rewritten(normalization(nodes))
        assert operators(changed)["AdaptiveNorm"] == operators(changed)[name] == 1
        assert_same(normalization(nodes), changed, sound(CHANNELS))

    @needs_native
    def test_a_square_that_goes_elsewhere_is_no_snake(self):
        nodes = [*MEAN, *shifted("a"), *snake("a", "y")]
        nodes[-1] = helper.make_node("Add", ["a", "epsilon"], ["y"])
        model = normalization([*nodes, helper.make_node("Neg", ["y_last"], ["other"])], outputs=("y", "other"))
        changed, _ = rewritten(model)
        assert operators(changed)["AdaptiveNorm"] == operators(changed)["Sin"] == 1
        assert_same(model, changed, sound(CHANNELS))


def spectrum(window=True, length=20, onesided=1, shape=("n", "time", 1), dynamic=False):
    constants = {"step": np.array(5), "window": np.hanning(length).astype(np.float32), "length": np.array(length)}
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
    if dynamic:
        constants.pop("step")
        inputs.append(helper.make_tensor_value_info("step", TensorProto.INT64, []))
    names = ["x", "step", "window" if window else "", "" if window else "length"]
    node = helper.make_node("STFT", names, ["y"], onesided=onesided)
    return quantized_model.model_of(
        [node], inputs, [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)], constants
    )


class TestSpectrum:
    @needs_native
    @pytest.mark.parametrize("window", [True, False])
    @pytest.mark.parametrize("shape", [("n", "time", 1), ("n", "time")])
    def test_the_same_bits(self, window, shape):
        model = spectrum(window, shape=shape)
        changed, applied = rewritten(model)
        assert applied.rewritten == {"STFT as Stft": 1}
        assert changed.graph.node[0].domain == "kittentts"
        signal = sound(time=333)["x"][0]
        assert_same(model, changed, {"x": signal[..., np.newaxis] if len(shape) == 3 else signal})

    @pytest.mark.parametrize(
        ("options", "reason"),
        [
            ({"length": 16}, "the length of its frames is a power of 2, or out of range"),
            ({"onesided": 0}, "it is not one-sided"),
            ({"dynamic": True}, "its step or its length is not constant"),
            ({"shape": ("n", "time", 2)}, "its signal is not known to be real"),
            ({"shape": ("n", "time", "parts")}, "its signal is not known to be real"),
        ],
    )
    def test_what_is_refused(self, options, reason):
        model = spectrum(**options)
        changed, applied = rewritten(model)
        assert applied.refused == {f"STFT as Stft: {reason}": 1}
        assert operators(changed) == operators(model)


@needs_native
def test_a_range_is_handed_to_the_quantization(tmp_path):
    """A normalization that a quantized convolution follows, whose range it needs."""
    nodes = [*MEAN, *shifted("a"), *snake("a", "b"), helper.make_node("Conv", ["b", "kernel"], ["y"], pads=[1, 1])]
    random = np.random.default_rng(9)
    model = normalization(nodes, kernel=random.normal(size=(4, CHANNELS, 3)))
    model = quantized_model.quantized(model, tmp_path, QuantType.QUInt8, reduce_range=True)
    changed, _ = rewritten(model)
    assert operators(changed) == {"AdaptiveNorm": 1, "DynamicQuantizedConv": 1, "Identity": 2}
    norm, convolution = (node for node in changed.graph.node if node.domain == "kittentts")
    assert convolution.input[6] == norm.output[1]
    assert_same(model, changed, sound(CHANNELS))


def nano_inputs(tokens):
    random = np.random.default_rng(11)
    return {
        "input_ids": random.integers(1, 170, (1, tokens)),
        "style": random.normal(0, 0.3, (1, 256)).astype(np.float32),
        "speed": np.ones(1, np.float32),
    }


@needs_native
def test_a_small_nano():
    model = nano_graph.make_graph(nano_graph.SMALL)
    changed, applied = rewritten(model)
    # 22 in blocks of the style, 36 in blocks with snake
    assert applied.rewritten == {"normalization as AdaptiveNorm": 58, "STFT as Stft": 1}
    assert operators(changed)["InstanceNormalization"] == 0
    # ONNX Runtime's own optimizations round in other places
    for tokens in (1, 9, 40):
        assert_same(model, changed, nano_inputs(tokens), LEVELS[:1])


@needs_native
def test_a_small_quantized_nano(tmp_path):
    model = nano_graph.make_graph(nano_graph.SMALL)
    model = quantized_model.quantized(model, tmp_path, QuantType.QUInt8, reduce_range=True)
    changed, applied = rewritten(model)
    assert applied.rewritten["normalization as AdaptiveNorm"] == 58
    assert applied.rewritten["ConvInteger as QuantizedConv"] == operators(model)["ConvInteger"] > 60
    assert sum(len(node.output) == 2 for node in changed.graph.node if node.op_type == "AdaptiveNorm") > 40
    # ONNX Runtime's own optimizations round in other places
    for tokens in (1, 9, 40):
        assert_same(model, changed, nano_inputs(tokens), LEVELS[:1])
