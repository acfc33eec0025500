"""A tiny model is tuned on a small project: it fills its gaps better, goes on where it was killed, and is served."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from edit_releases import write_releases
from lengths import only_at_length
from midfill.cli.main import main
from midfill.common.cancel import CancelFlag
from midfill.completion.engine import load_engine
from midfill.completion.types import Request
from midfill.inference.bundle import load_bundle
from midfill.settings.schema import Settings
from midfill_export.tuning import training, tune
from midfill_export.tuning.scoring import Score

torch = pytest.importorskip("torch")


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """Make a project of which every file is much like the others."""
    folder = tmp_path / "code"
    folder.mkdir()
    for number in range(12):
        lines = [
            f"def area_{number}_{place}(width, height):\n    return width * height + {place}\n" for place in range(40)
        ]
        (folder / f"shapes_{number}.py").write_text("\n\n".join(lines))
    return folder


def brief(monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    """Let a minute of training last some steps, however fast the machine is."""
    readings = itertools.count(step=60 / steps)  # one more at the start and one at the end of each step
    clock = SimpleNamespace(
        monotonic=readings.__next__, time=time.time, strftime=time.strftime, localtime=time.localtime
    )
    monkeypatch.setattr(training, "time", clock)


def test_tuned_model_fills_gaps_better_and_is_served(
    checkpoint: Path,
    code: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Perplexity falls on files that were not learnt; the bundle says what it is and completes; no checkpoint stays."""
    brief(monkeypatch, 40)
    out = tmp_path / "bundle"
    command = ["tune", str(code), "--base", str(checkpoint), "--minutes", "1", "-o", str(out)]
    assert main([*command, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["after"]["perplexity"] < 0.9 * said["before"]["perplexity"]
    assert said["previous"] is None
    assert said["samples"] > 0
    manifest = load_bundle(out).manifest
    assert manifest.name == f"{checkpoint.name}, tuned"
    assert str(code) not in json.dumps(json.loads((out / "manifest.json").read_text()))
    engine = load_engine(Settings(bundle=out, deadline_ms=0))
    text = "def area(width, height):\n    return "
    request = Request(text=text, offset=len(text), path="a.py", language="python", unfiltered=True)
    assert engine.complete(request, CancelFlag()).tokens > 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle", "code"]

    # once more, and better: what was there is kept, and can be gone back to
    brief(monkeypatch, 4)
    scores = iter([Score(5.5, 0.1, 48), Score(5.0, 0.1, 48), Score(5.0, 0.1, 48)])
    monkeypatch.setattr(tune, "score", lambda *_: next(scores))
    assert main(command) == 0
    assert f"the previous bundle is kept in {out}.previous" in capsys.readouterr().out
    assert load_bundle(Path(f"{out}.previous")).manifest == manifest
    assert load_bundle(out).manifest.folder == "v2"


@only_at_length
def test_next_edits_are_learnt(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From releases to a bundle: perplexity falls on projects that were kept apart."""
    brief(monkeypatch, 60)
    releases, out = tmp_path / "releases", tmp_path / "bundle"
    releases.mkdir()
    write_releases(releases)
    command = ["tune", str(releases), "--edits", "--base", str(checkpoint), "--minutes", "1", "-o", str(out)]
    assert main([*command, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["after"]["perplexity"] < said["before"]["perplexity"]
    assert load_bundle(out).manifest.edit_format == "plain"


def test_worse_model_is_not_installed(
    checkpoint: Path,
    code: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What learnt nothing, or the wrong thing, leaves the bundle there as it is."""
    brief(monkeypatch, 4)
    out = tmp_path / "bundle"
    out.mkdir()
    (out / "manifest.json").write_text("damaged", encoding="utf-8")
    scores = iter([Score(5.0, 0.1, 48), Score(5.5, 0.1, 48)])
    monkeypatch.setattr(tune, "score", lambda *_: next(scores))
    assert main(["tune", str(code), "--base", str(checkpoint), "--minutes", "1", "-o", str(out)]) == 1
    errors = capsys.readouterr().err.splitlines()
    assert "(in FP32: perplexity 5.000 before, 5.500 after): no bundle was changed" in errors[-1]
    assert (out / "manifest.json").read_text(encoding="utf-8") == "damaged"
    assert [path.name for path in out.iterdir()] == ["manifest.json"]


def interrupted(*arguments: object) -> str:
    """Tune until the model is trained, then press Ctrl-C; return what was said."""
    command = [sys.executable, "-m", "midfill", "tune", *map(str, arguments)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        assert process.stderr is not None
        said = ""
        while "training:" not in said:
            line = process.stderr.readline()
            assert line, said
            said += line
        process.send_signal(signal.SIGINT)
        said += process.stderr.read()
    assert process.returncode == 130, said
    return said


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@only_at_length
def test_interrupted_run_is_gone_on_with(checkpoint: Path, code: Path, tmp_path: Path) -> None:
    """Ctrl-C keeps what was learnt, and the same command goes on there."""
    out, kept = tmp_path / "bundle", tmp_path / ".bundle.tuning" / "run.pt"
    arguments = [code, "--base", checkpoint, "-o", out]
    assert "continuing" not in interrupted(*arguments)
    first = torch.load(kept, weights_only=True)["run"]["samples"]
    assert first > 0
    assert f"minutes and {first} samples" in interrupted(*arguments)
    assert torch.load(kept, weights_only=True)["run"]["samples"] > first
    assert not out.exists()
    assert os.listdir(kept.parent) == ["run.pt"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@only_at_length
def test_rest_that_cannot_be_used_is_left(checkpoint: Path, code: Path, tmp_path: Path) -> None:
    """A damaged one, or one of other code: the run starts afresh, and says so."""
    arguments = [code, "--base", checkpoint, "-o", tmp_path / "bundle"]
    interrupted(*arguments)
    kept = tmp_path / ".bundle.tuning" / "run.pt"
    kept.write_bytes(kept.read_bytes()[:1000])
    assert "cannot be read: this run starts again" in interrupted(*arguments)
    with (code / "shapes_1.py").open("a") as file:
        file.write("\n# changed\n")
    assert "used other code or another model" in interrupted(*arguments)
