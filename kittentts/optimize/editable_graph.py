"""An ONNX graph that rules can read and change."""

from __future__ import annotations

import functools
import graphlib
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import AttributeProto, NodeProto, helper, numpy_helper, shape_inference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from onnx import GraphProto, ModelProto

MICROSOFT = "com.microsoft"


class Graph:
    """The top level of a model's graph, indexed by the producer and the consumers of each tensor.

    Rules add nodes and replace tensors by others; `finish` sorts the nodes and drops those that no output needs.

    Args:
        model: changed by `finish`, not before.
        before: see `rewrite.apply`.
    """

    def __init__(self, model: ModelProto, before: ModelProto | None = None) -> None:
        self._model = model
        self._before = before
        self._graph = model.graph
        self._nodes = list(self._graph.node)
        self._initializers = {one.name: one for one in self._graph.initializer}
        self._outputs = {one.name for one in self._graph.output}
        self._producers = {name: node for node in self._nodes for name in node.output if name}
        self._consumers: defaultdict[str, list[NodeProto]] = defaultdict(list)
        for node in self._nodes:
            for name in used_names(node):
                self._consumers[name].append(node)
        self._constants: dict[tuple[Any, ...], str] = {}
        self._added: dict[tuple[Any, ...], str] = {}
        self._replaced: dict[str, str] = {}

    @property
    def nodes(self) -> list[NodeProto]:
        """The model's nodes as they were read, in their order."""
        return list(self._graph.node)

    def producer(self, name: str) -> NodeProto | None:
        """Return the node that produces a tensor; None for inputs of the graph and for initializers."""
        return self._producers.get(name)

    def consumers(self, name: str) -> list[NodeProto] | None:
        """Return the model's nodes that consume a tensor; None for an output of the graph: others consume it, too."""
        return None if name in self._outputs else self._consumers[name]

    def only_consumer(self, name: str) -> NodeProto | None:
        """Return the node that consumes a tensor, if it is the only one and the tensor is no output of the graph."""
        consumers = self.consumers(name)
        return consumers[0] if consumers is not None and len(consumers) == 1 else None

    def value(self, name: str) -> NDArray[Any] | None:
        """Return a constant; None for what is known only when the graph runs."""
        tensor = self._initializers.get(name)
        producer = self.producer(name)
        if producer is not None and producer.op_type == "Constant":
            tensor = attributes(producer).get("value")
        return None if tensor is None else numpy_helper.to_array(tensor)

    def input_type(self, name: str) -> int | None:
        """Return the element type of an input of the graph; None for any other tensor."""
        return next((one.type.tensor_type.elem_type for one in self._graph.input if one.name == name), None)

    def shape(self, name: str) -> tuple[int | None, ...] | None:
        """Return a tensor's dimensions, None for each that is known only when the graph runs; None for all of them."""
        value = self.value(name)
        return value.shape if value is not None else self._shapes.get(name)

    @functools.cached_property
    def _shapes(self) -> dict[str, tuple[int | None, ...]]:
        models = [self._model] if self._before is None else [self._model, self._before]
        inferred = [shape_inference.infer_shapes(model, data_prop=True).graph for model in models]
        return {
            one.name: tuple(
                size.dim_value if size.HasField("dim_value") else None for size in one.type.tensor_type.shape.dim
            )
            for graph in inferred
            for one in (*graph.input, *graph.value_info)
            if one.type.tensor_type.HasField("shape")
        }

    def constant(self, value: Any) -> str:
        """Return the name of a constant, the same one for equal values."""
        array = np.ascontiguousarray(value)
        # ascontiguousarray makes a scalar one-dimensional
        array = array.reshape(np.shape(value))
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._constants:
            name = self._constants[key] = self._free(f"kittentts_constant_{len(self._constants)}")
            self._initializers[name] = numpy_helper.from_array(array, name)
        return self._constants[key]

    def add(self, op_type: str, inputs: list[str], *, domain: str | None = None, **attributes: Any) -> str:
        """Return the output of a new node, or of an equal one that was added before: they are shared."""
        key = (op_type, tuple(inputs), domain, repr(sorted(attributes.items())))
        if key not in self._added:
            name = self._added[key] = self._free(f"kittentts_{op_type}_{len(self._added)}")
            node = helper.make_node(op_type, inputs, [name], name=name, domain=domain, **attributes)
            self._nodes.append(node)
            self._producers[name] = node
        return self._added[key]

    def _free(self, name: str) -> str:
        """Return the name, with something behind it where the model has a tensor of this name already."""
        while name in self._producers or name in self._initializers:
            name += "_"
        return name

    def second_output(self, name: str) -> str:
        """Return the second output of the node that was added with this first one."""
        outputs = self._producers[name].output
        if len(outputs) == 1:
            outputs.append(f"{name}_second")
        return str(outputs[1])

    def replace(self, old: str, new: str) -> None:
        """Let `finish` make all consumers of `old` consume `new`."""
        self._replaced[old] = new

    def replacement(self, name: str) -> str | None:
        """Return what replaces a tensor; None for one that is not replaced."""
        return self._replaced.get(name)

    def finish(self) -> None:
        """Write the changes into the model."""
        for old, new in self._replaced.items():
            # The old name stays, because subgraphs and the graph's outputs may use it; ONNX Runtime drops an Identity.
            outputs = self._producers[old].output
            outputs[list(outputs).index(old)] = f"{old}_replaced"
            self._nodes.append(helper.make_node("Identity", [new], [old]))
        nodes = _in_order(self._nodes, self._outputs)
        used = {name for node in nodes for name in used_names(node)} | self._outputs
        graph = self._graph
        del graph.node[:], graph.initializer[:], graph.value_info[:]
        graph.node.extend(nodes)
        graph.initializer.extend(one for name, one in self._initializers.items() if name in used)
        domains = {one.domain for one in self._model.opset_import}
        for domain in {node.domain for node in nodes} - domains - {"", "ai.onnx"}:
            self._model.opset_import.append(helper.make_opsetid(domain, 1))


