"""`midfill do`: runs one action on one file, as an editor would."""

from __future__ import annotations

import argparse
import dataclasses
import difflib
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePath
from typing import Any

from midfill.actions import ACTIONS, Action, ActionReason, ActionResult, ActionTask, perform
from midfill.actions.action import Gives
from midfill.actions.checked_edit import Edit
from midfill.actions.from_project import look_into
from midfill.actions.larger_model import with_advice
from midfill.actions.selection import Selection, lines_of
from midfill.chat.conversation import Conversation
from midfill.cli import streams
from midfill.cli.files import COUNT, SourceFile, own_settings, read_file
from midfill.cli.repository import open_repository, wait_for_index
from midfill.code.languages import language_of
from midfill.common.cancel import CancelFlag
from midfill.common.errors import UsageError
from midfill.common.file_identity import resolve
from midfill.common.file_system import replacing, repository_of
from midfill.engine.open_model import open_in_process
from midfill.privacy.ignore_rules import IgnoreRules
from midfill.privacy.write_boundary import may_change
from midfill.session.run_permission import RunPermission
from midfill.settings.live import LiveSettings
from midfill.settings.schema import Settings

_PLACE = re.compile(rf"(?P<file>.+?)(?::(?P<first>{COUNT})(?:-(?P<last>{COUNT}))?)?", re.DOTALL)
_BYTE_ORDER_MARK = "\ufeff"


def run(args: argparse.Namespace) -> int:
    """Run the action, and print its edit as a diff, or its text.

    Raises:
        UsageError: there is no such action, file or line.
        MidfillError: as :func:`midfill.engine.open_model.open_in_process`.
    """
    action = _action(args)
    settings = own_settings(args.bundle)
    file, task = _read_task(args, settings.exclude)
    folder = resolve(file.path).parent
    if not IgnoreRules([repository_of(folder) or folder], settings.exclude).allows(file.path):
        return _refuse(ActionReason.EXCLUDED, f"{file.path} is excluded from what the model may see")
    streams = action.gives is not Gives.EDIT and not args.json
    result = _perform(action, task, settings, _print_piece if streams else _print_nothing)
    target = _target(result.edit, file)
    written = target.text if result.edit is None else result.edit.apply(target.text)
    if result.edit and args.write:
        place = resolve(target.path)
        if not may_change(place, file.path.absolute(), patterns=settings.exclude):
            return _refuse(ActionReason.OUTSIDE, f"{target.path} is excluded, or leads elsewhere, to {place}")
        if not _write(target, place, written):
            return _refuse(ActionReason.CHANGED, f"{target.path} was changed meanwhile, so it was not written")
    if args.json:
        printed = _to_json(action, result, target, written)
        sys.stdout.write(f"{json.dumps({**printed, 'written': bool(result.edit and args.write)}, indent=2)}\n")
        return 1 if result.reason else 0
    if result.reason:
        return _refuse(result.reason, result.detail, result.advice)
    if streams:
        sys.stdout.write("\n")
    elif not args.write:
        sys.stdout.write(_diff(target, written))
    _print_costs(result, f"wrote {target.path}; " if args.write else "")
    return 0


def _perform(action: Action, task: ActionTask, settings: Settings, on_text: Callable[[str], None]) -> ActionResult:
    """Do the action, with the repository of the file around it."""
    with open_repository(Path(task.selection.path), settings) as workspace:
        model = open_in_process(settings)
        wait_for_index(workspace)
        look = look_into(workspace, settings.workspace_tokens, task.open_text)
        runs = RunPermission(LiveSettings(settings), None).runs_around(task.selection.path, ())
        task = replace(task, look=look, runs=runs)
        conversation = Conversation(model, max_draft_tokens=settings.draft_tokens)
        return with_advice(perform(action, task, conversation, CancelFlag(), on_text), settings)


def _action(args: argparse.Namespace) -> Action:
    action = ACTIONS.get(args.action)
    if action is None:
        raise UsageError(f"'{args.action}' is not an action: choose from {', '.join(ACTIONS)}.")
    if args.write and action.gives is not Gives.EDIT:
        raise UsageError(f"'{action.name}' changes no file: leave --write out.")
    return action


