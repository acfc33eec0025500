"""The tasks of the suite ``repo``: lines of real packages that use a name of another file of the same package.

A call of an imported function or class is cut after its bracket or after its first argument. An attribute of an
imported class or module is cut after its dot. The cut-out text has a name that the other file defines, and that occurs
nowhere else in this file. So nobody can know it from this file alone (after the cross-file lines of RepoBench, Liu et
al., 2023). The packages are dependencies of Midfill, and some development tools.
"""

from __future__ import annotations

import ast
import importlib.util
import random
from collections.abc import Callable, Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import TypeVar

from midfill.code.identifiers import IDENTIFIER
from midfill.code.source_files import read_source
from midfill.common.errors import EvalError
from midfill.evals.tasks import EvalTask

PACKAGES = (
    "attr", "cattrs", "charset_normalizer", "filelock", "fsspec", "huggingface_hub", "packaging", "pathspec",
    "platformdirs", "pygls", "requests", "tqdm", "urllib3", "yaml",
    "_pytest", "jinja2", "nox", "pluggy", "pytest_lsp",
)  # fmt: skip
"""The packages' import names. Packages that are not installed are skipped."""

T = TypeVar("T")
_PER_FILE = 3
"""Maximum number of tasks in one file."""
_MIN_CHARACTERS, _MAX_CHARACTERS = 4, 100
"""Length of the cut-out text."""
_MODULE = "module"
"""Stands for the imported name if that is a module."""


def tasks() -> list[EvalTask]:
    """Return the tasks. The packages take turns, so the first tasks are of all packages.

    Raises:
        EvalError: none of the packages is installed as Python source.
    """
    return from_packages(package_tasks)


def from_packages(tasks_of: Callable[[str, Path], list[T]]) -> list[T]:
    """Return what ``tasks_of`` finds in each package, by its name and folder. The packages take turns.

    Raises:
        EvalError: none of the packages is installed as Python source.
    """
    each = [tasks_of(name, folder) for name in PACKAGES if (folder := package_folder(name))]
    found = [task for in_turn in zip_longest(*each) for task in in_turn if task is not None]
    if not found:
        raise EvalError("none of the packages of this suite is installed; run: pip install 'midfill[eval]'")
    return found


def package_folder(name: str) -> Path | None:
    """Return the folder of an installed package; None if it is not installed."""
    spec = importlib.util.find_spec(name)
    places = list(spec.submodule_search_locations or ()) if spec else []
    return Path(places[0]) if places else None


def package_tasks(name: str, folder: Path) -> list[EvalTask]:
    """Return a package's tasks, at most three of each file, in a random order that is the same every time."""
    texts = {path.relative_to(folder.parent).as_posix(): read_source(path) for path in sorted(folder.rglob("*.py"))}
    modules = parsed(texts)
    defined = {path: names_defined(tree) for path, tree in modules.items()}
    names = {path: _names(tree) for path, tree in modules.items()}
    rng = random.Random(name)  # noqa: S311 (not used for security)
    found = []
    for path, tree in modules.items():
        text = texts[path] or ""
        gaps = [
            (start, end)
            for start, end, source in _gaps(tree, text, imported_names(tree, path, defined))
            if (_words(text[start:end]) & names[source]) - _words(text[:start] + text[end:])
        ]
        for start, end in rng.sample(gaps, min(_PER_FILE, len(gaps))):
            line = text.count("\n", 0, start) + 1
            found.append(
                EvalTask(
                    name=f"{path}:{line}",
                    path=path,
                    prefix=text[:start],
                    suffix=text[end:],
                    expected=text[start:end],
                    group=name,
                )
            )
    rng.shuffle(found)
    return found


def parsed(texts: Mapping[str, str | None]) -> dict[str, ast.Module]:
    """Parse the files that are valid Python and ASCII. In ASCII, a column of the syntax tree is a character."""
    trees = {}
    for path, text in texts.items():
        if text and text.isascii():
            try:
                trees[path] = ast.parse(text)
            except (SyntaxError, ValueError, RecursionError):
                continue
    return trees


def names_defined(tree: ast.Module) -> frozenset[str]:
    """Return the names of a module's functions and classes."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return frozenset(node.name for node in tree.body if isinstance(node, kinds))


def _names(tree: ast.Module) -> frozenset[str]:
    """Return all names that a module defines: functions, their parameters, classes, variables and attributes."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return frozenset(found)


def _words(text: str) -> frozenset[str]:
    return frozenset(IDENTIFIER.findall(text))


def imported_names(tree: ast.Module, path: str, defined: Mapping[str, frozenset[str]]) -> dict[str, tuple[str, str]]:
    """Return the names that a module imports from the package's other files, each with its name there and the file."""
    names: dict[str, tuple[str, str]] = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom):
            continue
        here = path.split("/")[: -node.level] if node.level else []
        source = "/".join([*here, *(node.module.split(".") if node.module else [])])
        for alias in node.names:
            inside = next((file for file in (f"{source}.py", f"{source}/__init__.py") if file in defined), None)
            if inside and inside != path and alias.name in defined[inside]:
                names[alias.asname or alias.name] = (alias.name, inside)
            elif f"{source}/{alias.name}.py" in defined:
                names[alias.asname or alias.name] = (_MODULE, f"{source}/{alias.name}.py")
    return names


def _gaps(tree: ast.Module, text: str, imported: Mapping[str, tuple[str, str]]) -> Iterator[tuple[int, int, str]]:
    """Yield the start and the end of text that may be cut out, and the file whose names it uses; one a line at most."""
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    taken: set[int] = set()
    for node in ast.walk(tree):
        place = _cut(node, imported)
        if place is None or place[0] in taken:
            continue
        row, column, source = place
        rest = lines[row][column:].rstrip()
        if not lines[row][:column].endswith(("(", ",", ".")):  # unusual spaces or brackets
            continue
        if _MIN_CHARACTERS <= len(rest.strip()) <= _MAX_CHARACTERS:
            taken.add(row)
            yield starts[row] + column, starts[row] + column + len(rest), source


def _cut(node: ast.AST, imported: Mapping[str, tuple[str, str]]) -> tuple[int, int, str] | None:
    """Return where to cut a use of an imported name, as line (from 0) and column, and the file the name is from.

    Return None if ``node`` is not such a use.
    """
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        own, source = imported.get(node.func.id, (_MODULE, ""))
        if own == _MODULE or not (node.args or node.keywords):
            return None
        first = node.args[0] if len(node.args) > 1 else None
        if first is not None and first.end_lineno == node.func.lineno and first.end_col_offset is not None:
            return first.end_lineno - 1, first.end_col_offset + 1, source  # after the comma
        return node.func.lineno - 1, (node.func.end_col_offset or 0) + 1, source  # after the bracket
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in imported:
        # after the dot
        return node.value.lineno - 1, (node.value.end_col_offset or 0) + 1, imported[node.value.id][1]
    return None
