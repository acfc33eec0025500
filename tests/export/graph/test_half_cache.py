"""A KV cache in 16 bits, for models whose heads share no keys and values."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
import onnxruntime as ort
import pytest
from numpy.typing import NDArray

from export.graph.test_grouped_attention import BUFFERS, KV_HEADS, PAST, ROWS, SIZE, layer
from midfill_export.graph.half_cache import halve_cache

PACKED = np.random.default_rng(5).standard_normal((1, ROWS, 3 * KV_HEADS * SIZE)).astype(np.float32)


def attention(*, half: bool) -> ort.InferenceSession:
    """Load an attention whose heads share nothing, with what reads its result."""
    model = layer(KV_HEADS)
    attended = model.graph.outputs[0]
    reader = ir.node("Identity", [attended])
    reader.outputs[0].name, attended.name = "read", "attended"
    reader.outputs[0].type = ir.TensorType(ir.DataType.FLOAT)
    model.graph.append(reader)
    model.graph.outputs[0] = reader.outputs[0]
    assert not half or halve_cache(model.graph)
    return ort.InferenceSession(ir.to_proto(model).SerializeToString(), providers=["CPUExecutionProvider"])


def read(session: ort.InferenceSession, splits: list[int]) -> NDArray[np.float32]:
    """Run the rows after PAST in steps of those sizes; return their results."""
    half = session.get_inputs()[3].type == "tensor(float16)"
    buffers = [
        ort.OrtValue.ortvalue_from_numpy(buffer.astype(np.float16 if half else np.float32)) for buffer in BUFFERS
    ]
    outcomes, start = [], 0
    for size in splits:
        binding = session.io_binding()
        binding.bind_cpu_input("input_ids", np.zeros((1, size), np.int64))
        binding.bind_cpu_input("attention_mask", np.ones((1, PAST + start + size), np.int64))
        binding.bind_cpu_input("packed", np.ascontiguousarray(PACKED[:, start : start + size]))
        for part, buffer in zip(("key", "value"), buffers, strict=True):
            binding.bind_ortvalue_input(f"past_key_values.0.{part}", buffer)
            binding.bind_ortvalue_output(f"present.0.{part}", buffer)
        binding.bind_output("read")
        session.run_with_iobinding(binding)
        outcomes.append(binding.get_outputs()[-1].numpy())
        start += size
    return np.concatenate(outcomes, axis=1)


def test_half_cache_loses_little() -> None:
    """The results are those of FP32, within the precision of 16 bits."""
    session = attention(half=True)
    assert [value.type for value in session.get_inputs()[3:]] == ["tensor(float16)"] * 2
    assert np.abs(read(session, [ROWS]) - read(attention(half=False), [ROWS])).max() < 0.01


@pytest.mark.parametrize("splits", [[2, 3, 4], [7, 2]], ids=str)
def test_split_of_rows_changes_no_bit(splits: list[int]) -> None:
    """Drafts and the reuse of a cache stay exact."""
    session = attention(half=True)
    assert np.array_equal(read(session, splits), read(session, [ROWS]))


def test_model_that_shares_heads_keeps_its_cache() -> None:
    """Its cache is small, and its grouped attention is in FP32."""
    model = layer()
    assert not halve_cache(model.graph)
    assert {value.dtype for value in model.graph.inputs[3:]} == {ir.DataType.FLOAT}
