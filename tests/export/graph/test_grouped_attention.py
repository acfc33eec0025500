"""Grouped attention gives the results of the fused operator."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx_ir as ir
import onnxruntime as ort
import pytest
from numpy.typing import NDArray

from midfill.common.cancel import CancelFlag
from midfill.inference import onnx_model as engine
from midfill.inference.bundle import load_bundle
from midfill.inference.onnx_model import OnnxModel
from midfill_export.graph.grouped_attention import GROUPED_ROWS, add_grouped_attention
from midfill_export.graph.nodes import MICROSOFT, add_constant

HEADS, KV_HEADS, SIZE, CAPACITY, PAST = 6, 2, 16, 40, 20
ROWS = 9
RANDOM = np.random.default_rng(3)
PACKED = RANDOM.standard_normal((1, ROWS, (HEADS + 2 * KV_HEADS) * SIZE), np.float32)
BUFFERS = RANDOM.standard_normal((2, 1, KV_HEADS, CAPACITY, SIZE), np.float32)

Attended = tuple[NDArray[np.float32], NDArray[np.float32]]


def layer(heads: int = HEADS) -> ir.Model:
    """Make a graph of one attention, with the inputs that a decoder has."""

    def given(name: str, kind: ir.DataType, *shape: int | str) -> ir.Value:
        return ir.Value(name=name, shape=ir.Shape(shape), type=ir.TensorType(kind))

    width = (heads + 2 * KV_HEADS) * SIZE
    inputs = [
        given("input_ids", ir.DataType.INT64, 1, "new"),
        given("attention_mask", ir.DataType.INT64, 1, "total"),
        given("packed", ir.DataType.FLOAT, 1, "new", width),
        given("past_key_values.0.key", ir.DataType.FLOAT, 1, KV_HEADS, "capacity", SIZE),
        given("past_key_values.0.value", ir.DataType.FLOAT, 1, KV_HEADS, "capacity", SIZE),
    ]
    graph = ir.Graph(inputs, [], nodes=[], opset_imports={"": 18, MICROSOFT: 1}, name="layer")
    angles = np.outer(np.arange(CAPACITY), 100.0 ** -np.linspace(0, 1, SIZE // 2)).astype(np.float32)
    cos, sin = (add_constant(graph, name, table) for name, table in (("cos", np.cos(angles)), ("sin", np.sin(angles))))
    total = ir.node("Size", [inputs[1]])
    total_32 = ir.node("Cast", [total.outputs[0]], attributes={"to": ir.DataType.INT32})
    last = ir.node("Sub", [total_32.outputs[0], add_constant(graph, "one", np.array([1], np.int32))])
    attention = ir.node(
        "GroupQueryAttention",
        [inputs[2], None, None, *inputs[3:], last.outputs[0], total_32.outputs[0], cos, sin],
        attributes={"num_heads": heads, "kv_num_heads": KV_HEADS, "scale": SIZE**-0.5, "do_rotary": 1},
        domain=MICROSOFT,
        num_outputs=3,
        name="layers.0.attention",
    )
    graph.extend([total, total_32, last, attention])
    for output, name in zip(attention.outputs, ("attended", "present.0.key", "present.0.value"), strict=True):
        output.name, output.type = name, ir.TensorType(ir.DataType.FLOAT)
        graph.outputs.append(output)
    return ir.Model(graph, ir_version=8)


@pytest.fixture(scope="module")
def session() -> ort.InferenceSession:
    """Load the layer with grouped attention."""
    model = layer()
    add_grouped_attention(model.graph)
    return ort.InferenceSession(ir.to_proto(model).SerializeToString(), providers=["CPUExecutionProvider"])


def attend(session: ort.InferenceSession, splits: list[int], *, grouped: bool, padding: int = 0) -> Attended:
    """Run the rows after PAST in steps of those sizes; return their results and the buffers."""
    buffers = [ort.OrtValue.ortvalue_from_numpy(buffer.copy()) for buffer in BUFFERS]
    outcomes, start = [], 0
    for size in splits:
        binding = session.io_binding()
        rows = np.pad(PACKED[:, start : start + size], [(0, 0), (0, padding), (0, 0)], constant_values=9)
        binding.bind_cpu_input("input_ids", np.zeros((1, size + padding), np.int64))
        binding.bind_cpu_input("attention_mask", np.ones((1, PAST + start + size + padding), np.int64))
        binding.bind_cpu_input("packed", rows)
        if grouped:
            binding.bind_ortvalue_input(GROUPED_ROWS, ort.OrtValue.ortvalue_from_numpy(np.array([size])))
        for part, buffer in zip(("key", "value"), buffers, strict=True):
            binding.bind_ortvalue_input(f"past_key_values.0.{part}", buffer)
            binding.bind_ortvalue_output(f"present.0.{part}", buffer)
        binding.bind_output("attended")
        session.run_with_iobinding(binding)
        outcomes.append(binding.get_outputs()[-1].numpy()[:, : size + padding])
        start += size
    return np.concatenate(outcomes, axis=1), np.stack([buffer.numpy() for buffer in buffers])


def test_groups_attend_as_the_fused_operator_does(session: ort.InferenceSession) -> None:
    """The results are equal but for rounding, and the buffers hold the same keys and values."""
    expected, expected_buffers = attend(session, [ROWS], grouped=False)
    found, buffers = attend(session, [ROWS], grouped=True)
    assert np.abs(found - expected).max() < 1e-5
    assert np.abs(buffers - expected_buffers).max() < 1e-5
    assert (buffers[..., PAST : PAST + ROWS, :] != BUFFERS[..., PAST : PAST + ROWS, :]).any()
    kept = np.r_[:PAST, PAST + ROWS : CAPACITY]
    assert (buffers[..., kept, :] == BUFFERS[..., kept, :]).all()


@pytest.mark.parametrize("splits", [[1] * ROWS, [2, 3, 4], [8, 1]], ids=str)
def test_split_of_grouped_rows_changes_no_bit(splits: list[int], session: ort.InferenceSession) -> None:
    """The result of a row does not depend on the other rows of the step, so drafts can be checked together."""
    expected, expected_buffers = attend(session, [ROWS], grouped=True)
    found, buffers = attend(session, splits, grouped=True)
    assert (found == expected).all()
    assert (buffers == expected_buffers).all()


def test_padding_changes_nothing(session: ort.InferenceSession) -> None:
    """A padding row gets the result of the last row, and changes nothing in the buffers."""
    expected, expected_buffers = attend(session, [1], grouped=True)
    found, buffers = attend(session, [1], grouped=True, padding=1)
    assert (found == expected).all(), "both rows"
    assert (buffers == expected_buffers).all()


def test_heads_that_share_nothing_are_left_alone() -> None:
    """If each query head has its own keys, the graph stays as it is."""
    model = layer(KV_HEADS)
    add_grouped_attention(model.graph)
    assert GROUPED_ROWS not in model.graph.initializers
    assert [node.op_type for node in model.graph] == ["Size", "Cast", "Sub", "GroupQueryAttention"]


@pytest.mark.parametrize("splits", [[1] * 20, [7, 13], [3, 1, 16], [19, 1]], ids=str)
def test_steps_of_a_bundle_change_no_bit_after_a_long_past(
    splits: list[int], bundle_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if only some tokens of a step are after the position from which heads are grouped, and after a cut."""
    monkeypatch.setattr(engine, "LONG_PAST", 30)
    bundle = load_bundle(bundle_folder)
    assert GROUPED_ROWS in {value.name for value in ir.load(bundle.graph).graph.inputs}
    model, flag = OnnxModel(bundle.graph, bundle.manifest.kv), CancelFlag()
    ids = RANDOM.integers(0, bundle.manifest.vocabulary, 45).tolist()
    cache = model.new_cache(60)
    model.step(ids, cache, 1, flag)
    cache.truncate(25)
    expected = model.step(ids[25:], cache, 20, flag).copy()
    cache.truncate(25)
    found, start = [], 25
    for size in splits:
        found.append(model.step(ids[start : start + size], cache, size, flag).copy())
        start += size
    assert (np.concatenate(found) == expected).all()
    assert cache.tokens == ids
