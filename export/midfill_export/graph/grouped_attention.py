"""Grouped attention, for a few rows after a long past: all query heads of a KV head read its keys and values once.

``GroupQueryAttention`` copies K and V for every query head. With many rows that does not matter. With two rows after
4,096 tokens it is nearly half of a step. Here the G query heads of a KV head become G rows of one product (the grouping
of arXiv:2305.13245)::

    q  (1, R, KV * G * D) -> (1, KV, R * G, D)
    softmax(q K^T * scale + mask) V,  K and V (1, KV, capacity, D) with the new rows written into them

Each layer has an ``If`` on the graph's input ``grouped_rows``, int64 (1,). If it is R > 0, the first R rows of the step
use grouped attention, and the other rows are padding. If it is 0, the default, ``GroupQueryAttention`` is used. The
weights are outside the ``If``, and both branches write the same buffers. Grouped attention keeps all scores in memory,
(KV, R * G, capacity) floats, so it is for few rows only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from midfill_export.graph.nodes import MICROSOFT, add_constant, attention_nodes, size_of

GROUPED_ROWS = "grouped_rows"


def add_grouped_attention(graph: ir.Graph) -> None:
    """Add grouped attention beside every ``GroupQueryAttention`` with shared heads, and the input that selects it.

    Within one branch, a row's result is the same to the bit for any number of rows (``GroupQueryAttention``: for two or
    more). The results of the two branches differ by rounding.
    """
    nodes = [node for node in attention_nodes(graph) if _can_be_grouped(node)]
    if not nodes:
        return
    rows = add_constant(graph, GROUPED_ROWS, np.array([0]))
    graph.inputs.append(rows)  # an input with a default value
    constants = _Constants(graph)
    first = graph[0]
    grouped = ir.node("Greater", [rows, constants.sizes(0)])
    first.prepend(grouped)
    chosen = grouped.outputs[0]
    places = _add_places(graph, first, nodes[0], rows, chosen, constants)
    for node in nodes:
        _add_choice(graph, node, chosen, places, constants)


def _can_be_grouped(attention: ir.Node) -> bool:
    """Whether query heads share KV heads, the attention has no window, and query, key and value are packed."""
    return (
        _group_size(attention) > 1 and attention.inputs[1] is None and "local_window_size" not in attention.attributes
    )


def _group_size(attention: ir.Node) -> int:
    return attention.attributes["num_heads"].as_int() // attention.attributes["kv_num_heads"].as_int()


class _Constants:
    """Constants that the layers share."""

    def __init__(self, graph: ir.Graph) -> None:
        self._graph = graph

    def sizes(self, *sizes: int) -> ir.Value:
        """Return a constant of integers, such as a shape."""
        return self.array(".".join(map(str, sizes)), np.array(sizes, np.int64))

    def array(self, name: str, array: NDArray[Any]) -> ir.Value:
        """Return ``array`` as a constant; one of the same name is used again."""
        name = f"{GROUPED_ROWS}.{name}"
        return self._graph.initializers.get(name) or add_constant(self._graph, name, array)


class _Branch:
    """The nodes of one branch of an ``If``; they may read values outside of it."""

    def __init__(self, name: str) -> None:
        """All names in the branch begin with ``name``, which makes them unique in the model."""
        self._name = name
        self._nodes: list[ir.Node] = []

    def add(self, op_type: str, *inputs: ir.Value | None, **attributes: Any) -> ir.Value:
        """Add a node and return its output."""
        return self.add_wide(op_type, 1, *inputs, **attributes)[0]

    def add_wide(
        self, op_type: str, outputs: int, *inputs: ir.Value | None, domain: str = "", **attributes: Any
    ) -> Sequence[ir.Value]:
        """Add a node of several outputs and return them."""
        node = ir.node(op_type, inputs, attributes=attributes, domain=domain, num_outputs=outputs)
        for index, output in enumerate(node.outputs):
            output.name = f"{self._name}.{len(self._nodes)}.{index}"
        self._nodes.append(node)
        return node.outputs

    def graph(self, outputs: Sequence[ir.Value]) -> ir.Graph:
        """Return the branch with its ``outputs``."""
        return ir.Graph([], outputs, nodes=self._nodes, name=self._name)


def _insert_choice(before: ir.Node, chosen: ir.Value, grouped: ir.Graph, otherwise: ir.Graph) -> Sequence[ir.Value]:
    """Insert an ``If`` and return its outputs."""
    sides = [ir.AttrGraph("then_branch", grouped), ir.AttrGraph("else_branch", otherwise)]
    choice = ir.Node("", "If", [chosen], sides, num_outputs=len(grouped.outputs))
    before.prepend(choice)
    return choice.outputs


@dataclass(frozen=True)
class _Places:
    """What all layers of a step share; empty if ``grouped_rows`` is 0."""

    rows: ir.Value
    """Number of rows R that use grouped attention, int64 (1,)."""
    positions: ir.Value
    """Position of each row, int64 (1, R)."""
    slots: ir.Value
    """Indices at which ``ScatterND`` writes their keys and values into the buffers, int64 (R, KV, 3)."""
    mask: ir.Value
    """Added to the scores to hide later keys, float32 (1, R * G, capacity)."""
    padded: ir.Value
    """For each row of the step, the row whose result it gets, int64 (S,); padding gets that of the last row."""


def _add_places(
    graph: ir.Graph, before: ir.Node, attention: ir.Node, rows: ir.Value, chosen: ir.Value, constants: _Constants
) -> _Places:
    heads, group = attention.attributes["kv_num_heads"].as_int(), _group_size(attention)
    given = {value.name: value for value in graph.inputs}
    first_slots = np.zeros((1, heads, 3), np.int64)
    first_slots[0, :, 1] = np.arange(heads)
    zero, one = constants.sizes(0), constants.sizes(1)

    side = _Branch(f"{GROUPED_ROWS}.places")
    step = side.add("Size", given["input_ids"])
    past = side.add("Sub", side.add("Size", given["attention_mask"]), step)
    position = side.add("Range", past, side.add("Add", past, rows), one)
    column = side.add("Reshape", position, constants.sizes(-1, 1, 1))
    along = side.add("Mul", column, constants.sizes(0, 0, 1))
    slots = side.add("Add", along, constants.array("first_slots", first_slots))
    of_heads = side.add("Reshape", side.add("Expand", column, constants.sizes(1, group, 1)), constants.sizes(1, -1, 1))
    capacity = side.add("Gather", side.add("Shape", attention.inputs[3]), constants.sizes(2))
    later = side.add("Greater", side.add("Range", zero, capacity, one), of_heads)
    never, freely = (constants.array(str(addend), np.array(addend, np.float32)) for addend in (-np.inf, 0.0))
    mask = side.add("Where", later, never, freely)
    padded = side.add("Min", side.add("Range", zero, step, one), side.add("Sub", rows, one))
    grouped = side.graph([side.add("Reshape", position, constants.sizes(1, -1)), slots, mask, padded])

    side = _Branch(f"{GROUPED_ROWS}.no_places")
    empty: list[NDArray[Any]] = [
        np.zeros((1, 0), np.int64),
        np.zeros((0, heads, 3), np.int64),
        np.zeros((1, 0, 0), np.float32),
        np.zeros(0, np.int64),
    ]
    nothing = [side.add("Identity", constants.array(f"empty.{array.shape}", array)) for array in empty]
    return _Places(rows, *_insert_choice(before, chosen, grouped, side.graph(nothing)))


def _add_choice(graph: ir.Graph, attention: ir.Node, chosen: ir.Value, places: _Places, constants: _Constants) -> None:
    """Replace ``attention`` by an ``If`` with ``attention`` in one branch and grouped attention in the other."""
    plain = _Branch(f"{attention.name}.plain")
    attributes = {name: attribute.value for name, attribute in attention.attributes.items()}
    outputs = plain.add_wide(attention.op_type, 3, *attention.inputs, domain=MICROSOFT, **attributes)
    grouped = _attend(_Branch(f"{attention.name}.grouped"), attention, places, constants)
    for old, new in zip(
        attention.outputs, _insert_choice(attention, chosen, grouped, plain.graph(outputs)), strict=True
    ):
        new.name, new.shape, new.type = old.name, old.shape, old.type
        old.replace_all_uses_with(new, replace_graph_outputs=True)
    graph.remove(attention, safe=True)


def _attend(side: _Branch, attention: ir.Node, places: _Places, constants: _Constants) -> ir.Graph:
    """Return the branch ``side`` with the grouped form of ``attention``."""
    packed, _, _, past_key, past_value, _, _, cos, sin = attention.inputs
    assert past_key is not None
    assert cos is not None
    heads, size, group = size_of(past_key, 1), size_of(past_key, 3), _group_size(attention)
    rotated = heads * (group + 1)  # number of query and key heads
    packed = side.add("Slice", packed, constants.sizes(0), places.rows, constants.sizes(1))
    turned, value = side.add_wide("Split", 2, packed, constants.sizes(rotated * size, heads * size), axis=2)
    turned = side.add(
        "RotaryEmbedding",
        turned,
        places.positions,
        cos,
        sin,
        domain=MICROSOFT,
        num_heads=rotated,
        rotary_embedding_dim=2 * size_of(cos, 1),
    )
    query, key = side.add_wide("Split", 2, turned, constants.sizes(heads * group * size, heads * size), axis=2)
    keys, values = (
        side.add("ScatterND", past, places.slots, side.add("Reshape", new, constants.sizes(-1, heads, size)))
        for past, new in ((past_key, key), (past_value, value))
    )
    query = side.add("Reshape", query, constants.sizes(1, -1, heads, group * size))
    query = side.add("Transpose", query, perm=[0, 2, 1, 3])
    query = side.add("Reshape", query, constants.sizes(1, heads, -1, size))
    scale = attention.attributes["scale"].as_float()
    scores = side.add("FusedMatMul", query, keys, domain=MICROSOFT, transB=1, alpha=scale)
    shares = side.add("Softmax", side.add("Add", scores, places.mask), axis=-1)
    mixed = side.add("Reshape", side.add("MatMul", shares, values), constants.sizes(1, heads, -1, group * size))
    mixed = side.add("Transpose", mixed, perm=[0, 2, 1, 3])
    mixed = side.add("Reshape", mixed, constants.sizes(1, -1, heads * group * size))
    return side.graph([side.add("Gather", mixed, places.padded, axis=1), keys, values])
