"""Which actions there are for some lines, and what a client says of the one it wants."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from midfill.actions import ACTIONS, Action, Task
from midfill.actions.checked_edit import Faulty
from midfill.actions.selection import Selection
from midfill.code.languages import language_of
from midfill.lsp.text_document import Document

DO = "midfill.do"
"""The command that does an action."""
INPUT = "midfill.input"
"""The client's own command: it asks its user for an instruction, and sends ``DO`` with that."""
_LONGEST_TITLE = 60


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """An action that a client wants, as it says so in an action's data and a command's argument."""

    action: Action
    uri: str
    range: types.Range | None = None
    """None for the whole document."""
    version: int | None = None
    """Of the document for which the action was offered."""
    message: str = ""
    instruction: str = ""

    @classmethod
    def read(cls, said: object) -> Wanted:
        """Read what a client says, which is an object.

        Raises:
            JsonRpcInvalidParams: it says no such thing; the error quotes none of it.
        """
        if not isinstance(said, Mapping):
            raise JsonRpcInvalidParams("one object is needed: {action, uri, range?, version?, message?, instruction?}")
        action = ACTIONS.get(said["action"]) if isinstance(said.get("action"), str) else None
        if action is None:
            raise JsonRpcInvalidParams(f"'action' must be one of {', '.join(ACTIONS)}")
        texts = {name: said.get(name) or "" for name in ("uri", "message", "instruction")}
        if wrong := next((name for name, value in texts.items() if not isinstance(value, str)), None):
            raise JsonRpcInvalidParams(f"'{wrong}' must be a text")
        version = said.get("version")
        if isinstance(version, bool) or not isinstance(version, (int, type(None))):
            raise JsonRpcInvalidParams("'version' must be a whole number")
        return cls(action=action, range=_read_range(said.get("range")), version=version, **texts)

    def to_json(self) -> dict[str, Any]:
        """Say the same."""
        given = {"message": self.message, "instruction": self.instruction, "version": self.version}
        said: dict[str, Any] = {"action": self.action.name, "uri": self.uri}
        said |= {name: value for name, value in given.items() if value not in ("", None)}
        return said if self.range is None else {**said, "range": _range_to_json(self.range)}

    def task(self, document: Document, path: str, open_text: Callable[[str], str | None]) -> Task:
        """Return what the action is to do in a document."""
        language = language_of(path, document.language)
        first, end = _lines(self.range) if self.range else (0, document.text.count("\n") + 1)
        selection = Selection(document.text, language, first, end, path)
        return Task(
            selection,
            message=self.message,
            instruction=self.instruction,
            whole_file=self.range is None,
            open_text=open_text,
        )


@dataclass(frozen=True, kw_only=True)
class Client:
    """What an editor can do with actions."""

    literals: bool = False
    """Take actions, not commands only."""
    resolves_edits: bool = False
    asks_for_input: bool = False
    """Its plug-in knows ``INPUT``."""

    @classmethod
    def of(cls, capabilities: types.ClientCapabilities) -> Client:
        """Read what it says of itself."""
        able = capabilities.text_document.code_action if capabilities.text_document else None
        properties = able.resolve_support.properties if able and able.resolve_support else ()
        own = own_capabilities(capabilities)
        return cls(
            literals=bool(able and able.code_action_literal_support),
            resolves_edits=bool(able and able.data_support) and "edit" in properties and not own.get("commands"),
            asks_for_input=own.get("input") is True,
        )


@dataclass(frozen=True)
class _Offer:
    wanted: Wanted
    title: str
    diagnostics: Sequence[types.Diagnostic] = field(default=())
    needs_input: bool = False


def own_capabilities(capabilities: types.ClientCapabilities) -> Mapping[str, Any]:
    """Return what a client's ``experimental`` capabilities say of Midfill."""
    experimental = capabilities.experimental
    own = experimental.get("midfill") if isinstance(experimental, Mapping) else None
    return own if isinstance(own, Mapping) else {}


