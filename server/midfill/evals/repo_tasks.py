"""Lines of real packages that use what another file of the same package defines.

A call of an imported function or class is cut after its bracket or after its first argument, a look-up in an imported
class or module after its dot. What is cut out has a name that the other file defines and that stands nowhere else in
this one, so that nobody can know it from this file alone (the idea of RepoBench's cross-file lines, Liu et al., 2023).
The packages are those that Midfill itself is installed with, and some that its developers have.
"""

from __future__ import annotations

import ast
import importlib.util
import random
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path

from midfill.code.identifiers import IDENTIFIER
from midfill.code.source_files import read_source
from midfill.common.errors import EvalError
from midfill.evals.tasks import EvalTask

PACKAGES = (
    "attr", "cattrs", "charset_normalizer", "filelock", "fsspec", "huggingface_hub", "packaging", "pathspec",
    "platformdirs", "pygls", "requests", "tqdm", "urllib3", "yaml",
    "_pytest", "jinja2", "nox", "pluggy", "pytest_lsp",
)  # fmt: skip
"""By the names they are imported by; ones that are not installed are left out."""

_PER_FILE = 3
_MIN_CHARACTERS, _MAX_CHARACTERS = 4, 100
"""Characters that are cut out."""
_MODULE = "module"


def tasks() -> list[EvalTask]:
    """Return the tasks, each package's in turn, so that the first ones are of all packages.

    Raises:
        EvalError: None of the packages is installed as Python source.
    """
    each = [package_tasks(name, folder) for name in PACKAGES if (folder := package_folder(name))]
    found = [task for in_turn in zip_longest(*each) for task in in_turn if task is not None]
    if not found:
        raise EvalError("None of the packages to take lines from is installed; run: pip install 'midfill[eval]'")
    return found


def package_folder(name: str) -> Path | None:
    """Return where a package of Python files is installed; None when it is not."""
    spec = importlib.util.find_spec(name)
    places = list(spec.submodule_search_locations or ()) if spec else []
    return Path(places[0]) if places else None


def package_tasks(name: str, folder: Path) -> list[EvalTask]:
    """Return a package's tasks, three of a file at most, in an order of chance that is always the same."""
    texts = {path.relative_to(folder.parent).as_posix(): read_source(path) for path in sorted(folder.rglob("*.py"))}
    modules = _parsed(texts)
    defined = {path: _defined(tree) for path, tree in modules.items()}
    names = {path: _names(tree) for path, tree in modules.items()}
    rng = random.Random(name)  # noqa: S311 (a sample keeps no secret)
    found = []
    for path, tree in modules.items():
        text = texts[path] or ""
        gaps = [
            (start, end)
            for start, end, source in _gaps(tree, text, _imported(tree, path, defined))
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


def _parsed(texts: Mapping[str, str | None]) -> dict[str, ast.Module]:
    """Parse what is Python, and ASCII: there, a column is a character."""
    trees = {}
    for path, text in texts.items():
        if text and text.isascii():
            try:
                trees[path] = ast.parse(text)
            except (SyntaxError, ValueError, RecursionError):
                continue
    return trees


def _defined(tree: ast.Module) -> frozenset[str]:
    """Return the names of a module's functions and classes."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return frozenset(node.name for node in tree.body if isinstance(node, kinds))


def _names(tree: ast.Module) -> frozenset[str]:
    """Return all names that a module gives to something: functions, their parameters, classes, variables, members."""
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


def _imported(tree: ast.Module, path: str, defined: Mapping[str, frozenset[str]]) -> dict[str, tuple[str, str]]:
    """Return the names that a module takes from the package's other files: each one's name there, and the file."""
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
    """Yield where the rest of a line may be cut out, one place a line at most, and the file whose names it uses."""
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
        if not lines[row][:column].endswith(("(", ",", ".")):  # blanks or brackets where few write them
            continue
        if _MIN_CHARACTERS <= len(rest.strip()) <= _MAX_CHARACTERS:
            taken.add(row)
            yield starts[row] + column, starts[row] + column + len(rest), source


def _cut(node: ast.AST, imported: Mapping[str, tuple[str, str]]) -> tuple[int, int, str] | None:
    """Return the line (from 0) and column behind what a use of an imported name begins with, and where that is from."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        own, source = imported.get(node.func.id, (_MODULE, ""))
        if own == _MODULE or not (node.args or node.keywords):
            return None
        first = node.args[0] if len(node.args) > 1 else None
        if first is not None and first.end_lineno == node.func.lineno and first.end_col_offset is not None:
            return first.end_lineno - 1, first.end_col_offset + 1, source  # behind the comma
        return node.func.lineno - 1, (node.func.end_col_offset or 0) + 1, source  # behind the bracket
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in imported:
        # behind the dot
        return node.value.lineno - 1, (node.value.end_col_offset or 0) + 1, imported[node.value.id][1]
    return None
