"""The language server's handlers over JSON as a client sends it, with a scripted completer in place of the model."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest
from lsprotocol import types

from midfill.common.errors import BundleNotFound
from midfill.common.logs import TextFreeFormatter
from midfill.common.reasons import Reason
from midfill.completion.scheduler import Scheduler
from midfill.completion.types import Alternative, Completion, Request
from midfill.settings.schema import Settings
from unit.wire import URI, Json, ScriptedScheduler, Wire, insertion, place, span

SENTINEL = "sentinel_7f3a"
GHOST_TEXT: Json = {"textDocument": {"inlineCompletion": {}}}
PROGRESS = {"window": {"workDoneProgress": True}}

GRANTED: Json = {"result": None}
REFUSED: Json = {"error": {"code": -32603, "message": "no"}}


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Collect what Midfill's own loggers write, as `setup_logging` would have it written."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(TextFreeFormatter())
    logger = logging.getLogger("midfill")
    logger.addHandler(handler)
    yield stream
    logger.removeHandler(handler)


async def test_capabilities() -> None:
    """Incremental sync, ghost text and the popup are announced, without trigger characters."""
    capabilities = await Wire(insertion("")).initialize(GHOST_TEXT)
    assert capabilities["textDocumentSync"]["change"] == 2
    assert capabilities["textDocumentSync"]["openClose"] is True
    assert capabilities["inlineCompletionProvider"] == {}
    assert capabilities["completionProvider"] == {}


async def test_message_that_quotes_a_stranger_has_no_link() -> None:
    """Editors make links of what looks like one, also such as run a command."""
    wire = Wire(insertion(""))
    await wire.initialize(GHOST_TEXT)
    wire.server.show(types.MessageType.Info, "code was left out where it says '# ... [x](command:y)'")
    [shown] = [sent["params"]["message"] for sent in wire.received if sent.get("method") == "window/showMessage"]
    assert shown == "code was left out where it says '# ... [x] (command:y)'"


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (["utf-32", "utf-8", "utf-16"], "utf-32"),
        (["utf-8", "utf-16"], "utf-8"),
        (["utf-16"], "utf-16"),
        (None, "utf-16"),
    ],
)
async def test_position_encoding_is_the_clients_first(offered: list[str] | None, chosen: str) -> None:
    """The client's preference decides; one that offers none gets utf-16."""
    general = {"positionEncodings": offered} if offered else {}
    assert (await Wire(insertion("")).initialize({"general": general}))["positionEncoding"] == chosen


OF_TESTS = Settings(share_engine=False)
"""What the tests' own file of settings says."""


async def test_settings_reach_the_completer() -> None:
    """The completer is made from initializationOptions."""
    wire = Wire(insertion(""))
    await wire.initialize(options={"maxTokens": 5, "bundle": "/models/b"})
    assert wire.scheduler.settings == replace(OF_TESTS, max_tokens=5, bundle=Path("/models/b"))


async def test_each_wrong_setting_is_one_warning() -> None:
    """A wrong value and an unknown name are shown, one line each, and the rest holds."""
    wire = Wire(insertion("x"))
    await wire.initialize(options={"maxTokens": "many", "colour": 1, "maxLines": 3})
    assert [kind for kind, _ in wire.shown()] == [2, 2]
    assert wire.scheduler.settings == replace(OF_TESTS, max_lines=3)


async def test_initialize_is_answered_before_the_model_is_loaded() -> None:
    """The session goes on while the model loads; what requests do meanwhile is the completer's affair."""
    wire = Wire(insertion("x"))
    assert await wire.initialize(GHOST_TEXT)
    wire.open("a")
    assert len(await wire.ghost_text(0, 1)) == 1
    assert not wire.scheduler.loading.done()


