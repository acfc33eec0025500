"""Which model does an action, which documents it may see, and when a larger model is unloaded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from midfill.actions import ACTIONS, ActionResult, ActionTask
from midfill.actions.selection import Selection
from midfill.code.languages import language_of
from midfill.common.cancel import CancelFlag, Cancelled
from midfill.common.errors import BundleDamaged, BundleNotFound, MidfillError
from midfill.completion.completer import Completer
from midfill.completion.engine import Engine
from midfill.inference.bundle import MANIFEST
from midfill.prompt.snippets import WorkspaceSnippets
from midfill.session.action_runner import ActionRunner
from midfill.settings.schema import Settings
from unit.replies import Replies, engine_of

CODE = "def tax(net):\n    return net\n"
TASK = ActionTask(Selection(CODE, language_of("a.py"), 0, 2, "/work/a.py"))
SETTINGS = Settings(bundle=Path("small"), actions_bundle=Path("none"), draft_tokens=0)


class Workspace:
    """Keeps one document from the model."""

    def excludes(self, path: str) -> bool:
        return path == "/work/secret.py"

    def snippets_at(self, *_: object, **__: object) -> WorkspaceSnippets:
        return WorkspaceSnippets()

    def forget(self, path: str) -> None:
        """Nothing is remembered."""


@pytest_asyncio.fixture
async def completer() -> AsyncIterator[Completer]:
    """Return a completer whose model has one thing to say."""
    completer = Completer(lambda _: engine_of(Replies("The small one.")), SETTINGS)
    completer.start()
    yield completer
    await asyncio.to_thread(completer.close)


async def explained(runner: ActionRunner, task: ActionTask = TASK) -> ActionResult:
    """Have code explained."""
    return await runner.perform(ACTIONS["explain"], task, CancelFlag())


def with_larger(folder: Path) -> Settings:
    """Return settings with a bundle for actions that seems to be there."""
    folder.mkdir()
    (folder / MANIFEST).touch()
    return Settings(bundle=Path("small"), actions_bundle=folder, draft_tokens=0)


async def test_model_of_suggestions_serves_actions(completer: Completer) -> None:
    """Where there is no other; a request that comes while it loads waits for it."""
    runner = ActionRunner(completer, SETTINGS)
    assert (await explained(runner)).text == "The small one."
    runner.close()


async def test_larger_model_serves_actions_and_is_let_go(completer: Completer, tmp_path: Path) -> None:
    """Loaded with the first action, once; and again after other settings have named another one, or none."""
    loaded: list[Path] = []

    def load(settings: Settings) -> Engine:
        loaded.append(settings.bundle)
        return engine_of(Replies("The larger one."))

    runner = ActionRunner(completer, with_larger(tmp_path / "large"), load)
    assert loaded == []
    assert [(await explained(runner)).text for _ in range(2)] == ["The larger one."] * 2
    assert loaded == [tmp_path / "large"]
    runner.use(completer, SETTINGS)
    assert (await explained(runner)).text == "The small one."
    runner.close()


async def test_larger_model_that_cannot_be_loaded_is_tried_once(completer: Completer, tmp_path: Path) -> None:
    """The small one serves instead."""
    tried: list[Path] = []

    def load(settings: Settings) -> Engine:
        tried.append(settings.bundle)
        raise BundleDamaged("broken")

    runner = ActionRunner(completer, with_larger(tmp_path / "large"), load)
    assert [(await explained(runner)).text for _ in range(2)] == ["The small one."] * 2
    assert len(tried) == 1
    runner.close()


async def test_excluded_document_reaches_no_model(completer: Completer) -> None:
    """The reason says so."""
    completer.work_in(Workspace())
    runner = ActionRunner(completer, SETTINGS)
    secret = ActionTask(Selection(CODE, language_of("a.py"), 0, 2, "/work/secret.py"))
    assert (await explained(runner, secret)).reason == "excluded"
    assert (await explained(runner)).text
    runner.close()


async def test_without_a_model_there_is_its_error() -> None:
    """The one that loading ended with."""

    def load(_: object) -> Engine:
        raise BundleNotFound("There is none.")

    completer = Completer(load, SETTINGS)
    loading = completer.start()
    with pytest.raises(BundleNotFound):
        await asyncio.wrap_future(loading)
    runner = ActionRunner(completer, SETTINGS)
    with pytest.raises(MidfillError, match=r"There is none\."):
        await explained(runner)
    runner.close()
    await asyncio.to_thread(completer.close)


async def test_cancelled_action_is_not_begun(completer: Completer) -> None:
    """When it is its turn."""
    runner, cancel = ActionRunner(completer, SETTINGS), CancelFlag()
    cancel.set("cancelled")
    with pytest.raises(Cancelled, match="cancelled"):
        await runner.perform(ACTIONS["explain"], TASK, cancel)
    runner.close()
