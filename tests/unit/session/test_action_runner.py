"""The action runner: which model runs an action, which documents it may see, and when a model is dropped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest
import pytest_asyncio

from midfill.actions import ACTIONS, ActionResult, ActionTask
from midfill.actions.selection import Selection
from midfill.code.languages import language_of
from midfill.common.cancel import CancelFlag, Cancelled
from midfill.common.errors import BundleDamaged, BundleNotFound, MidfillError, ModelChanged
from midfill.completion.scheduler import Scheduler, new_scheduler
from midfill.inference.bundle import MANIFEST
from midfill.inference.loaded_model import LoadedModel
from midfill.inference.token_generator import LanguageModel
from midfill.prompt.snippets import WorkspaceSnippets
from midfill.session.action_runner import ActionRunner
from midfill.settings.live import LiveSettings
from midfill.settings.schema import Settings
from unit.replies import Replies, engine_of, model_of

CODE = "def tax(net):\n    return net\n"
TASK = ActionTask(Selection(CODE, language_of("a.py"), 0, 2, "/work/a.py"))
SETTINGS = Settings(bundle=Path("small"), actions_bundle=Path("none"), draft_tokens=0)


class Workspace:
    """A workspace that excludes one document."""

    def excludes(self, path: str) -> bool:
        return path == "/work/secret.py"

    def snippets_at(self, *_: object, **__: object) -> WorkspaceSnippets:
        return WorkspaceSnippets()

    def forget(self, path: str) -> None:
        """Nothing is remembered."""


@pytest.fixture
def settings() -> LiveSettings:
    """Return settings without a larger model."""
    return LiveSettings(SETTINGS)


@pytest_asyncio.fixture
async def scheduler(settings: LiveSettings) -> AsyncIterator[Scheduler]:
    """Return a scheduler whose model always gives the same answer."""
    scheduler = new_scheduler(settings, lambda *_: engine_of(Replies("The small one.")))
    scheduler.start()
    yield scheduler
    await asyncio.to_thread(scheduler.close)


async def explained(runner: ActionRunner, task: ActionTask = TASK) -> ActionResult:
    """Run the action "explain"."""
    return await runner.perform(ACTIONS["explain"], task, CancelFlag())


def with_larger(folder: Path) -> Settings:
    """Return settings with a bundle for actions whose folder has a manifest."""
    folder.mkdir()
    (folder / MANIFEST).touch()
    return Settings(bundle=Path("small"), actions_bundle=folder, draft_tokens=0)


class ChangedModel(Replies):
    """A model whose weights are no longer those that were loaded."""

    def step(self, *_: object) -> NoReturn:
        raise ModelChanged("model.onnx.data was changed.")


class Loads:
    """Loads a model whose weights change, and then one whose weights stay."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, *_: object) -> LoadedModel:
        self.number += 1
        return model_of(ChangedModel("") if self.number == 1 else Replies("The larger one."))


async def test_model_whose_weights_changed_is_loaded_again(scheduler: Scheduler, tmp_path: Path) -> None:
    """The action says so, and the next one has a model with the weights that are there now."""
    runner = ActionRunner(scheduler, LiveSettings(with_larger(tmp_path / "large")), loads := Loads())
    with pytest.raises(ModelChanged):
        await explained(runner)
    assert (await explained(runner)).text == "The larger one."
    assert (loads.number, scheduler.state) == (2, "ready")
    runner.close()


async def test_model_of_suggestions_whose_weights_changed_is_dropped(settings: LiveSettings) -> None:
    """The next request loads it again."""
    scheduler = new_scheduler(settings, lambda *_: engine_of(ChangedModel("")))
    runner = ActionRunner(scheduler, settings)
    scheduler.start()
    with pytest.raises(ModelChanged):
        await explained(runner)
    assert scheduler.state == "idle"
    runner.close()
    await asyncio.to_thread(scheduler.close)


async def test_model_of_suggestions_serves_actions(scheduler: Scheduler, settings: LiveSettings) -> None:
    """Without a larger model, actions wait until the model of suggestions is loaded, and use it."""
    runner = ActionRunner(scheduler, settings)
    assert (await explained(runner)).text == "The small one."
    runner.close()