async def test_progress_is_created_begun_reported_and_ended() -> None:
    """A client that shows progress is asked for a token, then told of begin, each report and end, by one thread."""
    wire = Wire(insertion(""))
    await wire.initialize(PROGRESS)
    creation = next(message for message in wire.received if message.get("method") == "window/workDoneProgress/create")
    wire.send(id=creation["id"], **GRANTED)
    await wire.settle()
    await asyncio.get_running_loop().run_in_executor(None, wire.scheduler.report, "half of it", 0.5)
    wire.scheduler.loading.set_result(None)
    await wire.settle()
    reports = [message["params"] for message in wire.received if message.get("method") == "$/progress"]
    assert {report["token"] for report in reports} == {creation["params"]["token"]}
    assert [report["value"]["kind"] for report in reports] == ["begin", "report", "end"]
    assert reports[1]["value"] == {"kind": "report", "message": "half of it", "percentage": 50}
    assert wire.writing_threads == {threading.get_ident()}, "two threads would mix their messages' bytes"


async def test_no_progress_for_a_client_that_shows_none() -> None:
    """Without window.workDoneProgress no token is created and nothing is reported."""
    wire = Wire(insertion(""))
    await wire.initialize()
    wire.scheduler.report("half of it", 0.5)
    wire.scheduler.loading.set_result(None)
    await wire.settle()
    assert wire.received == []


@pytest.mark.parametrize(
    ("in_time", "too_late"),
    [([REFUSED], []), ([], [REFUSED]), ([], [GRANTED])],
    ids=["refused", "refused too late", "granted too late"],
)
async def test_progress_the_client_does_not_grant(in_time: list[Json], too_late: list[Json], log: io.StringIO) -> None:
    """A token that is refused, or granted when loading is over, delays nothing and is not used."""
    wire = Wire(insertion(""))
    await wire.initialize(PROGRESS)
    creation = next(message for message in wire.received if message.get("method") == "window/workDoneProgress/create")
    for answer in in_time:
        wire.send(id=creation["id"], **answer)
    wire.scheduler.report("half of it", 0.5)
    wire.scheduler.loading.set_result(None)
    await wire.settle()
    for answer in too_late:
        wire.send(id=creation["id"], **answer)
    await wire.settle()
    assert not [message for message in wire.received if message.get("method") == "$/progress"]
    assert log.getvalue() == ""


async def test_failure_to_load_is_one_error_and_the_server_stays() -> None:
    """The error's own line is shown once; suggestions are empty from then on."""
    wire = Wire(lambda _request: Completion(text="", start=0, end=0, reason=Reason.FAILED))
    await wire.initialize(GHOST_TEXT)
    wire.scheduler.loading.set_exception(BundleNotFound("No bundle at /models/b; run `midfill pull`."))
    await wire.settle()
    wire.open("a")
    assert await wire.ghost_text(0, 1) == []
    assert wire.shown() == [(1, "No bundle at /models/b; run `midfill pull`.")]


class Panic(BaseException):
    """What a library written in Rust raises when it panics."""


@pytest.mark.parametrize("failure", [ValueError, Panic])
async def test_unforeseen_failure_to_load_is_shown_by_its_class(failure: type[BaseException], log: io.StringIO) -> None:
    """An exception that is not Midfill's own is named, not quoted."""
    wire = Wire(insertion(""))
    await wire.initialize()
    wire.scheduler.loading.set_exception(failure(SENTINEL))
    await wire.settle()
    [(kind, message)] = wire.shown()
    assert kind == 1
    assert failure.__name__ in message
    assert SENTINEL not in message + log.getvalue()


async def test_ghost_text_has_the_completions_text_and_range() -> None:
    """What the completer replaces becomes the item's range, in the client's units; the request is plain offsets."""
    wire = Wire(lambda request: Completion(text="x)", start=request.offset, end=request.offset + 1))
    await wire.initialize(GHOST_TEXT)
    wire.open("s = '😀'\r\nf()\r\n")
    assert await wire.ghost_text(1, 2) == [{"insertText": "x)", "range": span((1, 2), (1, 3))}]
    assert await wire.ghost_text(0, 8) == [{"insertText": "x)", "range": span((0, 8), (1, 0))}]
    text = "s = '😀'\nf()\n"
    assert [(request.text, request.offset) for request in wire.scheduler.requests] == [(text, 10), (text, 7)]
    assert {(request.path, request.language) for request in wire.scheduler.requests} == {("/work/a.py", "python")}


