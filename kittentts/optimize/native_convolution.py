"""`ConvInteger` and what follows it, as one operator of kittentts-native.

What the quantizer of ONNX Runtime writes for a convolution is a chain::

    x -> DynamicQuantizeLinear -> ConvInteger -> Add(bias) -> Cast(float32) -> Mul(scale) [-> Add(residual)]

with scale = x_scale w_scale and bias = int32(floor(b / scale)). The whole chain becomes a `DynamicQuantizedConv`, if
nothing else needs the quantized x; else what begins with `ConvInteger` becomes a `QuantizedConv`. Both round where the
chain rounds; `native/OPERATORS.md` says how.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from onnx import TensorProto

from kittentts.optimize.convolution import geometry, inputs_of, is_cast_to_float, refusal
from kittentts.optimize.editable_graph import attributes, other_input
from kittentts.optimize.native_weights import packed_weights
from kittentts.optimize.rewrite import RewriteRule
from kittentts.runtime.native_library import DOMAIN

if TYPE_CHECKING:
    from onnx import NodeProto

    from kittentts.optimize.editable_graph import Graph

ADAPTIVE_NORM = "AdaptiveNorm"


class _Chain(NamedTuple):
    """The names of what follows a `ConvInteger`."""

    end: str
    """What the operator replaces."""
    scale: str
    bias: str
    """int32; "" where there is none."""
    residual: str
    """What is added in the end; "" where there is nothing."""


def quantized_convolution_rule() -> RewriteRule:
    """Return the rule."""
    return RewriteRule("ConvInteger as QuantizedConv", "ConvInteger", _refuse, _rewrite)


def _refuse(graph: Graph, node: NodeProto) -> str | None:
    reason = refusal(graph, node)
    if reason is None:
        chain = _chain(graph, node)
        reason = chain if isinstance(chain, str) else None
    return reason


def _chain(graph: Graph, node: NodeProto) -> _Chain | str:
    """Return what follows, or why it is not what the quantizer writes."""
    channels = _channels(graph, node)
    sums, bias = node.output[0], ""
    after = graph.only_consumer(sums)
    if after is not None and after.op_type == "Add":
        bias = other_input(after, sums)
        if not _is_per_channel(graph, bias, channels):
            return "what is added to its sums is not one number for each channel"
        sums = after.output[0]
        after = graph.only_consumer(sums)
    if after is None or not is_cast_to_float(after):
        return "its sums are not cast to float32"
    product = graph.only_consumer(after.output[0])
    if product is None or product.op_type != "Mul":
        return "its sums are not scaled"
    scale = other_input(product, after.output[0])
    if not _is_scalar(graph, scale) and not _is_per_channel(graph, scale, channels):
        return "its scale is neither one number nor one for each channel"
    end = product.output[0]
    residual = _residual(graph, end, channels)
    if residual is None:
        return _Chain(end, scale, bias, "")
    return _Chain(residual.output[0], scale, bias, other_input(residual, end))


def _residual(graph: Graph, end: str, channels: int) -> NodeProto | None:
    """Return the addition to a convolution's result, if it is one of equal shapes, as far as known."""
    add = graph.only_consumer(end)
    # the convolution on the other side of the addition may have taken it in
    if add is None or add.op_type != "Add" or graph.replacement(add.output[0]):
        return None
    other = other_input(add, end)
    shape = graph.shape(other)
    is_spread = shape is not None and (len(shape) != 3 or shape[1] not in {channels, None} or shape[2] == 1)  # noqa: PLR2004
    return None if not other or is_spread else add


def _rewrite(graph: Graph, node: NodeProto) -> None:
    chain = _chain(graph, node)
    if isinstance(chain, str):
        raise TypeError(chain)
    stride, dilation, pads = geometry(node)
    x, w, x0, w0 = inputs_of(node)
    given = np.asarray(graph.value(w))
    packed, zero = packed_weights(given, np.asarray(graph.value(w0) if w0 else 0))
    channels = {"channels_out": given.shape[0], "channels_in": given.shape[1]}
    shape = channels | {"stride": stride, "dilation": dilation, "pads": pads}
    weights = [graph.constant(packed), graph.constant(zero) if zero.any() else ""]
    dynamic = _dynamic_inputs(graph, node, chain)
    if dynamic is None:
        inputs = [x, x0, *weights, chain.scale, chain.bias, chain.residual]
        added = graph.add("QuantizedConv", inputs, domain=DOMAIN, **shape)
    else:
        x, w_scale, bias = dynamic
        inputs = [x, *weights, w_scale, bias, chain.residual, _range(graph, x)]
        added = graph.add("DynamicQuantizedConv", inputs, domain=DOMAIN, **shape)
    graph.replace(chain.end, added)


def _dynamic_inputs(graph: Graph, node: NodeProto, chain: _Chain) -> tuple[str, str, str] | None:
    """Return x, the scale of the weights and the bias as float32 tensors; None where they are quantized otherwise."""
    x, _, x0, _ = inputs_of(node)
    quantizer = graph.producer(x)
    if quantizer is None or quantizer.op_type != "DynamicQuantizeLinear" or graph.only_consumer(x) is None:
        return None
    scale = graph.producer(chain.scale)
    if x0 != quantizer.output[2] or scale is None or scale.op_type != "Mul" or quantizer.output[1] not in scale.input:
        return None
    w_scale = other_input(scale, quantizer.output[1])
    channels = _channels(graph, node)
    if not _is_scalar(graph, w_scale) and not _is_per_channel(graph, w_scale, channels):
        return None
    if not chain.bias:
        return quantizer.input[0], w_scale, ""
    bias = _bias_before_quantization(graph, chain)
    return None if bias is None or graph.shape(bias) != (channels,) else (quantizer.input[0], w_scale, bias)


def _bias_before_quantization(graph: Graph, chain: _Chain) -> str | None:
    """Return b of Reshape(Cast(Floor(Div(b, scale)))), to int32."""
    name, found = chain.bias, None
    for operator in ("Reshape", "Cast", "Floor", "Div"):
        found = graph.producer(name)
        if found is None or found.op_type != operator:
            return None
        if operator == "Cast" and attributes(found)["to"] != TensorProto.INT32:
            return None
        name = found.input[0]
    return name if found is not None and found.input[1] == chain.scale else None


def _range(graph: Graph, x: str) -> str:
    """Return the least and the greatest element of x as a tensor, where the operator that produces x knows it."""
    producer = graph.producer(graph.replacement(x) or "")
    return graph.second_output(producer.output[0]) if producer is not None and producer.op_type == ADAPTIVE_NORM else ""


def _channels(graph: Graph, node: NodeProto) -> int:
    weights = graph.shape(inputs_of(node)[1])
    return (weights and weights[0]) or 0


def _is_scalar(graph: Graph, name: str) -> bool:
    shape = graph.shape(name)
    return shape is not None and all(size == 1 for size in shape)


def _is_per_channel(graph: Graph, name: str, channels: int) -> bool:
    shape = graph.shape(name)
    return shape in {(1, channels, 1), (channels, 1)}
