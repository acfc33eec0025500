"""What may be run: by the setting alone, or by the user's answer, which a client must be able to give."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from midfill.common.cancel import CancelFlag
from midfill.session.run_permission import AskToRun, RunPermission
from midfill.settings.live import LiveSettings
from midfill.settings.schema import Settings
from midfill.settings.sources import SettingsSources


class User:
    """A user who gives one answer each time, and what was asked."""

    def __init__(self, answer: str = "once") -> None:
        self.answer = answer
        self.asked: list[str] = []

    def ask(self, command: str, _: CancelFlag) -> str:
        """Answer."""
        self.asked.append(command)
        return self.answer


@pytest.fixture
def document(tmp_path: Path) -> str:
    """Make a document in a workspace folder."""
    (tmp_path / "shop.py").touch()
    return str(tmp_path.resolve() / "shop.py")


def permission(setting: str, ask: AskToRun | None) -> RunPermission:
    """Return the permission with a value of the setting."""
    return RunPermission(LiveSettings(Settings(run_code=setting)), ask)


def allowed(given: RunPermission, document: str) -> bool:
    """Return whether a command may be run now."""
    runs = given.runs_around(document, [Path(document).parent])
    return runs is not None and runs.allowed("pytest a.py", CancelFlag())


@pytest.mark.parametrize(
    ("setting", "answer", "expected", "questions"),
    [
        ("never", "always", [False, False], 0),
        ("always", "never", [True, True], 0),
        ("ask", "once", [True, True], 2),
        ("ask", "always", [True, True], 1),
        ("ask", "never", [False, False], 1),
        ("ask", "", [False, False], 2),
    ],
)
def test_setting_and_answer_decide(
    setting: str, answer: str, expected: list[bool], questions: int, document: str
) -> None:
    """An answer for good is not asked for again; one that never came is none."""
    user = User(answer)
    given = permission(setting, user.ask)
    assert [allowed(given, document) for _ in range(2)] == expected
    assert user.asked == ["pytest a.py"] * questions


def test_a_client_that_cannot_ask_means_never(document: str, tmp_path: Path) -> None:
    """Nor is anything run outside the workspace, or after the setting was taken back."""
    assert not allowed(permission("ask", None), document)
    assert permission("always", None).runs_around(document, []) is None
    assert permission("always", None).runs_around("untitled:1", [tmp_path]) is None
    settings = LiveSettings(Settings(run_code="always"))
    runs = RunPermission(settings, None).runs_around(document, [tmp_path])
    settings.change(replace(settings.now, run_code="never"))
    assert runs is not None
    assert not runs.allowed("pytest a.py", CancelFlag())


def test_a_workspace_cannot_allow_it(tmp_path: Path) -> None:
    """Its file of settings may come from strangers."""
    (tmp_path / "midfill.toml").write_text('runCode = "always"\n')
    settings, problems = SettingsSources([tmp_path]).options({})
    assert settings.run_code == "never"
    assert any("'runCode'" in line and "a workspace may not set it" in line for line in problems)