async def test_nothing_to_suggest_is_an_empty_list() -> None:
    """An empty completion is a list without items, never null."""
    wire = Wire(insertion(""))
    await wire.initialize(GHOST_TEXT)
    wire.open("a")
    assert await wire.ghost_text(0, 1) == []
    assert await wire.popup(0, 1) == {"isIncomplete": True, "items": []}


async def test_unknown_document_is_an_empty_list() -> None:
    """A document that is not open, or no longer, is not read from disk: there is nothing to suggest."""
    wire = Wire(insertion("x"))
    await wire.initialize(GHOST_TEXT)
    assert await wire.ghost_text(0, 0) == []
    wire.open("a")
    wire.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
    assert await wire.ghost_text(0, 0) == []
    assert (await wire.popup(0, 0))["items"] == []
    assert wire.scheduler.requests == []


async def test_range_belongs_to_the_version_that_was_completed() -> None:
    """Typing on while a suggestion is made does not shift the range it was made for."""
    wire = Wire(insertion("!"))
    wire.scheduler.may_answer.clear()
    await wire.initialize(GHOST_TEXT)
    wire.open("one\ntwo")
    asked = asyncio.ensure_future(wire.ghost_text(1, 3))
    await wire.settle()
    wire.change({"range": span((0, 0), (0, 0)), "text": "zero\n"})
    wire.scheduler.may_answer.set()
    assert await asked == [{"insertText": "!", "range": span((1, 3), (1, 3))}]
    await wire.ghost_text(2, 3)
    assert wire.scheduler.requests[-1].text == "zero\none\ntwo"


async def test_selected_item_is_completed_as_if_it_stood_there() -> None:
    """The popup's selected item goes into the text; the suggestion extends it and keeps its range."""
    wire = Wire(insertion("()"))
    await wire.initialize(GHOST_TEXT)
    wire.open("os.pa = 1")
    selected = {"range": span((0, 3), (0, 5)), "text": "path"}
    assert await wire.ghost_text(0, 5, selected) == [{"insertText": "path()", "range": span((0, 3), (0, 5))}]
    assert wire.scheduler.requests[-1].text == "os.path = 1"
    assert wire.scheduler.requests[-1].offset == len("os.path")


@pytest.mark.parametrize("text", ["", "x"], ids=["nothing", "a replacement"])
async def test_selected_item_that_cannot_be_extended(text: str) -> None:
    """A suggestion that is empty, or would also replace what follows, is not given for a selected item."""
    wire = Wire(lambda request: Completion(text=text, start=request.offset, end=request.offset + 1))
    await wire.initialize(GHOST_TEXT)
    wire.open("os.pa = 1")
    assert await wire.ghost_text(0, 5, {"range": span((0, 3), (0, 5)), "text": "path"}) == []


def variants(*texts: str) -> Callable[[Request], Completion]:
    """Make an answer of several texts, as far as they are asked for."""

    def answer(request: Request) -> Completion:
        others = tuple(Alternative(text=text) for text in texts[1 : request.alternatives])
        return Completion(text=texts[0], start=request.offset, end=request.offset, alternatives=others)

    return answer


@pytest.mark.parametrize(("kind", "texts"), [(1, ["x", "y", "z"]), (2, ["x"])], ids=["invoked", "automatic"])
async def test_alternatives_when_asked_outright(kind: int, texts: list[str]) -> None:
    """Typing gets one suggestion, a key three, the best first, all for the same range; the popup gets one."""
    wire = Wire(variants("x", "y", "z", "more"))
    await wire.initialize(GHOST_TEXT)
    wire.open("a")
    items = await wire.ghost_text(0, 1, kind=kind)
    assert [item["insertText"] for item in items] == texts
    assert all(item["range"] == span((0, 1), (0, 1)) for item in items)
    assert len((await wire.popup(0, 1))["items"]) == 1
    assert wire.scheduler.requests[-1].alternatives == 1


async def test_alternatives_after_the_selected_item() -> None:
    """Each extends the selected item and keeps its range."""
    wire = Wire(variants("()", "[0]"))
    await wire.initialize(GHOST_TEXT)
    wire.open("os.pa = 1")
    selected = {"range": span((0, 3), (0, 5)), "text": "path"}
    items = await wire.ghost_text(0, 5, selected, kind=1)
    assert [item["insertText"] for item in items] == ["path()", "path[0]"]
    assert all(item["range"] == span((0, 3), (0, 5)) for item in items)


