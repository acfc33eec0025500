"""Code actions by the real model, as each editor's real capabilities have them: offered, done, cancelled, too late."""

from __future__ import annotations

import ast
import asyncio
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.workspace import PositionCodec, TextDocument

from e2e.editor import CAPTURED, CURSOR, Editor, Place, inline_completion_at
from waiting import wait_on_loop_until

pytestmark = [pytest.mark.bundle, pytest.mark.asyncio(loop_scope="session")]

CODE = f"""\
def mean(values):
    {CURSOR}return sum(values) / len(values)


def twice(number):
    doubled = number + number
    print(doubled)
    return doubled
"""
MEAN = types.Range(types.Position(1, 4), types.Position(1, 4))
VS_CODE = next(path for path in CAPTURED if path.stem.startswith("visual"))
INVALID_PARAMS = -32602
REQUEST_CANCELLED = -32800


async def offered(
    editor: Editor, place: Place, where: types.Range = MEAN, *, message: str = "", only: list[str] | None = None
) -> list[types.CodeAction]:
    """Ask for the actions in a range, as a key does; the wire's JSON, since lsprotocol takes some for commands."""
    diagnostics = [types.Diagnostic(range=where, message=message)] if message else []
    params = types.CodeActionParams(
        types.TextDocumentIdentifier(place.uri),
        where,
        types.CodeActionContext(diagnostics, only, types.CodeActionTriggerKind.Invoked),
    )
    found = await editor.client.text_document_code_action_async(params) or ()
    return [action for action in found if isinstance(action, types.CodeAction)]


async def choose(editor: Editor, action: types.CodeAction) -> types.WorkspaceEdit | None:
    """Do what an editor does with the action that its user chose; return the edit."""
    if action.command is not None:
        await run(editor, action.command.command, *(action.command.arguments or ()))
        return None
    return (await editor.client.code_action_resolve_async(action)).edit


async def run(editor: Editor, command: str, *arguments: Any) -> Any:
    """Run a command of the server's."""
    return await editor.client.workspace_execute_command_async(
        types.ExecuteCommandParams(command=command, arguments=list(arguments))
    )


def edited(editor: Editor, place: Place, edit: types.WorkspaceEdit) -> str:
    """Apply an edit as an editor of these capabilities would."""
    changes: list[types.TextEdit | types.AnnotatedTextEdit]
    if edit.changes is not None:
        changes = list(edit.changes[place.uri])
    else:
        [whole] = edit.document_changes or ()
        assert isinstance(whole, types.TextDocumentEdit)
        assert (whole.text_document.uri, whole.text_document.version) == (place.uri, 0)
        kinds = (types.TextEdit, types.AnnotatedTextEdit)
        changes = [change for change in whole.edits if isinstance(change, kinds)]
        assert len(changes) == len(whole.edits)
    document = TextDocument(place.uri, place.text, position_codec=PositionCodec(editor.encoding))
    text = place.text
    for change in reversed(changes):
        start, end = (document.offset_at_position(position) for position in (change.range.start, change.range.end))
        text = text[:start] + change.new_text + text[end:]
    return text


def shown_since(editor: Editor, before: int) -> list[str]:
    """Return the messages that the user was shown."""
    return [message.message for message in editor.client.messages[before:]]


async def last_document(editor: Editor) -> list[str]:
    """Return the text of the last document of the server's own that the editor was to show, if there is one."""
    asked = [types.TextDocumentContentParams(shown.uri) for shown in editor.client.shown_documents[-1:]]
    return [(await editor.client.workspace_text_document_content_async(params)).text for params in asked]


async def wait_for_progress(editor: Editor, known: set[types.ProgressToken], what: str) -> types.ProgressToken:
    """Wait until a progress that is not known has a message that contains ``what``; return its token.

    It begins with the action's title, before anything is computed. "tokens" comes when the model generates.
    """

    def find() -> list[types.ProgressToken]:
        all_reports = editor.client.progress_reports
        new = {token: reports for token, reports in all_reports.items() if token not in known}
        return [token for token, reports in new.items() if any(what in message_of(report) for report in reports)]

    [token] = await wait_on_loop_until(find, f"a progress with {what!r}")
    return token


def message_of(report: object) -> str:
    """Return the message of a progress report."""
    return getattr(report, "message", None) or ""


def refusals_since(editor: Editor, before: int) -> list[str]:
    """Return the messages that the user was shown, each of which says that there is no edit."""
    refusals = [line for line in shown_since(editor, before) if not line.startswith("Not checked by running: ")]
    assert all(refusal.startswith("Midfill: no good edit found (") for refusal in refusals), refusals
    return refusals


def whole(place: Place) -> dict[str, Any]:
    """Name a document, in a command's argument."""
    return {"uri": place.uri}


