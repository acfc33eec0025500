"""The advice to install the larger model: once, and only where it helps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from midfill.actions import ActionReason, ActionResult, ActionTask
from midfill.actions.larger_model import ADVICE, with_advice
from midfill.chat.conversation import ChatAnswer
from midfill.settings.schema import Settings
from unit.actions.test_perform import select

ANSWER = ChatAnswer(
    text="no", stopped_by="stop-token", model="Qwen2.5-Coder-0.5B-Instruct", prompt_tokens=1, reused_tokens=0, tokens=1
)
FAILED = ActionResult(reason=ActionReason.UNCHANGED, task=ActionTask(select(7, 7)), answers=(ANSWER,))


def test_the_larger_model_is_advised_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not if it is there, if the action worked, if the model was not asked, or if it is another model."""
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path / "cache"))
    settings = Settings(actions_bundle=tmp_path / "larger")
    there = tmp_path / "there"
    there.mkdir()
    (there / "manifest.json").touch()
    other = replace(ANSWER, model="Other")
    none = [
        with_advice(FAILED, replace(settings, actions_bundle=there)),
        with_advice(replace(FAILED, reason=None), settings),
        with_advice(replace(FAILED, answers=()), settings),
        with_advice(replace(FAILED, answers=(other,)), settings),
    ]
    assert [result.advice for result in none] == [""] * 4
    assert [with_advice(FAILED, settings).advice for _ in range(2)] == [ADVICE, ""]
