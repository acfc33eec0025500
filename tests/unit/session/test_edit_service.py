"""The next edit of one client: what is offered, what stays valid, what is computed ahead, and what becomes of it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
import pytest_asyncio
from numpy.typing import NDArray

from midfill.common.cancel import CancelFlag
from midfill.common.errors import ModelChanged
from midfill.common.reasons import Reason
from midfill.completion.engine import CompletionEngine
from midfill.completion.scheduler import Scheduler, new_scheduler
from midfill.completion.types import Request
from midfill.inference.kv_cache import KvCache
from midfill.next_edit.search import Situation
from midfill.next_edit.types import NextEdit, TextEdit
from midfill.outcomes.counters import Counters, summary
from midfill.outcomes.edit_acceptance import EditAcceptance
from midfill.prompt.snippets import WorkspaceSnippets
from midfill.session.edit_runner import EditRunner
from midfill.session.edit_service import EditService, Offer
from midfill.session.snapshots import DocumentSnapshot
from midfill.settings.live import LiveSettings
from midfill.settings.schema import Settings
from unit.clock import ManualClock
from unit.next_edit.rewriter import PATH, Rewriter, model_of
from waiting import LIMIT, wait_on_loop_until

URI = "file:///work/a.py"
SETTINGS = Settings(bundle=Path("small"), draft_tokens=0, next_edit=True)
BEFORE = "def f(left):\n    x = left\n    return left\n\n\nprint(f(1))\n"
NOW = BEFORE.replace("f(left)", "f(right)")
RENAMED = NOW.replace("= left", "= right").replace("return left", "return right")


class Workspace:
    """A workspace that excludes some documents."""

    def __init__(self, *excluded: str) -> None:
        self.excluded = excluded

    def excludes(self, path: str) -> bool:
        return path in self.excluded

    def snippets_at(self, *_: object, **__: object) -> WorkspaceSnippets:
        return WorkspaceSnippets()

    def forget(self, path: str) -> None:
        """Nothing is remembered."""


class ChangedModel(Rewriter):
    """A model whose weights are no longer those that were loaded."""

    def step(self, *_: object) -> NoReturn:
        raise ModelChanged("model.onnx.data was changed.")


class Waiting(Rewriter):
    """A model whose first step lasts until it is interrupted."""

    def __init__(self, text: str, second: str) -> None:
        super().__init__(text, second)
        self.running = threading.Event()

    def step(self, ids: Sequence[int], cache: KvCache, rows: int, cancel: CancelFlag) -> NDArray[np.float32]:
        if not self.running.is_set():
            stopped = threading.Event()
            with cancel.interrupting(stopped.set):
                self.running.set()
                stopped.wait(LIMIT)
        return super().step(ids, cache, rows, cancel)


class Client:
    """A client with one document, and its service."""

    def __init__(self, model: Rewriter) -> None:
        self.settings = LiveSettings(SETTINGS)
        self.model = model
        self.clock = ManualClock()
        self.ghost_text: TextEdit | None = None
        self.documents: dict[str, DocumentSnapshot] = {}
        self.scheduler: Scheduler = new_scheduler(
            self.settings, lambda *_: CompletionEngine(model_of(self.model), self.settings)
        )
        self.runner = EditRunner(self.scheduler, self.settings)
        self.service = EditService(
            self.runner,
            self.settings,
            lambda: self.documents,
            EditAcceptance(Counters(), lambda _: self.documents[URI].text, self.clock),
            lambda _: self.ghost_text,
            self.clock.now,
        )

    def open(self, text: str) -> None:
        self.documents[URI] = DocumentSnapshot(uri=URI, path=PATH, text=text, version=1, language="python")
        self.service.opened(PATH, text)

    def change(self, text: str) -> None:
        document = self.documents[URI]
        self.documents[URI] = replace(document, text=text, version=document.version + 1)
        self.service.changed(PATH, text)

    async def ask(self, *, invoked: bool = False) -> Offer:
        return await self.service.predict(URI, 0, 11, invoked=invoked)

    async def close(self) -> None:
        self.service.close()
        await asyncio.to_thread(self.scheduler.close)


@pytest.fixture(autouse=True)
def own_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the counts of this machine out of the tests."""
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path / "cache"))


