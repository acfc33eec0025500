"""The session: what the tests of its parts do not cover."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from midfill.actions import ACTIONS
from midfill.completion.scheduler import Scheduler, new_scheduler
from midfill.outcomes.counters import Counters
from midfill.session.action_service import AcceptedRequest, ActionRequest
from midfill.session.session import Session
from midfill.session.snapshots import DocumentSnapshot, OpenDocuments
from midfill.settings.live import LiveSettings


@pytest.fixture(autouse=True)
def own_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the counts and the settings of this machine out of the tests."""
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MIDFILL_CONFIG", str(tmp_path / "none.toml"))


def start(options: object, folders: Sequence[Path] = (), documents: OpenDocuments = dict) -> Session:
    """Return a session with these options, which loads nothing."""

    def make(settings: LiveSettings) -> Scheduler:
        return new_scheduler(settings, lambda *_: pytest.fail("nothing is loaded"))

    return Session(folders, options, lambda _: None, make_scheduler=make, open_documents=documents)


def test_edits_stay_in_the_folder_of_the_workspace(tmp_path: Path) -> None:
    """An action is told so: the workspace's folders and the setting `exclude` count."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path)
    document = DocumentSnapshot(uri="a", path=str(folder / "a.py"), text="", version=1, language="python")
    session = start({"exclude": ["secret.py"]}, [folder], lambda: {"a": document})
    accepted = session.actions.accept(ActionRequest(action=ACTIONS["tests"], uri="a"))
    assert isinstance(accepted, AcceptedRequest)
    places = ["test_a.py", "secret.py", "link/test_a.py", "../test_a.py"]
    assert [accepted.task.may_change(folder / place) for place in places] == [True, False, False, False]
    session.close()


def test_settings_are_read_again_when_their_file_changes_by_any_spelling(tmp_path: Path) -> None:
    """The user's own file, which may be a link, is found by its name, by its target, and through other links."""
    (tmp_path / "dotfiles").mkdir()
    (tmp_path / "none.toml").symlink_to("dotfiles/midfill.toml")
    (tmp_path / "link").symlink_to("dotfiles")
    session = start({})
    for lines, changed in enumerate(
        ("none.toml", "dotfiles/midfill.toml", "link/midfill.toml", "link/../none.toml"), 1
    ):
        (tmp_path / "dotfiles/midfill.toml").write_text(f"maxLines = {lines}\n")
        assert session.files_changed([str(tmp_path / changed)]) == []
        assert session.settings.now.max_lines == lines
    session.close()


@pytest.mark.parametrize(
    ("options", "low", "high"),
    [({}, 0.4, 0.6), ({"calibrateConfidence": False}, 0.35, 0.35), ({"minConfidence": 0}, 0, 0)],
    ids=["default", "not calibrated", "no gate"],
)
def test_minimum_confidence_is_calibrated(options: dict[str, object], low: float, high: float) -> None:
    """If suggestions with a confidence of 0.5 were never accepted, the minimum is raised, unless that is turned off."""
    earlier = Counters()
    for _ in range(100):
        earlier.count_confidence("shown", 0.5)
    earlier.save()
    session = start(options)
    assert low <= session.settings.now.min_confidence <= high
    session.settings_changed({"maxLines": 3, **options})
    assert session.settings.now.max_lines == 3
    assert low <= session.settings.now.min_confidence <= high
    session.close()