async def test_edit_lets_a_request_be_expected_where_it_ended() -> None:
    """Opening expects the start; an edit the end of what was typed, in the text as it is then."""
    wire = Wire(insertion("x"))
    await wire.initialize(GHOST_TEXT)
    wire.open("one\ntwo")
    wire.change({"range": span((0, 0), (0, 0)), "text": "0"}, {"range": span((1, 0), (1, 3)), "text": "a\r\nbc"})
    assert [(request.text, request.offset) for request in wire.scheduler.expected] == [
        ("one\ntwo", 0),
        ("0one\na\nbc", 9),
    ]
    assert wire.scheduler.expected[-1].path == "/work/a.py"


async def test_without_a_place_of_the_edit_the_last_known_counts() -> None:
    """A client that sends whole texts, and a document that is opened again, are expected where they last asked."""
    wire = Wire(insertion("x"))
    await wire.initialize(GHOST_TEXT)
    wire.open("one\ntwo")
    await wire.ghost_text(1, 1)
    wire.change({"text": "one\ntwo\nthree"})
    wire.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
    wire.open("one\ntwo")
    wire.change()
    assert [request.offset for request in wire.scheduler.expected] == [0, 5, 5, 5]


async def test_notifications_leave_nothing_behind() -> None:
    """A session of a day has hundreds of thousands of edits; pygls keeps none of them."""
    wire = Wire(insertion("x"))
    await wire.initialize()
    kept = len(wire.server.protocol._request_futures)
    wire.open("a")
    for _ in range(10):
        wire.change({"text": "ab"})
    wire.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
    assert len(wire.server.protocol._request_futures) == kept


async def test_closed_document_is_forgotten() -> None:
    """The completer is told, by the path that requests have."""
    wire = Wire(insertion("x"))
    await wire.initialize()
    wire.open("a")
    wire.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
    assert wire.scheduler.forgotten == ["/work/a.py"]


async def open_again(wire: Wire) -> None:
    """Open the document."""
    wire.open("a")


async def change(wire: Wire) -> None:
    """Type."""
    wire.change({"text": "ab"})


async def ask_for_ghost_text(wire: Wire) -> None:
    """Ask for ghost text, and get it."""
    assert len(await wire.ghost_text(0, 1)) == 1


async def ask_for_popup(wire: Wire) -> None:
    """Ask for the popup, and get an item."""
    assert len((await wire.popup(0, 1))["items"]) == 1


@pytest.mark.parametrize(
    "work",
    [open_again, change, ask_for_ghost_text, ask_for_popup],
    ids=["open", "change", "ask", "popup"],
)
async def test_unloaded_model_is_loaded_at_the_first_sign_of_work(work: Callable[[Wire], Awaitable[None]]) -> None:
    """Opening, typing and asking each load it once, and show it as the first time."""
    wire = Wire(insertion("x"))
    await wire.initialize(PROGRESS)
    wire.open("a")
    assert wire.scheduler.starts == 1
    wire.scheduler.loading.set_result(None)
    await wire.settle()
    wire.scheduler.state, wire.scheduler.loading = "idle", Future()
    wire.received.clear()
    for _ in range(2):
        await work(wire)
    await wire.settle()
    assert wire.scheduler.starts == 2
    creations = [message for message in wire.received if message.get("method") == "window/workDoneProgress/create"]
    assert len(creations) == 1


async def test_popup_item_replaces_the_word_before_the_cursor() -> None:
    """The item begins with the word that is being typed, or clients would filter it out; it is plain and comes last."""
    wire = Wire(insertion("t(name):\n    pass"))
    await wire.initialize()
    wire.open("é = 1\ndef gree")
    popup = await wire.popup(1, 8)
    assert popup["isIncomplete"] is True
    assert popup["items"][0].pop("command")["arguments"] == [1, 17]
    assert popup["items"] == [
        {
            "label": "greet(name):",
            "kind": 15,
            "detail": "Midfill",
            "filterText": "greet(name):",
            "sortText": "~",
            "preselect": False,
            "insertTextFormat": 1,
            "textEdit": {"range": span((1, 4), (1, 8)), "newText": "greet(name):\n    pass"},
        }
    ]


