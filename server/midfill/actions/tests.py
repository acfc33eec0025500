"""Write tests: for one definition, in the file where the project keeps such tests."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from midfill.actions.action import Action, ActionTask, Proves, in_code, with_definition
from midfill.actions.checked_edit import Edit, checked, code_in, is_whole
from midfill.actions.conventions import Conventions
from midfill.actions.reasons import ActionReason, Faulty
from midfill.actions.selection import Selection
from midfill.actions.surroundings import classes_used
from midfill.code.source_files import read_text
from midfill.code.syntax import Definition
from midfill.common.file_identity import resolve
from midfill.common.file_system import repository_of
from midfill.common.lines import count_lines
from midfill.running.python_commands import module_of

_HAS_TEST = {
    "python": re.compile(r"^[ \t]+(?:assert\b|with pytest\.raises\b)", re.MULTILINE),
    "go": re.compile(r"^func Test", re.MULTILINE),
    "java": re.compile(r"@Test"),
    "kotlin": re.compile(r"@Test"),
}
_CALLS_TEST = re.compile(r"\b(?:test|it)\s*\(")
_PYTHON_TEST = "\ndef test"
_NEXT_PART = re.compile(r"\n(?=\S)")
"""Where the next function begins, or the block ends."""
_IMPORTS = re.compile(r"^(?:from|import|package|using|const|require)\b.*$", re.MULTILINE)
_ASSERTION = re.compile(r"^[ \t]+assert .*\n", re.MULTILINE)
_MAX_ASSERTIONS = 8
"""Maximum number of assertions in one answer. Small models would go on for ever."""


@dataclass(frozen=True)
class _Layout:
    """Where the tests of one language are, and what they are written with."""

    name: str
    """The name of the file, made of the name of the file that it tests."""
    folders: tuple[str, ...]
    """Folders in the repository's root. The first that exists is used; if none does, tests are beside the file."""
    framework: str


_JAVASCRIPT = _Layout("{stem}.test{suffix}", (), "Jest")
_LAYOUTS = {
    "python": _Layout("test_{stem}{suffix}", ("tests/unit", "tests", "test"), "pytest"),
    "javascript": _JAVASCRIPT,
    "typescript": _JAVASCRIPT,
    "tsx": _JAVASCRIPT,
    "go": _Layout("{stem}_test{suffix}", (), "Go (package testing)"),
    "java": _Layout("{stem}Test{suffix}", (), "JUnit 5"),
    "kotlin": _Layout("{stem}Test{suffix}", (), "JUnit 5"),
}
"""The layouts, by grammar."""


def place_of_tests(task: ActionTask) -> Path:
    """Return the file, as an identity, that has the tests of the task's file, or should have them.

    Raises:
        Faulty: the layout of this language's tests is not known, or the file must not be changed.
    """
    path, language = Path(task.selection.path), task.selection.language
    layout = _LAYOUTS.get(language.grammar)
    if layout is None:
        raise Faulty(ActionReason.NO_LAYOUT, f"it is not known where tests of {language.name} belong")
    place = _place(task, path, layout)
    if not task.may_change(place):
        raise Faulty(ActionReason.OUTSIDE, f"{place.name} is outside the workspace or excluded")
    return place


def _place(task: ActionTask, path: Path, layout: _Layout) -> Path:
    name = layout.name.format(stem=path.stem, suffix=path.suffix)
    if task.selection.language.grammar in ("java", "kotlin") and "/src/main/" in path.as_posix():
        return resolve(Path(path.as_posix().replace("/src/main/", "/src/test/")).with_name(name))
    root = repository_of(path.parent)
    around = [path.parent / "tests", path.parent / "__tests__", *(root / folder for folder in layout.folders if root)]
    usable = (folder for folder in around if os.path.isdir(folder) and task.may_change(folder / name))
    folders = [path.parent, *usable]
    there = next((folder for folder in folders if os.path.isfile(folder / name)), None)
    return resolve((there or folders[min(1, len(folders) - 1)]) / name)


def _definition(task: ActionTask) -> Definition:
    found = task.selection.definition
    if found is None:
        raise Faulty(ActionReason.NO_DEFINITION, "there is no function or class to test")
    return found


def _prepare(task: ActionTask) -> ActionTask:
    _definition(task)
    place_of_tests(task)
    return with_definition(task)


def _called(task: ActionTask) -> str:
    """Return the name by which a test must use the definition: its own, or its class's for a special method."""
    name = _definition(task).name
    return _imported(task) if name.startswith("__") else name


