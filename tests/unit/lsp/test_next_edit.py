"""The messages of the next edit, as clients of Copilot's language server send them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from midfill.completion.engine import CompletionEngine
from midfill.completion.scheduler import new_scheduler
from unit.next_edit.rewriter import Rewriter, model_of
from unit.wire import URI, Json, Wire, insertion, place, span

BEFORE = "def f(left):\n    '\U0001f600'; x = left\n    return left\n\n\nprint(f(1))\n"
NOW = BEFORE.replace("f(left)", "f(right)")
RENAMED = NOW.replace("= left", "= right").replace("return left", "return right")


@pytest.fixture(autouse=True)
def own_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the counts and the settings of this machine out of the tests."""
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MIDFILL_CONFIG", str(tmp_path / "none.toml"))


async def renaming(options: Json | None = None) -> Wire:
    """Return a client that has renamed a parameter."""
    model = Rewriter(NOW, second=RENAMED)
    wire = Wire(
        insertion(""),
        lambda settings: new_scheduler(settings, lambda live, _: CompletionEngine(model_of(model), live)),
    )
    await wire.initialize(options={"nextEdit": True, "draftTokens": 0, **(options or {})})
    wire.open(BEFORE)
    wire.change({"range": span((0, 6), (0, 10)), "text": "right"})
    return wire


async def edits(wire: Wire, **changes: Any) -> list[Json]:
    """Ask for the next edit."""
    answer = await wire.request("textDocument/copilotInlineEdit", {**place(0, 11), **changes})
    found: list[Json] = answer["result"]["edits"]
    return found


async def test_edit_has_what_clients_need() -> None:
    """The text and its range in the client's columns, the version that it is for, a command, and the smallest parts."""
    wire = await renaming()
    [edit] = await edits(wire)
    assert edit == {
        "text": "right\n    return right",
        "textDocument": {"uri": URI, "version": 2},
        "range": span((1, 14), (2, 15)),
        "command": {"title": "Midfill", "command": "midfill.nextEditAccepted", "arguments": [1]},
        "why": "cursor",
        "changes": [
            {"range": span((1, 14), (1, 18)), "newText": "right"},
            {"range": span((2, 11), (2, 15)), "newText": "right"},
        ],
    }
    wire.server.close()


@pytest.mark.parametrize(
    "changes",
    [
        {"textDocument": {"uri": URI, "version": 1}},
        {"textDocument": {"uri": "file:///work/other.py"}},
    ],
    ids=["another version", "not open"],
)
async def test_nothing_for_another_document(changes: Json) -> None:
    """The list is empty."""
    wire = await renaming()
    assert await edits(wire, **changes) == []
    wire.server.close()


async def test_nothing_while_the_setting_is_off() -> None:
    """And the journal says why."""
    wire = await renaming({"nextEdit": False})
    assert await edits(wire) == []
    why = await wire.request("workspace/executeCommand", {"command": "midfill.why"})
    assert "disabled" in why["result"]
    wire.server.close()


@pytest.mark.parametrize(
    "params",
    [
        None,
        {},
        {"textDocument": {"uri": 3}, "position": {"line": 0, "character": 0}},
        {"textDocument": {"uri": URI}, "position": {"line": -1, "character": 0}},
        {"textDocument": {"uri": URI}, "position": {"line": "0", "character": None}},
        {"textDocument": [URI], "position": [0, 0]},
    ],
)
async def test_wrong_params_are_refused(params: Any) -> None:
    """With an error that says what is needed."""
    wire = await renaming()
    answer = await wire.request("textDocument/copilotInlineEdit", params)
    assert answer["error"]["code"] == -32602
    wire.server.close()


async def test_shown_and_accepted_edits_are_counted() -> None:
    """By the notification and by the command that the client runs."""
    wire = await renaming()
    [edit] = await edits(wire)
    wire.notify("textDocument/didShowInlineEdit", {"item": edit})
    wire.notify("textDocument/didFocus", {"textDocument": {"uri": URI}})
    await wire.request("workspace/executeCommand", edit["command"])
    counts = await wire.request("workspace/executeCommand", {"command": "midfill.statistics"}, number=8)
    rows = [line.split() for line in counts["result"].splitlines()]
    assert ["edits", "shown", "1"] in rows
    assert ["edits", "applied", "1"] in rows
    wire.server.close()


async def test_command_may_come_as_a_notification() -> None:
    """As copilot.el sends it, before the change that it is about."""
    wire = await renaming()
    [edit] = await edits(wire)
    wire.notify("workspace/executeCommand", edit["command"])
    counts = await wire.request("workspace/executeCommand", {"command": "midfill.statistics"}, number=8)
    assert ["edits", "applied", "1"] in [line.split() for line in counts["result"].splitlines()]
    wire.server.close()


async def test_dismissed_edit_comes_again_only_for_who_asks() -> None:
    """Dismissed by the command, asked for by the kind of trigger."""
    wire = await renaming()
    [edit] = await edits(wire)
    dismissed = {**edit["command"], "command": "midfill.nextEditDismissed"}
    await wire.request("workspace/executeCommand", dismissed)
    assert await edits(wire, context={"triggerKind": 2}) == []
    why = await wire.request("workspace/executeCommand", {"command": "midfill.why"}, number=8)
    assert "dismissed" in why["result"]
    assert await edits(wire, context={"triggerKind": 1})
    wire.server.close()


@pytest.mark.parametrize("item", [None, 3, [], {"command": None}, {"command": {"arguments": ["x"]}}])
async def test_strange_items_are_ignored(item: Any) -> None:
    """Whatever a client sends back."""
    wire = await renaming()
    wire.notify("textDocument/didShowInlineEdit", {"item": item})
    assert await edits(wire)
    wire.server.close()


async def test_why_shows_the_exact_prompt() -> None:
    """With the place, and why it was looked at."""
    wire = await renaming()
    await edits(wire)
    why = (await wire.request("workspace/executeCommand", {"command": "midfill.why"}, number=8))["result"]
    assert "(next edit, cursor)" in why
    assert "model: tiny, format plain" in why
    assert '<edit file="a.py">' in why
    wire.server.close()


async def test_diagnostics_that_appeared_are_places_to_look_at() -> None:
    """The client sends all that it knows; what is no diagnostic is left out."""
    filling = "".join(f"name_{number} = {number}\n" for number in range(40))
    now = f"def f(right):\n    return right\n\n\n{filling}print(f(left=1))\n"
    window = "\n".join(now.split("\n")[40:])
    model = Rewriter(window.replace("left=1", "right=1"))
    wire = Wire(
        insertion(""),
        lambda settings: new_scheduler(settings, lambda live, _: CompletionEngine(model_of(model), live)),
    )
    await wire.initialize(options={"nextEdit": True, "draftTokens": 0})
    wire.open(now.replace("    return right\n", ""))
    wire.change({"range": span((1, 0), (1, 0)), "text": "    return right\n"})
    assert await edits(wire, context={"diagnostics": [3, {"range": None}]}) == []
    broken = {"range": span((44, 8), (44, 12)), "message": "there is no parameter 'left'"}
    [edit] = await edits(wire, context={"diagnostics": [broken]})
    assert (edit["why"], edit["text"]) == ("diagnostic", "right")
    wire.server.close()
