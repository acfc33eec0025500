"""The ONNX model, its errors, and the scripted model."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from midfill.common.cancel import CancelFlag, Cancelled
from midfill.common.errors import ModelError
from midfill.inference.bundle import KvLayout
from midfill.inference.kv_cache import KvCache
from midfill.inference.onnx_model import FEW_ROWS, LONG_PAST, Model, OnnxModel, ScriptedModel, runs
from unit.helpers import chain_graph, encode, manifest, write_bundle

LAYOUT = KvLayout(layers=1, heads=1, head_size=1)


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    """Return a real graph that generates "pass"."""
    path = tmp_path / "model.onnx"
    path.write_bytes(chain_graph("pass"))
    return path


def preferred(model: Model, ids: list[int], cache: KvCache, rows: int = 1) -> list[int]:
    """Return the most likely token of each of the last ``rows`` rows of a step."""
    chosen: list[int] = model.step(ids, cache, rows, CancelFlag()).argmax(-1).tolist()
    return chosen


def test_graph_is_run_step_by_step(graph: Path) -> None:
    """A step returns the rows of logits that were requested, and the cache holds its tokens."""
    model, tokens = OnnxModel(graph, LAYOUT, threads=1), encode("pass")
    cache = model.new_cache(8)
    assert preferred(model, [5, manifest().fim.middle], cache) == tokens[:1]
    assert preferred(model, tokens, cache, rows=len(tokens)) == [*tokens[1:], manifest().stop_tokens[0]]
    assert cache.tokens == [5, manifest().fim.middle, *tokens]


@pytest.mark.parametrize("content", [b"", b"garbage", b"\0" * 1000], ids=["empty", "garbage", "zeros"])
def test_file_that_is_not_a_graph(content: bytes, tmp_path: Path) -> None:
    """The message names the file and says what to do, without onnxruntime's own message."""
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"\Aonnxruntime cannot load .+model\.onnx \(\w+\): export it again\.\Z"):
        OnnxModel(path, LAYOUT)


def test_graph_that_is_missing(tmp_path: Path) -> None:
    """A missing file is the same kind of error."""
    with pytest.raises(ModelError, match=r"none\.onnx"):
        OnnxModel(tmp_path / "none.onnx", LAYOUT)


@pytest.mark.parametrize(
    ("layout", "complaint"),
    [
        (KvLayout(layers=2, heads=1, head_size=1), r"has no input past_key_values\.1\.key"),
        (KvLayout(layers=1, heads=1, head_size=1, outputs="now.{layer}.{part}"), r"has no output now\.0\.key"),
        (KvLayout(layers=1, heads=2, head_size=1), r"has past_key_values\.0\.key \[1, 1, 'capacity', 1\], and its"),
        (KvLayout(layers=1, heads=1, head_size=8), r"has past_key_values\.0\.key \[1, 1, 'capacity', 1\], and its"),
    ],
    ids=["input", "output", "heads", "size of a head"],
)
def test_graph_of_another_model(layout: KvLayout, complaint: str, graph: Path) -> None:
    """The message names the input or output that the manifest has and the graph lacks."""
    with pytest.raises(ModelError, match=complaint):
        OnnxModel(graph, layout)


def test_manifest_that_lies_about_the_vocabulary(tmp_path: Path) -> None:
    """Its tokens would be looked for where the graph has none."""
    size = manifest().vocabulary
    with pytest.raises(ModelError, match=rf"has logits \[1, 'rows', {size}\], and its manifest says otherwise: export"):
        OnnxModel.of(write_bundle(tmp_path, graph=chain_graph("pass"), vocabulary=size + 1))


def test_graph_with_more_layers_than_the_manifest(tmp_path: Path) -> None:
    """It could not be run without the others."""
    onnx = pytest.importorskip("onnx", reason="needs the export extra")
    model = onnx.load_from_string(chain_graph("pass"))
    second = onnx.helper.make_tensor_value_info("past_key_values.1.key", onnx.TensorProto.FLOAT, [1, 1, "capacity", 1])
    model.graph.input.append(second)
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match=r"needs past_key_values\.1\.key, which its manifest does not tell"):
        OnnxModel(tmp_path / "model.onnx", LAYOUT)


def test_tokens_beyond_the_cache(graph: Path) -> None:
    """The message names the setting to lower, and the cache is unchanged."""
    model = OnnxModel(graph, LAYOUT)
    cache = model.new_cache(2)
    preferred(model, [1, 2], cache)
    with pytest.raises(ModelError, match=r"3 tokens do not fit the context of 2: lower 'contextTokens'"):
        preferred(model, [3], cache)
    assert cache.tokens == [1, 2]


