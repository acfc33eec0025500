"""Code actions over JSON as a client sends it, by a model that answers as it is told."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Awaitable, Sequence
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from numpy.typing import NDArray
from pygls.exceptions import JsonRpcInvalidParams

from midfill.actions import Finding
from midfill.common.cancel import CancelFlag
from midfill.completion.scheduler import new_scheduler
from midfill.inference.kv_cache import KvCache
from midfill.lsp.code_actions import Wanted
from unit.replies import Replies, engine_of
from unit.wire import URI, Json, Wire, insertion, span
from waiting import wait_on_loop_until

CODE = "def tax(net):\n    rate = 0.19\n    return net * rate\n\n\ndef other():\n    return 1\n"
IN_TAX = span((2, 4), (2, 4))
LITERALS: Json = {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": []}}}
RESOLVES: Json = {**LITERALS, "dataSupport": True, "resolveSupport": {"properties": ["edit"]}}
DOCUMENTS: Json = {"documentChanges": True, "changeAnnotationSupport": {}}


class Patient(Replies):
    """Says nothing before it may."""

    def __init__(self, *replies: str) -> None:
        super().__init__(*replies)
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.began = threading.Event()

    def step(self, ids: Sequence[int], cache: KvCache, rows: int, cancel: CancelFlag) -> NDArray[np.float32]:
        """Wait, unless the step is interrupted."""
        self.began.set()
        with cancel.interrupting(lambda: None):
            while not (self.may_answer.wait(0.005) or cancel.is_set):
                pass
        cancel.check()
        return super().step(ids, cache, rows, cancel)


class Editor:
    """A client in the same process, with a document open."""

    def __init__(self, model: Patient) -> None:
        self.model = model
        self.wire = Wire(insertion(""), lambda settings: new_scheduler(settings, lambda *_: engine_of(model)))
        self._numbers = iter(range(10, 1000))

    async def start(self, code_action: Json = RESOLVES, workspace_edit: Json = DOCUMENTS, **more: Json) -> None:
        """Begin a session as a client that can do so much."""
        capabilities = {
            "textDocument": {"codeAction": code_action},
            "workspace": {"applyEdit": True, "workspaceEdit": workspace_edit},
            **more,
        }
        await self.wire.initialize(capabilities, {"draftTokens": 0})  # each step of the model is one token
        self.wire.open(CODE)

    async def offered(self, where: Json = IN_TAX, **context: Any) -> list[Json]:
        """Ask for actions."""
        params = {"textDocument": {"uri": URI}, "range": where}
        context = {"diagnostics": [], "triggerKind": 1, **context}
        found: list[Json] = (await self.ask("textDocument/codeAction", {**params, "context": context}))["result"]
        return found

    async def offer(self, title: str, where: Json = IN_TAX, **context: Any) -> Json:
        """Ask for one action by its title."""
        return next(action for action in await self.offered(where, **context) if action["title"] == title)

    async def ask(self, method: str, params: Json) -> Json:
        """Send a request and wait for its answer."""
        return await self.wire.request(method, params, number=next(self._numbers))

    def run(self, command: str, *arguments: Any, **more: Any) -> Awaitable[Json]:
        """Run a command."""
        return self.ask("workspace/executeCommand", {"command": command, "arguments": list(arguments), **more})

    async def answer_server(self, method: str, result: Any) -> Json:
        """Answer the server's own request."""
        request = await wait_on_loop_until(
            lambda: next((m for m in self.wire.received if m.get("method") == method), None), method
        )
        self.wire.received.remove(request)
        with contextlib.suppress(JsonRpcInvalidParams):  # as pygls' loop does
            self.wire.send(id=request["id"], result=result)
        params: Json = request["params"]
        return params


@pytest_asyncio.fixture
async def editor() -> AsyncIterator[Editor]:
    """Return a client of a server whose model rewrites one function."""
    editor = Editor(Patient("```python\ndef tax(net):\n    return net * 0.19\n```\n"))
    yield editor
    editor.model.may_answer.set()
    await asyncio.to_thread(editor.wire.server.close)


async def test_titles_come_without_the_model(editor: Editor) -> None:
    """What can be done in a place, by kind; nothing is asked of the model, and no edit is there."""
    editor.model.may_answer.clear()
    await editor.start()
    kinds = {action["title"]: action["kind"] for action in await editor.offered()}
    assert kinds == {
        "Add documentation": "refactor.rewrite",
        "Add types": "refactor.rewrite",
        "Simplify": "refactor.rewrite",
        "Make faster": "refactor.rewrite",
        "Write tests": "midfill.tests",
        "Explain": "midfill.explain",
        "Document all that is not documented": "source.midfill.document",
        "Review this file": "source.midfill.review",
    }
    selected = await editor.offered(span((1, 0), (2, 0)), only=["refactor.extract"])
    assert [action["title"] for action in selected] == ["Extract function"]
    assert not editor.model.began.is_set()


