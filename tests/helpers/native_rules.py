"""Apply the rules for kittentts-native to a graph, and compare the outputs."""

from collections import Counter

import numpy as np
import onnx
import onnxruntime
import pytest
import quantized_model

from kittentts.optimize.native_convolution import quantized_convolution_rule
from kittentts.optimize.native_normalization import normalization_rule
from kittentts.optimize.native_spectrum import spectrum_rule
from kittentts.optimize.rewrite import apply
from kittentts.runtime.native_library import native_library, register

needs_native = pytest.mark.skipif(native_library() is None, reason="kittentts-native is not installed")


def rewritten(model):
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return copy, apply(copy, [normalization_rule(), quantized_convolution_rule(), spectrum_rule()])


def run(model, inputs, level, threads=1):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.log_severity_level = 4
    options.intra_op_num_threads = threads
    if native_library() is not None:
        register(options)
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [node.name for node in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


LEVELS = (onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL, onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL)


def assert_same(model, changed, inputs, levels=LEVELS):
    for threads in (1, 2):
        wanted = run(model, inputs, LEVELS[0], threads)
        for level in levels:
            found = run(changed, inputs, level, threads)
            assert {name: value.shape for name, value in found.items()} == {
                name: value.shape for name, value in wanted.items()
            }
            assert [name for name in wanted if wanted[name].tobytes() != found[name].tobytes()] == []


def operators(model):
    return Counter(node.op_type for node in model.graph.node)


def sound(channels=quantized_model.CHANNELS_IN, time=90, batch=1, seed=0):
    return {"x": np.random.default_rng(seed).normal(size=(batch, channels, time)).astype(np.float32)}
