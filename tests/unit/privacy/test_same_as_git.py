"""The files that Midfill leaves out because of git's rules are those that `git check-ignore` names."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lengths import length
from midfill.privacy.ignore_rules import IgnoreRules
from unit.privacy.git_trees import random_tree

TREES = length(80, 200)


@pytest.fixture
def personal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the user's ignore file for all repositories."""
    (tmp_path / "settings").write_text(f"[core]\n\texcludesFile = {tmp_path}/personal\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "settings"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return tmp_path / "personal"


def test_random_trees(tmp_path: Path, personal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No file of these trees is left out, or let in, against git's word; both ways to ask say the same."""
    files: list[str] = []
    ignored: list[str] = []
    differing: list[str] = []
    for seed in range(TREES):
        tree = random_tree(tmp_path / str(seed), seed, personal)
        rules = IgnoreRules([tree.folder])
        walked = {path.relative_to(rules.folders[0]).as_posix() for path in rules.walk()}
        allowed = {file for file in tree.files if rules.allows(tree.folder / file)}
        expected = tree.files - tree.ignored()
        files += tree.files
        ignored += tree.files - expected
        differing += [f"{seed}: {file}" for file in sorted((walked ^ expected) | (allowed ^ expected))]
    with capsys.disabled():
        same = len(files) - len(differing)
        sys.stdout.write(f"\ngit check-ignore: {same} of {len(files)} files the same, {len(ignored)} of them ignored\n")
    assert differing == []
    assert len(ignored) > len(files) / 10
