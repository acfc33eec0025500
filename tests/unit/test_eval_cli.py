"""``midfill eval`` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from midfill.cli import main
from midfill.evals import languages, repo_tasks, sources
from unit.helpers import chain_graph, write_bundle


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Write a bundle whose model says one thing, wherever it is asked."""
    return write_bundle(tmp_path / "bundle", graph=chain_graph("pass", anywhere=True)).path


def test_parts_that_there_are_not(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A part that cannot be left out is named together with those that can."""
    arguments = ["eval", "repo", "--without", "gate,nonsense", "--bundle", str(bundle)]
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "there is no part 'nonsense'; the parts are definition, sibling, " in said


def test_suites_that_there_are_not(capsys: pytest.CaptureFixture[str]) -> None:
    """All suites are named."""
    assert main(["eval", "nonsense"]) == 2
    said = capsys.readouterr().err
    assert "humaneval-single, humaneval-multi, humaneval-span, languages, repo, replay, actions." in said


def test_repo_as_json(bundle: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The real engine is asked with and without a real package; JSON has what was left out, and every task."""
    monkeypatch.setattr(repo_tasks, "PACKAGES", ("pygls",))
    assert main(["eval", "repo", "--limit", "2", "--without", "sibling, gate", "--bundle", str(bundle), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["suite"], said["tasks"], said["left_out"]) == ("repo", 2, ["gate", "sibling"])
    assert {row["package"] for row in said["rows"]} == {"pygls"}
    assert min(said[side]["prompt_tokens"] for side in ("without", "within")) > 100


def test_languages_as_text(
    bundle: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table has a line for each language, found or not."""
    for name in ("one", "two"):
        (tmp_path / "lib" / name).mkdir(parents=True)
        text = "".join(f"local {name}{number} = compute(first, second)\n" for number in range(90))
        (tmp_path / "lib" / name / "some.lua").write_text(text)
        (tmp_path / "lib" / name / "some.c").write_text(text.replace("local", "int"))
    monkeypatch.setattr(sources, "installed_roots", lambda: [tmp_path / "lib"])
    assert main(["eval", "languages", "--bundle", str(bundle)]) == 0
    lines = capsys.readouterr().out.split("\n")
    assert lines[0] == "languages: 8 tasks (all), model tiny"
    assert sum("none found" in line for line in lines) == len(languages.NAMES) - 2
    assert any(line.split()[:3] == ["Lua", "4", "tasks,"] for line in lines)
