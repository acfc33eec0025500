"""The FP32 graph of a decoder, written from a GGUF without torch: sizes, RoPE and weights are the file's own.

It is the graph that :mod:`midfill_export.graph.optimize` makes of a traced checkpoint, with the same inputs, outputs
and names of weights. A layer is one of two::

    one after the other      x = x + attention(norm(x));  x = x + mlp(norm(x))
    beside one another       x = x + attention(norm(x)) + mlp(norm(x))

What else a family has (biases, norms of heads, norms after attention and MLP, a gate) is seen by the file's tensors.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from midfill_export.graph.gguf_weights import GgufWeights, Part
from midfill_export.graph.nodes import MICROSOFT, add_constant, add_tensor
from midfill_export.graph.packed_attention import COS, SIN, Rotary, head_order
from midfill_export.loaders.architecture import Architecture, Rope, read_architecture
from midfill_export.loaders.gguf_file import GgufFile

_FLOAT = ir.TensorType(ir.DataType.FLOAT)
_OPSET = 18
_IR_VERSION = 8
_EMBEDDING, _OUTPUT = "token_embd", "output"
_NOT_WEIGHTS = ("rope_freqs.weight",)
"""Tensors that the architecture is read from."""


def decoder_graph(gguf: GgufFile) -> ir.Model:
    """Return the graph of a GGUF's model; each weight is read when it is used.

    Raises:
        ExportError: the architecture is unknown, or the tensors are not those of the architecture.
        SourceError: the GGUF's metadata is incomplete.
    """
    return _Writer(read_architecture(gguf), GgufWeights(gguf)).write()


class _Writer:
    """Adds the nodes of a decoder to a graph, in order."""

    def __init__(self, architecture: Architecture, weights: GgufWeights) -> None:
        self._a = architecture
        self._weights = weights
        self._graph = ir.Graph([], [], nodes=[], opset_imports={"": _OPSET, MICROSOFT: 1}, name="decoder")
        self._tables: dict[int, list[ir.Value]] = {}

    def write(self) -> ir.Model:
        """Write the whole graph."""
        a = self._a
        ids = self._input("input_ids", [1, "new_tokens"], ir.DataType.INT64)
        mask = self._input("attention_mask", [1, "total_tokens"], ir.DataType.INT64)
        self._rows = self._input("logit_rows", ["rows"], ir.DataType.INT64)
        self._lengths = self._read_lengths(mask)
        table = self._weights.table(
            "model.embed_tokens.weight", f"{_EMBEDDING}.weight", a.vocabulary, a.width, a.embedding_scale
        )
        stream = self._add("Gather", add_tensor(self._graph, table), ids)
        addition: ir.Value | None = None
        for layer in range(a.layers):
            stream, addition = self._layer(layer, stream, addition)
        normed, _ = self._norm("output_norm", "model.norm", stream, addition)
        logits = self._logits(normed)
        logits.name, logits.shape, logits.type = "logits", ir.Shape([1, "rows", a.vocabulary]), _FLOAT
        self._graph.outputs.insert(0, logits)
        self._weights.require_all_used(_NOT_WEIGHTS)
        return ir.Model(self._graph, ir_version=_IR_VERSION)

    def _read_lengths(self, mask: ir.Value) -> tuple[ir.Value, ir.Value]:
        """Return the number of tokens less one, int32 (1,), and the number, int32 (): the operator wants both."""
        one = add_constant(self._graph, "one", np.array([1], np.int64))
        last = self._add("Sub", self._add("Shape", mask, start=1), one)
        return self._add("Cast", last, to=ir.DataType.INT32), self._add(
            "Cast", self._add("Size", mask), to=ir.DataType.INT32
        )

    def _layer(self, layer: int, stream: ir.Value, addition: ir.Value | None) -> tuple[ir.Value, ir.Value]:
        """Add a layer.

        Args:
            layer: Its number.
            stream: The residual stream.
            addition: What the layer before adds to it; that is left to the norm, which does both.

        Returns:
            The stream, and what this layer adds to it.
        """
        block, name = f"blk.{layer}", f"model.layers.{layer}"
        is_last = layer == self._a.layers - 1
        normed, stream = self._norm(f"{block}.attn_norm", f"{name}.input_layernorm", stream, addition)
        attended = self._attention(layer, normed)
        if is_last:  # nothing after the last attention needs other rows than those whose logits are asked for
            attended, stream = self._choose_rows(attended), self._choose_rows(stream)
        output = Part(f"{block}.attn_output", self._a.width)
        added = self._product(
            f"{name}.self_attn.o_proj", output, attended, self._a.heads * self._a.head_size, self._a.residual_scale
        )
        added = self._norm_after(f"{block}.post_attention_norm", f"{name}.post_attention_norm", added)
        has_norm = self._weights.has(f"{block}.ffn_norm.weight")
        if not self._a.is_parallel:
            normed, stream = self._norm(f"{block}.ffn_norm", f"{name}.post_attention_layernorm", stream, added)
        elif has_norm:
            normed, _ = self._norm(f"{block}.ffn_norm", f"{name}.post_attention_layernorm", stream, None)
        elif is_last:
            normed = self._choose_rows(normed)
        mlp = self._mlp(f"{block}.ffn", f"{name}.mlp", normed)
        mlp = self._norm_after(f"{block}.post_ffw_norm", f"{name}.post_feedforward_norm", mlp)
        return stream, self._add("Add", added, mlp) if self._a.is_parallel else mlp

    def _attention(self, layer: int, normed: ir.Value) -> ir.Value:
        """Add the attention up to its output's product, and the layer's KV cache."""
        a, block, name = self._a, f"blk.{layer}", f"model.layers.{layer}.self_attn"
        window = a.windows[layer]
        rope = a.windowed_rope if window else a.rope
        order = _order_in_file(a, head_order(a.head_size, len(rope.frequencies)))
        sizes = [heads * a.head_size for heads in (a.heads, a.kv_heads, a.kv_heads)]
        if a.family.has_joint_projection:
            joint = np.concatenate([_of_heads(order, a.heads + a.kv_heads), np.arange(sum(sizes[:2]), sum(sizes))])
            parts = [Part(f"{block}.attn_qkv", sum(sizes), joint)]
        else:
            orders = [_of_heads(order, a.heads), _of_heads(order, a.kv_heads), None]
            parts = [Part(f"{block}.attn_{n}", size, o) for n, size, o in zip("qkv", sizes, orders, strict=True)]
        if self._weights.has(f"{block}.attn_q_norm.weight"):
            inputs: list[ir.Value | None] = [
                self._product(f"{name}.{letter}_proj", part, normed, a.width)
                for letter, part in zip("qkv", parts, strict=True)
            ]
            for index, letter in enumerate("qk"):
                inputs[index] = self._norm_of_heads(
                    f"{block}.attn_{letter}_norm", f"{name}.{letter}_norm", inputs[index], order
                )
        else:
            inputs = [self._joint_product(f"layers.{layer}.qkv_proj", parts, normed, a.width), None, None]
        shape: list[int | str] = [1, a.kv_heads, "capacity", a.head_size]
        past = [self._input(f"past_key_values.{layer}.{part}", shape, ir.DataType.FLOAT) for part in ("key", "value")]
        node = ir.node(
            "GroupQueryAttention",
            [*inputs, *past, *self._lengths, *self._rope_tables(rope)],
            attributes={
                "num_heads": a.heads,
                "kv_num_heads": a.kv_heads,
                "scale": a.attention_scale,
                "do_rotary": 1,
                **({"local_window_size": window} if window else {}),
            },
            domain=MICROSOFT,
            num_outputs=3,
            name=f"layers.{layer}.attention",
        )
        self._graph.append(node)
        for part, present in zip(("key", "value"), node.outputs[1:], strict=True):
            present.name, present.shape, present.type = f"present.{layer}.{part}", ir.Shape(shape), _FLOAT
            self._graph.outputs.append(present)
        return node.outputs[0]

    def _mlp(self, block: str, name: str, normed: ir.Value) -> ir.Value:
        width, neurons = self._a.width, self._weights.outputs_of(f"{block}_up")
        up = self._product(f"{name}.up_proj", Part(f"{block}_up", neurons), normed, width)
        if self._weights.has(f"{block}_gate.weight"):
            gate = self._product(f"{name}.gate_proj", Part(f"{block}_gate", neurons), normed, width)
            up = self._add("Mul", self._activate(gate), up)
        else:
            up = self._activate(up)
        return self._product(f"{name}.down_proj", Part(f"{block}_down", width), up, neurons, self._a.residual_scale)

    def _activate(self, value: ir.Value) -> ir.Value:
        match self._a.family.activation:
            case "silu":
                return self._add("Mul", value, self._add("Sigmoid", value))
            case "gelu":
                return self._add("Gelu", value, domain=MICROSOFT)
            case "tanh gelu":
                return self._add("FastGelu", value, domain=MICROSOFT)

    def _logits(self, normed: ir.Value) -> ir.Value:
        tensor = _OUTPUT if self._weights.has(f"{_OUTPUT}.weight") else _EMBEDDING  # as ggml has it
        part = Part(tensor, self._a.vocabulary)
        return self._product("lm_head", part, normed, self._a.width, 1 / self._a.logit_scale)

    def _product(self, name: str, part: Part, hidden: ir.Value, inputs: int, factor: float = 1.0) -> ir.Value:
        """Add a product of ``hidden``, of the width ``inputs``, and its bias; ``factor`` multiplies the result."""
        return self._joint_product(name, [part], hidden, inputs, factor, weight=f"{name}.weight.T")

    def _joint_product(
        self, name: str, parts: list[Part], hidden: ir.Value, inputs: int, factor: float = 1.0, weight: str = ""
    ) -> ir.Value:
        """Add several products of ``hidden`` as one, whose results are side by side."""
        matrix = self._weights.product(weight or f"{name}.weight", parts, inputs, factor)
        out = self._add("MatMul", hidden, add_tensor(self._graph, matrix), name=name)
        bias = self._weights.bias(parts, factor)
        return out if bias is None else self._add("Add", out, add_constant(self._graph, f"{name}.bias", bias))

    def _norm(self, tensor: str, name: str, stream: ir.Value, addition: ir.Value | None) -> tuple[ir.Value, ir.Value]:
        """Add something to the stream and normalize it; return the result and the stream."""
        if self._a.family.norm == "layer":
            stream = stream if addition is None else self._add("Add", stream, addition)
            return self._add(
                "LayerNormalization", stream, *self._norm_weights(tensor, name), axis=-1, epsilon=self._a.epsilon
            ), stream
        if addition is None:
            return self._rms(stream, *self._norm_weights(tensor, name)), stream
        node = ir.node(
            "SkipSimplifiedLayerNormalization",
            [stream, addition, *self._norm_weights(tensor, name)],
            attributes={"epsilon": self._a.epsilon},
            domain=MICROSOFT,
            num_outputs=4,
        )
        self._graph.append(node)
        normed, _mean, _inverse, total = node.outputs
        _mean.name = _inverse.name = ""
        return normed, total

    def _norm_after(self, tensor: str, name: str, value: ir.Value) -> ir.Value:
        """Normalize what is added to the stream, in a family that does so."""
        if not self._weights.has(f"{tensor}.weight"):
            return value
        return self._rms(value, *self._norm_weights(tensor, name))

    def _norm_of_heads(self, tensor: str, name: str, value: ir.Value | None, order: NDArray[np.intp]) -> ir.Value:
        """Normalize the numbers of each head."""
        size = self._a.head_size
        weights = self._weights.vector(f"{tensor}.weight", size)[order]
        split = self._add("Reshape", value, self._sizes("split_heads", 0, 0, -1, size))
        normed = self._rms(split, add_constant(self._graph, f"{name}.weight", weights))
        return self._add("Reshape", normed, self._sizes("join_heads", 0, 0, -1))

    def _rms(self, value: ir.Value, weight: ir.Value) -> ir.Value:
        return self._add("SimplifiedLayerNormalization", value, weight, axis=-1, epsilon=self._a.epsilon, stash_type=1)

    def _norm_weights(self, tensor: str, name: str) -> list[ir.Value]:
        kinds = [kind for kind in ("weight", "bias") if kind == "weight" or self._weights.has(f"{tensor}.{kind}")]
        vectors = {kind: self._weights.vector(f"{tensor}.{kind}", self._a.width) for kind in kinds}
        return [add_constant(self._graph, f"{name}.{kind}", vector) for kind, vector in vectors.items()]

    def _rope_tables(self, rope: Rope) -> list[ir.Value]:
        if id(rope) not in self._tables:
            more = f".{len(self._tables)}" if self._tables else ""
            tables = Rotary(rope.frequencies, 1.0, self._a.context).tables()
            self._tables[id(rope)] = [
                add_constant(self._graph, name + more, table) for name, table in zip((COS, SIN), tables, strict=True)
            ]
        return self._tables[id(rope)]

    def _choose_rows(self, value: ir.Value) -> ir.Value:
        return self._add("Gather", value, self._rows, axis=1)

    def _sizes(self, name: str, *sizes: int) -> ir.Value:
        return self._graph.initializers.get(name) or add_constant(self._graph, name, np.array(sizes, np.int64))

    def _input(self, name: str, shape: list[int | str], kind: ir.DataType) -> ir.Value:
        value = ir.Value(name=name, shape=ir.Shape(shape), type=ir.TensorType(kind))
        self._graph.inputs.append(value)
        return value

    def _add(
        self, op_type: str, *inputs: ir.Value | None, domain: str = "", name: str | None = None, **attributes: Any
    ) -> ir.Value:
        """Add a node of one output, and return that."""
        node = ir.node(op_type, inputs, attributes=attributes, domain=domain, name=name)
        self._graph.append(node)
        return node.outputs[0]


def _order_in_file(architecture: Architecture, order: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return where the file has the numbers of a head that the graph has in ``order``."""
    if not architecture.family.has_paired_heads:
        return order
    paired: NDArray[np.intp] = np.arange(architecture.head_size).reshape(-1, 2).T.reshape(-1)
    return paired[order]


def _of_heads(order: NDArray[np.intp], heads: int) -> NDArray[np.intp]:
    """Return the order of the numbers of all heads, from that of one."""
    all_heads: NDArray[np.intp] = (np.arange(heads)[:, None] * len(order) + order).reshape(-1)
    return all_heads
