"""The recorder: what becomes of a request is in the file, and of what must not be read, nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from midfill.common.cancel import CancelFlag, Cancelled
from midfill.completion.cache import CompletionCache
from midfill.completion.engine import CompletionEngine
from midfill.completion.types import Request
from midfill.inference.kv_cache import KvCache
from midfill.inference.onnx_model import Model
from midfill.prompt.snippets import Snippet, WorkspaceSnippets
from midfill.recording.events import Answered, Asked, Changed, Event, Loaded, Stopped, Unread
from midfill.recording.record_file import RecordWriter, read_events
from midfill.recording.recorder import RecordedEngine, without_time
from midfill.recording.session_record import Record
from midfill.settings.live import LiveSettings
from midfill.settings.schema import MEASURED_CONTEXT, Settings
from unit.completion.test_engine import Typist
from unit.helpers import CURSOR, loaded_model, split

SETTINGS = Settings(min_confidence=0.0, bundle=Path("unused"), context_tokens=256, deadline_ms=0)
TEXT, OFFSET = split(f"def add(left, right):\n    return {CURSOR}\n")
REQUEST = Request(text=TEXT, offset=OFFSET, path="/w/a.py", language="python")
SNIPPETS = WorkspaceSnippets("w", "a.py", "#", (Snippet("b.py", 0, 1, "b = 1", "definition", 6),))


class Broken:
    """A model that fails."""

    def new_cache(self, capacity: int) -> KvCache:
        return KvCache(None, capacity)

    def step(self, ids: Sequence[int], cache: KvCache, rows: int, cancel: CancelFlag) -> NDArray[np.float32]:
        raise ValueError


class Neighbours:
    """A workspace in which one document is excluded."""

    def excludes(self, path: str) -> bool:
        return path.endswith(".env")

    def snippets_at(self, *_: object, **__: object) -> WorkspaceSnippets:
        return SNIPPETS

    def forget(self, path: str) -> None:
        """Nothing is remembered."""


class Recorded:
    """A recorded engine with a model, and its file."""

    def __init__(self, model: Model, folder: Path) -> None:
        self.settings = LiveSettings(SETTINGS)
        self._writer = RecordWriter(folder / "s.jsonl")
        engine = CompletionEngine(loaded_model(model), self.settings)
        self.engine = RecordedEngine(engine, self.settings, Record(self._writer))
        self.engine.workspace = Neighbours()

    def complete(self, request: Request = REQUEST, cancel: CancelFlag | None = None) -> str:
        """Complete, and return the text."""
        return self.engine.complete(request, cancel or CancelFlag(), CompletionCache()).text

    def events(self) -> list[Event]:
        """Return what is in the file."""
        self._writer.close()
        return [event for _, event in read_events(self._writer.path)]


def test_answer_and_what_it_follows_from(tmp_path: Path) -> None:
    """The model, the question, and then the answer with the parts of other files; the same parts are written once."""
    recorded = Recorded(Typist("left + right"), tmp_path)
    texts = [recorded.complete(), recorded.complete()]
    loaded, asked, answered, _, again = recorded.events()
    assert isinstance(loaded, Loaded)
    assert isinstance(asked, Asked)
    assert asked.question.edit.text == TEXT
    assert isinstance(answered, Answered)
    assert isinstance(again, Answered)
    assert [answered.answer.text, again.answer.text] == texts
    assert answered.snippets is not None
    assert list(answered.snippets.snippets) == list(SNIPPETS.snippets)
    assert again.snippets is None


def test_interrupted_request(tmp_path: Path) -> None:
    """It has a question and no answer."""
    recorded = Recorded(Typist("left + right"), tmp_path)
    cancel = CancelFlag()
    cancel.set("superseded")
    with pytest.raises(Cancelled):
        recorded.complete(cancel=cancel)
    assert recorded.events()[2:] == [Stopped(reason="superseded")]


def test_request_that_fails(tmp_path: Path) -> None:
    """It is answered as the scheduler answers it, so that the bug can be repeated."""
    recorded = Recorded(Broken(), tmp_path)
    with pytest.raises(ValueError, match=r"^$"):
        recorded.complete()
    answered = recorded.events()[2]
    assert isinstance(answered, Answered)
    assert answered.answer.reason == "failed"


def test_excluded_document_is_not_written(tmp_path: Path) -> None:
    """Neither its text nor its name."""
    recorded = Recorded(Typist("left + right"), tmp_path)
    recorded.complete(replace(REQUEST, path="/w/x.env", text="hidden = 1\n", offset=3))
    assert recorded.events()[1:] == [Unread(reason="excluded")]
    assert "hidden" not in (tmp_path / "s.jsonl").read_text()
    assert ".env" not in (tmp_path / "s.jsonl").read_text()


def test_changed_settings(tmp_path: Path) -> None:
    """They stand before the first question for which they are in force."""
    recorded = Recorded(Typist("left + right"), tmp_path)
    recorded.complete()
    recorded.settings.change(replace(SETTINGS, max_lines=2))
    recorded.complete()
    changed = recorded.events()[3]
    assert isinstance(changed, Changed)
    assert changed.settings["maxLines"] == 2


def test_home_folder_has_no_name(tmp_path: Path) -> None:
    """The user's name is often in it."""
    recorded = Recorded(Typist("left + right"), tmp_path)
    recorded.complete(replace(REQUEST, path=str(Path.home() / "w" / "a.py")))
    asked = recorded.events()[1]
    assert isinstance(asked, Asked)
    assert Path(asked.question.path) == Path("~/w/a.py")


def test_nothing_depends_on_time() -> None:
    """No deadline, nothing computed ahead, and a number of tokens that the machine's speed does not decide."""
    timeless = without_time(Settings(bundle=Path("unused")))
    assert (timeless.deadline_ms, timeless.prefetch, timeless.context_tokens) == (0, False, MEASURED_CONTEXT)
    assert without_time(SETTINGS).context_tokens == SETTINGS.context_tokens