async def test_what_was_asked_for_is_honoured(editor: Editor) -> None:
    """Kinds, and who asks: for a cursor that moves there are fixes only, each with its diagnostic."""
    await editor.start()
    assert {a["kind"] for a in await editor.offered(only=["source"])} == {
        "source.midfill.document",
        "source.midfill.review",
    }
    assert await editor.offered(only=["refactor.inline"]) == []
    wrong = {"range": IN_TAX, "message": "name 'x' is not defined\nmore", "source": "lint", "code": 7}
    [fix] = await editor.offered(diagnostics=[wrong], triggerKind=2)
    assert (fix["title"], fix["kind"], fix["diagnostics"]) == ("Fix: name 'x' is not defined", "quickfix", [wrong])
    assert fix["data"]["message"] == "name 'x' is not defined\nmore (lint: 7)"


async def test_clients_that_can_do_less_get_commands(editor: Editor) -> None:
    """Without lazy edits an action has a command; without actions there are commands only."""
    await editor.start(LITERALS)
    assert all(action["command"]["command"] == "midfill.do" for action in await editor.offered())
    other = Editor(Patient("none"))
    await other.start({})
    assert all(command["command"] == "midfill.do" for command in await other.offered())
    other.wire.server.close()


async def test_plug_in_that_asks_its_user_has_more(editor: Editor) -> None:
    """Who can ask for a text is offered what needs one, by a command of the client's own."""
    await editor.start(experimental={"midfill": {"input": True, "commands": True}})
    actions = await editor.offered()
    assert {a["title"] for a in actions if a["command"]["command"] == "midfill.input"} == {
        "Write this code…",
        "Ask about this code…",
    }


async def test_edit_comes_when_the_action_is_chosen(editor: Editor) -> None:
    """For the document's version, annotated, and no more than what changes."""
    await editor.start()
    resolved = (await editor.ask("codeAction/resolve", await editor.offer("Simplify")))["result"]
    [change] = resolved["edit"]["documentChanges"]
    assert change["textDocument"] == {"uri": URI, "version": 1}
    assert [(e["range"], e["newText"]) for e in change["edits"]] == [(span((1, 0), (3, 0)), "    return net * 0.19\n")]
    [annotation] = resolved["edit"]["changeAnnotations"].values()
    assert annotation["needsConfirmation"]


async def test_command_has_the_client_apply_the_edit(editor: Editor) -> None:
    """And says whether it did."""
    await editor.start(workspace_edit={})
    running = asyncio.ensure_future(editor.run("midfill.do", {"action": "simplify", "uri": URI, "range": IN_TAX}))
    asked = await editor.answer_server("workspace/applyEdit", {"applied": True})
    assert (await running)["result"]["applied"] is True
    assert list(asked["edit"]["changes"]) == [URI]


@pytest.mark.parametrize("answer", [{"applied": False}, None], ids=["refused", "malformed"])
async def test_edit_that_the_client_does_not_apply(editor: Editor, answer: Json | None) -> None:
    """The command says so; an answer that is none leaves nobody waiting."""
    await editor.start(workspace_edit={})
    running = asyncio.ensure_future(editor.run("midfill.do", {"action": "simplify", "uri": URI, "range": IN_TAX}))
    await editor.answer_server("workspace/applyEdit", answer)
    assert (await running)["result"]["applied"] is False


async def test_edit_of_text_that_moved_on_before_is_dropped(editor: Editor) -> None:
    """With one message."""
    await editor.start()
    action = await editor.offer("Simplify")
    editor.wire.change({"range": span((6, 0), (6, 0)), "text": "    pass\n"})
    answer = await editor.ask("codeAction/resolve", action)
    assert "edit" not in answer["result"]
    [(_, message)] = editor.wire.shown()
    assert "has changed" in message


async def test_edit_of_text_that_moved_on_meanwhile_is_dropped(editor: Editor) -> None:
    """With one message."""
    await editor.start()
    action = await editor.offer("Simplify")
    editor.model.may_answer.clear()
    resolving = asyncio.ensure_future(editor.ask("codeAction/resolve", action))
    await wait_on_loop_until(editor.model.began.is_set)
    editor.wire.change({"range": span((6, 0), (6, 0)), "text": "    pass\n"})
    editor.model.may_answer.set()
    answer = await resolving
    assert "edit" not in answer["result"]
    [(_, message)] = editor.wire.shown()
    assert "has changed" in message


async def test_refusal_is_one_line_with_its_reason(editor: Editor) -> None:
    """The action stays as it is."""
    editor.model.replies = ["I would rather not."]
    await editor.start()
    answer = await editor.ask("codeAction/resolve", await editor.offer("Simplify"))
    assert "edit" not in answer["result"]
    [(_, message)] = editor.wire.shown()
    assert message.startswith("Midfill: no good edit found (")
    assert "\n" not in message


