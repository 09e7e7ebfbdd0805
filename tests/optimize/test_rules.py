"""The exact rule for convolutions, on graphs made by ONNX Runtime's own quantizer; ONNX Runtime's optimizer is off."""

from collections import Counter

import numpy as np
import onnx
import onnxruntime
import pytest
import quantized_model
from onnx import TensorProto, helper
from onnxruntime.quantization import QuantType

from kittentts.optimize.convolution import FLAVOURS, convolution_rule, largest_pair
from kittentts.optimize.editable_graph import Graph, all_nodes
from kittentts.optimize.rewrite import apply
from kittentts.optimize.selftest import LARGEST_PAIR, SAFE_PAIR, is_exact

# what the CPU of this test computes exactly
LIMIT = LARGEST_PAIR if is_exact(LARGEST_PAIR) else SAFE_PAIR


def count_operators(model):
    return Counter(node.op_type for node in all_nodes(model.graph))


def rewritten(model, flavour, limit=LIMIT):
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    applied = apply(copy, [convolution_rule(flavour, limit)])
    return copy, applied


def run(model, inputs, level=onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [node.name for node in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def assert_same(model, changed, inputs):
    assert_gives(run(model, inputs), changed, inputs)


def assert_gives(wanted, changed, inputs):
    for level in (
        onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL,
        onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL,
    ):
        found = run(changed, inputs, level)
        differing = [name for name in wanted if wanted[name].tobytes() != found[name].tobytes()]
        assert differing == []
        assert all(wanted[name].shape == found[name].shape for name in wanted)


def sound(batch=1, time=90, shift=0.0, *, seed=0):
    random = np.random.default_rng(seed)
    return {"x": (random.normal(size=(batch, quantized_model.CHANNELS_IN, time)) + shift).astype(np.float32)}


@pytest.mark.parametrize(
    ("kind", "bias"),
    [
        (QuantType.QUInt8, True),
        pytest.param(QuantType.QInt8, False, marks=pytest.mark.slow),
        pytest.param(QuantType.QUInt8, False, marks=pytest.mark.slow),
        pytest.param(QuantType.QInt8, True, marks=pytest.mark.slow),
    ],
)
def test_every_stride_dilation_padding_and_kernel(kind, bias):
    model = quantized_model.every_convolution(kind, bias=bias)
    count = count_operators(model)["ConvInteger"]
    assert count == 3 * 4 * 3 * 6
    # a zero point of the activations that is neither 0 nor in the middle, and a batch of two
    inputs = sound(batch=2, shift=1.0)
    wanted = run(model, inputs)
    for flavour in FLAVOURS:
        changed, applied = rewritten(model, flavour)
        assert applied.rewritten.total() + applied.refused.total() == count
        # 7 bits: on a CPU whose sums may saturate a few are refused, whose zero point is far from the middle
        assert applied.refused.total() <= (10 if flavour == "signed" and LIMIT == SAFE_PAIR else 0)
        assert count_operators(changed)["ConvInteger"] == applied.refused.total()
        assert_gives(wanted, changed, inputs)


def test_convolutions_of_one_input_share_its_transpose_and_windows():
    model = quantized_model.every_convolution(QuantType.QUInt8, bias=False)
    changed, _ = rewritten(model, "signed")
    operators = count_operators(changed)
    # one of the input, one of each output
    assert operators["Transpose"] == 1 + count_operators(model)["ConvInteger"] - operators["ConvInteger"]
    assert operators["Pad"] == 2
    assert operators["DynamicQuantizeLinear"] == 1


def test_weights_that_use_all_eight_bits():
    model = quantized_model.every_convolution(QuantType.QUInt8, bias=True, reduce_range=False, kernels=(1, 7, 11))
    for flavour in FLAVOURS:
        changed, applied = rewritten(model, flavour)
        assert largest_pair(changed) <= LIMIT
        assert_same(model, changed, sound())
    # what may saturate on other CPUs is refused where that matters, and only there
    _, applied = rewritten(model, "signed", SAFE_PAIR)
    assert any("saturate" in reason for reason in applied.refused)
    changed, applied = rewritten(model, "signed", LARGEST_PAIR)
    assert applied.refused.total() == 0
    assert largest_pair(changed) > SAFE_PAIR


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"bias_shape": [1, quantized_model.CHANNELS_OUT, 1]},
        # -128 times 255: the weights do not fit a signed byte about their zero point
        {"weights": np.full((4, 6, 5), 255, np.uint8), "zero": np.array(3, np.uint8)},
        {"attributes": {"auto_pad": "VALID", "kernel_shape": [5]}},
        {"attributes": {"strides": [2], "dilations": [2], "pads": [0, 7]}},
    ],
)
def test_an_integer_bias_and_a_cast_are_taken_in(flavour, changes):
    model = quantized_model.integer_convolution(**changes)
    changed, applied = rewritten(model, flavour)
    if flavour == "signed" and "weights" in changes and LIMIT == SAFE_PAIR:
        assert applied.refused.total() == 1
        return
    assert applied.rewritten.total() == 1
    operators = count_operators(changed)
    assert operators["Cast"] == (2 if flavour != "float" else 4)
    for seed in range(5):
        # loud and soft, so that the bias is small and large beside the sums
        inputs = {"x": sound(time=40, seed=seed)["x"] * np.float32(10.0 ** (seed - 2))}
        assert_same(model, changed, inputs)


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_one_tap_one_sample_and_silence(flavour):
    model = quantized_model.integer_convolution(
        weights=np.arange(24, dtype=np.uint8).reshape(4, 6, 1), attributes={"pads": [0, 0]}
    )
    changed, _ = rewritten(model, flavour)
    assert_same(model, changed, sound(time=1))
    assert_same(model, changed, {"x": np.zeros((1, 6, 8), np.float32)})