def test_step_that_fails(graph: Path) -> None:
    """The error is one line without onnxruntime's own message, and the cache is unchanged."""
    model = OnnxModel(graph, LAYOUT)
    cache = model.new_cache(8)
    with pytest.raises(ModelError, match=r"\Athe model failed on 1 tokens \(\w+\)\Z"):
        preferred(model, [10**9], cache)
    assert cache.tokens == []
    assert preferred(model, [manifest().fim.middle], cache) == encode("pass")[:1]


def test_cancelled_step_leaves_the_cache_unchanged(graph: Path) -> None:
    """With a set flag nothing is computed."""
    model, flag = OnnxModel(graph, LAYOUT), CancelFlag()
    cache = model.new_cache(8)
    flag.set("cancelled")
    with pytest.raises(Cancelled):
        model.step([1], cache, 1, flag)
    assert cache.tokens == []


def test_script_is_generated_after_any_prompt() -> None:
    """The script comes token by token, then always the end token."""
    model = ScriptedModel([7, 8], end=9, vocabulary=10)
    cache = model.new_cache(100)
    generated = preferred(model, [1, 2, 3], cache)
    for _ in range(3):
        generated += preferred(model, generated[-1:], cache)
    assert generated == [7, 8, 9, 9]
    assert model.steps == [3, 1, 1, 1]


def test_script_is_generated_in_each_row_of_a_draft() -> None:
    """A step of several rows gives the same tokens as several steps."""
    model = ScriptedModel([7, 8, 6], end=9, vocabulary=10)
    cache = model.new_cache(100)
    assert preferred(model, [1, 2], cache) == [7]
    assert preferred(model, [7, 8, 6], cache, rows=3) == [8, 6, 9]


def test_script_begins_again_with_the_next_prompt() -> None:
    """After another prompt, the script begins again."""
    model = ScriptedModel([7, 8], end=9, vocabulary=10)
    cache = model.new_cache(100)
    preferred(model, [1, 2], cache)
    preferred(model, [7], cache)
    cache.reuse([1, 3, 4])
    assert preferred(model, [3, 4], cache) == [7]


def test_scripted_model_can_be_cancelled() -> None:
    """With a set flag nothing is computed, as with the real model."""
    model, flag = ScriptedModel([7], end=9, vocabulary=10), CancelFlag()
    flag.set("cancelled")
    cache = model.new_cache(100)
    with pytest.raises(Cancelled):
        model.step([1], cache, 1, flag)
    assert (cache.tokens, model.steps) == ([], [])


def test_logits_have_the_shape_and_type_that_decoding_expects() -> None:
    """Logits are 32-bit floats of shape (rows, V)."""
    logits = ScriptedModel([7], end=9, vocabulary=10).step([1, 2, 3], KvCache(None, 9), 2, CancelFlag())
    assert logits.shape == (2, 10)
    assert logits.dtype == np.float32


def test_onnxruntime_is_told_to_report_nothing() -> None:
    """Importing the model turns usage reports off, whatever the environment says."""
    program = "import midfill.inference.onnx_model, os; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    environment = {**os.environ, "ORT_DISABLE_TELEMETRY": "0"}
    ran = subprocess.run(
        [sys.executable, "-c", program], check=False, env=environment, stdout=subprocess.PIPE, text=True, timeout=120
    )
    assert ran.stdout == "1\n"


@given(
    st.integers(0, 2 * LONG_PAST),
    st.one_of(st.integers(1, 3 * FEW_ROWS), st.integers(1, LONG_PAST)),
    st.integers(0, FEW_ROWS),
)
@example(LONG_PAST - 5, 20, 12)
@example(LONG_PAST, FEW_ROWS + 5, 10)
def test_draft_tokens_get_the_attention_of_single_steps(past: int, new: int, drafted: int) -> None:
    """A draft token gets the same kind of attention with a prompt's rest as in a step of its own."""

    def kinds(past: int, tokens: int, rows: int) -> list[bool]:
        return [run.grouped for run in runs(LONG_PAST - past, tokens, rows) for _ in range(run.tokens)]

    together = kinds(past, new + drafted, drafted + 1)
    alone = kinds(past, new, 1)
    for number in range(drafted):
        alone += kinds(past + new + number, 1, 1)
    assert together == alone


@given(st.integers(0, 2 * LONG_PAST), st.integers(1, 4 * FEW_ROWS), st.data())
def test_runs_make_up_the_step(past: int, tokens: int, data: st.DataObject) -> None:
    """Each token is in one run, the logits are those of the last rows, and no long run uses grouped attention."""
    rows = data.draw(st.integers(0, tokens))
    split = list(runs(LONG_PAST - past, tokens, rows))
    assert sum(run.tokens for run in split) == tokens
    has_logits = [row >= run.tokens - run.rows for run in split for row in range(run.tokens)]
    assert has_logits == [row >= tokens - rows for row in range(tokens)]
    assert all(run.tokens <= FEW_ROWS for run in split if run.grouped)