async def test_progress_has_the_clients_token_and_ends_it(editor: Editor) -> None:
    """It begins at once; cancelling it ends the work, whose answer says so."""
    editor.model.may_answer.clear()
    await editor.start()
    asked = {"action": "explain", "uri": URI, "range": IN_TAX}
    running = asyncio.ensure_future(editor.run("midfill.do", asked, workDoneToken="t"))
    await wait_on_loop_until(editor.model.began.is_set)
    [begin] = [p["value"] for p in editor.wire.sent("$/progress") if p["value"]["kind"] == "begin"]
    assert (begin["message"], begin["cancellable"]) == ("Explain", True)
    editor.wire.notify("window/workDoneProgress/cancel", {"token": "t"})
    assert (await running)["result"]["reason"] == "cancelled"
    assert editor.wire.sent("$/progress")[-1] == {"token": "t", "value": {"kind": "end"}}


async def test_cancelled_request_ends_the_work(editor: Editor) -> None:
    """And the next one is served."""
    editor.model.may_answer.clear()
    await editor.start()
    action = await editor.offer("Simplify")
    editor.wire.send(id=5, method="codeAction/resolve", params=action)
    await wait_on_loop_until(editor.model.began.is_set)
    editor.wire.notify("$/cancelRequest", {"id": 5})
    assert (await editor.wire.answer_to(5))["error"]["code"] == -32800
    editor.model.may_answer.set()
    assert "edit" in (await editor.ask("codeAction/resolve", action))["result"]


async def test_text_is_streamed_to_a_plug_in_that_shows_it(editor: Editor) -> None:
    """Piece by piece, from an empty one to the end; there is no message besides."""
    editor.model.replies = ["It adds a tax."]
    await editor.start(experimental={"midfill": {"actionText": True}})
    result = (await editor.run("midfill.do", {"action": "explain", "uri": URI, "range": IN_TAX}))["result"]
    pieces = editor.wire.sent("midfill/actionText")
    assert "".join(piece["text"] for piece in pieces) == result["text"] == "It adds a tax."
    assert [piece["done"] for piece in pieces] == [False] * (len(pieces) - 1) + [True]
    assert {(piece["id"], piece["title"]) for piece in pieces} == {("1", "Explain")}
    assert (pieces[0]["text"], editor.wire.shown()) == ("", [])


async def test_text_is_a_document_or_a_message_elsewhere(editor: Editor) -> None:
    """A document of the server's own for who can ask for it; it lies on no disk."""
    editor.model.replies = ["It adds a tax."]
    able = {"applyEdit": True, "textDocumentContent": {"dynamicRegistration": True}}
    await editor.start(workspace=able, window={"showDocument": {"support": True}})
    explain = {"action": "explain", "uri": URI, "range": IN_TAX}
    running = asyncio.ensure_future(editor.run("midfill.do", explain))
    uri = (await editor.answer_server("window/showDocument", {"success": True}))["uri"]
    await running
    assert uri.startswith("midfill:/")
    shown = await editor.ask("workspace/textDocumentContent", {"uri": uri})
    assert shown["result"]["text"] == "# Explain\n\nIt adds a tax.\n"
    running = asyncio.ensure_future(editor.run("midfill.do", explain))
    await editor.answer_server("window/showDocument", {"success": False})
    await running
    assert editor.wire.shown() == [(3, "It adds a tax.")]


async def test_hover_has_the_last_explanation_while_the_text_is_the_same(editor: Editor) -> None:
    """Over the lines that were explained, and nowhere else."""
    editor.model.replies = ["It adds a tax."]
    await editor.start()
    await editor.run("midfill.do", {"action": "explain", "uri": URI, "range": IN_TAX})

    async def hover(line: int) -> Any:
        place = {"textDocument": {"uri": URI}, "position": {"line": line, "character": 0}}
        return (await editor.ask("textDocument/hover", place))["result"]

    assert (await hover(0))["contents"] == {"kind": "markdown", "value": "It adds a tax."}
    assert await hover(5) is None
    editor.wire.change({"range": span((6, 0), (6, 0)), "text": "\n"})
    assert await hover(0) is None


async def test_question_goes_on_from_the_last_answer(editor: Editor) -> None:
    """With what was said before; without an answer there is nothing to go on from."""
    editor.model.replies = ["Nineteen per cent.", "Because."]
    await editor.start()
    assert (await editor.run("midfill.ask", {"text": "Why?"}))["result"]["reason"] == "no-answer"
    asked = {"text": "What is the rate?", "uri": URI, "range": IN_TAX}
    assert (await editor.run("midfill.ask", asked))["result"]["text"] == "Nineteen per cent."
    assert (await editor.run("midfill.ask", {"text": "Why?"}))["result"]["text"] == "Because."
    assert "Nineteen per cent." in editor.model.asked[-1]
    assert editor.model.asked[-1].count("def tax") == 1


