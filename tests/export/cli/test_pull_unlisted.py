"""``midfill pull PATH`` for a file that the catalogue does not have."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from midfill.common.errors import LicenceRefused, SourceError
from midfill.inference.bundle import load_bundle
from midfill_export.cli.pull import run


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep everything out of the user's cache."""
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def arguments(file: Path, *, accepted: bool = False) -> argparse.Namespace:
    """Return the arguments of a pull of a file."""
    return argparse.Namespace(
        what=str(file), model="", accept_license=accepted, weights_only=False, tokenizer_only=False
    )


def without_licence(file: Path, copy: Path) -> Path:
    """Copy a GGUF whose licence is "MIT" with one that nobody knows."""
    data = file.read_bytes()
    at = data.index(b"MIT", data.index(b"general.license"))
    copy.write_bytes(data[:at] + b"odd" + data[at + 3 :])
    return copy


def test_its_licence_is_read_and_its_bundle_made(
    gguf_file: Path, cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file stays where it is, and the bundle is named after it."""
    assert run(arguments(gguf_file), tmp_path, "commercial") == 0
    made = load_bundle(tmp_path / "tiny-qwen2").manifest
    assert (made.name, made.source.license, made.source.file) == ("tiny-qwen2-f32", "MIT", gguf_file.name)
    assert not (cache / "weights").exists()
    written = capsys.readouterr()
    assert written.err.startswith("tiny-qwen2-f32, MIT, ")
    assert f'use it for suggestions by the setting bundle = "{tmp_path / "tiny-qwen2"}"' in written.err


def test_unknown_licence_is_asked_for(gguf_file: Path, tmp_path: Path) -> None:
    """Before anything is converted; for commercial use the answer does not help."""
    file = without_licence(gguf_file, tmp_path / "tiny.gguf")
    with pytest.raises(LicenceRefused, match=r"The licence of tiny is not known \(odd\): look it up where you got"):
        run(arguments(file), tmp_path / "bundles", "personal")
    with pytest.raises(LicenceRefused, match=r"tiny is refused, because the setting 'use' says commercial.*pull auto"):
        run(arguments(file, accepted=True), tmp_path / "bundles", "commercial")
    assert not (tmp_path / "bundles").exists()


def test_what_is_no_gguf_is_refused(tmp_path: Path) -> None:
    """In one line."""
    (tmp_path / "notes.gguf").write_text("hello")
    with pytest.raises(SourceError, match=r"notes\.gguf cannot be read as GGUF"):
        run(arguments(tmp_path / "notes.gguf"), tmp_path, "personal")
