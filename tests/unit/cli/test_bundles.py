"""What `complete` and `doctor` say about a bundle that is sound, missing or damaged."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from midfill.inference.bundle import FORMAT, GRAPH, MANIFEST, TOKENIZER
from unit.cli.running import Run, is_one_line
from unit.helpers import chain_graph, edit_manifest, write_bundle

pytestmark = pytest.mark.usefixtures("own_folders")


def flip(folder: Path, name: str) -> None:
    """Change one byte of a file."""
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no manifest": (lambda folder: (folder / MANIFEST).unlink(), "midfill pull"),
    "data cut short": (lambda folder: (folder / f"{GRAPH}.data").write_bytes(b"some"), "has 4 bytes instead of 12"),
    "byte flipped": (lambda folder: flip(folder, f"{GRAPH}.data"), "SHA-256 differs"),
    "manifest is no JSON": (lambda folder: (folder / MANIFEST).write_text("{"), "not valid JSON"),
    "another tool's manifest": (lambda folder: (folder / MANIFEST).write_text('{"name": "x"}'), "is no Midfill bundle"),
    "newer format": (lambda folder: edit_manifest(folder, format=FORMAT + 1), "upgrade Midfill"),
    "no tokenizer": (lambda folder: (folder / TOKENIZER).unlink(), f"{TOKENIZER} is missing"),
    "garbled tokenizer": (lambda folder: write_bundle(folder, tokenizer=b"\0\1"), f"{TOKENIZER} is no tokenizer"),
    "another model's tokenizer": (
        lambda folder: edit_manifest(folder, vocabulary=303, stop_tokens=[0], fim={"order": "prefix-only"}),
        "has tokens that the model does not have",
    ),
    "garbled graph": (write_bundle, "onnxruntime cannot load"),
    "another processor's": (
        lambda folder: edit_manifest(folder, target="quantum"),
        "for processors of the kind 'quantum'",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_bundle_that_cannot_be_used(damage: str, tmp_path: Path, code: Path, run: Run) -> None:
    """Each fault of a bundle is one line that says what to do, and exit code 1; the doctor finds it too."""
    spoil, complaint = DAMAGES[damage]
    folder = write_bundle(tmp_path / "bundle").path
    spoil(folder)
    ran = run("complete", f"{code}:1:1", "--bundle", folder)
    assert is_one_line(ran, code=1)
    assert complaint in ran.err
    diagnosis = run("doctor", "--json", "--bundle", folder)
    assert (diagnosis.code, diagnosis.err) == (1, "")
    faults = [check["detail"] for check in json.loads(diagnosis.out)["checks"] if not check["ok"]]
    assert len(faults) == 1
    assert complaint in faults[0]


def test_missing_bundle(code: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the folder, whether it is the default or from the environment."""
    ran = run("complete", f"{code}:1:1")
    assert is_one_line(ran, code=1)
    assert f"There is no model bundle in {Path.cwd() / 'cache' / 'bundles'}" in ran.err
    monkeypatch.setenv("MIDFILL_BUNDLE", "elsewhere")
    assert "There is no model bundle in elsewhere" in run("complete", f"{code}:1:1").err


def test_doctor_of_a_sound_installation(tmp_path: Path, run: Run) -> None:
    """Every check succeeds, and so does the command."""
    folder = write_bundle(tmp_path / "b", graph=chain_graph("1", anywhere=True)).path
    ran = run("doctor", "--json", "--bundle", folder)
    report = json.loads(ran.out)
    assert (ran.code, ran.err, report["ok"]) == (0, "", True)
    assert {"midfill", "bundle", "memory", "completion"} <= {check["name"] for check in report["checks"]}
    assert "FAIL" not in run("doctor", "--bundle", folder).out


def test_doctor_finds_a_model_that_says_nothing(bundle: Path, run: Run) -> None:
    """A bundle that is whole but completes nothing is a fault."""
    ran = run("doctor", "--json", "--bundle", bundle)
    faults = [check for check in json.loads(ran.out)["checks"] if not check["ok"]]
    assert ran.code == 1
    assert [(fault["name"], fault["ok"]) for fault in faults] == [("completion", False)]
    assert faults[0]["detail"].startswith("the model suggested nothing (blank): ")


def test_doctor_in_words(run: Run) -> None:
    """Without --json, each check is a line; a fault is exit code 1."""
    ran = run("doctor", "--bundle", "nowhere")
    assert (ran.code, ran.err) == (1, "")
    assert [line.split()[0] for line in ran.out.splitlines()] == [*["ok"] * 6, "FAIL"]
    assert "There is no model bundle in nowhere" in ran.out