@pytest.mark.parametrize("sign", [1, -1])
def test_pairs_of_either_sign_count(sign):
    """Neighbours are the weights of two channels for the same tap; 64 and 64 are what every CPU can take."""
    weights = np.full((4, 6, 1), 128, np.uint8)
    options = {"weights": weights, "zero": np.array(128, np.uint8), "attributes": {"pads": [0, 0]}}
    weights[2, 2:4] = 128 + sign * 64
    model = quantized_model.integer_convolution(**options)
    changed, applied = rewritten(model, "signed", SAFE_PAIR)
    assert largest_pair(changed) == SAFE_PAIR
    assert not applied.refused
    assert_same(model, changed, sound())
    weights[2, 3] = 128 + sign * 65
    model = quantized_model.integer_convolution(**options)
    assert largest_pair(rewritten(model, "signed", LARGEST_PAIR)[0]) == SAFE_PAIR + 1
    _, applied = rewritten(model, "signed", SAFE_PAIR)
    assert list(applied.refused) == [
        "ConvInteger as signed MatMulInteger: its sums of two products may saturate on this CPU"
    ]


@pytest.mark.parametrize(
    ("bias", "is_taken_in"),
    [
        ([[[1], [-2], [3], [-4]]], True),
        ([[[2**24], [0], [0], [-(2**24)]]], True),
        ([[[2**24 + 1], [0], [0], [0]]], False),
        ([[[0], [0], [0], [-(2**24) - 1]]], False),
        ([[[7]]], False),
        ([[[1], [2], [3], [4]]] * 2, False),
    ],
)
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_a_constant_bias_is_taken_in_while_float32_holds_it(flavour, bias, is_taken_in):
    model = quantized_model.integer_convolution()
    (add,) = [node for node in model.graph.node if node.op_type == "Add"]
    add.input[1] = "constant_bias"
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array(bias, np.int32), "constant_bias"))
    changed, applied = rewritten(model, flavour)
    assert applied.rewritten.total() == 1
    is_still_added = any("biased" in node.output for node in changed.graph.node)
    assert is_still_added == (not is_taken_in)
    for seed in range(3):
        assert_same(model, changed, sound(batch=2, seed=seed))


def test_sums_beyond_what_float32_holds():
    # 250 * 600 * 255 > 2 ** 24
    weights = np.full((2, 6, 100), 250, np.uint8)
    model = quantized_model.integer_convolution(
        weights=weights, zero=np.array(0, np.uint8), attributes={"pads": [50, 49]}
    )
    _, applied = rewritten(model, "float")
    assert applied.refused == {"ConvInteger as Conv: its sums may exceed what float32 holds exactly": 1}
    changed, applied = rewritten(model, "unsigned")
    assert applied.rewritten.total() == 1
    # the bias is not taken in
    assert "MatMulIntegerToFloat" not in count_operators(changed)
    assert_same(model, changed, {"x": np.abs(sound(time=120)["x"])})


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"dynamic": True}, "the weights are not constant"),
        ({"weights": np.zeros((4, 6, 3, 3), np.uint8), "rank": 4, "attributes": {}}, "it is not one-dimensional"),
        ({"weights": np.zeros((4, 3, 5), np.uint8), "attributes": {"group": 2}}, "it has groups"),
        ({"attributes": {"auto_pad": "SAME_UPPER"}}, "its padding depends on the length"),
    ],
)
def test_what_is_refused_stays(flavour, changes, reason):
    model = quantized_model.integer_convolution(**changes)
    changed, applied = rewritten(model, flavour)
    assert [text.split(": ")[1] for text in applied.refused] == [reason]
    assert count_operators(changed) == count_operators(model)