async def test_popup_label_is_the_first_line_shortened() -> None:
    """A label is one line without indentation, at most 60 characters; the filter text is not shortened."""
    line = "value_" * 20
    wire = Wire(insertion(f"\n    {line}\n    more"))
    await wire.initialize()
    wire.open("if x:")
    [item] = (await wire.popup(0, 5))["items"]
    assert item["label"] == line[:59] + "…"
    assert item["filterText"] == line
    assert item["textEdit"]["newText"] == f"\n    {line}\n    more"


async def test_blank_suggestion_is_no_popup_item() -> None:
    """White space alone would be an item without a label."""
    wire = Wire(insertion("\n    "))
    await wire.initialize()
    wire.open("if x:")
    assert (await wire.popup(0, 5))["items"] == []


@pytest.mark.parametrize(("kind", "items"), [(1, 1), (2, 0), (3, 0)], ids=["invoked", "character", "incomplete"])
async def test_popup_of_a_client_with_ghost_text_only_when_invoked(kind: int, items: int) -> None:
    """A client that shows ghost text gets no duplicate of it while the popup is refreshed."""
    wire = Wire(insertion("x"))
    await wire.initialize(GHOST_TEXT)
    wire.open("a")
    assert len((await wire.popup(0, 1, kind))["items"]) == items


async def test_popup_leaves_ghost_text_in_progress_alone() -> None:
    """VS Code asks for both as one types: the popup must not supersede the ghost text."""
    wire = Wire(insertion("x"))
    wire.scheduler.may_answer.clear()
    await wire.initialize(GHOST_TEXT)
    wire.open("a")
    asked = asyncio.ensure_future(wire.ghost_text(0, 1))
    await wire.settle()
    answer = await wire.request("textDocument/completion", place(0, 1), number=8)
    assert answer["result"]["items"] == []
    wire.scheduler.may_answer.set()
    assert len(await asked) == 1
    assert len((await wire.popup(0, 1))["items"]) == 1


async def test_cancelled_request_stops_the_completer() -> None:
    """`$/cancelRequest` reaches the completer and is answered with RequestCancelled; the next request works."""
    wire = Wire(insertion("x"))
    wire.scheduler.may_answer.clear()
    await wire.initialize(GHOST_TEXT)
    wire.open("a")
    wire.send(id=30, method="textDocument/inlineCompletion", params={**place(0, 1), "context": {"triggerKind": 2}})
    await wire.settle()
    wire.notify("$/cancelRequest", {"id": 30})
    assert (await wire.answer_to(30))["error"]["code"] == -32800
    assert wire.scheduler.cancelled == 1
    wire.scheduler.may_answer.set()
    assert len(await wire.ghost_text(0, 1)) == 1


@pytest.mark.parametrize("failure", [ValueError, Panic])
async def test_crash_quotes_nothing(log: io.StringIO, failure: type[BaseException]) -> None:
    """A handler that fails on a document's text tells neither the client nor the log that text."""

    def crash(request: Request) -> Completion:
        raise failure(request.text)

    wire = Wire(crash)
    await wire.initialize(GHOST_TEXT)
    wire.open(SENTINEL)
    wire.send(id=4, method="textDocument/inlineCompletion", params={**place(0, 1), "context": {"triggerKind": 2}})
    error = (await wire.answer_to(4))["error"]
    assert error["code"] == -32603
    assert f"{failure.__name__} at test_app.py" in error["message"]
    assert f"{failure.__name__} at test_app.py" in log.getvalue()
    assert SENTINEL not in json.dumps([error, *wire.received]) + log.getvalue()


async def test_request_that_cannot_be_read_is_answered() -> None:
    """A request of the wrong shape gets InvalidParams instead of silence, and the server goes on."""
    wire = Wire(insertion("x"))
    await wire.initialize(GHOST_TEXT)
    wire.open("a")
    wire.send(id=5, method="textDocument/inlineCompletion", params={"position": "here"})
    assert (await wire.answer_to(5))["error"]["code"] == -32602
    assert len(await wire.ghost_text(0, 1)) == 1


