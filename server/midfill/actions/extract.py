"""Extract function: the selected statements become a function, and a call of it; the model finds the name.

What the function takes and gives follows from the code, so nothing is left to chance but the name
(:mod:`midfill.actions.extraction`).
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping

from midfill.actions.action import Action, Task
from midfill.actions.checked_edit import Edit, Faulty
from midfill.actions.extraction import Extraction, extraction
from midfill.code.python_ast import parse

_BEGIN = "```python\ndef"
_NAME = re.compile(r"\s*([A-Za-z_]\w*)")


def _extraction(task: Task) -> Extraction:
    if task.selection.language.grammar != "python":
        raise Faulty("no-extraction", f"it is not known how a function is taken out of {task.selection.language.name}")
    return extraction(_text(task), task.selection.first_line, task.selection.end_line)


def _text(task: Task) -> str:
    return task.selection.document.replace("\r\n", "\n").replace("\r", " ")


def _prepare(task: Task) -> Task:
    _extraction(task)
    return task


def _values(task: Task) -> Mapping[str, str]:
    found = _extraction(task)
    takes = f"takes {', '.join(f'`{name}`' for name in found.parameters)}" if found.parameters else "takes nothing"
    gives = f"returns {', '.join(f'`{name}`' for name in found.results)}" if found.results else "returns nothing"
    return {"what": f"{takes} and {gives}"}


def _read(answer: str, task: Task) -> Edit:
    found = _extraction(task)
    said = _NAME.match(answer.removeprefix(_BEGIN))
    name = said[1] if said else ""
    if not name or keyword.iskeyword(name):
        raise Faulty("no-name", "there is no name in the answer")
    if name in found.names:
        name = f"_{name.lstrip('_')}"
    if name in found.names:
        raise Faulty("name-taken", f"'{name}' is there already: choose another name")
    edit = found.edit(name, _text(task))
    if parse(edit.apply(_text(task))) is None:
        raise Faulty("syntax", "these lines cannot be moved")
    return edit


EXTRACT = Action(
    name="extract",
    title="Extract function",
    kind="refactor.extract",
    prepare=_prepare,
    values=_values,
    begin=lambda _: _BEGIN,
    enough=lambda answer: "(" in answer or answer.count("\n") > 1,
    read=_read,
)