def attributes(node: NodeProto) -> dict[str, Any]:
    """Return a node's attributes as Python values."""
    return {one.name: helper.get_attribute_value(one) for one in node.attribute}


def other_input(node: NodeProto, name: str) -> str:
    """Return the input of a node of two inputs that is not this one; "" where both are."""
    return next((one for one in node.input if one != name), "")


def used_names(node: NodeProto) -> set[str]:
    """Return the tensors that a node consumes, including those that its subgraphs take from outside."""
    names = {name for name in node.input if name}
    for graph in _subgraphs(node):
        for inner in graph.node:
            names |= used_names(inner)
        names |= {one.name for one in graph.output}
    return names


def all_nodes(graph: GraphProto) -> Iterator[NodeProto]:
    """Yield the nodes of a graph and of its subgraphs."""
    for node in graph.node:
        yield node
        for inner in _subgraphs(node):
            yield from all_nodes(inner)


def _subgraphs(node: NodeProto) -> Iterator[GraphProto]:
    for one in node.attribute:
        if one.type == AttributeProto.GRAPH:
            yield one.g
        elif one.type == AttributeProto.GRAPHS:
            yield from one.graphs


def _in_order(nodes: list[NodeProto], outputs: set[str]) -> list[NodeProto]:
    """Return the nodes that the outputs need, each after the producers of its inputs."""
    producers = {name: index for index, node in enumerate(nodes) for name in node.output if name}
    needs = [{producers[name] for name in used_names(node) if name in producers} for node in nodes]
    alive: set[int] = set()
    pending = [producers[name] for name in outputs if name in producers]
    while pending:
        index = pending.pop()
        if index not in alive:
            alive.add(index)
            pending += needs[index]
    order = graphlib.TopologicalSorter({index: needs[index] for index in sorted(alive)})
    return [nodes[index] for index in order.static_order()]
