"""The suite ``actions --in-repo``: functions of real packages are written anew, and use what another file defines.

A function is taken if its body has a name that another file of the package defines and that occurs nowhere else in its
own file. So nobody can know this name from the file alone. Its body is cut out, also for the index. An answer passes if
it is valid and has all of these names.
"""

from __future__ import annotations

import ast
import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from midfill.actions import ActionTask
from midfill.actions.from_project import look_into
from midfill.actions.selection import Selection
from midfill.code.identifiers import IDENTIFIER
from midfill.code.languages import language_of
from midfill.code.source_files import read_source
from midfill.common.errors import EvalError
from midfill.evals.action_tasks import Judgement, parses
from midfill.evals.actions import ActionsReport, Perform, TrialResult, result_of
from midfill.evals.repo_tasks import from_packages, imported_names, names_defined, package_folder, parsed
from midfill.evals.runner import OnProgress
from midfill.retrieval.service import Workspace

_MIN_LINES, _MAX_LINES = 2, 16
"""Number of lines of a body that is cut out, without its docstring."""
_PER_FILE = 2
_INDEX_TIMEOUT_SECONDS = 120.0
OpenWorkspace = Callable[[Path], Workspace]


@dataclass(frozen=True)
class InRepoFunction:
    """A function whose body was cut out of a file."""

    package: str
    path: str
    """The file, relative to the folder that the package is in."""
    text: str
    """The file's text without the body."""
    line: int
    """The line of the declaration, from 0."""
    needed: frozenset[str]
    """The names that the body has from other files, and that nothing else in the file tells."""

    @property
    def name(self) -> str:
        """The name of the task."""
        return f"{self.path}:{self.line + 1}"


def functions() -> list[InRepoFunction]:
    """Return the functions. The packages take turns, so the first ones are of all packages.

    Raises:
        EvalError: none of the packages is installed as Python source.
    """
    return from_packages(functions_of)


def functions_of(name: str, folder: Path) -> list[InRepoFunction]:
    """Return a package's functions, at most two of each file, in a random order that is the same every time."""
    texts = {path.relative_to(folder.parent).as_posix(): read_source(path) for path in sorted(folder.rglob("*.py"))}
    modules = parsed(texts)
    defined = {path: names_defined(tree) for path, tree in modules.items()}
    rng = random.Random(name)  # noqa: S311 (not used for security)
    found = []
    for path, tree in modules.items():
        text = texts[path] or ""
        sources = {source for _, source in imported_names(tree, path, defined).values()}
        foreign = frozenset().union(*(_all_names(modules[source]) for source in sources if source in modules))
        cut = [task for node in ast.walk(tree) if (task := _cut(name, path, text, node, foreign))]
        found += rng.sample(cut, min(_PER_FILE, len(cut)))
    rng.shuffle(found)
    return found


def run(
    do: Perform,
    open_workspace: OpenWorkspace,
    model: str,
    tasks: Sequence[InRepoFunction],
    selection: str,
    progress: OnProgress,
    *,
    max_tokens: int,
) -> ActionsReport:
    """Write each function twice, without the package around its file and with it; they are two actions of the report.

    Raises:
        EvalError: a package cannot be indexed.
    """
    rows: list[TrialResult] = []
    for task in tasks:
        with tempfile.TemporaryDirectory(prefix="midfill-eval-") as temporary:
            folder = Path(temporary).resolve() / task.package
            _copy(task, folder)
            workspace = open_workspace(folder)
            try:
                if not workspace.wait_until_built(_INDEX_TIMEOUT_SECONDS):
                    raise EvalError("a package was not indexed in time: run again when the machine is idle.")
                file = str(folder / task.path)
                alone = ActionTask(Selection(task.text, language_of(file), task.line, task.line + 1, file))
                within = replace(alone, look=look_into(workspace, max_tokens, lambda _: None))
                for action, given in (("alone", alone), ("in repo", within)):
                    rows.append(_row(do, model, action, task, given))
            finally:
                workspace.close()
        progress(len(rows) // 2, len(tasks))
    return ActionsReport(selection=selection, model=model, rows=tuple(rows), title="functions of packages")


def _row(do: Perform, model: str, action: str, task: InRepoFunction, given: ActionTask) -> TrialResult:
    def judge(edited: str) -> Judgement:
        if not parses(edited):
            return Judgement("does-not-parse")
        missing = task.needed - set(IDENTIFIER.findall(edited))
        return Judgement("name-missing", ", ".join(sorted(missing))) if missing else Judgement()

    return result_of(do, model, action, task.name, given, "write", judge).row


def _copy(task: InRepoFunction, folder: Path) -> None:
    """Copy a package into a workspace, without the body. The index skips ``site-packages``."""
    source = package_folder(task.package)
    for path in sorted(source.rglob("*.py")) if source else ():
        copy = folder / path.relative_to(source.parent)  # type: ignore[union-attr]
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    (folder / task.path).write_text(task.text, encoding="utf-8", newline="\n")


def _cut(package: str, path: str, text: str, node: ast.AST, foreign: frozenset[str]) -> InRepoFunction | None:
    """Return a function without its body; None if it does not qualify."""
    if not isinstance(node, ast.FunctionDef) or not ast.get_docstring(node):
        return None
    body = node.body[1:]
    first, last = (body[0].lineno - 1, node.end_lineno or 0) if body else (0, 0)
    lines = text.split("\n")
    inside, outside = "\n".join(lines[first:last]), [*lines[:first], *lines[last:]]
    if not _MIN_LINES <= last - first <= _MAX_LINES:
        return None
    code = {found for statement in body for found in _identifiers(statement)}
    needed = (code & foreign & set(IDENTIFIER.findall(inside))) - set(IDENTIFIER.findall("\n".join(outside)))
    line = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]) - 1
    return InRepoFunction(package, path, "\n".join(outside), line, frozenset(needed)) if needed else None


def _identifiers(statement: ast.stmt) -> Iterator[str]:
    """Yield the attributes and keywords of a statement. Other names of other files are imported: the file has them."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.keyword) and node.arg:
            yield node.arg


def _all_names(tree: ast.Module) -> frozenset[str]:
    """Return the names that a module defines in declarations: functions, their parameters, classes and fields."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    return frozenset(found)