async def test_larger_model_serves_actions_until_settings_change(
    scheduler: Scheduler, settings: LiveSettings, tmp_path: Path
) -> None:
    """It is loaded once, at the first action, and dropped when the settings name another one or none."""
    loaded: list[Path] = []

    def load(settings: Settings, _: LanguageModel) -> LoadedModel:
        loaded.append(settings.actions_bundle)
        return model_of(Replies("The larger one."))

    settings.change(with_larger(tmp_path / "large"))
    runner = ActionRunner(scheduler, settings, load)
    assert loaded == []
    assert [(await explained(runner)).text for _ in range(2)] == ["The larger one."] * 2
    assert loaded == [tmp_path / "large"]
    settings.change(SETTINGS)
    assert (await explained(runner)).text == "The small one."
    runner.close()


async def test_one_bundle_by_two_paths_is_loaded_once(
    scheduler: Scheduler, settings: LiveSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The larger model is another one only if its folder is."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to(SETTINGS.bundle)
    settings.change(replace(with_larger(tmp_path / SETTINGS.bundle), actions_bundle=tmp_path / "link"))
    runner = ActionRunner(scheduler, settings, lambda *_: pytest.fail("it is loaded already"))
    assert (await explained(runner)).text == "The small one."
    runner.close()


async def test_larger_model_that_cannot_be_loaded_is_tried_once(
    scheduler: Scheduler, settings: LiveSettings, tmp_path: Path
) -> None:
    """The model of suggestions serves actions instead."""
    tried: list[Path] = []

    def load(settings: Settings, _: LanguageModel) -> LoadedModel:
        tried.append(settings.actions_bundle)
        raise BundleDamaged("broken")

    settings.change(with_larger(tmp_path / "large"))
    runner = ActionRunner(scheduler, settings, load)
    assert [(await explained(runner)).text for _ in range(2)] == ["The small one."] * 2
    assert len(tried) == 1
    runner.close()


async def test_server_serves_actions_without_a_bundle_for_them(scheduler: Scheduler, settings: LiveSettings) -> None:
    """The setting `actionsEngine` alone gives actions a model of their own."""
    settings.change(replace(SETTINGS, actions_engine="http://127.0.0.1:9"))
    runner = ActionRunner(scheduler, settings, lambda *_: model_of(Replies("The served one.")))
    assert (await explained(runner)).text == "The served one."
    runner.close()


async def test_excluded_document_reaches_no_model(scheduler: Scheduler, settings: LiveSettings) -> None:
    """An action on a document that is excluded, also by the name of a link to it, ends with the reason "excluded"."""
    scheduler.work_in(Workspace())
    runner = ActionRunner(scheduler, settings)
    secret = ActionTask(Selection(CODE, language_of("a.py"), 0, 2, "/work/secret.py"))
    assert (await explained(runner, secret)).reason == "excluded"
    assert (await explained(runner, replace(TASK, opened_as="/work/secret.py"))).reason == "excluded"
    assert (await explained(runner)).text
    runner.close()


async def test_action_without_a_model_raises_the_error_of_loading(settings: LiveSettings) -> None:
    """If the model could not be loaded, an action raises the same error."""

    def load(*_: object) -> NoReturn:
        raise BundleNotFound("There is none.")

    scheduler = new_scheduler(settings, load)
    with pytest.raises(BundleNotFound):
        await asyncio.wrap_future(scheduler.start())
    runner = ActionRunner(scheduler, settings)
    with pytest.raises(MidfillError, match=r"There is none\."):
        await explained(runner)
    runner.close()
    await asyncio.to_thread(scheduler.close)


async def test_cancelled_action_does_not_begin(scheduler: Scheduler, settings: LiveSettings) -> None:
    """An action whose flag is already set is cancelled before it begins."""
    runner, cancel = ActionRunner(scheduler, settings), CancelFlag()
    cancel.set("cancelled")
    with pytest.raises(Cancelled, match="cancelled"):
        await runner.perform(ACTIONS["explain"], TASK, cancel)
    runner.close()