def _read_task(args: argparse.Namespace, exclude: Sequence[str]) -> tuple[SourceFile, ActionTask]:
    parts = _PLACE.fullmatch(args.place)
    if not parts:
        raise UsageError(f"'{args.place}' is not a place: write FILE, FILE:LINE or FILE:LINE-LINE, counted from 1.")
    file = read_file(Path(parts["file"]))
    count = len(file.text.split("\n"))
    first, last = int(parts["first"] or 1), int(parts["last"] or parts["first"] or count)
    if max(first, last) > count:
        raise UsageError(f"{file.path} has {count} lines; line {max(first, last)} does not exist.")
    if first > last:
        raise UsageError(f"line {first} comes after line {last}: write the first one first.")
    path = str(resolve(file.path))
    message = streams.read_input() if args.message == "-" else args.message or ""
    selection = Selection(file.text, language_of(path), first - 1, last, path)
    whole_file = not parts["first"]
    may_change_file = partial(may_change, document=file.path.absolute(), patterns=exclude)
    return file, ActionTask(
        selection, message, args.instruction or "", whole_file=whole_file, may_change=may_change_file
    )


def _target(edit: Edit | None, file: SourceFile) -> SourceFile:
    """Return the file that the edit changes. It may be another file, and may not exist yet."""
    if edit is None or not edit.path:
        return file
    path = Path(edit.path)
    path = Path(os.path.relpath(path)) if path.is_relative_to(resolve(Path.cwd())) else path
    return read_file(path) if path.exists() else SourceFile(path, b"", "")


def _write(target: SourceFile, path: Path, text: str) -> bool:
    """Replace the file's text, atomically; return False if the file has changed since it was read.

    Args:
        target: the file as it was read.
        path: its identity.
        text: the new text.
    """
    if (path.read_bytes() if path.exists() else b"") != target.data:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        file.write(_with_mark(target, text).encode())
        if path.exists():
            shutil.copymode(path, file.name)
        else:
            os.chmod(file.name, 0o644)
    return True


def _with_mark(target: SourceFile, text: str) -> str:
    """Return the text of a file, with a byte order mark if the target has one."""
    return _BYTE_ORDER_MARK + text if target.data.startswith(_BYTE_ORDER_MARK.encode()) else text


def _diff(target: SourceFile, written: str) -> str:
    """Return a unified diff that `patch` and `git apply` accept."""
    name = name_in_diff(target.path)
    source = f"a/{name}" if target.path.exists() else "/dev/null"
    before, after = (lines_of(_with_mark(target, text)) for text in (target.text, written))
    lines = difflib.unified_diff(before, after, source, f"b/{name}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def name_in_diff(path: PurePath) -> str:
    """Return the path without a drive or a leading slash, as diffs have it on every system."""
    return path.relative_to(path.anchor).as_posix()


def _to_json(action: Action, result: ActionResult, target: SourceFile, written: str) -> dict[str, Any]:
    edit, selection = result.edit, result.task.selection
    return {
        "action": action.name,
        "lines": [selection.first_line + 1, selection.end_line],
        "edit": None
        if edit is None
        else {
            "file": str(target.path),
            "first_line": edit.first_line + 1,
            "replaced_lines": edit.end_line - edit.first_line,
            "lines": edit.lines,
            "diff": _diff(target, written),
        },
        "text": result.text,
        "findings": [{"line": finding.line + 1, "text": finding.text} for finding in result.findings],
        "reason": result.reason or "",
        "detail": result.detail,
        "left_out": result.left_out,
        "seen": [dataclasses.asdict(seen) for seen in result.seen],
        "answers": [dataclasses.asdict(answer) for answer in result.answers],
    }


def _print_costs(result: ActionResult, prefix: str) -> None:
    """Print the action's note, and the tokens and times of each answer, to standard error."""
    if result.note:
        sys.stderr.write(f"midfill: {result.note}\n")
    for answer in result.answers:
        stages = ", ".join(f"{stage} {value:.0f}" for stage, value in answer.milliseconds.items())
        sys.stderr.write(
            f"{prefix}{answer.tokens} tokens; {answer.prompt_tokens} prompt tokens; milliseconds: {stages};"
            f" {answer.model}\n"
        )


def _refuse(reason: ActionReason, detail: str, advice: str = "") -> int:
    sys.stderr.write(f"midfill: no good edit found ({reason}): {detail}. {advice}".rstrip() + "\n")
    return 1


def _print_piece(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _print_nothing(_: str) -> None:
    pass
