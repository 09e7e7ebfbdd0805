"""The exact rule for 1-D `ConvInteger`, in three flavours.

A quantized convolution of one dimension sums products of integers::

    y[o, t] = sum over c, k of (x[c, s t + d k] - x0) (w[o, c, k] - w0)

with stride s, dilation d, x beyond its ends equal to its zero point x0. Sums of integers do not depend on how they are
computed, as long as nothing overflows. So these give the same bits as ONNX Runtime's `ConvInteger`:

- "signed" and "unsigned": a matrix product. With the time as rows, the K shifted windows of x stand side by side,
  [time, K C_in], and `MatMulInteger` multiplies them by the weights, [K C_in, C_out]. Signed weights are stored less
  their zero point, where that fits 8 bits; then it is 0 and drops out.
- "float": a float32 `Conv` of x - x0 and w - w0. All its partial sums are integers; while they are at most 2^24 in
  size, float32 holds them exactly, in whatever order they are summed.

What usually follows, an int32 bias and a cast to float32, is fused into the product: float(sum) + float(bias) is
rounded once, as float(sum + bias) is, because both terms are exact (the sum is at most 2^24, the bias was cast from a
float32). It differs only where the int32 sum would overflow.

On x86 CPUs without VNNI, ONNX Runtime's kernel for unsigned x signed numbers adds the products of two neighbouring
rows in 16 bits, where they saturate beyond 32,767. They cannot when the weights of one sign in such a pair add up to
at most 128 (see `selftest`); `largest_pair` tells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from onnx import TensorProto, numpy_helper

from kittentts.optimize.editable_graph import MICROSOFT, attributes
from kittentts.optimize.rewrite import RewriteRule
from kittentts.optimize.selftest import LARGEST_PAIR

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from onnx import ModelProto, NodeProto

    from kittentts.optimize.editable_graph import Graph

Flavour = Literal["signed", "unsigned", "float"]
FLAVOURS: tuple[Flavour, ...] = ("signed", "unsigned", "float")

# the largest integer up to which float32 holds all
_EXACT_FLOAT = 2**24
_LARGEST_ACTIVATION = 255


def convolution_rule(flavour: Flavour, limit: int = LARGEST_PAIR) -> RewriteRule:
    """Return the rule in one flavour.

    Args:
        flavour: see above.
        limit: refuse what would have signed weights of one sign that, as neighbours, add up to more.
    """
    if flavour == "float":
        return RewriteRule("ConvInteger as Conv", "ConvInteger", _refuse_float, _rewrite_as_float)
    signed = flavour == "signed"

    def refuse(graph: Graph, node: NodeProto) -> str | None:
        reason = refusal(graph, node)
        if reason is None and signed and _largest_pair(_matrix(graph, node, signed=True)[0]) > limit:
            return "its sums of two products may saturate on this CPU"
        return reason

    def rewrite(graph: Graph, node: NodeProto) -> None:
        _rewrite_as_matmul(graph, node, signed=signed)

    return RewriteRule(f"ConvInteger as {flavour} MatMulInteger", "ConvInteger", refuse, rewrite)


def largest_pair(model: ModelProto) -> int:
    """Return the largest sum, in size, of two neighbouring signed weights of one sign, of all that the rule made.

    0 where it made none. Up to 128, no 16-bit sum of two products with numbers up to 255 saturates.
    """
    tensors = {one.name: one for one in model.graph.initializer}
    largest = 0
    for node in model.graph.node:
        if node.op_type not in {"MatMulInteger", "MatMulIntegerToFloat"} or not node.name.startswith("kittentts_"):
            continue
        tensor = tensors[node.input[1]]
        if tensor.data_type == TensorProto.INT8:
            largest = max(largest, _largest_pair(numpy_helper.to_array(tensor)))
    return largest


def _largest_pair(weights: NDArray[np.int8]) -> int:
    largest = 0
    for sign in (1, -1):
        ones = np.maximum(sign * weights.astype(np.int16), 0)
        sums, odd = ones[::2].copy(), ones[1::2]
        sums[: len(odd)] += odd
        largest = max(largest, int(sums.max(initial=0)))
    return largest


def refusal(graph: Graph, node: NodeProto) -> str | None:
    """Return why no rule can treat a `ConvInteger`; None where one may."""
    _, w, _, w0 = inputs_of(node)
    weights = graph.value(w)
    found = attributes(node)
    if weights is None or (w0 and graph.value(w0) is None):
        return "the weights are not constant"
    if weights.ndim != 3:  # noqa: PLR2004 (channels out, channels in, taps)
        return "it is not one-dimensional"
    if found.get("group", 1) != 1:
        return "it has groups"
    if found.get("auto_pad", b"NOTSET") not in {b"NOTSET", b"VALID"}:
        return "its padding depends on the length"
    return _refuse_input(graph, node)


def _refuse_input(graph: Graph, node: NodeProto) -> str | None:
    x, _, x0, _ = inputs_of(node)
    if graph.input_type(x) != TensorProto.UINT8 and not _is_quantized(graph, x):
        return "its input is not known to be of unsigned 8-bit integers"
    zero = graph.value(x0) if x0 else np.zeros(1)
    # the padding takes it for one number
    if not _is_quantized(graph, x0) and (zero is None or zero.size != 1):
        return "the zero point of its input is not known to be one number"
    return None


def _is_quantized(graph: Graph, name: str) -> bool:
    producer = graph.producer(name)
    return producer is not None and producer.op_type == "DynamicQuantizeLinear"


def _refuse_float(graph: Graph, node: NodeProto) -> str | None:
    reason = refusal(graph, node)
    if reason is None and not _fits_float(_centred(graph, node)):
        return "its sums may exceed what float32 holds exactly"
    return reason


def inputs_of(node: NodeProto) -> tuple[str, str, str, str]:
    """Return the names of x, w and their zero points, "" for a zero point that is left out: it is 0."""
    x, w, x0, w0 = [*node.input, "", ""][:4]
    return x, w, x0, w0


def _centred(graph: Graph, node: NodeProto) -> NDArray[np.int32]:
    """Return w - w0, of shape (C_out, C_in, K)."""
    weights, zero = _weights(graph, node)
    return weights - zero.reshape(-1, 1, 1)


def _weights(graph: Graph, node: NodeProto) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return w, of shape (C_out, C_in, K), and its zero point: one number, or one for each channel out."""
    _, w, _, w0 = inputs_of(node)
    zero = graph.value(w0) if w0 else np.zeros(1)
    return np.asarray(graph.value(w), np.int32), np.asarray(zero, np.int32).reshape(-1)


