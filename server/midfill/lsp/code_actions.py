"""Code actions as LSP has them: the actions that are offered for a range, and the one that a client chooses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from midfill.actions import ACTIONS, Action, ActionTask
from midfill.actions.action import Gives
from midfill.actions.offers import Offer, offers_for_diagnostic, offers_for_lines
from midfill.common.cancel import CancelFlag
from midfill.lsp.capabilities import ActionClient
from midfill.lsp.text_document import whole_characters
from midfill.session.action_service import ActionRequest
from midfill.session.snapshots import DocumentSnapshot

DO = "midfill.do"
"""The command that does an action."""
INPUT = "midfill.input"
"""The client's own command: it asks its user for an instruction, and sends ``DO`` with that."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """An action that a client wants, as in a code action's data and a command's argument."""

    action: Action
    uri: str
    range: types.Range | None = None
    """None for the whole document."""
    version: int | None = None
    """The version of the document for which the action was offered."""
    message: str = ""
    instruction: str = ""

    @classmethod
    def read(cls, argument: object) -> Wanted:
        """Read a client's JSON.

        Raises:
            JsonRpcInvalidParams: it has another form. The error quotes none of it.
        """
        if not isinstance(argument, Mapping):
            raise JsonRpcInvalidParams("one object is needed: {action, uri, range?, version?, message?, instruction?}")
        action = ACTIONS.get(argument["action"]) if isinstance(argument.get("action"), str) else None
        if action is None:
            raise JsonRpcInvalidParams(f"'action' must be one of {', '.join(ACTIONS)}")
        texts = {name: argument.get(name) or "" for name in ("uri", "message", "instruction")}
        if wrong := next((name for name, value in texts.items() if not isinstance(value, str)), None):
            raise JsonRpcInvalidParams(f"'{wrong}' must be a text")
        version = argument.get("version")
        if isinstance(version, bool) or not isinstance(version, (int, type(None))):
            raise JsonRpcInvalidParams("'version' must be a whole number")
        texts |= {name: whole_characters(texts[name]) for name in ("message", "instruction")}
        return cls(action=action, range=_read_range(argument.get("range")), version=version, **texts)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON that :meth:`read` reads."""
        given = {"message": self.message, "instruction": self.instruction, "version": self.version}
        argument: dict[str, Any] = {"action": self.action.name, "uri": self.uri}
        argument |= {name: value for name, value in given.items() if value not in ("", None)}
        return argument if self.range is None else {**argument, "range": _range_to_json(self.range)}

    def request(self, *, continues: bool = False) -> ActionRequest:
        """Return the request without LSP's types; it may continue the last answer."""
        return ActionRequest(
            action=self.action,
            uri=self.uri,
            lines=_lines(self.range) if self.range else None,
            version=self.version,
            message=self.message,
            instruction=self.instruction,
            continues=continues,
        )


def offers(
    document: DocumentSnapshot, params: types.CodeActionParams, client: ActionClient, cancel: CancelFlag | None = None
) -> list[types.CodeAction | types.Command]:
    """Return the actions that are offered for a range: titles only, the model is not asked.

    For a cursor that moves, there are only the actions for its diagnostics: a light bulb that is always lit says
    nothing.

    Raises:
        Cancelled: ``cancel`` was set.
    """
    context, selected = params.context, params.range.start != params.range.end
    found = [
        _code_action(offer, document, diagnostic.range, client, [diagnostic])
        for diagnostic in context.diagnostics
        for offer in _for_diagnostic(diagnostic)
        if _is_of(offer.action.kind, context.only)
    ]
    if context.trigger_kind == types.CodeActionTriggerKind.Automatic and not selected:
        return found
    task = ActionTask(document.select(_lines(params.range)))
    return found + [
        _code_action(offer, document, params.range, client)
        for offer in offers_for_lines(task, selected=selected, cancel=cancel)
        if (client.asks_for_input or not offer.needs_input) and _is_of(offer.action.kind, context.only)
    ]


def _for_diagnostic(diagnostic: types.Diagnostic) -> Iterator[Offer]:
    message = diagnostic.message if isinstance(diagnostic.message, str) else diagnostic.message.value
    source = ": ".join(filter(None, (diagnostic.source, str(diagnostic.code or ""))))
    return offers_for_diagnostic(message, source)


def _code_action(
    offer: Offer,
    document: DocumentSnapshot,
    where: types.Range,
    client: ActionClient,
    diagnostics: Sequence[types.Diagnostic] = (),
) -> types.CodeAction | types.Command:
    """Return an offer in the form that the client can use."""
    wanted = Wanted(
        action=offer.action,
        uri=document.uri,
        range=None if offer.whole_file else where,
        version=document.version,
        message=offer.message,
    )
    data = wanted.to_json()
    command = types.Command(title=offer.title, command=INPUT if offer.needs_input else DO, arguments=[data])
    if not client.literals:
        return command
    action = types.CodeAction(offer.title, offer.action.kind, diagnostics or None)
    if offer.action.gives is Gives.EDIT and client.resolves_edits and not offer.needs_input:
        action.data = data
    else:
        action.command = command
    return action


def _is_of(kind: str, only: Iterable[str | types.CodeActionKind] | None) -> bool:
    """Return whether a kind is one of those that a client asks for, or below one; None asks for all."""
    if only is None:
        return True
    return any(asked in ("", kind) or kind.startswith(f"{asked}.") for asked in map(_value, only))


def _value(kind: str | types.CodeActionKind) -> str:
    return kind.value if isinstance(kind, types.CodeActionKind) else kind


def _lines(where: types.Range) -> tuple[int, int]:
    """Return the lines that a range touches; one that ends at a line's start does not touch that line."""
    first, last = where.start.line, where.end.line
    return first, max(last if where.end.character == 0 and last > first else last + 1, first + 1)


def _read_range(argument: object) -> types.Range | None:
    if argument is None:
        return None
    try:
        ends = [argument[name] for name in ("start", "end")]  # type: ignore[index]
        numbers = [end[name] for end in ends for name in ("line", "character")]
    except (TypeError, KeyError) as error:
        raise JsonRpcInvalidParams("'range' must be a range, as LSP has it") from error
    if not all(isinstance(each, int) and not isinstance(each, bool) and 0 <= each < 1 << 31 for each in numbers):
        raise JsonRpcInvalidParams("'range' must have whole numbers from 0 to 2147483647")
    return types.Range(types.Position(*numbers[:2]), types.Position(*numbers[2:]))


def _range_to_json(where: types.Range) -> dict[str, Any]:
    return {
        name: {"line": end.line, "character": end.character}
        for name, end in (("start", where.start), ("end", where.end))
    }