async def test_review_without_findings_says_so(editor: Editor) -> None:
    """In one line, and there are no hints."""
    editor.model.replies = [CODE]
    await editor.start()
    result = (await editor.run("midfill.do", {"action": "review", "uri": URI}))["result"]
    assert result["findings"] == []
    assert [message for _, message in editor.wire.shown()] == [result["text"]]
    assert editor.wire.sent("textDocument/publishDiagnostics")[-1]["diagnostics"] == []


async def test_findings_go_with_their_lines_and_by_a_command(editor: Editor) -> None:
    """The client is told each time; each is offered a fix."""
    await editor.start()
    server = editor.wire.server
    assert server.session is not None
    server.session.actions.findings.put(URI, CODE, [Finding(1, "Odd."), Finding(6, "Even.")])
    server.publish_findings(URI)

    def hints() -> list[tuple[int, str]]:
        published = editor.wire.sent("textDocument/publishDiagnostics")[-1]["diagnostics"]
        return [(hint["range"]["start"]["line"], hint["message"]) for hint in published]

    assert hints() == [(1, "Odd."), (6, "Even.")]
    hint = editor.wire.sent("textDocument/publishDiagnostics")[-1]["diagnostics"][0]
    assert [fix["title"] for fix in await editor.offered(diagnostics=[hint], triggerKind=2)] == ["Fix: Odd."]
    editor.wire.change({"range": span((0, 0), (2, 0)), "text": "def tax(net, rate):\n"})
    assert hints() == [(5, "Even.")]
    await editor.run("midfill.clearFindings")
    assert hints() == []


async def test_pasted_traceback_finds_its_document(editor: Editor) -> None:
    """The function that it ends in is fixed, which is not run; without an open file there is one message."""
    await editor.start(workspace_edit={})
    trace = 'Traceback:\n  File "/x/main.py", line 1, in f\n  File "/work/a.py", line 3, in tax\nTypeError: x'
    running = asyncio.ensure_future(editor.run("midfill.do", {"action": "fix", "message": trace}))
    asked = await editor.answer_server("workspace/applyEdit", {"applied": True})
    assert list(asked["edit"]["changes"]) == [URI]
    await running
    result = (await editor.run("midfill.do", {"action": "fix", "message": trace.replace("a.py", "b.py")}))["result"]
    assert result["reason"] == "not-open"
    assert [text for _, text in editor.wire.shown()] == [
        "Not checked by running: `runCode` does not allow it.",
        "Midfill works on open files only: open this one.",
    ]


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("midfill.do", []),
        ("midfill.do", [1, 2]),
        ("midfill.do", ["fix"]),
        ("midfill.do", [{"action": ["fix"]}]),
        ("midfill.do", [{"action": "paint"}]),
        ("midfill.do", [{"action": "fix", "uri": 3}]),
        ("midfill.do", [{"action": "fix", "version": "one"}]),
        ("midfill.do", [{"action": "fix", "range": {"start": 1}}]),
        ("midfill.do", [{"action": "fix", "range": span((-1, 0), (0, 0))}]),
        ("midfill.do", [{"action": "fix", "range": span((0, 1 << 31), (0, 0))}]),
        ("midfill.ask", [{}]),
        ("midfill.accepted", ["one"]),
    ],
)
async def test_malformed_commands_are_refused(editor: Editor, command: str, arguments: list[Any]) -> None:
    """With one line that quotes nothing of what was sent."""
    await editor.start()
    error = (await editor.run(command, *arguments))["error"]
    assert error["code"] == -32602
    assert "\n" not in error["message"]
    assert "paint" not in error["message"]


async def test_range_beyond_the_document_has_nothing_to_offer_but_for_the_file(editor: Editor) -> None:
    """Neither does it raise."""
    await editor.start()
    kinds = {action["kind"] for action in await editor.offered(span((90, 3), (95, 0)))}
    assert kinds == {"source.midfill.document", "source.midfill.review"}
    answer = await editor.ask(
        "codeAction/resolve",
        {"title": "x", "data": {"action": "simplify", "uri": URI, "range": span((90, 0), (91, 0))}},
    )
    assert "edit" not in answer["result"]
    assert editor.wire.shown()[0][1].startswith("Midfill: no good edit found (no-code)")


def test_half_a_character_in_a_message() -> None:
    """No tokenizer would accept it."""
    asked = {"action": "write", "uri": URI, "message": "half \ud83d", "instruction": "\ude00 half"}
    request = Wanted.read(asked).request()
    assert (request.message, request.instruction) == ("half \ufffd", "\ufffd half")
