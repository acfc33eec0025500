"""The suite ``repo``: how much other files of the workspace help."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from midfill.common.cancel import CancelFlag
from midfill.common.errors import EvalError
from midfill.common.reasons import Reason
from midfill.completion.engine import WorkspaceRetrieval
from midfill.completion.types import Completion, Request
from midfill.evals import repo, repo_tasks
from midfill.evals.repo import without_gaps
from midfill.evals.repo_tasks import package_tasks
from midfill.evals.tasks import EvalTask
from midfill.retrieval.service import Workspace

SHAPES = '''\
"""Shapes."""

class Circle:
    """A circle."""

    def __init__(self, radius, colour):
        self.radius = radius

    @classmethod
    def unit(cls):
        return cls(1, "black")

def area_of(shape, scale):
    return 3 * shape.radius ** 2
'''
USER = '''\
"""Uses shapes."""

import os
from . import helpers
from .shapes import Circle as Round, area_of

def draw(path, size):
    circle = Round(size + 1, "red")
    print(area_of(circle, scale="mm"), os.path.join(path, "a"))
    other = Round.unit()
    return helpers.fill(
        circle, other
    ) and helpers.outline(circle)

def area(shape):
    return area_of(shape, "cm")
'''


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Write a package."""
    folder = tmp_path / "drawing"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "shapes.py").write_text(SHAPES)
    (folder / "helpers.py").write_text("def fill(*shapes):\n    pass\n\ndef outline(shape):\n    pass\n")
    (folder / "user.py").write_text(USER)
    (folder / "broken.py").write_text("def (:\n")
    (folder / "latin.py").write_bytes(b"from .shapes import area_of\nname = area_of('\xe9', 'mm')\n")
    return folder


def gaps(package: Path) -> list[EvalTask]:
    """Return all gaps, without the limit for each file."""
    return sorted(package_tasks("drawing", package), key=lambda task: len(task.prefix))


def test_only_what_is_defined_elsewhere(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls of imported names are cut within, attributes after the dot; only names of the other file count."""
    monkeypatch.setattr(repo_tasks, "_PER_FILE", 100)
    tasks = gaps(package)
    assert [(task.prefix.rpartition("\n")[2].strip(), task.expected) for task in tasks] == [
        ("print(area_of(", 'circle, scale="mm"), os.path.join(path, "a"))'),
        ("other = Round.", "unit()"),
        ("return helpers.", "fill("),
        (") and helpers.", "outline(circle)"),
    ]
    assert {task.path for task in tasks} == {"drawing/user.py"}
    for task in tasks:
        assert task.prefix + task.expected + task.suffix == USER


def test_same_tasks_every_time(package: Path) -> None:
    """The choice is random, but always the same, and limited for each file."""
    assert len(gaps(package)) == 3
    assert package_tasks("drawing", package) == package_tasks("drawing", package)


def test_copy_has_none_of_the_answers(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The indexed copy lacks all gaps of a file, and nothing else."""
    monkeypatch.setattr(repo_tasks, "_PER_FILE", 100)
    text = without_gaps(gaps(package))
    assert "    print(area_of(\n" in text
    assert "    other = Round.\n    return helpers.\n        circle, other\n    ) and helpers.\n" in text
    assert len(text) == len(USER) - sum(len(task.expected) for task in gaps(package))


class Curious:
    """An engine that knows only what the index returns."""

    def __init__(self) -> None:
        self.workspace: WorkspaceRetrieval | None = None
        self.asked: list[tuple[bool, Request]] = []
        self.seen: list[str] = []

    def complete(self, request: Request, cancel: CancelFlag) -> Completion:
        """Query the index; answer right only if it returns the definition of the circle."""
        cancel.check()
        self.asked.append((self.workspace is not None, request))
        text = "wrong"
        if self.workspace is not None:
            around = self.workspace.snippets_at(request.path, request.text, request.offset, "python", 9000, 100)
            shown = "\n".join(snippet.text for snippet in around.snippets)
            self.seen.append(shown)
            if "def unit" in shown and request.text[: request.offset].endswith("Round."):
                text = "unit()"
        offset = request.offset
        reason = Reason.NONE if self.workspace else Reason.UNSURE
        return Completion(text=text, start=offset, end=offset, reason=reason, model="curious", prompt_tokens=7)


def test_both_ways(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each gap is requested without and with its package; the index has definitions but no answers."""
    monkeypatch.setattr(repo_tasks, "_PER_FILE", 100)
    tasks = gaps(package)
    engine = Curious()
    done: list[tuple[int, int]] = []
    folders: list[Path] = []

    def open_workspace(folder: Path) -> Workspace:
        folders.append(folder)
        return Workspace([folder])

    report = repo.run(engine, open_workspace, tasks, "all", lambda *now: done.append(now), lambda _: package)
    assert [now for now, _ in done] == list(range(1, len(tasks) + 1))
    assert engine.workspace is None
    assert not folders[0].exists()
    assert (len(report.pairs), report.gained, report.lost) == (len(tasks), 1, 0)
    [gained] = [pair for pair in report.pairs if pair.within.exact]
    assert (gained.without.exact, gained.within.completion) == (False, "unit()")
    assert {pair.without.reason for pair in report.pairs} == {"unsure"}
    assert 'area_of(shape, "cm")' not in "".join(engine.seen)
    in_turns = [within for within, _ in engine.asked]
    assert in_turns == [True, True, False, False, False, False, True, True] * (len(tasks) // 2)
    for (_, earlier), (_, later) in zip(engine.asked[::2], engine.asked[1::2], strict=True):
        assert (earlier.offset, earlier.max_tokens) == (later.offset - 3, 1)
        assert earlier.text == later.text[: earlier.offset] + later.text[later.offset :]
    said = json.loads(json.dumps(report.to_json(rows=True)))
    assert (said["within"]["exact"]["count"], said["without"]["exact"]["count"], len(said["rows"])) == (1, 0, 4)
    assert "right only with its package 1, right only without it 0" in report.to_text()


def test_vanished_package(package: Path) -> None:
    """A package that is not installed any more ends the run with one line."""
    with pytest.raises(EvalError, match="'drawing' is not installed any more"):
        repo.run(Curious(), lambda folder: Workspace([folder]), gaps(package), "all", lambda *_: None, lambda _: None)


def test_installed_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Midfill's own dependencies have tasks and take turns; a missing package is skipped."""
    monkeypatch.setattr(repo_tasks, "PACKAGES", ("pygls", "no_such_package", "huggingface_hub", "packaging"))
    tasks = repo_tasks.tasks()
    assert len({task.name for task in tasks}) == len(tasks) > 12
    assert [task.group for task in tasks[:6]] == ["pygls", "huggingface_hub", "packaging"] * 2


def test_nothing_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any of the packages, one line says what to install."""
    monkeypatch.setattr(repo_tasks, "PACKAGES", ("no_such_package",))
    with pytest.raises(EvalError, match=r"pip install 'midfill\[eval\]'"):
        repo_tasks.tasks()