async def test_requests_at_the_wrong_time_are_refused() -> None:
    """Before initialize, at a second initialize and after shutdown a request gets the error LSP names for it."""
    wire = Wire(insertion("x"))
    asked = {**place(0, 0), "context": {"triggerKind": 2}}
    assert (await wire.request("textDocument/inlineCompletion", asked))["error"]["code"] == -32002
    await wire.initialize()
    first = wire.scheduler.settings
    params: Json = {"processId": None, "rootUri": None, "capabilities": {}}
    assert (await wire.request("initialize", params))["error"]["code"] == -32600
    assert wire.scheduler.settings is first
    assert (await wire.request("shutdown", None))["result"] is None
    assert wire.server.protocol.shutdown_requested
    assert (await wire.request("textDocument/inlineCompletion", asked))["error"]["code"] == -32600


async def test_change_of_an_unknown_document_is_ignored(log: io.StringIO) -> None:
    """It is one warning, and nothing is shown to the user."""
    wire = Wire(insertion("x"))
    await wire.initialize()
    change = {"textDocument": {"uri": URI, "version": 2}, "contentChanges": [{"text": SENTINEL}]}
    wire.notify("textDocument/didChange", change)
    await wire.settle()
    assert log.getvalue().count("\n") == 1
    assert "WARNING midfill.lsp.protocol" in log.getvalue()
    assert wire.received == []


async def test_close_ends_the_scheduler() -> None:
    """Closing the server closes its scheduler; one that was never initialized has none."""
    wire = Wire(insertion(""))
    wire.server.close()
    await wire.initialize()
    wire.server.close()
    assert wire.scheduler.closed


def test_scripted_scheduler_stands_in_for_the_real_one() -> None:
    """The stand-in has the methods the server calls, so that a renamed one fails here first."""
    used = {"start", "complete", "prepare", "forget", "close", "spell", "work_in", "state"}
    assert used <= set(dir(Scheduler)) & {*dir(ScriptedScheduler), *vars(ScriptedScheduler(insertion("")))}


