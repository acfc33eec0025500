"""A template is made of a GGUF, and computes what the checkpoint does."""

from __future__ import annotations

from pathlib import Path

import pytest

from midfill.common.errors import ExportError
from midfill_export.build import verify
from midfill_export.build.make_template import make_template
from midfill_export.graph import template


def test_template_records_its_difference(gguf_file: Path, tmp_path: Path) -> None:
    """The difference from the checkpoint is measured, reported and kept."""
    lines: list[str] = []
    make_template(str(gguf_file), tmp_path / "tiny.onnx", lines.append)
    difference = template.difference_of(tmp_path / "tiny.onnx")
    assert 0 < difference < 1e-3
    assert f"within {difference:.1e} of the checkpoint's" in lines[-1]
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.onnx"]


def test_checkpoint_folder_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    """A template needs the tensors of a GGUF."""
    with pytest.raises(ExportError, match="is not a GGUF file"):
        make_template(str(checkpoint), tmp_path / "out.onnx")


def test_template_of_another_function_is_not_written(
    gguf_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A template whose logits differ too much is not kept."""
    monkeypatch.setattr(verify, "PARITY_LIMIT", -1.0)
    with pytest.raises(ExportError, match="the template differs from the checkpoint"):
        make_template(str(gguf_file), tmp_path / "out.onnx")
    assert list(tmp_path.iterdir()) == []
