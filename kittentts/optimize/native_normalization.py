"""Normalization over time with scale, shift and activation, as one operator of kittentts-native: `AdaptiveNorm`.

Graphs write the normalization of a channel (AdaIN, a scale and a shift that depend on the voice) in two ways::

    d = x - ReduceMean(x);  y = d / Sqrt(ReduceMean(d * d) + epsilon) * scale + shift
    y = InstanceNormalization(x) * scale + shift

and go on with nothing, with LeakyReLU, or with snake, y + Sin(alpha y)^2 * inverse. Several blocks may share x, d and
the quotient; so the rule looks from the end, the addition of the shift, and what nobody needs then is dropped. The
operator rounds where these nodes do, and sums in their order; `native/OPERATORS.md` says how.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kittentts.optimize.editable_graph import attributes, other_input
from kittentts.optimize.native_convolution import ADAPTIVE_NORM
from kittentts.optimize.rewrite import RewriteRule
from kittentts.runtime.native_library import DOMAIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onnx import NodeProto

    from kittentts.optimize.editable_graph import Graph

_DEFAULT_EPSILON = 1e-5
"""Of `InstanceNormalization`."""


class _Normal(NamedTuple):
    """What is scaled and shifted."""

    x: str
    epsilon: float
    weight_and_bias: tuple[str, ...] = ()
    """Of `InstanceNormalization`."""


def normalization_rule() -> RewriteRule:
    """Return the rule."""
    return RewriteRule("normalization as AdaptiveNorm", "Add", _refuse, _rewrite)


def _refuse(graph: Graph, node: NodeProto) -> str | None:
    found = _match(graph, node)
    return found if isinstance(found, str) else None


def _rewrite(graph: Graph, node: NodeProto) -> None:
    found = _match(graph, node)
    if isinstance(found, str):
        raise TypeError(found)
    normal, scale, shift = found
    form = "instance_norm" if normal.weight_and_bias else "reduce_mean"
    end, snake, activation = _activation(graph, node, normal.x)
    inputs = [normal.x, scale, shift, *(normal.weight_and_bias or ("", "")), *snake]
    while not inputs[-1]:
        inputs.pop()
    added = graph.add(ADAPTIVE_NORM, inputs, domain=DOMAIN, form=form, epsilon=normal.epsilon, **activation)
    graph.replace(end, added)


def _match(graph: Graph, add: NodeProto) -> tuple[_Normal, str, str] | str:
    """Return what is normalized, its scale and its shift; or why a node does not end a normalization."""
    reason = "it ends no normalization"
    for product, shift in _both_ways(graph, add, "Mul"):
        for scaled, scale in _both_ways(graph, product, "InstanceNormalization", "Div"):
            normal = _instance_normalization(scaled) or _mean_and_variance(graph, scaled)
            if isinstance(normal, str):
                reason = normal
            elif normal is not None and not _are_per_channel(graph, normal.x, scale, shift):
                reason = "its scale or its shift is not one number for each channel"
            elif normal is not None:
                return normal, scale, shift
    return reason


def _both_ways(graph: Graph, node: NodeProto, *op_types: str) -> Iterator[tuple[NodeProto, str]]:
    """Yield the producer of each input of a node with two, if it is one of these operators; and the other input."""
    for name, other in (node.input, reversed(node.input)):
        producer = graph.producer(name)
        if producer is not None and producer.op_type in op_types:
            yield producer, other


def _instance_normalization(node: NodeProto) -> _Normal | None:
    if node.op_type != "InstanceNormalization":
        return None
    x, weight, bias = node.input
    return _Normal(x, attributes(node).get("epsilon", _DEFAULT_EPSILON), (weight, bias))


def _mean_and_variance(graph: Graph, quotient: NodeProto) -> _Normal | str | None:
    """Match d / Sqrt(ReduceMean(d * d) + epsilon); None for any other quotient, a reason for one that is nearly it."""
    d, divisor = quotient.input
    difference = _producer(graph, d, "Sub")
    root = _producer(graph, divisor, "Sqrt")
    sum_ = _producer(graph, root.input[0], "Add") if root is not None else None
    if difference is None or sum_ is None:
        return None
    x, mean_of_x = difference.input
    mean = _producer(graph, mean_of_x, "ReduceMean")
    for variance, epsilon in _both_ways(graph, sum_, "ReduceMean"):
        if mean is not None and mean.input[0] == x and _is_square(graph, graph.producer(variance.input[0]), d):
            value = graph.value(epsilon)
            if value is None or value.size != 1:
                return "its epsilon is not constant"
            if not _is_over_time(graph, mean) or not _is_over_time(graph, variance):
                return "its mean is not over the last axis"
            return _Normal(x, float(value.reshape(())))
    return None


def _producer(graph: Graph, name: str, op_type: str) -> NodeProto | None:
    found = graph.producer(name)
    return found if found is not None and found.op_type == op_type else None


def _is_over_time(graph: Graph, mean: NodeProto) -> bool:
    found = attributes(mean)
    axes = found.get("axes")
    if axes is None and len(mean.input) > 1:
        axes = graph.value(mean.input[1])
    return axes is not None and list(axes) in ([2], [-1]) and found.get("keepdims", 1) == 1


def _is_square(graph: Graph, node: NodeProto | None, of: str) -> bool:
    if node is None or node.op_type not in {"Mul", "Pow"} or node.input[0] != of:
        return False
    if node.op_type == "Mul":
        return bool(node.input[1] == of)
    exponent = graph.value(node.input[1])
    return exponent is not None and exponent.size == 1 and float(exponent.reshape(())) == 2  # noqa: PLR2004


def _are_per_channel(graph: Graph, x: str, *names: str) -> bool:
    """Whether tensors are of shape (N, C, 1), and C is known and that of x (N, C, T), as far as x is known."""
    of_x = graph.shape(x) or (None, None, None)
    channels = set()
    for name in names:
        shape = graph.shape(name)
        if shape is None or len(shape) != 3 or shape[1] is None or shape[2] != 1:  # noqa: PLR2004
            return False
        channels.add(shape[1])
    if len(channels) != 1 or len(of_x) != 3:  # noqa: PLR2004
        return False
    # one channel may be what is spread over all those of an x of unknown shape
    return channels == {of_x[1]} if of_x[1] is not None else channels != {1}


def _activation(graph: Graph, add: NodeProto, x: str) -> tuple[str, tuple[str, ...], dict[str, Any]]:
    """Return the end of a normalization's activation, alpha and inverse of a snake, and the attributes."""
    y = add.output[0]
    only = graph.only_consumer(y)
    if only is not None and only.op_type == "LeakyRelu":
        alpha = attributes(only).get("alpha", 0.01)
        return only.output[0], (), {"activation": "leaky_relu", "alpha": alpha}
    snake = _snake(graph, y, x)
    if snake is not None:
        end, alpha, inverse = snake
        return end, (alpha, inverse), {"activation": "snake"}
    return y, (), {}


def _snake(graph: Graph, y: str, x: str) -> tuple[str, str, str] | None:
    """Match y + Sin(alpha y)^2 * inverse, from y on, which has the shape of x.

    Return its end, alpha and inverse; None for anything else.
    """
    consumers = sorted(graph.consumers(y) or (), key=lambda node: node.op_type)
    if [node.op_type for node in consumers] != ["Add", "Mul"]:
        return None
    end, first = consumers
    sine = _only_consumer(graph, first, "Sin")
    square = sine and (_only_consumer(graph, sine, "Pow") or _only_consumer(graph, sine, "Mul"))
    last = square and _only_consumer(graph, square, "Mul")
    if sine is None or square is None or last is None or not _is_square(graph, square, sine.output[0]):
        return None
    alpha, inverse = other_input(first, y), other_input(last, square.output[0])
    is_snake = graph.only_consumer(last.output[0]) is end and _are_per_channel(graph, x, alpha, inverse)
    return (end.output[0], alpha, inverse) if is_snake else None


def _only_consumer(graph: Graph, node: NodeProto, op_type: str) -> NodeProto | None:
    found = graph.only_consumer(node.output[0])
    return found if found is not None and found.op_type == op_type else None