@pytest.fixture
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Keep journal and statistics of this test apart."""
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path))
    monkeypatch.setenv("MIDFILL_CONFIG", str(tmp_path / "none.toml"))
    return tmp_path


async def test_asking_outright_gives_the_beginnings_too() -> None:
    """Somebody whose editor has no key for a part finds the first line and the first word among the items."""
    wire = Wire(insertion("return left\n    or right"))
    await wire.initialize(GHOST_TEXT)
    wire.open("def f():\n    ")
    texts = [item["insertText"] for item in await wire.ghost_text(1, 4, kind=1)]
    assert texts == ["return left\n    or right", "return left", "return"]
    assert len(await wire.ghost_text(1, 4, kind=2)) == 1


async def test_what_becomes_of_suggestions_is_counted(own_cache: Path) -> None:
    """By what the client tells, and by the edits of one that tells nothing; no text is kept."""
    wire = Wire(insertion("return left"))
    await wire.initialize(GHOST_TEXT)
    wire.open("def f():\n    ")
    await wire.ghost_text(1, 4)
    wire.notify("textDocument/didShowCompletion", {"item": {"insertText": "return left"}})
    item = {"insertText": "x", "command": {"title": "", "command": "midfill.accepted", "arguments": [1, 11]}}
    wire.notify("textDocument/didPartiallyAcceptCompletion", {"item": item, "acceptedLength": 6})
    await wire.request("workspace/executeCommand", {"command": "midfill.accepted", "arguments": [1, 5]})
    wire.change({"range": span((1, 4), (1, 4)), "text": "pass; "})
    await wire.ghost_text(1, 10)
    wire.change({"range": span((1, 10), (1, 10)), "text": "return left"})
    told = (await wire.request("workspace/executeCommand", {"command": "midfill.statistics", "arguments": []}))[
        "result"
    ]
    counts = {line.rsplit(maxsplit=1)[0].strip(): line.rsplit(maxsplit=1)[1] for line in told.splitlines()[1:]}
    assert {name: counts[name] for name in ("shown", "accepted", "partly accepted", "characters accepted")} == {
        "shown": "2", "accepted": "2", "partly accepted": "1", "characters accepted": "22",
    }  # fmt: skip
    assert "return" not in (own_cache / "statistics.json").read_text()


async def test_counts_are_saved_before_threads_are_waited_for(own_cache: Path) -> None:
    """The process may be ended while it waits."""
    wire = Wire(insertion("return left"))
    await wire.initialize(GHOST_TEXT)
    wire.open("def f():\n    ")
    await wire.ghost_text(1, 4)
    saved: list[bool] = []
    wire.scheduler.close = lambda: saved.append((own_cache / "statistics.json").is_file())
    wire.server.close()
    assert saved == [True]


async def test_why_shows_the_last_request(own_cache: Path) -> None:
    """The page has the verdict; the file that `midfill why` reads has no text of the document."""
    wire = Wire(insertion("return left"))
    await wire.initialize(GHOST_TEXT)
    wire.open("def sentinel():\n    ")
    await wire.ghost_text(1, 4)
    ways: list[Json] = [{}, {"arguments": []}, {"arguments": [1]}]
    pages = [
        (await wire.request("workspace/executeCommand", {"command": "midfill.why", **arguments}))["result"]
        for arguments in ways
    ]
    assert len(set(pages)) == 1
    page = pages[0]
    assert "return left" in page
    assert ":2:5  (automatic)" in page
    written = (own_cache / "journal.jsonl").read_text()
    assert "sentinel" not in written
    assert json.loads(written)["characters"] == 11


async def test_settings_change_while_the_server_runs(own_cache: Path, tmp_path: Path) -> None:
    """They are in force at once; a wrong one is reported once."""
    wire = Wire(insertion("x"))
    await wire.initialize()
    wire.notify("workspace/didChangeConfiguration", {"settings": {"midfill": {"maxLines": 3, "maxTokns": 5}}})
    assert wire.scheduler.settings.max_lines == 3
    wire.notify("workspace/didChangeConfiguration", {"settings": {"midfill": {"maxLines": 4, "maxTokns": 5}}})
    assert [text for _, text in wire.shown() if "maxTokns" in text] == [text for _, text in wire.shown()]
    assert len(wire.shown()) == 1
    wire.notify("workspace/didChangeConfiguration", {"settings": {"midfill": {"bundle": str(tmp_path / "other")}}})
    assert wire.scheduler.settings.bundle == tmp_path / "other"


async def test_midfill_toml_of_the_workspace_counts_and_is_read_again(own_cache: Path, tmp_path: Path) -> None:
    """Saving it is enough."""
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "midfill.toml").write_text("maxLines = 2\nworkspaceTokens = 0\n")
    wire = Wire(insertion("x"))
    await wire.initialize(workspace=folder)
    assert wire.scheduler.settings.max_lines == 2
    (folder / "midfill.toml").write_text("maxLines = 1\nworkspaceTokens = 0\n")
    uri = (folder / "midfill.toml").as_uri()
    wire.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": uri, "type": 2}]})
    assert wire.scheduler.settings.max_lines == 1


def cell(name: str, language: str, text: str) -> Json:
    """Make a notebook cell's document."""
    return {"uri": f"vscode-notebook-cell:/nb.ipynb#{name}", "languageId": language, "version": 1, "text": text}


