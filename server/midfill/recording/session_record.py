"""Writes down a session: each thing that happens becomes an event, in one order, without secrets."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from midfill.actions import Action, ActionResult, ActionTask
from midfill.actions.from_project import FromProject
from midfill.completion.types import Completion, Request
from midfill.inference.bundle import Manifest
from midfill.privacy.secrets import redact
from midfill.prompt.snippets import WorkspaceSnippets
from midfill.recording.digests import bundle_digest, processor, prompt_digest
from midfill.recording.events import (
    Acted,
    ActionAnswer,
    Answer,
    Answered,
    Asked,
    Changed,
    Loaded,
    Question,
    Stopped,
    TypedAlong,
    Unread,
)
from midfill.recording.record_file import RecordWriter
from midfill.recording.texts import TextWriter
from midfill.settings.schema import ATTRIBUTES, Settings

DECISIVE = (
    *("enabled", "contextTokens", "workspaceTokens", "maxTokens", "maxLines", "minConfidence", "languages"),
    *("quietLanguages", "quietFolders", "quietInComments", "quietInStrings", "draftTokens"),
)
"""The settings that answers depend on. Folders of the user's are not among them."""


class Record:
    """The session so far; for use in any thread."""

    def __init__(self, writer: RecordWriter) -> None:
        self._writer = writer
        self._lock = threading.Lock()
        self._texts = TextWriter()
        self._settings: Mapping[str, Any] = {}
        self._snippets: WorkspaceSnippets | None = None

    def loaded(self, manifest: Manifest, settings: Settings) -> None:
        """Note that a model was loaded."""
        with self._lock:
            self._settings = _decisive(settings)
            loaded = Loaded(
                name=manifest.name, digest=bundle_digest(manifest), processor=processor(), settings=self._settings
            )
            self._writer.write(loaded)

    def asked(self, request: Request, settings: Settings) -> None:
        """Note a request without secrets, before it is answered."""
        with self._lock:
            if self._settings != (now := _decisive(settings)):
                self._settings = now
                self._writer.write(Changed(settings=now))
            self._writer.write(Asked(question=self._question(request)))

    def answered(self, completion: Completion, snippets: WorkspaceSnippets) -> None:
        """Note the answer to the last request, and what was found for it in other files."""
        with self._lock:
            same = snippets == self._snippets
            self._snippets = snippets
            self._writer.write(Answered(answer=answer_of(completion), snippets=None if same else snippets))

    def stopped(self, reason: str) -> None:
        """Note that the last request was interrupted."""
        with self._lock:
            self._writer.write(Stopped(reason=reason))

    def unread(self, reason: str) -> None:
        """Note that something was asked whose document cannot be recorded. Nothing of it is written."""
        with self._lock:
            self._writer.write(Unread(reason=reason))

    def typed_along(self, request: Request, completion: Completion) -> None:
        """Note a request without secrets, and its answer from the completion cache."""
        with self._lock:
            self._writer.write(TypedAlong(question=self._question(request), answer=answer_of(completion)))

    def acted(
        self,
        action: Action,
        task: ActionTask,
        manifest: Manifest,
        result: ActionResult,
        found: Sequence[FromProject] = (),
    ) -> None:
        """Note an action, by what the model was shown of its document, and ``found`` in the project."""
        selection = task.selection
        path = without_home(selection.path)
        with self._lock:
            acted = Acted(
                action=action.name,
                path=path,
                language=next(iter(selection.language.ids), ""),
                edit=self._texts.edit_to(path, selection.redacted),
                first_line=selection.first_line,
                end_line=selection.end_line,
                message=redact(task.message).text,
                instruction=redact(task.instruction).text,
                whole_file=task.whole_file,
                history=task.history,
                digest=bundle_digest(manifest),
                answer=action_answer_of(result, selection.secrets),
                found=tuple(found),
            )
            self._writer.write(acted)

    def _question(self, request: Request) -> Question:
        path = without_home(request.path)
        return Question(
            path=path,
            language=request.language,
            automatic=request.automatic,
            alternatives=request.alternatives,
            offset=request.offset,
            edit=self._texts.edit_to(path, request.text),
        )


def answer_of(completion: Completion) -> Answer:
    """Return what is recorded of a completion."""
    return Answer(
        text=completion.text,
        replaces=completion.end - completion.start,
        alternatives=tuple(other.text for other in completion.alternatives),
        reason=completion.reason.value,
        prompt=prompt_digest([token for part in completion.parts for token in part.ids]),
    )


def action_answer_of(result: ActionResult, secrets: Mapping[str, str]) -> ActionAnswer:
    """Return what is recorded of an action. An edit has brought secrets back; ``secrets`` has that of each placeholder.

    The placeholders take their places again.
    """
    edit = result.edit
    return ActionAnswer(
        text=_without(result.text, secrets),
        lines=tuple(_without(line, secrets) for line in edit.lines) if edit else (),
        first_line=edit.first_line if edit else 0,
        end_line=edit.end_line if edit else 0,
        findings=tuple(f"{finding.line}: {finding.text}" for finding in result.findings),
        reason=str(result.reason or ""),
    )


def _without(text: str, secrets: Mapping[str, str]) -> str:
    for placeholder, secret in secrets.items():
        text = text.replace(secret, placeholder)
    return text


def _decisive(settings: Settings) -> Mapping[str, Any]:
    values = {name: getattr(settings, ATTRIBUTES[name]) for name in DECISIVE}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def without_home(path: str) -> str:
    """Return a path without the name of the user, where it begins with the home folder."""
    home = str(Path.home())
    return f"~{path.removeprefix(home)}" if path.startswith(f"{home}{os.sep}") else path
