"""What a rule is, and how rules are applied to a model."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kittentts.optimize.editable_graph import Graph

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from onnx import ModelProto, NodeProto


@dataclass(frozen=True)
class RewriteRule:
    """One way to compute the same bits faster."""

    name: str
    op_type: str
    """The operator of the nodes that it looks at."""
    refuse: Callable[[Graph, NodeProto], str | None]
    """Returns why a node stays as it is, or None where the rule applies."""
    rewrite: Callable[[Graph, NodeProto], None]
    """Puts new nodes in the place of a node that was not refused."""


@dataclass
class Applied:
    """What the rules did to a model."""

    rewritten: Counter[str] = field(default_factory=Counter)
    """Rule -> how many nodes."""
    refused: Counter[str] = field(default_factory=Counter)
    """Rule and reason -> how many nodes."""


def apply(model: ModelProto, rules: Sequence[RewriteRule], before: ModelProto | None = None) -> Applied:
    """Change the model by the rules, each node by the first rule that does not refuse it.

    Args:
        model: changed in place.
        rules: in the order in which they are tried.
        before: the model before ONNX Runtime fused some of its nodes; shapes are better known in it.
    """
    graph, applied = Graph(model, before), Applied()
    for node in graph.nodes:
        for rule in rules:
            if node.op_type != rule.op_type:
                continue
            reason = rule.refuse(graph, node)
            if reason is None:
                rule.rewrite(graph, node)
                applied.rewritten[rule.name] += 1
                break
            applied.refused[f"{rule.name}: {reason}"] += 1
    graph.finish()
    return applied