@pytest_asyncio.fixture
async def client() -> AsyncIterator[Client]:
    """Return a client that has renamed a parameter, with a model that renames its uses."""
    client = Client(Rewriter(NOW, second=RENAMED))
    client.scheduler.start()
    client.open(BEFORE)
    client.change(NOW)
    yield client
    await client.close()


async def test_the_other_uses_are_offered(client: Client) -> None:
    """As one edit that leads from the first to the last of them."""
    offer = await client.ask()
    assert offer.after == RENAMED
    assert (offer.uri, offer.version, offer.predicted.reason) == (URI, 2, Reason.NONE)


async def test_off_is_off(client: Client) -> None:
    """Without the setting, nothing is predicted, and nothing is remembered."""
    client.settings.change(replace(SETTINGS, next_edit=False))
    offer = await client.ask()
    assert (offer.edit, offer.predicted.reason) == (None, Reason.DISABLED)
    assert client.model.steps == 0


async def test_the_rest_of_an_edit_that_is_typed_needs_no_model(client: Client) -> None:
    """It leads to the same document."""
    await client.ask()
    await wait_on_loop_until(lambda: client.service._after_expected)
    steps = client.model.steps
    client.change(NOW.replace("= left", "= ri"))
    offer = await client.ask()
    assert offer.after == RENAMED
    assert client.model.steps == steps


async def test_what_comes_after_is_predicted_while_the_edit_is_shown(client: Client) -> None:
    """After it is accepted, the answer is there at once."""
    offer = await client.ask()
    await wait_on_loop_until(lambda: client.service._after_expected)
    steps = client.model.steps
    client.change(offer.after)
    again = await client.ask()
    assert again.edit is None
    assert client.model.steps == steps


async def test_what_comes_after_stays_known_while_the_edit_is_typed(client: Client) -> None:
    """Key by key, with no request between; then the answer is there at once."""
    await client.ask()
    await wait_on_loop_until(lambda: client.service._after_expected)
    steps = client.model.steps
    half = NOW.replace("= left", "= right")
    for typed in (NOW.replace("= left", "= ri"), half, half.replace("return left", "return rig"), RENAMED):
        client.change(typed)
    again = await client.ask()
    assert again.edit is None
    assert client.model.steps == steps


async def test_dismissed_edit_is_not_offered_again(client: Client) -> None:
    """Also when the document has changed elsewhere; asked for, it comes again."""
    client.service.dismissed((await client.ask()).number)
    offer = await client.ask()
    assert (offer.edit, offer.predicted.reason) == (None, Reason.DISMISSED)
    client.change(f"{NOW}y = 2\n")
    assert (await client.ask()).edit is None
    assert (await client.ask(invoked=True)).after == f"{RENAMED}y = 2\n"