async def test_documentation_is_resolved_and_nothing_else_changes(editor: Editor) -> None:
    """The title comes at once; the edit, when it is chosen, in the form that this editor takes."""
    place = editor.open(CODE)
    [action] = [a for a in await offered(editor, place, only=["refactor"]) if a.title == "Add documentation"]
    assert (action.kind, action.edit) == ("refactor.rewrite", None)
    edit = await choose(editor, action)
    assert edit is not None
    able = editor.client.capabilities.workspace.workspace_edit  # type: ignore[union-attr]
    assert able is not None
    assert (edit.change_annotations is not None) == (able.change_annotation_support is not None)
    after = ast.parse(edited(editor, place, edit))
    function = after.body[0]
    assert isinstance(function, ast.FunctionDef)
    assert ast.get_docstring(function)
    del function.body[0]
    assert ast.dump(after) == ast.dump(ast.parse(place.text))


async def test_question_is_answered_and_goes_on(editor: Editor) -> None:
    """The answer comes back, in a message where nothing better is supported, and in hover over what was asked about."""
    place, before = editor.open(CODE), len(editor.client.messages)
    asked = {"range": {"start": {"line": 4, "character": 0}, "end": {"line": 8, "character": 0}}, **whole(place)}
    answer = await run(editor, "midfill.ask", {"text": "Name this function's parameter. One word.", **asked})
    assert "number" in answer["text"]
    assert any(answer["text"] in text for text in [*shown_since(editor, before), *await last_document(editor)])
    hover = await editor.client.text_document_hover_async(
        types.HoverParams(types.TextDocumentIdentifier(place.uri), types.Position(6, 2))
    )
    assert hover is not None
    assert isinstance(hover.contents, types.MarkupContent)
    assert hover.contents.value == answer["text"]
    further = await run(editor, "midfill.ask", {"text": "And the function's own name? One word."})
    assert "twice" in further["text"]


async def test_cancelled_action_ends_at_once(editor: Editor) -> None:
    """By the request's id; what is asked next is served."""
    place, known = editor.open(CODE), set(editor.client.progress_reports)
    params = types.ExecuteCommandParams("midfill.do", arguments=[{"action": "explain", **whole(place)}])
    explaining = asyncio.ensure_future(
        editor.client.protocol.send_request_async(  # type: ignore[no-untyped-call]
            types.WORKSPACE_EXECUTE_COMMAND, params, msg_id="explain"
        )
    )
    await wait_for_progress(editor, known, "tokens")
    editor.client.cancel_request(types.CancelParams(id="explain"))
    with pytest.raises(JsonRpcException) as cancelled:
        await explaining
    assert cancelled.value.code == REQUEST_CANCELLED
    assert await offered(editor, place)


async def test_action_cancelled_in_its_progress_display(editor: Editor) -> None:
    """The progress begins before anything is computed, and its cancel button works."""
    place, known = editor.open(CODE), set(editor.client.progress_reports)
    [action] = [a for a in await offered(editor, place) if a.title == "Explain"]
    choosing = asyncio.ensure_future(choose(editor, action))
    token = await wait_for_progress(editor, known, "Explain")
    reports = editor.client.progress_reports[token]
    assert isinstance(reports[0], types.WorkDoneProgressBegin)
    assert reports[0].cancellable
    editor.client.window_work_done_progress_cancel(types.WorkDoneProgressCancelParams(token))
    await choosing
    await wait_on_loop_until(lambda: isinstance(reports[-1], types.WorkDoneProgressEnd), "the progress to end")


async def test_edit_never_lands_on_text_that_moved_on_before(editor: Editor) -> None:
    """If the text changes before the action is chosen, there is no edit, and one message."""
    place, before = editor.open(CODE), len(editor.client.messages)
    [action] = [a for a in await offered(editor, place) if a.title == "Add documentation"]
    editor.type(place, "# ")
    assert await choose(editor, action) is None
    [message] = shown_since(editor, before)
    assert "has changed" in message


async def test_edit_never_lands_on_text_that_moved_on_meanwhile(editor: Editor) -> None:
    """If the text changes while the action is done, there is no edit, and one message."""
    place, before = editor.open(CODE), len(editor.client.messages)
    [action] = [a for a in await offered(editor, place) if a.title == "Add documentation"]
    known = set(editor.client.progress_reports)
    choosing = asyncio.ensure_future(choose(editor, action))
    await wait_for_progress(editor, known, "Add documentation")
    editor.type(place, "# ")
    assert await choosing is None
    [message] = shown_since(editor, before)
    assert "has changed" in message