def offers(
    uri: str, document: Document, path: str, params: types.CodeActionParams, client: Client
) -> list[types.CodeAction | types.Command]:
    """Return the actions that there are for a range: titles only, nothing is computed yet.

    For a cursor that moves there are fixes only: a light bulb that always shines says nothing.
    """
    context = params.context
    automatic = context.trigger_kind == types.CodeActionTriggerKind.Automatic
    found = [*_fixes(uri, document, context.diagnostics)]
    if not automatic or params.range.start != params.range.end:
        found += _applicable(uri, document, path, params.range, client)
    only = context.only
    return [_shown(offer, client) for offer in found if only is None or _is_of(offer.wanted.action.kind, only)]


def _fixes(uri: str, document: Document, diagnostics: Iterable[types.Diagnostic]) -> list[_Offer]:
    found = []
    for diagnostic in diagnostics:
        message = diagnostic.message if isinstance(diagnostic.message, str) else diagnostic.message.value
        first_line = message.strip().partition("\n")[0]
        shown = first_line if len(first_line) <= _LONGEST_TITLE else f"{first_line[: _LONGEST_TITLE - 1]}…"
        source = ": ".join(filter(None, (diagnostic.source, str(diagnostic.code or ""))))
        wanted = Wanted(
            action=ACTIONS["fix"],
            uri=uri,
            range=diagnostic.range,
            version=document.version,
            message=f"{message} ({source})" if source else message,
        )
        found.append(_Offer(wanted, f"Fix: {shown}", [diagnostic]))
    return found


def _applicable(uri: str, document: Document, path: str, where: types.Range, client: Client) -> list[_Offer]:
    """Return the actions that have something to do in a range; the document is read for it, once."""
    any_action = Wanted(action=ACTIONS["explain"], uri=uri, range=where, version=document.version)
    task = any_action.task(document, path, lambda _: None)
    selected = where.start != where.end
    found = []
    for action in ACTIONS.values():
        if action.needs == "message" or (action.name == "extract" and not selected):
            continue
        of_file = action.kind.startswith("source.")
        wanted = replace(any_action, action=action, range=None if of_file else where)
        needs_input = action.needs == "instruction"
        try:
            action.prepare(task)
        except Faulty as fault:
            if fault.reason != "no-instruction":
                continue
            needs_input = True
        if not needs_input or client.asks_for_input:
            found.append(_Offer(wanted, f"{action.title}{'…' if needs_input else ''}", needs_input=needs_input))
    return found


def _shown(offer: _Offer, client: Client) -> types.CodeAction | types.Command:
    data = offer.wanted.to_json()
    command = types.Command(title=offer.title, command=INPUT if offer.needs_input else DO, arguments=[data])
    if not client.literals:
        return command
    action = types.CodeAction(offer.title, offer.wanted.action.kind, offer.diagnostics or None)
    if offer.wanted.action.read is not None and client.resolves_edits and not offer.needs_input:
        action.data = data
    else:
        action.command = command
    return action


def _is_of(kind: str, only: Iterable[str]) -> bool:
    return any(wanted in ("", kind) or kind.startswith(f"{wanted}.") for wanted in map(_value, only))


def _value(kind: str | types.CodeActionKind) -> str:
    return kind.value if isinstance(kind, types.CodeActionKind) else kind


def _lines(where: types.Range) -> tuple[int, int]:
    """Return the lines that a range touches; one that ends at a line's start does not touch it."""
    first, last = where.start.line, where.end.line
    return first, max(last if where.end.character == 0 and last > first else last + 1, first + 1)


def _read_range(said: object) -> types.Range | None:
    if said is None:
        return None
    try:
        ends = [said[name] for name in ("start", "end")]  # type: ignore[index]
        numbers = [end[name] for end in ends for name in ("line", "character")]
    except (TypeError, KeyError) as error:
        raise JsonRpcInvalidParams("'range' must be a range, as LSP has it") from error
    if not all(isinstance(number, int) and not isinstance(number, bool) and number >= 0 for number in numbers):
        raise JsonRpcInvalidParams("'range' must have whole numbers from 0 on")
    return types.Range(types.Position(*numbers[:2]), types.Position(*numbers[2:]))


def _range_to_json(where: types.Range) -> dict[str, Any]:
    return {
        name: {"line": end.line, "character": end.character}
        for name, end in (("start", where.start), ("end", where.end))
    }
