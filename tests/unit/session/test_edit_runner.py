"""Which model predicts edits: that of suggestions, or one of their own, and when that is loaded and dropped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from midfill.common.errors import BundleNotFound
from midfill.common.reasons import Reason
from midfill.completion.engine import CompletionEngine
from midfill.completion.scheduler import Scheduler, new_scheduler
from midfill.inference.bundle import MANIFEST
from midfill.inference.loaded_model import LoadedModel
from midfill.inference.token_generator import LanguageModel
from midfill.next_edit.search import Situation
from midfill.next_edit.types import Document, NextEdit, Place, Why
from midfill.session.edit_runner import EditRunner
from midfill.settings.live import LiveSettings
from midfill.settings.schema import Settings
from unit.helpers import loaded_model
from unit.next_edit.rewriter import PATH, Rewriter, edited, model_of
from unit.session.test_edit_service import BEFORE, NOW, RENAMED, ChangedModel

SITUATION = Situation(
    documents={PATH: Document(path=PATH, text=NOW)},
    cursor=Place(path=PATH, line=0, column=11, why=Why.CURSOR),
    history=edited(BEFORE, NOW),
)


class Loads:
    """Loads models for edits, one after the other; None cannot be loaded."""

    def __init__(self, *models: Rewriter | None) -> None:
        self.models = list(models)

    def __call__(self, settings: Settings, _typing: LanguageModel) -> LoadedModel:
        model = self.models.pop(0)
        if model is None:
            raise BundleNotFound(f"There is none: {settings.next_edit_advice}.")
        return loaded_model(model, context_length=16_384, name="own")


@pytest.fixture
def settings(tmp_path: Path) -> LiveSettings:
    """Return settings that name a model for edits."""
    return LiveSettings(
        Settings(bundle=Path("small"), draft_tokens=0, next_edit=True, next_edit_model=str(tmp_path / "own"))
    )


@pytest_asyncio.fixture
async def scheduler(settings: LiveSettings) -> AsyncIterator[Scheduler]:
    """Return a scheduler whose model renames a parameter's other uses."""
    model = Rewriter(NOW, second=RENAMED)
    scheduler = new_scheduler(settings, lambda *_: CompletionEngine(model_of(model), settings))
    scheduler.start()
    yield scheduler
    await asyncio.to_thread(scheduler.close)


def answer(found: NextEdit) -> tuple[str, str]:
    """Return the document with the edit, and who made it."""
    return found.apply(NOW), found.model


async def test_own_model_predicts_until_the_settings_change(scheduler: Scheduler, settings: LiveSettings) -> None:
    """It is loaded once, when the first edit is asked for, and dropped when the settings name none."""
    loads = Loads(Rewriter(NOW, second=RENAMED))
    runner = EditRunner(scheduler, settings, load=loads)
    assert len(loads.models) == 1
    assert [answer(await runner.predict(SITUATION)) for _ in range(2)] == [(RENAMED, "own")] * 2
    settings.change(replace(settings.now, next_edit_model=""))
    assert answer(await runner.predict(SITUATION)) == (RENAMED, "tiny")
    runner.close()


async def test_model_that_cannot_be_loaded_is_told_once(
    scheduler: Scheduler, settings: LiveSettings, tmp_path: Path
) -> None:
    """The model of suggestions predicts meanwhile. Once the bundle is there, it is loaded."""
    told: list[str] = []
    runner = EditRunner(scheduler, settings, load=Loads(None, Rewriter(NOW, second=RENAMED)), tell=told.append)
    assert [answer(await runner.predict(SITUATION)) for _ in range(2)] == [(RENAMED, "tiny")] * 2
    [line] = told
    assert line.startswith("The model for next edits cannot be used, the other one serves them: There is none: make")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / MANIFEST).touch()
    assert answer(await runner.predict(SITUATION)) == (RENAMED, "own")
    assert len(told) == 1
    runner.close()


async def test_bundle_of_suggestions_is_not_loaded_twice(scheduler: Scheduler, settings: LiveSettings) -> None:
    """Also if the settings name it for edits."""
    settings.change(replace(settings.now, next_edit_model="./small"))
    runner = EditRunner(scheduler, settings, load=Loads())
    assert answer(await runner.predict(SITUATION)) == (RENAMED, "tiny")
    runner.close()


async def test_own_model_whose_weights_changed_is_loaded_again(scheduler: Scheduler, settings: LiveSettings) -> None:
    """The model that suggests stays."""
    runner = EditRunner(scheduler, settings, load=Loads(ChangedModel(NOW), Rewriter(NOW, second=RENAMED)))
    assert (await runner.predict(SITUATION)).reason is Reason.FAILED
    assert scheduler.state == "ready"
    assert answer(await runner.predict(SITUATION)) == (RENAMED, "own")
    runner.close()