@pytest.mark.parametrize("editor", [VS_CODE], indirect=True, ids=["VS Code"])
@pytest.mark.parametrize(
    ("title", "where", "message", "kept_to"),
    [
        ("Fix: name 'value' is not defined", (1, 4, 1, 4), "name 'value' is not defined", ""),
        ("Write this code", (3, 0, 3, 0), "", ""),
        ("Add types", (0, 0, 0, 0), "", ""),
        ("Simplify", (6, 0, 6, 0), "", "def twice"),
        ("Make faster", (6, 0, 6, 0), "", "def twice"),
        ("Extract function", (6, 0, 8, 0), "", "def twice"),
        ("Document all that is not documented", (0, 0, 0, 0), "", ""),
    ],
)
async def test_every_edit_fits_or_is_refused_with_its_reason(
    editor: Editor, title: str, where: tuple[int, int, int, int], message: str, kept_to: str
) -> None:
    """The small model may fail, but then it says so; what it gives parses, and other functions stay as they are.

    The text before ``kept_to`` must stay to the letter.
    """
    code = f"def mean(values):\n    return sum(values) / len(value)\n\n# say hello\n\n{CODE.partition(chr(10) * 3)[2]}"
    place, before = editor.open(f"{CURSOR}{code}"), len(editor.client.messages)
    span = types.Range(types.Position(*where[:2]), types.Position(*where[2:]))
    [action] = [a for a in await offered(editor, place, span, message=message) if a.title == title]
    assert [diagnostic.message for diagnostic in action.diagnostics or ()] == [message] * bool(message)
    edits = [edit for edit in [await choose(editor, action)] if edit is not None]
    refusals = refusals_since(editor, before)
    assert len(edits) + len(refusals) == 1
    assert edits or title != "Extract function", "only a name is to be found"
    for after in (edited(editor, place, edit) for edit in edits):
        names = {node.name for node in ast.parse(after).body if isinstance(node, ast.FunctionDef)}
        assert names >= {"mean", "twice"}
        assert after != place.text
        assert after.startswith(code[: code.index(kept_to)])


@pytest.mark.parametrize("editor", [VS_CODE], indirect=True, ids=["VS Code"])
async def test_tests_come_as_a_new_file(editor: Editor) -> None:
    """Beside the module, made by the edit, when the project has no other place for them."""
    place, before = editor.open(CODE), len(editor.client.messages)
    [action] = [a for a in await offered(editor, place) if a.title == "Write tests"]
    edits = [edit for edit in [await choose(editor, action)] if edit is not None]
    refusals = refusals_since(editor, before)
    assert bool(edits) != bool(refusals), "the small model may fail, but then it says so"
    for edit in edits:
        made, written = edit.document_changes or ()
        assert isinstance(made, types.CreateFile)
        assert isinstance(written, types.TextDocumentEdit)
        assert made.uri == written.text_document.uri
        assert Path(made.uri).name == f"test_{Path(place.uri).name}"
        [change] = written.edits
        assert isinstance(change, types.AnnotatedTextEdit)
        assert "def test" in change.new_text


@pytest.mark.parametrize("editor", [VS_CODE], indirect=True, ids=["VS Code"])
async def test_review_leaves_hints_that_go_when_their_lines_change(editor: Editor) -> None:
    """Findings are hints with a fix each; they go with the text, or by a command."""
    place = editor.open(CODE)
    found = (await run(editor, "midfill.do", {"action": "review", **whole(place)}))["findings"]
    hints = editor.client.diagnostics.get(place.uri, ())
    assert [hint.message for hint in hints] == [finding["text"] for finding in found]
    for hint in hints:
        assert (hint.severity, hint.source) == (types.DiagnosticSeverity.Hint, "midfill")
    await run(editor, "midfill.clearFindings")
    assert not editor.client.diagnostics.get(place.uri)


@pytest.mark.parametrize("editor", [VS_CODE], indirect=True, ids=["VS Code"])
async def test_typing_does_not_wait_for_an_action(editor: Editor) -> None:
    """A suggestion that is asked for while an action works comes before it ends, and the action goes on."""
    place, other = editor.open(CODE), editor.open(f"height = 3\nprint(hei{CURSOR}")
    known = set(editor.client.progress_reports)
    explaining = asyncio.ensure_future(run(editor, "midfill.do", {"action": "explain", **whole(place)}))
    await wait_for_progress(editor, known, "tokens")
    result = await editor.client.text_document_inline_completion_async(inline_completion_at(other))
    assert not explaining.done()
    assert isinstance(result, types.InlineCompletionList)
    assert str(result.items[0].insert_text).startswith("ght")
    assert "mean" in (await explaining)["text"]


@pytest.mark.parametrize("editor", [VS_CODE], indirect=True, ids=["VS Code"])
@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("midfill.nothing", []),
        ("midfill.do", []),
        ("midfill.do", ["fix"]),
        ("midfill.do", [{"action": "paint", "uri": "file:///work/a.py"}]),
        ("midfill.do", [{"action": "fix", "uri": 3}]),
        ("midfill.do", [{"action": "fix", "uri": "file:///work/a.py", "range": {"start": 1}}]),
        ("midfill.ask", [{"text": ""}]),
    ],
)
async def test_wrong_arguments_are_refused(editor: Editor, command: str, arguments: list[Any]) -> None:
    """With one line that quotes nothing; the server goes on."""
    with pytest.raises(JsonRpcException) as refused:
        await run(editor, command, *arguments)
    assert refused.value.code == INVALID_PARAMS
    assert "\n" not in refused.value.message
    place = editor.open(CODE)
    beyond = types.Range(types.Position(500, 0), types.Position(900, 80))
    titles = {action.title for action in await offered(editor, place, beyond)}
    assert titles <= {"Document all that is not documented", "Review this file"}
