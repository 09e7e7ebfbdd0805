"""Generators of small graphs with quantized convolutions, most of them made by ONNX Runtime's own quantizer."""

from __future__ import annotations

import functools
import itertools
import json
import tempfile
from pathlib import Path

import numpy as np
import onnx
import tiny_model
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from kittentts import KittenTTS
from kittentts.optimize import build

CHANNELS_IN, CHANNELS_OUT = 6, 4
STRIDES, DILATIONS, KERNELS = (1, 2, 3), (1, 2, 3, 5), (1, 2, 3, 4, 7, 11)
PADS = ([0, 0], [3, 3], [4, 1])


def model_of(nodes, inputs, outputs, constants):
    graph = helper.make_graph(
        nodes, "test", inputs, outputs, [numpy_helper.from_array(value, name) for name, value in constants.items()]
    )
    opsets = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


@functools.cache
def every_convolution(
    kind: QuantType, *, bias: bool, reduce_range: bool = True, kernels: tuple[int, ...] = KERNELS
) -> onnx.ModelProto:
    """One graph with a convolution of `x` for every combination of stride, dilation, padding and kernel."""
    random = np.random.default_rng(1)
    nodes, outputs, constants = [], [], {}
    for stride, dilation, pads, taps in itertools.product(STRIDES, DILATIONS, PADS, kernels):
        name = f"stride{stride}_dilation{dilation}_pads{pads[0]}{pads[1]}_kernel{taps}"
        constants[f"{name}_w"] = random.normal(size=(CHANNELS_OUT, CHANNELS_IN, taps)).astype(np.float32)
        constants[f"{name}_b"] = random.normal(size=CHANNELS_OUT).astype(np.float32)
        inputs = ["x", f"{name}_w", f"{name}_b"][: 3 if bias else 2]
        shape = {"strides": [stride], "dilations": [dilation], "pads": pads}
        nodes.append(helper.make_node("Conv", inputs, [name], name=name, **shape))
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", CHANNELS_IN, "time"])
    with tempfile.TemporaryDirectory() as folder:
        return quantized(model_of(nodes, [x], outputs, constants), Path(folder), kind, reduce_range=reduce_range)


def quantized(model: onnx.ModelProto, folder: Path, kind: QuantType, *, reduce_range: bool) -> onnx.ModelProto:
    onnx.save(model, folder / "float.onnx")
    quantize_dynamic(
        folder / "float.onnx", folder / "int8.onnx", weight_type=kind, reduce_range=reduce_range,
        op_types_to_quantize=["Conv"],
    )  # fmt: skip
    return onnx.load(folder / "int8.onnx")


def integer_convolution(**changes):
    """A single `ConvInteger` with an int32 bias and a cast, as older quantizers write it; changed where named."""
    random = np.random.default_rng(2)
    options = {
        "weights": random.integers(0, 128, (CHANNELS_OUT, CHANNELS_IN, 5)).astype(np.uint8),
        "zero": np.array(60, np.uint8),
        "bias_shape": [1, -1, 1],
        "attributes": {"pads": [2, 2]},
        "dynamic": False,
        "rounded": True,
        "rank": 3,
    } | changes
    constants = {
        "weights": options["weights"], "zero": options["zero"],
        "bias": random.normal(size=options["weights"].shape[0]).astype(np.float32) * 50,
        "bias_shape": np.array(options["bias_shape"], np.int64), "factor": np.float32(0.02),
    }  # fmt: skip
    nodes = [
        helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "scale", "q0"]),
        helper.make_node("ConvInteger", ["q", "weights", "q0", "zero"], ["sums"], **options["attributes"]),
        helper.make_node("Mul", ["scale", "factor"], ["scales"]),
        helper.make_node("Div", ["bias", "scales"], ["divided"]),
        helper.make_node("Floor", ["divided"], ["floored"]),
        helper.make_node("Cast", ["floored"], ["integers"], to=TensorProto.INT32),
        helper.make_node("Reshape", ["integers", "bias_shape"], ["shaped"]),
        helper.make_node("Add", ["sums", "shaped"], ["biased"]),
        helper.make_node("Cast", ["biased"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["floats", "scales"], ["y"]),
    ]
    shape = ["n", CHANNELS_IN, *["time"] * (options["rank"] - 2)]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
    if options["dynamic"]:
        constants.pop("weights")
        inputs.append(helper.make_tensor_value_info("weights", TensorProto.UINT8, options["weights"].shape))
    return model_of(nodes, inputs, [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)], constants)