def _fits_float(centred: NDArray[np.int32]) -> bool:
    return bool(np.abs(centred).sum(axis=(1, 2)).max() * _LARGEST_ACTIVATION <= _EXACT_FLOAT)


def geometry(node: NodeProto) -> tuple[int, int, list[int]]:
    """Return stride, dilation and the padding before and after."""
    found = attributes(node)
    pads = found.get("pads", [0, 0]) if found.get("auto_pad", b"NOTSET") == b"NOTSET" else [0, 0]
    return found.get("strides", [1])[0], found.get("dilations", [1])[0], list(pads)


def _rewrite_as_matmul(graph: Graph, node: NodeProto, *, signed: bool) -> None:
    columns = _windows(graph, node)
    matrix, zero = _matrix(graph, node, signed=signed)
    right = [graph.constant(matrix)]
    zeros = [inputs_of(node)[2], graph.constant(zero) if zero.any() else ""]
    end, bias = _float_result(graph, node)
    if end is None:
        product = graph.add("MatMulInteger", [columns, *right, *zeros])
        end = node.output[0]
    else:
        one = graph.constant(np.float32(1))
        terms = [] if bias is None else [bias]
        product = graph.add("MatMulIntegerToFloat", [columns, *right, one, one, *zeros, *terms], domain=MICROSOFT)
    graph.replace(end, graph.add("Transpose", [product], perm=[0, 2, 1]))


