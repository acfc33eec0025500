"""What is known of a source before its weights are read."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from midfill.common.errors import LicenceRefused, SourceError
from midfill_export.build.from_checkpoint import bundle_from_checkpoint
from midfill_export.loaders.checkpoint import open_checkpoint


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a checkpoint's folder, without weights."""
    folder = tmp_path / "stable-code-3b"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    return folder


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ("---\nlicense: apache-2.0\n---\n# A model\n", "apache-2.0"),
        ("---\nlicense: other\n---\n", "other"),
        ("---\nlicense: other\nlicense_name: stabilityai-community\n---\n", "stabilityai-community"),
        ("---\nlanguage: code\n---\n", "unknown"),
        ("# No head\n", "unknown"),
        ("---\nlicense: [\n---\n", "unknown"),
        ("---\nlicense: 7\n---\n", "unknown"),
        ("\x00", "unknown"),
    ],
    ids=["named", "other", "its own name", "not named", "no head", "no YAML", "a number", "no text"],
)
def test_licence_of_a_checkpoint_is_its_cards(folder: Path, card: str, licence: str) -> None:
    """A card that says nothing, or cannot be read, leaves it unknown."""
    (folder / "README.md").write_text(card)
    assert open_checkpoint(str(folder)).source.license == licence


def test_licence_of_a_checkpoint_without_a_card_is_unknown(folder: Path) -> None:
    """Nothing else names it."""
    assert open_checkpoint(str(folder)).source.license == "unknown"


def test_licence_that_was_not_accepted_ends_an_export_before_it_begins(folder: Path, tmp_path: Path) -> None:
    """The licence is reported, and nothing is loaded: the folder has no weights."""
    lines: list[str] = []
    with pytest.raises(LicenceRefused, match="--accept-license"):
        bundle_from_checkpoint(str(folder), tmp_path / "bundle", progress=lines.append)
    assert "licence: stabilityai-community (Stability AI's: personal use" in lines[0]
    assert not (tmp_path / "bundle").exists()


def test_licence_of_a_strange_card_fits_into_a_line(folder: Path) -> None:
    """It is printed, and kept in the bundle's manifest."""
    (folder / "README.md").write_text('---\nlicense: "\\e[2J' + "x" * 1000 + '"\n---\n')
    licence = open_checkpoint(str(folder)).source.license
    assert licence.startswith("\\x1b[2Jxx")
    assert len(licence) < 100


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
def test_pipe_and_device_are_no_sources(tmp_path: Path) -> None:
    """Neither are they taken for names on the hub."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(SourceError, match=f"{path} is neither a file nor a folder: name a GGUF file"):
            open_checkpoint(str(path))


def test_damaged_gguf_is_refused_before_anything_else_is_done_with_it(tmp_path: Path) -> None:
    """Not even its hash is computed."""
    file = tmp_path / "model.gguf"
    with file.open("wb") as opened:
        opened.write(b"GGUF" + b"\xff" * 100)
        opened.truncate(1 << 40)
    with pytest.raises(SourceError, match="cannot be read as GGUF"):
        open_checkpoint(str(file))


def test_code_of_a_checkpoint_does_not_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is asked whether it may."""
    monkeypatch.setattr("builtins.input", lambda _: "y")
    classes = {"AutoConfig": "own.Config", "AutoModelForCausalLM": "own.Model", "AutoTokenizer": ["own.T", "own.T"]}
    for name in ("config.json", "tokenizer_config.json"):
        (folder / name).write_text(json.dumps({"model_type": "own", "auto_map": classes}))
    (folder / "own.py").write_text(f"open({str(folder / 'it-ran')!r}, 'w').close()\n")
    checkpoint = open_checkpoint(str(folder))
    with pytest.raises(SourceError):
        checkpoint.load_model()
    with pytest.raises(SourceError):
        checkpoint.load_tokenizer()
    assert not (folder / "it-ran").exists()