def voice_graph(folder: Path, *, noise: bool = False, extreme: bool = False) -> onnx.ModelProto:
    """A graph with the interface of a voice and three quantized convolutions.

    Args:
        folder: for the quantizer's files.
        noise: add a random node.
        extreme: the weights are the largest and the smallest of 8 bits, not of 7.
    """
    random = np.random.default_rng(3)
    channels = 32

    def weights(*shape):
        values = random.normal(size=shape)
        return ((np.sign(values) if extreme else values) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)

    constants = {
        "table": weights(178, channels), "w1": weights(channels, channels, 7), "w2": weights(channels, channels, 3),
        "w3": weights(1, channels, 5), "b1": weights(channels), "style_weights": weights(256, channels),
        "flat": np.array([-1]), "repeats": np.array([1, 1, 300, 1]), "axis": np.array([2]),
        "frames": np.array([1, -1, channels]), "style_shape": np.array([1, channels, 1]),
    }  # fmt: skip
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["embedded"]),
        helper.make_node("Unsqueeze", ["embedded", "axis"], ["each"]),
        helper.make_node("Tile", ["each", "repeats"], ["tiled"]),
        helper.make_node("Reshape", ["tiled", "frames"], ["rows"]),
        helper.make_node("Transpose", ["rows"], ["columns"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["style", "style_weights"], ["projected"]),
        helper.make_node("Reshape", ["projected", "style_shape"], ["bias"]),
        helper.make_node("Add", ["columns", "bias"], ["styled"]),
        helper.make_node("Conv", ["styled", "w1", "b1"], ["c1"], pads=[3, 3]),
        helper.make_node("RandomNormalLike" if noise else "Sin", ["c1"], ["random"]),
        helper.make_node("Add", ["c1", "random"], ["noisy"]),
        helper.make_node("Mul", ["noisy", "speed"], ["faster"]),
        helper.make_node("Conv", ["faster", "w2"], ["c2"], pads=[2, 2], dilations=[2]),
        helper.make_node("Conv", ["c2", "w3"], ["c3"], pads=[2, 2]),
        helper.make_node("Tanh", ["c3"], ["bounded"]),
        helper.make_node("Reshape", ["bounded", "flat"], ["waveform"]),
    ]  # fmt: skip
    inputs = [
        helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1, "n_tokens"]),
        helper.make_tensor_value_info("style", TensorProto.FLOAT, [1, 256]),
        helper.make_tensor_value_info("speed", TensorProto.FLOAT, [1]),
    ]
    outputs = [helper.make_tensor_value_info("waveform", TensorProto.FLOAT, ["samples"])]
    return quantized(model_of(nodes, inputs, outputs, constants), folder, QuantType.QUInt8, reduce_range=not extreme)


def voice_directory(path: Path, **options) -> Path:
    """Write a model directory with a `voice_graph`."""
    tiny_model.make_directory(path)
    onnx.save(voice_graph(path, **options), path / "tiny.onnx")
    config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    (path / "config.json").write_text(json.dumps(config | {"speed_priors": {}}), encoding="utf-8")
    for name in ("float.onnx", "int8.onnx"):
        (path / name).unlink()
    return path


def open_at_the_same_time(arguments):
    """For a process of its own: open a model when all have come; return the file that it opened, and its audio."""
    folder, barrier = arguments
    build._LEAST_GAIN = 0.0001
    barrier.wait(60)
    model = KittenTTS(folder, optimize="exact")
    return str(model.model.model_path), model.generate("Here is a sentence.").tobytes()