def _imported(task: ActionTask) -> str:
    """Return the name that a test must import: the definition, or the outermost one that it is in."""
    found = _definition(task)
    outer = [
        d
        for d in task.selection.syntax.definitions()
        if d.kind in ("class", "function") and d.first_line <= found.first_line and d.last_line >= found.last_line
    ]
    return min(outer, key=lambda d: d.first_line).name


def _opening(task: ActionTask) -> str:
    path, language = Path(task.selection.path), task.selection.language
    names = sorted({_imported(task), *classes_used(task.selection)})
    if language.grammar == "python":
        return f"from {module_of(path)[0]} import {', '.join(names)}"
    if language.grammar in ("javascript", "typescript", "tsx"):
        source = path.with_suffix("")
        target = place_of_tests(task).parent
        there = "./" if target == source.parent else "../"
        return f"import {{ {', '.join(names)} }} from '{there}{source.name}'"
    package = re.search(r"^package [^\n]+", task.selection.redacted, re.MULTILINE)
    return package[0] if package else ""


def _values(task: ActionTask) -> Mapping[str, str]:
    layout = _LAYOUTS[task.selection.language.grammar]
    return {
        "name": _definition(task).name,
        "framework": layout.framework,
        "opening": _opening(task),
    }


def _begin(task: ActionTask) -> str:
    """Begin the answer with the import, in Python also with the first assertion: models go on as they have begun."""
    opening = _opening(task)
    begun = in_code(task) + (f"{opening}\n" if opening else "")
    if task.selection.language.grammar != "python":
        return begun
    found = _definition(task)
    call = f"    assert {found.name}(" if (found.name, found.kind) == (_imported(task), "function") else ""
    existing = _existing(task, place_of_tests(task))
    names = (f"test_{found.name}{number}" for number in ("", *(f"_{n}" for n in range(2, len(existing) + 3))))
    return f"{begun}\n\ndef {next(name for name in names if f'def {name}(' not in existing)}():\n{call}"


def _enough(answer: str) -> bool:
    """Return whether a block of tests is complete. In Python, one function is enough, or many assertions in it."""
    tests = answer.partition(_PYTHON_TEST)[2] if answer.startswith("```python\n") else ""
    return is_whole(answer) or bool(_NEXT_PART.search(tests)) or len(_ASSERTION.findall(tests)) >= _MAX_ASSERTIONS


def _complete_part(answer: str) -> str:
    """Return a Python test up to its last whole assertion."""
    assertions = list(_ASSERTION.finditer(answer)) if answer.startswith("```python\n") else []
    return answer[: assertions[-1].end()] if assertions else ""


def _existing(task: ActionTask, file: Path) -> str:
    """Return the text of the tests' file: as an editor has it, or else as it is on disk."""
    text = task.open_text(str(file))
    if text is None:
        text = read_text(file) or ""
    return text


def _read(answer: str, task: ActionTask) -> Edit:
    code = code_in(answer)
    language = task.selection.language
    if not _HAS_TEST.get(language.grammar, _CALLS_TEST).search(code):
        raise Faulty(ActionReason.NO_TEST)
    if not re.search(rf"\b{re.escape(_called(task))}\b", _IMPORTS.sub("", code)):
        raise Faulty(ActionReason.OTHER_CODE, f"the test does not use '{_called(task)}'")
    opening = _opening(task)
    if language.grammar == "python":
        before, test, after = f"\n{code}".partition(_PYTHON_TEST)
        code = (before + test + _NEXT_PART.split(after, maxsplit=1)[0]).strip("\n")
        if "pytest." in code and not re.search(r"^import pytest", code, re.MULTILINE):
            code = f"import pytest\n\n{code}"
    if opening not in code:
        code = f"{opening}\n\n{code}"
    file = place_of_tests(task)
    existing = _existing(task, file)
    if not existing and os.path.exists(file) and not _is_empty(file):
        raise Faulty(ActionReason.UNREADABLE, f"{file.name} cannot be read")
    if existing:
        code = f"\n\n{code}" if language.grammar == "python" else f"\n{code}"
    end = count_lines(existing)
    return replace(checked(code, Selection(existing, language, end, end, str(file)), "nothing"), path=str(file))


def _is_empty(file: Path) -> bool:
    """Return whether a path is an empty file, and no pipe or device, which has no size either."""
    return os.path.isfile(file) and not os.path.getsize(file)


TESTS = Action(
    name="tests",
    title="Write tests",
    kind="midfill.tests",
    proves=Proves.VALUES,
    conventions=Conventions.about_tests,
    prepare=_prepare,
    values=_values,
    begin=_begin,
    enough=_enough,
    complete_part=_complete_part,
    read=_read,
)
