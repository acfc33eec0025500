"""``midfill eval`` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from midfill.cli.main import main
from midfill.evals import languages, repo_tasks, sources
from unit.evals.edits.changed_files import RENAME
from unit.helpers import chain_graph, write_bundle


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Write a bundle whose model suggests one text at every position."""
    return write_bundle(tmp_path / "bundle", graph=chain_graph("pass", anywhere=True)).path


def test_parts_that_there_are_not(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The error names the unknown part and all known ones."""
    arguments = ["eval", "repo", "--without", "gate,nonsense", "--bundle", str(bundle)]
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "there is no part 'nonsense'; the parts are definition, sibling, " in said


def test_suites_that_there_are_not(capsys: pytest.CaptureFixture[str]) -> None:
    """The error names all suites."""
    assert main(["eval", "nonsense"]) == 2
    said = capsys.readouterr().err
    assert "humaneval-single, humaneval-multi, humaneval-span, languages, repo, replay, actions, needle, " in said


def test_repo_as_json(bundle: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The real engine runs with a real package and without; JSON has the ablations and every task."""
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


def test_needle_as_json(
    bundle: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The prompt has the whole document; a length beyond the model's context is reported."""
    (tmp_path / "lib").mkdir()
    for number in range(4):
        code = "".join(f"def straw_{number}_{line}(hay):\n    return hay + {line}\n\n\n" for line in range(120))
        (tmp_path / "lib" / f"{number}.py").write_text(code)
    monkeypatch.setattr(sources, "installed_roots", lambda: [tmp_path / "lib"])
    command = ["eval", "needle", "--bundle", str(bundle), "--json", "--limit", "2", "--lengths"]
    assert main([*command, "900000,200"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["too_long"] == [900_000]
    assert [(entry["length"], entry["needles"]) for entry in said["lengths"]] == [(200, 2)]
    assert all(row["prompt_tokens"] > 200 for row in said["rows"])
    assert main([*command, "900000"]) == 2
    assert "the model's context has room for" in capsys.readouterr().err


@pytest.mark.parametrize("lengths", ["", "1k", "99", "-100", "200,,300"])
def test_lengths_that_are_none(lengths: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line says which lengths are possible."""
    assert main(["eval", "needle", f"--lengths={lengths}"]) == 2
    assert "--lengths needs whole numbers from 100 to 1000000" in capsys.readouterr().err


@pytest.fixture
def releases(tmp_path: Path) -> list[str]:
    """Write two releases of a project, and name them."""
    for name, text in (("some-1.0", RENAME.before), ("some-1.1", RENAME.after)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.py").write_text(text, encoding="utf-8")
    return ["--older", str(tmp_path / "some-1.0"), "--data", str(tmp_path / "some-1.1")]


def test_edits_as_json(bundle: Path, releases: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The real predictor is asked about two releases; JSON has every question."""
    assert main(["eval", "edits", "--bundle", str(bundle), "--json", "--without", "gate", *releases]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["suite"], said["model"], said["left_out"]) == ("edits", "tiny", ["gate"])
    assert [said[question]["asked"] for question in ("given", "found", "quiet")] == [2, 2, 2]
    assert {row["task"].split(":")[0] for row in said["rows"]} == {"some some-1.1 a.py"}
    assert said["selection"].startswith("hunks (all: 2 repeated), quiet windows (all: ")


def test_edits_of_some_questions(bundle: Path, releases: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The number of tasks is limited, too."""
    assert main(["eval", "edits", "--bundle", str(bundle), "--only", "quiet", "--limit", "1", *releases]) == 0
    lines = capsys.readouterr().out.split("\n")
    assert "hunks (first 1 of 2: 1 repeated)" in lines[0]
    assert "  nothing left to change: 1 asked" in lines
    assert not any("place" in line for line in lines)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--older", "some-1.0"], "name that one with --data"),
        (["--data", "absent.whl"], "absent.whl is no folder"),
        (["--data", "absent", "--older", "some"], "some is no release"),
        (["--only", "given,some"], "there is no question 'some'"),
        (["--without", "sibling"], "there is no part 'sibling'; the parts are history, "),
        ([], "fetch them with"),
    ],
)
def test_edits_that_cannot_be_measured(
    options: list[str],
    expected: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One line says what is missing, before a model is loaded."""
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path))
    assert main(["eval", "edits", "--bundle", "absent", *options]) != 0
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert expected in said


def test_edits_of_releases_that_are_alike(
    releases: list[str], capsys: pytest.CaptureFixture[str], bundle: Path
) -> None:
    """There is nothing to ask."""
    assert main(["eval", "edits", "--bundle", str(bundle), *releases, "--older", releases[3]]) == 1
    assert "no file has two to six small changes" in capsys.readouterr().err
