"""`midfill complete --next-edit`: predicts the edit that comes after those that made a file what it is."""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from midfill.cli.do import name_in_diff
from midfill.cli.file_place import FilePlace, position
from midfill.cli.files import own_settings, read_file
from midfill.common.cancel import CancelFlag
from midfill.common.file_identity import resolve
from midfill.common.file_system import repository_of
from midfill.common.reasons import Reason
from midfill.engine.open_model import open_for_edits
from midfill.inference.loaded_model import load_model
from midfill.inference.token_generator import LanguageModel
from midfill.next_edit.history import EditHistory
from midfill.next_edit.predictor import MAX_CONTEXT, EditPredictor
from midfill.next_edit.search import Situation, search
from midfill.next_edit.types import Document, NextEdit, Place, Why
from midfill.outcomes import explain
from midfill.outcomes.edit_verdicts import add_edit
from midfill.outcomes.journal import Journal
from midfill.privacy.ignore_rules import IgnoreRules
from midfill.settings.schema import Settings


def run(place: FilePlace, before: Path, bundle: Path | None, *, as_json: bool, explained: bool) -> int:
    """Print the edit as a difference, or with ``explained`` how it was made.

    Raises:
        UsageError: the file as it was cannot be read.
        BundleError, ModelError: the model cannot be loaded.
    """
    text, old = (_plain(written) for written in (place.text, read_file(before).text))
    settings = own_settings(bundle)
    path = str(resolve(place.path))
    cursor = Place(path=path, line=place.line - 1, column=place.column - 1, why=Why.CURSOR)
    if not _may_be_read(place.path, settings):
        sys.stderr.write(f"no edit ({Reason.EXCLUDED}): {Reason.EXCLUDED.sentence}\n")
        return 0
    history = EditHistory(lambda: 0.0)
    history.changed(path, old, text)
    model = _load(settings if bundle is None else replace(settings, next_edit_model=""))
    situation = Situation(documents={path: Document(path=path, text=text)}, cursor=cursor, history=history.hunks())
    predictor = EditPredictor(model, min_confidence=settings.next_edit_confidence)
    found = search(predictor, situation, CancelFlag(), name_of=lambda _: place.path.name)
    entry = add_edit(Journal(), text, found)
    if as_json:
        sys.stdout.write(f"{json.dumps(_to_json(found, text), indent=2)}\n")
        return 0
    if explained:
        sys.stdout.write(f"{explain.to_markdown(entry, model.tokenizer.spell)}\n")
    elif found.edits:
        sys.stdout.writelines(_difference(place.path, text, found.apply(text)))
    stages = ", ".join(f"{stage} {value:.0f}" for stage, value in found.milliseconds.items())
    what = f"next edit ({found.place.why})" if found.edits else f"no edit ({found.reason})"
    sys.stderr.write(f"{what}; {found.prompt_tokens} prompt tokens; milliseconds: {stages}; {found.model}\n")
    return 0


def _load(settings: Settings) -> LanguageModel:
    """Load the model that predicts edits in editors."""
    return open_for_edits(settings, MAX_CONTEXT) if settings.next_edit_bundle else load_model(settings)


def _may_be_read(path: Path, settings: Settings) -> bool:
    """Return whether ignore rules let the model see a file."""
    folder = resolve(path).parent
    return IgnoreRules([repository_of(folder) or folder], settings.exclude).allows(path.absolute())


def _plain(text: str) -> str:
    """Return a text with the line ends that edits are told in."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _difference(path: Path, before: str, after: str) -> Iterator[str]:
    name = name_in_diff(path)
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{name}", f"b/{name}"
    )
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _to_json(found: NextEdit, text: str) -> dict[str, Any]:
    return {
        "edits": [
            {"text": edit.text, "range": {"start": position(text, edit.start), "end": position(text, edit.end)}}
            for edit in found.edits
        ],
        "why": str(found.place.why),
        "confidence": found.confidence,
        "model": found.model,
        "format": found.edit_format,
        "tokens": found.tokens,
        "steps": found.steps,
        "prompt_tokens": found.prompt_tokens,
        "milliseconds": found.milliseconds,
        "reason": found.reason,
    }