def test_an_input_of_unknown_type_is_refused():
    model = quantized_model.integer_convolution()
    quantizer = model.graph.node[0]
    cast = helper.make_node("Cast", ["q_first"], ["q"], to=TensorProto.UINT8)
    quantizer.output[0] = "q_first"
    model.graph.node.insert(1, cast)
    _, applied = rewritten(model, "signed")
    assert list(applied.refused) == [
        "ConvInteger as signed MatMulInteger: its input is not known to be of unsigned 8-bit integers"
    ]


@pytest.mark.parametrize("kept", ["sums", "biased", "shaped", "floats"])
def test_tensors_that_others_take_stay(kept):
    """What the rule takes in may also be an output of the graph, which must not change."""
    model = quantized_model.integer_convolution()
    kind = TensorProto.FLOAT if kept == "floats" else TensorProto.INT32
    model.graph.output.append(helper.make_tensor_value_info(kept, kind, None))
    for flavour in FLAVOURS:
        changed, applied = rewritten(model, flavour)
        assert applied.rewritten.total() == 1
        assert_same(model, changed, sound())


def test_names_that_a_subgraph_takes_stay():
    model = quantized_model.integer_convolution()
    branch = [helper.make_node("Identity", ["floats"], ["out"])]
    outputs = [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)]
    body = helper.make_graph(branch, "branch", [], outputs)
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array(True), "yes"))
    model.graph.node.append(helper.make_node("If", ["yes"], ["chosen"], then_branch=body, else_branch=body))
    model.graph.output.append(helper.make_tensor_value_info("chosen", TensorProto.FLOAT, None))
    changed, applied = rewritten(model, "signed")
    assert applied.rewritten.total() == 1
    assert_same(model, changed, sound())


def test_equal_nodes_and_constants_are_shared():
    graph = Graph(quantized_model.integer_convolution())
    assert graph.constant(np.int64(1)) == graph.constant(np.int64(1))
    assert graph.constant(np.int64(1)) != graph.constant(np.int32(1))
    assert graph.constant(np.zeros(())) != graph.constant(np.zeros(1))
    assert graph.add("Neg", ["x"]) == graph.add("Neg", ["x"])
    assert graph.add("Transpose", ["x"], perm=[0, 2, 1]) != graph.add("Transpose", ["x"], perm=[2, 0, 1])


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize(
    ("zero", "is_refused"), [(None, False), (3, False), ([3], False), ([3, 3], True), ("input", True)]
)
def test_the_zero_point_of_an_input_of_bytes_must_be_one_known_number(flavour, zero, is_refused):
    random = np.random.default_rng(1)
    node = helper.make_node("ConvInteger", ["x", "w"] if zero is None else ["x", "w", "x0"], ["y"], pads=[1, 1])
    inputs = [helper.make_tensor_value_info("x", TensorProto.UINT8, [1, 6, 40])]
    constants = {"w": random.integers(0, 60, (4, 6, 3)).astype(np.uint8)}
    if zero == "input":
        inputs.append(helper.make_tensor_value_info("x0", TensorProto.UINT8, []))
    elif zero is not None:
        constants["x0"] = np.array(zero, np.uint8)
    outputs = [helper.make_tensor_value_info("y", TensorProto.INT32, None)]
    model = quantized_model.model_of([node], inputs, outputs, constants)
    changed, applied = rewritten(model, flavour)
    assert (applied.rewritten.total(), applied.refused.total()) == ((0, 1) if is_refused else (1, 0))
    if is_refused:
        assert "the zero point of its input is not known to be one number" in str(list(applied.refused))
    else:
        assert_same(model, changed, {"x": random.integers(0, 256, (1, 6, 40)).astype(np.uint8)})
