"""A checkpoint becomes a bundle through torch, on a tiny model; and what happens when a stage fails."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from midfill.common.cancel import CancelFlag
from midfill.common.errors import ExportError, SourceError
from midfill.completion.engine import load_engine
from midfill.completion.types import Request
from midfill.inference.bundle import load_bundle
from midfill.settings.schema import Settings
from midfill_export.build import bundle, verify
from midfill_export.build.from_checkpoint import bundle_from_checkpoint, trace_checkpoint
from midfill_export.loaders.checkpoint import open_checkpoint


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep notes of verified files out of the user's cache."""
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path_factory.mktemp("cache")))


def test_bundle_says_what_it_is(bundle_folder: Path) -> None:
    """The manifest of a finished bundle names the model, its prompt format and what was measured."""
    manifest = load_bundle(bundle_folder).manifest
    assert manifest.family == "qwen2"
    assert manifest.fim.order == "suffix-first"
    assert manifest.fim_tokens["middle"] == "<|fim_middle|>"
    assert manifest.fim.middle in manifest.stop_tokens
    assert (manifest.kv.layers, manifest.kv.heads, manifest.kv.head_size) == (2, 2, 16)
    assert manifest.context_length == 512
    assert manifest.verification.graph_max_difference < 1e-3
    assert 0.8 < manifest.verification.top1_agreement <= 1
    assert set(manifest.files) == {"model.onnx", "model.onnx.data", "tokenizer.json"}


def test_bundle_completes(bundle_folder: Path) -> None:
    """A finished bundle loads into an engine, which decodes the tokens asked for."""
    engine = load_engine(Settings(bundle=bundle_folder, max_tokens=8, deadline_ms=0))
    done = engine.complete(Request(text="def add(left, right):\n    return ", offset=33), CancelFlag())
    assert done.tokens > 0
    assert done.prompt_tokens > 5


def test_graph_has_one_attention_a_layer(checkpoint: Path, tmp_path: Path) -> None:
    """Each layer costs one GroupQueryAttention and about a dozen nodes before quantization."""
    exported = bundle_from_checkpoint(str(checkpoint), tmp_path / "out")
    assert exported.attention_nodes == 2
    assert exported.float_nodes < 15 * 2 + 20


def test_gguf_gives_the_same_model(checkpoint: Path, gguf_file: Path, tmp_path: Path) -> None:
    """A GGUF of the same weights gives the same FP32 graph, to the byte, and the same control tokens."""
    models = []
    for source in (checkpoint, gguf_file):
        scratch = tmp_path / source.name
        scratch.mkdir()
        models.append(trace_checkpoint(open_checkpoint(str(source)), scratch, lambda _: None))
    ours, theirs = models
    assert ours.description.fim == theirs.description.fim
    assert ours.path.with_name("model.onnx.data").read_bytes() == theirs.path.with_name("model.onnx.data").read_bytes()
    assert theirs.description.source.license == "MIT"
    assert len(theirs.description.source.sha256) == 64


def test_gguf_tokenizer_knows_control_tokens(gguf_file: Path) -> None:
    """A control token written in a prompt is one id, not the pieces of its spelling."""
    tokenizer, _ = open_checkpoint(str(gguf_file)).load_tokenizer()
    assert tokenizer.encode("<|fim_middle|>").ids == [tokenizer.token_to_id("<|fim_middle|>")]


def test_failed_export_keeps_the_old_bundle(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the graph is not the model, nothing is written and an older bundle stays as it was."""
    out = tmp_path / "out"
    bundle_from_checkpoint(str(checkpoint), out)
    before = load_bundle(out).manifest
    monkeypatch.setattr(verify, "PARITY_LIMIT", -1.0)
    with pytest.raises(ExportError, match="differs from the checkpoint"):
        bundle_from_checkpoint(str(checkpoint), out)
    assert load_bundle(out).manifest == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_full_disk_is_one_line(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that fails ends the export with a line that names the folder, and leaves nothing behind."""

    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bundle, "save_graph", no_space)
    with pytest.raises(ExportError, match="the disk is full") as caught:
        bundle_from_checkpoint(str(checkpoint), tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda folder: folder / "missing.gguf", "does not exist"),
        (lambda folder: folder, "no config.json"),
        (lambda folder: _write(folder / "text.gguf", b"not a model"), "not a GGUF file"),
        (lambda folder: _write(folder / "cut.gguf", b"GGUF\x03\x00"), "cannot be read"),
    ],
)
def test_wrong_source_is_one_line(make: Callable[[Path], Path], says: str, tmp_path: Path) -> None:
    """A source that is not there, or not a model, is refused with a line that says so."""
    with pytest.raises(SourceError, match=says) as caught:
        bundle_from_checkpoint(str(make(tmp_path)), tmp_path / "out")
    assert "\n" not in str(caught.value)


def test_checkpoint_without_tokenizer_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    """A checkpoint folder without a tokenizer is refused before its weights are read."""
    folder = tmp_path / "bare"
    shutil.copytree(checkpoint, folder, ignore=shutil.ignore_patterns("tokenizer*", "special_tokens*"))
    with pytest.raises(SourceError, match="tokenizer"):
        bundle_from_checkpoint(str(folder), tmp_path / "out")


def _write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
