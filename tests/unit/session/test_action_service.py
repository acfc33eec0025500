"""The rules of actions without a protocol: what is accepted, what is dropped, and what is remembered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from midfill.actions import ACTIONS, Action, ActionReason, ActionResult, ActionTask, Finding
from midfill.actions.action import Gives
from midfill.actions.checked_edit import Edit
from midfill.actions.proof import Verdict
from midfill.common.cancel import CancelFlag
from midfill.common.errors import ModelError
from midfill.prompt.chat_template import Message
from midfill.session.action_runner import ActionRunner
from midfill.session.action_service import AcceptedRequest, ActionReply, ActionRequest, ActionService
from midfill.session.snapshots import DocumentSnapshot

URI = "file:///work/a.py"
CODE = "def tax(net):\n    return net\n\n\ndef other():\n    return 1\n"
DOCUMENT = DocumentSnapshot(uri=URI, path="/work/a.py", text=CODE, version=1, language="python")
LATER = replace(DOCUMENT, text=f"{CODE}\n", version=2)
EDIT = Edit(1, 2, ("    return net * 2",))


def nothing_happens() -> None:
    """Leave the documents as they are while an action is performed."""


class Desk:
    """A service with one open document, and a runner that gives the same result each time."""

    def __init__(self, **result: Any) -> None:
        self.documents = {URI: DOCUMENT}
        self.result = result
        self.meanwhile: Callable[[], object] = nothing_happens
        self.tasks: list[ActionTask] = []
        self.may_change = True
        """Whether edits may go to other files."""
        self.service = ActionService(
            cast("ActionRunner", self), lambda: dict(self.documents), lambda _document, _file: self.may_change
        )

    async def perform(self, _: Action, task: ActionTask, cancel: CancelFlag, **listeners: Any) -> ActionResult:
        """Do what happens meanwhile, then give the result."""
        self.tasks.append(task)
        self.meanwhile()
        cancel.check()
        return ActionResult(task=task, **self.result)

    async def ask(self, name: str, cancel: CancelFlag | None = None, **more: Any) -> ActionReply:
        """Make a request; perform it if it is accepted."""
        request = ActionRequest(action=ACTIONS[name], **{"uri": URI, **more})
        accepted = self.service.accept(request)
        if isinstance(accepted, ActionReply):
            return accepted
        return await self.service.perform(accepted, cancel or CancelFlag())

    def accepted(self, name: str, **request: Any) -> AcceptedRequest:
        """Return a request that must be accepted."""
        accepted = self.service.accept(ActionRequest(action=ACTIONS[name], **request))
        assert isinstance(accepted, AcceptedRequest)
        return accepted


def test_request_is_for_some_lines_or_for_the_whole_document() -> None:
    """Lines count from 0; the second number is the line after the last one."""
    desk = Desk()
    lines, whole = desk.accepted("simplify", uri=URI, lines=(1, 2)).task, desk.accepted("simplify", uri=URI).task
    assert (lines.selection.lines, lines.whole_file) == (["    return net"], False)
    assert (whole.selection.lines, whole.whole_file) == (CODE.removesuffix("\n").split("\n"), True)
    assert (lines.selection.path, lines.open_text("/work/a.py"), lines.open_text("/work/b.py")) == (
        DOCUMENT.path,
        CODE,
        None,
    )


async def test_document_must_be_open_in_the_version_that_was_offered() -> None:
    """Without a version, any will do; nothing is performed otherwise."""
    desk = Desk(edit=EDIT)
    closed, old = await desk.ask("simplify", uri="file:///work/b.py"), await desk.ask("simplify", version=0)
    assert (closed.reason, old.reason, desk.tasks) == (ActionReason.NOT_OPEN, ActionReason.CHANGED, [])
    assert closed.message == "Midfill works on open files only: open this one."
    assert old.message == "Midfill edited nothing: the text has changed since. Choose the action again."
    assert (await desk.ask("simplify", version=1)).edit == (await desk.ask("simplify")).edit == EDIT


@pytest.mark.parametrize(
    ("trace", "name"),
    [
        ('  File "/work/b.py", line 1\n  File "/work/a.py", line 2\nTypeError', "a.py"),
        ('  File "/work/a.py", line 2\n  File "/work/b.py", line 1\nTypeError', "b.py"),
        ("at tax (/work/b.py:1:5)\nat main (/work/a.py:2:1)", "b.py"),
    ],
)
def test_traceback_chooses_the_document(trace: str, name: str) -> None:
    """The innermost frame in an open document: Python names it last, others first."""
    desk = Desk()
    other = replace(DOCUMENT, uri="file:///work/b.py", path="/work/b.py")
    desk.documents[other.uri] = other
    assert desk.accepted("fix", message=trace).uri == f"file:///work/{name}"


async def test_only_some_actions_are_located_by_a_traceback() -> None:
    """Neither is a document chosen that the traceback does not name."""
    trace = '  File "/work/a.py", line 2\nTypeError'
    replies = [
        await Desk().ask("simplify", uri="", message=trace),
        await Desk().ask("fix", uri="", message=trace.replace("a.py", "c.py")),
    ]
    assert [reply.reason for reply in replies] == [ActionReason.NOT_OPEN] * 2


@pytest.mark.parametrize(
    "now",
    [{URI: LATER}, {URI: replace(DOCUMENT, version=2)}, {}],
    ids=["edited", "another version", "closed"],
)
async def test_edit_is_dropped_when_its_document_is_another_version(now: dict[str, DocumentSnapshot]) -> None:
    """It would land on other lines."""
    desk = Desk(edit=EDIT)
    desk.meanwhile = lambda: setattr(desk, "documents", now)
    reply = await desk.ask("simplify")
    assert (reply.edit, reply.gives, reply.reason) == (None, None, ActionReason.CHANGED)
    assert "has changed" in reply.message


async def test_edit_of_another_file_is_dropped_when_its_lines_have_changed(tmp_path: Path) -> None:
    """The file as an editor has it counts; if it is not open, the one on disk."""
    tests = tmp_path / "test_a.py"
    desk = Desk(edit=Edit(2, 2, ("x = 1",), str(tests)))
    missing = await desk.ask("tests")
    tests.write_text("import a\n\n")
    on_disk = await desk.ask("tests")
    opened = replace(DOCUMENT, uri=tests.as_uri(), path=str(tests), text="import a\n\n\n")
    desk.documents[opened.uri] = opened
    in_editor = await desk.ask("tests")
    assert [reply.reason for reply in (missing, on_disk, in_editor)] == [
        ActionReason.CHANGED,
        None,
        ActionReason.CHANGED,
    ]


async def test_edit_of_another_file_does_not_depend_on_the_document() -> None:
    """The document may be edited meanwhile: the new lines go elsewhere."""
    desk = Desk(edit=Edit(0, 0, ("x = 1",), "/work/test_a.py"))
    desk.meanwhile = lambda: desk.documents.update({URI: LATER})
    reply = await desk.ask("tests")
    assert (reply.reason, reply.gives) == (None, Gives.EDIT)


async def test_edit_of_another_file_is_dropped_when_a_link_leads_outside_meanwhile() -> None:
    """The task says so before the model is asked, and the service when the edit is there."""
    desk = Desk(edit=Edit(0, 0, ("x = 1",), "/work/test_a.py"))
    desk.meanwhile = lambda: setattr(desk, "may_change", False)
    reply = await desk.ask("tests")
    assert (reply.edit, reply.gives, reply.reason) == (None, None, ActionReason.OUTSIDE)
    assert reply.message == "Midfill edited nothing: the file is outside the workspace or excluded."
    assert not desk.tasks[0].may_change(Path("/work/test_a.py"))


async def test_refusal_is_one_line_with_its_reason() -> None:
    """It says what is missing: an edit, or an answer."""
    desk = Desk(reason=ActionReason.SYNTAX, detail="it is not valid Python")
    edit, text = await desk.ask("simplify"), await desk.ask("explain")
    assert edit.message == "Midfill: no good edit found (syntax): it is not valid Python."
    assert text.message == "Midfill: no answer (syntax): it is not valid Python."
    assert (edit.reason, edit.detail, edit.gives) == (ActionReason.SYNTAX, "it is not valid Python", None)


async def test_note_on_an_edit_is_shown_at_once() -> None:
    """That on a text is shown with the text."""
    assert (await Desk(edit=EDIT, detail="1 of 2 could not be done.").ask("simplify")).message == (
        "1 of 2 could not be done."
    )
    reply = await Desk(text="It adds.", left_out=("f",)).ask("explain")
    assert (reply.message, reply.note) == ("", "There was no room to read all of `f`.")


async def test_why_code_was_not_run_is_said_once() -> None:
    """What a run has shown is said each time."""
    desk = Desk(edit=EDIT, verdict=Verdict(None, "it is off"))
    replies = [await desk.ask("simplify") for _ in range(2)]
    assert [reply.message for reply in replies] == ["Not checked by running: it is off.", ""]
    assert replies[1].note == "Not checked by running: it is off."
    checked = Desk(edit=EDIT, verdict=Verdict(True, "it passes"))
    assert [(await checked.ask("simplify")).message for _ in range(2)] == ["Checked: it passes."] * 2


async def test_last_text_is_known_at_its_lines_while_the_document_stays() -> None:
    """Nowhere else, and not in another version."""
    desk = Desk(text="It adds.")
    assert desk.service.answer_at(URI, 0) is None
    await desk.ask("explain", lines=(0, 2))
    assert [desk.service.answer_at(URI, line) for line in (0, 1, 2)] == ["It adds.", "It adds.", None]
    assert desk.service.answer_at("file:///work/b.py", 0) is None
    desk.documents[URI] = LATER
    assert desk.service.answer_at(URI, 0) is None


async def test_task_has_the_name_under_which_the_document_was_opened() -> None:
    """A question that continues the answer has it too, for a rule may exclude it."""
    desk = Desk(text="It adds tax.", messages=())
    desk.documents[URI] = replace(DOCUMENT, opened_as="/link/a.py")
    await desk.ask("explain", lines=(0, 2))
    await desk.ask("ask", uri="", instruction="Why?", continues=True)
    assert [task.opened_as for task in desk.tasks] == ["/link/a.py"] * 2


async def test_question_continues_the_last_answer() -> None:
    """With its lines and its messages, also when the document has been closed; an empty text is no answer."""
    said = (Message("assistant", "It adds."),)
    desk = Desk(text="", messages=said)
    await desk.ask("explain", lines=(0, 2))
    first = await desk.ask("ask", uri="", instruction="Why?", continues=True)
    assert (first.reason, first.message) == (
        ActionReason.NO_ANSWER,
        "There is no answer yet that a question could go on from.",
    )
    desk.result["text"] = "It adds."
    await desk.ask("explain", lines=(0, 2))
    desk.documents.clear()
    second = await desk.ask("ask", uri="", instruction="Why?", continues=True)
    assert (second.text, second.uri) == ("It adds.", URI)
    task = desk.tasks[-1]
    assert (task.selection.lines, task.instruction, task.history) == (CODE.split("\n")[:2], "Why?", said)


async def test_findings_are_kept_for_the_version_that_was_reviewed() -> None:
    """If the document has changed meanwhile, the reply has them all the same."""
    found = (Finding(1, "Odd."),)
    desk = Desk(text="- Line 2: Odd.", findings=found)
    kept = await desk.ask("review")
    assert (kept.findings_kept, desk.service.findings.of(URI)) == (True, list(found))
    assert (kept.gives, kept.message) == (Gives.FINDINGS, "Findings: 1, shown as hints.")
    desk.service.findings.forget(URI)
    desk.meanwhile = lambda: desk.documents.update({URI: LATER})
    late = await desk.ask("review")
    assert (late.findings_kept, desk.service.findings.of(URI)) == (False, [])
    assert (late.findings, late.message) == (found, "")


async def test_review_without_findings_replaces_earlier_ones() -> None:
    """Its message is what it says."""
    desk = Desk(text="Nothing stands out.")
    desk.service.findings.put(URI, CODE, [Finding(1, "Odd.")])
    reply = await desk.ask("review")
    assert (reply.message, desk.service.findings.documents) == ("Nothing stands out.", [])


async def test_error_of_the_model_is_its_message() -> None:
    """With its own reason code."""
    desk = Desk()

    def fail() -> None:
        raise ModelError("The model failed.")

    desk.meanwhile = fail
    reply = await desk.ask("explain")
    assert (reply.reason, reply.message) == (ActionReason.FAILED, "The model failed.")


async def test_cancelled_action_says_nothing() -> None:
    """Whoever cancelled it knows."""
    cancel = CancelFlag()
    cancel.set("cancelled")
    reply = await Desk().ask("explain", cancel)
    assert (reply.reason, reply.message) == (ActionReason.CANCELLED, "")
