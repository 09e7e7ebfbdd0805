"""`STFT`, the short-time Fourier transform, as the operator `Stft` of kittentts-native.

For frames whose length is no power of 2, ONNX Runtime computes it by Bluestein's method, and slowly. The library's
operator has the same steps and roundings (`native/OPERATORS.md`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kittentts.optimize.editable_graph import attributes
from kittentts.optimize.rewrite import RewriteRule
from kittentts.runtime.native_library import DOMAIN

if TYPE_CHECKING:
    from onnx import NodeProto

    from kittentts.optimize.editable_graph import Graph

# what the operator takes
_SHORTEST, _LONGEST = 3, 4096


def spectrum_rule() -> RewriteRule:
    """Return the rule."""
    return RewriteRule("STFT as Stft", "STFT", _refuse, _rewrite)


def _refuse(graph: Graph, node: NodeProto) -> str | None:
    step, length = _sizes(graph, node)
    if step is None or length is None:
        return "its step or its length is not constant"
    if not _SHORTEST <= length <= _LONGEST or length & (length - 1) == 0:
        return "the length of its frames is a power of 2, or out of range"
    if attributes(node).get("onesided", 1) != 1:
        return "it is not one-sided"
    shape = graph.shape(node.input[0])
    if shape is None or len(shape) not in {2, 3} or (len(shape) == 3 and shape[2] != 1):  # noqa: PLR2004 (see below)
        # (batch, time) or (batch, time, 1); complex numbers are (batch, time, 2)
        return "its signal is not known to be real"
    return None


def _rewrite(graph: Graph, node: NodeProto) -> None:
    step, length = _sizes(graph, node)
    signal, _, window = [*node.input, ""][:3]
    inputs = [signal, window] if window else [signal]
    added = graph.add("Stft", inputs, domain=DOMAIN, frame_length=length, frame_step=step)
    graph.replace(node.output[0], added)


def _sizes(graph: Graph, node: NodeProto) -> tuple[int | None, int | None]:
    """Return how far frames are apart and how long they are, in samples; None for what is not constant."""
    _, step, window, length = [*node.input, "", ""][:4]
    if length:
        return _integer(graph, step), _integer(graph, length)
    shape = graph.shape(window) if window else None
    return _integer(graph, step), shape[0] if shape else None


def _integer(graph: Graph, name: str) -> int | None:
    value: Any = graph.value(name)
    return None if value is None or value.size != 1 else int(value.reshape(()))
