"""Extract function: the selected statements become a function, and a call of it takes their place.

The parameters and results follow from the code (:mod:`midfill.actions.extraction`). The model chooses the name only.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping

from midfill.actions.action import Action, ActionTask, Place, Proves, no_conventions
from midfill.actions.checked_edit import Edit
from midfill.actions.extraction import Extraction, extraction
from midfill.actions.reasons import ActionReason, Faulty
from midfill.code.python_ast import parse
from midfill.code.syntax import MAX_PARSED_CHARACTERS

_BEGIN = "```python\ndef"
_NAME = re.compile(r"\s*([A-Za-z_]\w*)")


def _extraction(task: ActionTask) -> Extraction:
    if task.selection.language.grammar != "python":
        raise Faulty(
            ActionReason.NO_EXTRACTION, f"it is not known how a function is taken out of {task.selection.language.name}"
        )
    if len(task.selection.document) > MAX_PARSED_CHARACTERS:
        raise Faulty(ActionReason.TOO_LONG, f"a file of more than {MAX_PARSED_CHARACTERS:,} characters is too long")
    return extraction(_text(task), task.selection.first_line, task.selection.end_line)


def _text(task: ActionTask) -> str:
    return task.selection.document.replace("\r\n", "\n").replace("\r", " ")


def _prepare(task: ActionTask) -> ActionTask:
    _extraction(task)
    return task


def _values(task: ActionTask) -> Mapping[str, str]:
    found = _extraction(task)
    takes = f"takes {', '.join(f'`{name}`' for name in found.parameters)}" if found.parameters else "takes nothing"
    gives = f"returns {', '.join(f'`{name}`' for name in found.results)}" if found.results else "returns nothing"
    return {"what": f"{takes} and {gives}"}


def _read(answer: str, task: ActionTask) -> Edit:
    found = _extraction(task)
    match = _NAME.match(answer.removeprefix(_BEGIN))
    name = match[1] if match else ""
    if not name or keyword.iskeyword(name):
        raise Faulty(ActionReason.NO_NAME)
    if name in found.names:
        name = f"_{name.lstrip('_')}"
    if name in found.names:
        raise Faulty(ActionReason.NAME_TAKEN, f"'{name}' is there already: choose another name")
    edit = found.edit(name, _text(task))
    if parse(edit.apply(_text(task))) is None:
        raise Faulty(ActionReason.SYNTAX, "these lines cannot be moved")
    return edit


EXTRACT = Action(
    name="extract",
    title="Extract function",
    kind="refactor.extract",
    proves=Proves.KEEPS,
    conventions=no_conventions,
    offered=frozenset({Place.SELECTION}),
    prepare=_prepare,
    values=_values,
    begin=lambda _: _BEGIN,
    enough=lambda answer: "(" in answer or answer.count("\n") > 1,
    read=_read,
)
