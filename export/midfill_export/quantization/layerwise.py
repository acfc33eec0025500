"""Run an FP32 graph a few layers at a time, so that only their weights are in memory.

All prompts go through one piece of the graph before the next piece is loaded. Between two pieces only the residual
stream of each prompt is kept, which is small. So each weight is read once, and the whole model is never in memory.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx_ir as ir
import onnxruntime as ort
from numpy.typing import NDArray
from onnx_ir.passes import common as passes

from midfill.inference import cores
from midfill_export.graph.nodes import size_of, tensor_of

Array = NDArray[Any]
_BEGINNINGS = ("SimplifiedLayerNormalization", "SkipSimplifiedLayerNormalization", "LayerNormalization")
"""The nodes before which a graph may be cut."""
_MIN_PIECE_BYTES = 100_000_000
"""Minimum size of the weights of a piece; the last piece may have less."""
_MAX_PACKED_BYTES = 200_000_000
"""Larger weights, those with a row for each token, are passed as inputs, which onnxruntime neither copies nor packs. It
packs the others, which makes them a quarter faster."""


def prompt_feeds(graph: ir.Graph, ids: Sequence[int], rows: int) -> dict[str, Array]:
    """Return the inputs for which a graph computes the logits of the last ``rows`` of ``ids``."""
    feeds: dict[str, Array] = {
        "input_ids": np.asarray([ids], np.int64),
        "attention_mask": np.ones((1, len(ids)), np.int64),
        "logit_rows": np.arange(len(ids) - rows, len(ids), dtype=np.int64),
    }
    for value in graph.inputs:
        if str(value.name).startswith("past_key_values."):
            feeds[str(value.name)] = np.zeros((1, size_of(value, 1), 0, size_of(value, 3)), np.float32)
    return feeds


def run_in_pieces(
    model: ir.Model,
    outputs: Sequence[ir.Value],
    feeds: Sequence[Mapping[str, Array]],
    on_output: Callable[[int, ir.Value, Array], None],
    progress: Callable[[float], None] = lambda _: None,
) -> None:
    """Run a model once for each of ``feeds``; ``model`` is changed and cannot be used afterwards.

    Args:
        model: A graph without subgraphs.
        outputs: The values to compute; they need not be outputs of the graph.
        feeds: The inputs of each run by name; inputs that the graph does not read are ignored.
        on_output: Called with the number of the run, an output, and its array.
        progress: Called after each piece with the share that is done, 0 to 1.
    """
    graph = model.graph
    graph.outputs[:] = outputs
    passes.RemoveUnusedNodesPass()(model)
    known = [dict(feed) for feed in feeds]
    pieces = list(_pieces(graph))
    for done, nodes in enumerate(pieces):
        later = {value for piece in pieces[done + 1 :] for value in _reads(piece)}
        made = dict.fromkeys(value for node in nodes for value in node.outputs)
        reads = [value for value in _reads(nodes) if value not in made]
        shown = [value for value in made if value in later or value.is_graph_output()]
        for value in reads:  # fused values have no type, and onnxruntime needs the type of an input
            value.type = ir.TensorType(ir.DataType.from_numpy(known[0][str(value.name)].dtype))
        session = _session(model, reads, shown)
        for number, values in enumerate(known):
            given = session.run(shown, {str(value.name): values[str(value.name)] for value in reads})
            for value in reads:
                if value not in later:
                    del values[str(value.name)]
            for value, array in zip(shown, given, strict=True):
                if value.is_graph_output():
                    on_output(number, value, array)
                if value in later:
                    values[str(value.name)] = array
        del session
        gc.collect()  # a session is part of a reference cycle and keeps its weights
        progress((done + 1) / len(pieces))


@dataclass(frozen=True)
class _Session:
    session: ort.InferenceSession
    packed: Mapping[str, ort.OrtValue]
    """Weights that the session reads without copying them."""
    fed: Mapping[str, Array]
    """Weights that are passed in each run."""

    def run(self, shown: Sequence[ir.Value], inputs: Mapping[str, Array]) -> list[Array]:
        arrays: list[Array] = self.session.run([str(value.name) for value in shown], {**self.fed, **inputs})
        return arrays


def _pieces(graph: ir.Graph) -> Iterator[list[ir.Node]]:
    """Yield the nodes in order, cut before norms, where hardly more than the residual stream is passed on."""
    piece: list[ir.Node] = []
    size = 0
    for node in graph:
        if node.op_type in _BEGINNINGS and size >= _MIN_PIECE_BYTES:
            yield piece
            piece, size = [], 0
        piece.append(node)
        size += sum(tensor_of(value).nbytes for value in node.inputs if value is not None and value.is_initializer())
    yield piece


def _reads(nodes: Sequence[ir.Node]) -> list[ir.Value]:
    """Return the values that nodes read, without constants; each once."""
    inputs = (value for node in nodes for value in node.inputs)
    return list(dict.fromkeys(value for value in inputs if value is not None and not value.is_initializer()))


def _session(model: ir.Model, reads: Sequence[ir.Value], shown: Sequence[ir.Value]) -> _Session:
    """Make a session of the part of the graph between ``reads`` and ``shown``."""
    part = ir.convenience.extract(model.graph, reads, shown)
    fed: dict[str, Array] = {}
    packed: dict[str, ort.OrtValue] = {}
    for name, value in list(part.initializers.items()):
        array = np.ascontiguousarray(tensor_of(value).numpy())
        if array.dtype != np.float32:  # sizes, from which onnxruntime infers shapes: it wants them in the graph itself
            continue
        if array.nbytes > _MAX_PACKED_BYTES:
            fed[name] = array
            del part.initializers[name]
            value.const_value = None
            part.inputs.append(value)
        else:
            packed[name] = ort.OrtValue.ortvalue_from_numpy(array)
            value.const_value = ir.ExternalTensor(
                "handed over", 0, array.nbytes, tensor_of(value).dtype, shape=ir.Shape(array.shape), name=name
            )
    options = ort.SessionOptions()
    options.intra_op_num_threads = cores.usable().default_threads().number
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # numpy works between two runs
    options.add_external_initializers(list(packed), list(packed.values()))
    written = ir.to_proto(ir.Model(part, ir_version=model.ir_version)).SerializeToString()
    return _Session(ort.InferenceSession(written, options, providers=["CPUExecutionProvider"]), packed, fed)
