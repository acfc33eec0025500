"""``build_bundle``: the same for every FP32 model, and the whole bundle or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import onnx_ir as ir
import pytest

from midfill.common.errors import ExportError
from midfill.inference.bundle import load_bundle
from midfill_export.build import bundle, verify
from midfill_export.build.bundle import build_bundle, calibrate
from midfill_export.build.bundle_folder import Description
from midfill_export.build.from_gguf import GgufModel, describe_gguf
from midfill_export.loaders.gguf_file import open_gguf
from midfill_export.weights.weights import Weights


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep notes of verified files out of the user's cache."""
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def model(weights: Weights, gguf_file: Path) -> GgufModel:
    """Return the tiny model."""
    gguf = open_gguf(gguf_file)
    return GgufModel(describe_gguf(weights, gguf), gguf)


@dataclass(frozen=True)
class Wrapped:
    """A model of another class: what is built depends on the four names of ``FloatModel`` alone."""

    inner: GgufModel
    description: Description
    difference: float

    def open_graph(self) -> ir.Model:
        return self.inner.open_graph()

    def logits(self, samples: Sequence[verify.Sample]) -> list[verify.Logits]:
        return self.inner.logits(samples)


def test_any_float_model_will_do(model: GgufModel, tmp_path: Path) -> None:
    """The bundle has the description and the difference of the model, and the same graph to the byte."""
    build_bundle(model, tmp_path / "first", every_sample=8)
    other = Wrapped(model, replace(model.description, name="wrapped"), 0.25)
    manifest = build_bundle(other, tmp_path / "second", every_sample=8)
    assert manifest == load_bundle(tmp_path / "second").manifest
    assert (manifest.name, manifest.verification.graph_max_difference) == ("wrapped", 0.25)
    assert manifest.files == load_bundle(tmp_path / "first").manifest.files


def test_stages_are_reported(model: GgufModel, tmp_path: Path) -> None:
    """Calibration, INT8 and verification each have a line. The bundle is for every processor."""
    lines: list[str] = []
    manifest = build_bundle(model, tmp_path / "out", every_sample=8, progress=lines.append)
    assert [line.split(":")[0] for line in lines] == ["calibration", "int8", "verify"]
    assert (manifest.target, manifest.weight_limit) == ("any", 127)


def test_rotations_stay_in_fp32(model: GgufModel, tmp_path: Path) -> None:
    """No product in INT8 has a rotation for its weights: what it turns would be rounded once more."""
    build_bundle(model, tmp_path / "out", every_sample=8)
    graph = ir.load(load_bundle(tmp_path / "out").graph).graph
    weights = {
        op_type: {str(node.inputs[1].name) for node in graph if node.op_type == op_type and node.inputs[1] is not None}
        for op_type in ("MatMul", "MatMulIntegerToFloat")
    }
    assert any(name.startswith("rotation.") for name in weights["MatMul"])
    assert not any(name.startswith("rotation.") for name in weights["MatMulIntegerToFloat"])


def test_model_that_cannot_be_rotated_is_not_calibrated(model: GgufModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its moments are empty."""
    monkeypatch.setattr(bundle, "can_rotate", lambda _: False)
    moments = calibrate(model, lambda _: None)
    assert (moments.covariances, moments.squares) == ({}, {})


def test_failed_stage_leaves_the_old_bundle(model: GgufModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is one line; nothing unfinished stays, and an older bundle is as it was."""
    build_bundle(model, tmp_path / "out", every_sample=8)
    before = (tmp_path / "out" / "manifest.json").read_bytes()

    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bundle, "save_graph", no_space)
    with pytest.raises(ExportError, match="the disk is full"):
        build_bundle(model, tmp_path / "out", every_sample=8)
    assert (tmp_path / "out" / "manifest.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