def _matrix(graph: Graph, node: NodeProto, *, signed: bool) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the weights as a matrix, (K C_in, C_out), and their zero point, for all or for each column."""
    weights, zero = _weights(graph, node)
    centred = _centred(graph, node)
    limits = np.iinfo(np.int8)
    kind: type[np.int8 | np.uint8] = np.int8 if signed else np.uint8
    if signed and limits.min <= centred.min() and centred.max() <= limits.max:
        weights, zero = centred, np.zeros(1, np.int32)
    else:
        # uint8 to int8 or back
        given = graph.value(inputs_of(node)[1])
        shift = 0 if given is not None and given.dtype == kind else -128 if signed else 128
        weights, zero = weights + shift, zero + shift
    matrix = weights.transpose(2, 1, 0).reshape(-1, len(weights)).astype(kind)
    return matrix, zero.astype(kind).reshape(() if zero.size == 1 else -1)


def _windows(graph: Graph, node: NodeProto) -> str:
    """Add what makes of x, (N, C_in, T), its windows, (N, times, K C_in)."""
    x, _, x0, _ = inputs_of(node)
    _, channels, taps = _weights(graph, node)[0].shape
    stride, dilation, pads = geometry(node)
    rows = graph.add("Transpose", [x], perm=[0, 2, 1])
    if any(pads):
        zero = x0 or graph.constant(np.uint8(0))
        before_and_after = graph.constant(np.array([0, pads[0], 0, 0, pads[1], 0]))
        scalar = graph.add("Reshape", [zero, graph.constant(np.array([], np.int64))])
        rows = graph.add("Pad", [rows, before_and_after, scalar], mode="constant")
    if taps == 1 and stride == 1:
        return rows
    one = graph.constant(np.int64(1))
    length = graph.add("Gather", [graph.add("Shape", [rows]), one])
    end = graph.add("Sub", [length, graph.constant(np.int64(dilation * (taps - 1)))])
    starts = graph.add("Range", [graph.constant(np.int64(0)), end, graph.constant(np.int64(stride))])
    offsets = graph.constant(np.arange(taps)[np.newaxis] * dilation)
    column = graph.add("Reshape", [starts, graph.constant(np.array([-1, 1]))])
    indices = graph.add("Add", [column, offsets])
    windows = graph.add("Gather", [rows, indices], axis=1)
    return graph.add("Reshape", [windows, graph.constant(np.array([0, -1, taps * channels]))])


def _rewrite_as_float(graph: Graph, node: NodeProto) -> None:
    x, _, x0, _ = inputs_of(node)
    centred = _centred(graph, node)
    stride, dilation, pads = geometry(node)
    values = graph.add("Cast", [x], to=TensorProto.FLOAT)
    if x0:
        values = graph.add("Sub", [values, graph.add("Cast", [x0], to=TensorProto.FLOAT)])
    end, bias = _float_result(graph, node)
    inputs = [values, graph.constant(centred.astype(np.float32))]
    shape: dict[str, Any] = {"strides": [stride], "dilations": [dilation], "pads": pads}
    product = graph.add("Conv", [*inputs, *([] if bias is None else [bias])], **shape)
    if end is None:
        product, end = graph.add("Cast", [product], to=TensorProto.INT32), node.output[0]
    graph.replace(end, product)


def _float_result(graph: Graph, node: NodeProto) -> tuple[str | None, str | None]:
    """Return the float32 tensor that the convolution with its bias becomes, and that bias as float32, (C_out,).

    The first is None where no cast follows at once, or the sum or the bias may not be exact in float32; the second
    where there is no bias.
    """
    if not _fits_float(_centred(graph, node)):
        return None, None
    after = graph.only_consumer(node.output[0])
    if after is not None and after.op_type == "Add":
        others = [name for name in after.input if name != node.output[0]]
        bias = _exact_bias(graph, others[0], len(_centred(graph, node))) if len(others) == 1 else None
        cast = graph.only_consumer(after.output[0])
        if bias is None or cast is None or not is_cast_to_float(cast):
            return None, None
        return cast.output[0], bias
    if after is not None and is_cast_to_float(after):
        return after.output[0], None
    return None, None


def is_cast_to_float(node: NodeProto) -> bool:
    """Whether a node makes float32 of what it is given."""
    return node.op_type == "Cast" and attributes(node)["to"] == TensorProto.FLOAT


def _exact_bias(graph: Graph, name: str, channels: int) -> str | None:
    """Return an int32 bias of shape (1, C_out, 1) as float32, (C_out,), if it is known to be exact; else None."""
    value = graph.value(name)
    if value is not None:
        if value.shape[-2:] != (channels, 1) or value.size != channels or np.abs(value).max() > _EXACT_FLOAT:
            return None
        return graph.constant(value.reshape(-1).astype(np.float32))
    reshape = graph.producer(name)
    if reshape is None or reshape.op_type != "Reshape":
        return None
    shape = graph.value(reshape.input[1])
    cast = graph.producer(reshape.input[0])
    if shape is None or tuple(shape) not in {(1, channels, 1), (1, -1, 1)}:
        return None
    # an int32 that was cast from a float32 is one that float32 holds
    if cast is None or cast.op_type != "Cast" or not _is_float(graph, cast.input[0]):
        return None
    flat = graph.add("Reshape", [name, graph.constant(np.array([-1]))])
    return graph.add("Cast", [flat], to=TensorProto.FLOAT)


def _is_float(graph: Graph, name: str) -> bool:
    """Whether a tensor is float32 for sure: rounded, as by the quantizer of ONNX Runtime."""
    producer = graph.producer(name)
    return producer is not None and producer.op_type in {"Floor", "Round", "Ceil"}