async def test_cells_above_are_context_for_the_cell_that_is_written() -> None:
    """Offsets go in and out in the cell's own terms, also after cells are put in, edited and taken out."""
    wire = Wire(insertion("x"))
    await wire.initialize(GHOST_TEXT)
    prose, code, here = (
        cell("1", "markdown", "Prices"), cell("2", "python", "tax = 0.19"), cell("3", "python", "price ="),
    )  # fmt: skip
    notebook = {
        "uri": "file:///nb.ipynb", "notebookType": "jupyter-notebook", "version": 1,
        "cells": [{"kind": 1 if one is prose else 2, "document": one["uri"]} for one in (prose, code, here)],
    }  # fmt: skip
    wire.notify("notebookDocument/didOpen", {"notebookDocument": notebook, "cellTextDocuments": [prose, code, here]})
    edited = {"document": {"uri": code["uri"], "version": 2}, "changes": [{"text": "tax = 0.07\n"}]}
    identity = {"uri": notebook["uri"], "version": 2}
    wire.notify(
        "notebookDocument/didChange", {"notebookDocument": identity, "change": {"cells": {"textContent": [edited]}}}
    )
    context = {"textDocument": {"uri": here["uri"]}, "position": {"line": 0, "character": 7}}
    answer = await wire.request("textDocument/inlineCompletion", {**context, "context": {"triggerKind": 2}})
    [item] = answer["result"]["items"]
    assert item["range"] == span((0, 7), (0, 7))
    [request] = wire.scheduler.requests
    assert request.text == "# Prices\n\ntax = 0.07\n\n\nprice ="
    assert request.offset == len(request.text)
    assert request.path == "/nb.ipynb"
    new = cell("4", "python", "import shop")
    structure = {
        "array": {"start": 0, "deleteCount": 2, "cells": [{"kind": 2, "document": new["uri"]}]},
        "didOpen": [new], "didClose": [{"uri": prose["uri"]}, {"uri": code["uri"]}],
    }  # fmt: skip
    change = {"cells": {"structure": structure}}
    wire.notify("notebookDocument/didChange", {"notebookDocument": identity, "change": change})
    await wire.request("textDocument/inlineCompletion", {**context, "context": {"triggerKind": 2}})
    assert wire.scheduler.requests[-1].text == "import shop\n\nprice ="
    closing = {
        "notebookDocument": {"uri": notebook["uri"]},
        "cellTextDocuments": [{"uri": here["uri"]}, {"uri": new["uri"]}],
    }
    wire.notify("notebookDocument/didClose", closing)
    assert len(wire.server.protocol.documents) == 0
    assert wire.scheduler.forgotten == ["/nb.ipynb"]


async def test_cell_has_the_language_of_its_magic() -> None:
    """For suggestions and for actions; also where each cell is a document of its own."""
    wire = Wire(insertion("x"))
    await wire.initialize(GHOST_TEXT)
    code, shell, alone = (
        cell("1", "python", "!ls\nx = 1"), cell("2", "python", "%%bash\nls "), cell("3", "python", "%%bash\ncd "),
    )  # fmt: skip
    notebook = {
        "uri": "file:///nb.ipynb", "notebookType": "jupyter-notebook", "version": 1,
        "cells": [{"kind": 2, "document": one["uri"]} for one in (code, shell)],
    }  # fmt: skip
    wire.notify("notebookDocument/didOpen", {"notebookDocument": notebook, "cellTextDocuments": [code, shell]})
    wire.notify("textDocument/didOpen", {"textDocument": alone})
    for one, line in ((code, 1), (shell, 1), (alone, 1)):
        place = {"textDocument": {"uri": one["uri"]}, "position": {"line": line, "character": 3}}
        answer = await wire.request("textDocument/inlineCompletion", {**place, "context": {"triggerKind": 2}})
        assert [item["range"] for item in answer["result"]["items"]] == [span((line, 3), (line, 3))]
    assert [(request.text, request.language) for request in wire.scheduler.requests] == [
        ("#ls\nx = 1", "python"), ("#%bash\nls ", "shellscript"), ("#%bash\ncd ", "shellscript"),
    ]  # fmt: skip
    snapshots = wire.server.open_documents()
    assert [snapshots[one["uri"]].language for one in (code, shell, alone)] == ["python", "shellscript", "shellscript"]


async def test_changed_ignore_file_makes_suggestions_anew(own_cache: Path, tmp_path: Path) -> None:
    """What was suggested in a document that is excluded now is not suggested again."""
    wire = Wire(insertion("x"))
    await wire.initialize(options={"workspaceTokens": 0}, workspace=tmp_path)
    known = len(wire.scheduler.workspaces)
    for name, times in (("a.py", 0), (".midfillignore", 1)):
        uri = (tmp_path / name).as_uri()
        wire.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": uri, "type": 2}]})
        assert len(wire.scheduler.workspaces) == known + times
