"""What next edits are learnt from: releases and commits, without what is measured on."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from edit_releases import LEARNT, write_releases
from midfill.common.errors import UsageError
from midfill.evals.edits.kept_apart import is_kept_apart
from midfill_export.tuning.edit_sources import read_edits


def test_projects_are_kept_apart(tmp_path: Path) -> None:
    """By their names. Versions are in the order of their numbers, and what is no release is left alone."""
    write_releases(tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    corpus = read_edits(tmp_path)
    learnt = {task.project for task in (*corpus.training.hunks, *corpus.training.quiet)}
    held = {task.project for task in (*corpus.held_out.hunks, *corpus.held_out.quiet)}
    assert learnt == set(LEARNT)
    assert held
    assert all(map(is_kept_apart, held))
    assert corpus.training.hunks[0].hunks[0].new[0].endswith("area(width=0)")
    assert read_edits(tmp_path).fingerprint == corpus.fingerprint


def test_what_cannot_be_learnt_from(tmp_path: Path) -> None:
    """No folder, nothing in it, and only releases whose licence is not permissive."""
    with pytest.raises(UsageError, match="is not a folder"):
        read_edits(tmp_path / "missing")
    write_releases(tmp_path, licence="GPL-3.0-only")
    with pytest.raises(UsageError, match="too few small changes"):
        read_edits(tmp_path)


def commit(repository: Path, name: str) -> None:
    """Commit thirty files in which a name stands three times."""
    for number in range(30):
        filling = "".join(f"f{number}({line})\n" for line in range(30))
        text = "".join(f"{filling}a{number}_{place} = area({name}={place})\n" for place in range(3))
        (repository / f"m{number}.py").write_text(f"{text}{filling}")
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "-C", str(repository), "add", "-A"], check=True)
    subprocess.run(["git", *who, "-C", str(repository), "commit", "-qm", "change"], check=True)


def test_files_of_a_repository_are_kept_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By their paths; files that the settings exclude are not learnt. A project that is measured on is refused."""
    own = tmp_path / "own.toml"
    own.write_text("exclude = ['m7.py']\n")
    monkeypatch.setenv("MIDFILL_CONFIG", str(own))
    repository = tmp_path / "some"
    subprocess.run(["git", "init", "-q", str(repository)], check=True)
    monkeypatch.setattr("midfill.evals.edits.git_history._MAX_FILES", 30)
    for name in ("w", "width", "wide"):
        commit(repository, name)
    corpus = read_edits(repository)
    learnt, held = ({task.path for task in tasks.hunks} for tasks in (corpus.training, corpus.held_out))
    assert learnt
    assert held
    assert learnt.isdisjoint(held)
    assert "m7.py" not in learnt | held
    with pytest.raises(UsageError, match="measures on"):
        read_edits(repository.rename(tmp_path / "pytest"))