async def test_edit_that_is_accepted_at_once_is_not_predicted_twice(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes after it is under way, and the request waits for that."""
    predicted: list[Situation] = []
    predict = client.runner.predict

    async def counted(situation: Situation) -> NextEdit:
        predicted.append(situation)
        return await predict(situation)

    monkeypatch.setattr(client.runner, "predict", counted)
    offer = await client.ask()
    client.change(offer.after)
    assert (await client.ask()).edit is None
    assert len(predicted) == 2


async def test_another_key_ends_what_is_predicted(client: Client) -> None:
    """The answer is about a document that is no more."""
    asked = asyncio.create_task(client.ask())
    await asyncio.sleep(0)
    client.change(NOW + "y = 2\n")
    assert (await asked).predicted.reason == Reason.SUPERSEDED


async def test_a_newer_request_ends_the_older_one(client: Client) -> None:
    """Only the newest is of use."""
    first, second = asyncio.create_task(client.ask()), asyncio.create_task(client.ask())
    assert (await first).predicted.reason == Reason.SUPERSEDED
    assert (await second).after == RENAMED


async def test_suggestion_does_not_wait_for_a_prediction() -> None:
    """It interrupts the step that runs, and is answered first; the prediction then goes on to its end."""
    client = Client(Waiting(NOW, RENAMED))
    client.scheduler.start()
    client.open(BEFORE)
    client.change(NOW)
    answered: list[str] = []
    predicting = asyncio.create_task(client.ask())
    predicting.add_done_callback(lambda _: answered.append("edit"))
    await asyncio.to_thread(client.model.running.wait, LIMIT)  # type: ignore[attr-defined]
    await client.scheduler.complete(Request(text="x = ", offset=4, path="/work/b.py"))
    answered.append("suggestion")
    assert (await predicting).after == RENAMED
    assert answered == ["suggestion", "edit"]
    await client.close()


async def test_ghost_text_that_says_the_same_is_enough(client: Client) -> None:
    """The edit would be shown twice."""
    start = NOW.index("left")
    changed = RENAMED[start : RENAMED.rindex("right") + 5]
    client.ghost_text = TextEdit(start, NOW.rindex("left") + 4, changed)
    offer = await client.ask()
    assert (offer.edit, offer.predicted.reason) == (None, Reason.GHOST_TEXT)


async def test_excluded_document_is_not_read(client: Client) -> None:
    """Neither as the document that is edited, nor as an example."""
    client.scheduler.work_in(Workspace(PATH))
    assert (await client.ask()).predicted.reason == Reason.EXCLUDED
    assert client.model.steps == 0


async def test_changes_of_excluded_documents_are_no_example(client: Client) -> None:
    """Their lines do not reach the model."""
    client.service.opened("/work/secret.py", "old_secret = 1\n")
    client.service.changed("/work/secret.py", "new_secret = 1\n")
    client.scheduler.work_in(Workspace("/work/secret.py"))
    await client.ask()
    assert client.model.prompts
    assert not any("secret" in prompt for prompt in client.model.prompts)


async def test_accepted_edit_is_counted_and_looked_for_again(client: Client) -> None:
    """By its effect on the document, once, also if the client runs the command as well."""
    offer = await client.ask()
    client.service.shown(offer.number)
    client.change(offer.after)
    client.service.accepted(offer.number)
    client.clock.advance(31)
    counts = summary()
    assert [counts[name] for name in ("edits_shown", "edits_applied", "edits_kept")] == [1, 1, 1]


async def test_the_rest_of_an_edit_counts_as_that_edit(client: Client) -> None:
    """Though the client shows the rest anew after each key."""
    offer = await client.ask()
    client.service.shown(offer.number)
    assert (await client.ask()).predicted == offer.predicted
    client.change(NOW.replace("= left", "= ri"))
    rest = await client.ask()
    assert [edit.text for edit in rest.predicted.edits] == ["ght", "right"]
    client.service.shown(rest.number)
    client.change(rest.after)
    client.clock.advance(31)
    counts = summary()
    assert [counts[name] for name in ("edits_shown", "edits_applied", "edits_kept")] == [1, 1, 1]


async def test_edit_that_was_taken_back_is_not_kept(client: Client) -> None:
    """It is counted as applied only, and not offered again."""
    offer = await client.ask()
    client.change(offer.after)
    client.change(NOW)
    client.clock.advance(31)
    assert [summary()[name] for name in ("edits_applied", "edits_kept")] == [1, 0]


async def test_unknown_number_is_ignored(client: Client) -> None:
    """A client may say anything."""
    client.service.shown(99)
    client.service.accepted(99)
    client.service.dismissed(99)
    assert summary()["edits_shown"] == 0


async def test_closed_document_is_forgotten(client: Client) -> None:
    """Its edits are no longer offered."""
    offer = await client.ask()
    client.service.closed(PATH)
    client.service.accepted(offer.number)
    assert summary()["edits_applied"] == 0


async def test_model_that_has_changed_is_loaded_again() -> None:
    """The request says that it failed, and the scheduler drops the model."""
    client = Client(ChangedModel(NOW))
    client.scheduler.start()
    client.open(BEFORE)
    client.change(NOW)
    assert (await client.ask()).predicted.reason == Reason.FAILED
    assert client.scheduler.state == "idle"
    await client.close()


async def test_without_a_model_there_is_no_edit() -> None:
    """The request is answered all the same."""
    client = Client(Rewriter(NOW))
    client.open(BEFORE)
    client.change(NOW)
    assert (await client.ask()).predicted.reason == Reason.IDLE
    await client.close()
