"""The files related to a file: the files it imports, and its siblings (test and implementation, header and source)."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from itertools import takewhile
from pathlib import PurePath

from midfill.code.languages import Language
from midfill.code.syntax import Import

Named = Callable[[str], tuple[str, ...]]
"""A file name without its suffix -> the paths of the files with this name."""

_FOLDER_FILES = ("/index", "/__init__", "/mod", "/init")
"""Files that are imported by the path of their folder."""
_COMMON_STEMS = frozenset(("__init__", "__main__", "index", "mod"))
"""Names of many unrelated files; such files have no siblings."""
_SUFFIXES = {"typescript": (".ts", ".tsx", ".d.ts", ".js", ".jsx"), "tsx": (".tsx", ".ts", ".d.ts", ".js", ".jsx")}
"""Grammar -> suffixes of the files that an import may mean, for languages where they differ from the language's own."""
_PATH_ROOTS = frozenset(("crate", "self", "super"))
"""First parts of a Rust path within the workspace."""
_TEST_STEM = re.compile(
    r"^(?:test_(?P<a>.+)|(?P<b>.+?)(?:_test|_spec|\.test|\.spec|-test|Tests?|Spec)|Test(?P<c>[A-Z].*))$"
)
_NAMES_WITHIN = frozenset(("java", "kotlin", "rust", "php", "csharp", "swift"))
"""Languages whose imported names are parts of the module's path."""


def imported_names(imported: Import, language: Language) -> tuple[str, ...]:
    """Return the names that an import defines."""
    if imported.names or language.grammar not in _NAMES_WITHIN:
        return imported.names
    parts = re.findall(r"\w+", imported.module)
    return tuple(dict.fromkeys(parts if language.grammar == "rust" else parts[-1:]))


def imported_files(
    imported: Import, path: str, language: Language, named: Named, has: Callable[[str], bool]
) -> list[str]:
    """Return the workspace's files that an import in ``path`` may mean, the most probable first; [] for a library."""
    module = imported.module
    if language.grammar == "python":
        dots = len(module) - len(module.lstrip("."))
        parts = [part for part in module.split(".") if part]
        folder = os.path.normpath(os.path.join(os.path.dirname(path), *[".."] * (dots - 1))) if dots else ""
        found = _python(folder, parts, imported.names, has) if dots else []
        if not dots and parts:
            found = [
                file
                for tail in (*([*parts, name] for name in imported.names), parts)
                if (file := _ending_with(tail, path, named))
            ]
        return list(dict.fromkeys(found))
    if "/" in module or module.startswith(".") or "." in module:
        base = os.path.normpath(os.path.join(os.path.dirname(path), module))
        base = base.removesuffix(".js") if language.grammar in _SUFFIXES else base  # TypeScript imports x.ts as x.js
        suffixes = ("", *_SUFFIXES.get(language.grammar, language.suffixes))
        exact = (base + middle + suffix for middle in ("", *_FOLDER_FILES) for suffix in suffixes)
        found = [file for file in exact if has(file)][:1]
        if found or module.startswith("."):
            return found
    words = re.findall(r"[\w-]+", module)
    parts = [part for part in words if part not in _PATH_ROOTS]
    min_parts = 1 if len(parts) < len(words) else min(len(parts), 2)  # `crate::a::Name` is certainly in the workspace
    if parts and "." + parts[-1].lower() in language.suffixes:  # "shop/price.h"
        parts = parts[:-1]
    tails = (parts[:n] for n in range(len(parts), 0, -1))
    found = [file for tail in tails if len(tail) >= min_parts and (file := _ending_with(tail, path, named))]
    return [file for file in found if PurePath(file).suffix.lower() in language.suffixes or "/" in module][:1]


def siblings(path: str, named: Named) -> list[str]:
    """Return at most two siblings of a file: the same name with another suffix, its test, or the file it tests.

    The file in the nearest folder comes first.
    """
    stem, suffix = os.path.splitext(os.path.basename(path))
    if stem in _COMMON_STEMS:
        return []
    same = [other for other in named(stem) if other != path and not other.endswith(suffix)]
    match = _TEST_STEM.match(stem)
    if match:
        subject = str(match["a"] or match["b"] or match["c"])
        stems: Iterable[str] = (subject, subject[:1].lower() + subject[1:])
    else:
        stems = (f"test_{stem}", *(stem + end for end in ("_test", ".test", ".spec", "_spec", "Test", "Tests", "Spec")))
    other_side = [other for name in dict.fromkeys(stems) for other in named(name) if other.endswith(suffix)]
    found = [*same, *other_side] if not match else [*other_side, *same]
    return sorted(dict.fromkeys(found), key=lambda other: -_in_common(path, other))[:2]


def is_test(path: str) -> bool:
    """Return whether a file's name is that of a file with tests."""
    return _TEST_STEM.match(PurePath(path).stem) is not None


def nearest(path: str, others: Iterable[str]) -> list[str]:
    """Return ``others``, the ones with most folders in common with ``path`` first."""
    return sorted(others, key=lambda other: (-_in_common(path, other), other))


def _python(folder: str, parts: list[str], names: tuple[str, ...], has: Callable[[str], bool]) -> list[str]:
    module = os.path.join(folder, *parts)
    modules = [*(os.path.join(module, name) for name in names), module]
    candidates = [os.path.join(m, "__init__") + end if inner else m + end for m in modules for inner in (False, True)
                  for end in (".py", ".pyi")]  # fmt: skip
    return [file for file in candidates if has(file)]


def _ending_with(parts: list[str], path: str, named: Named) -> str | None:
    """Return the file whose path ends with ``parts`` and that is nearest to ``path``; None when there is none."""
    wanted = [part.lower() for part in parts[:-1]]
    matching = []
    for file in named(parts[-1]):
        *folders, name = file.lower().replace("\\", "/").split("/")
        if name.partition(".")[0] != parts[-1].lower():  # the file is imported by the name of its folder
            folders = folders[:-1]
        if not wanted or folders[-len(wanted) :] == wanted:
            matching.append(file)
    return next(iter(nearest(path, matching)), None) if matching and matching != [path] else None


def _in_common(one: str, other: str) -> int:
    pairs = zip(one.split(os.sep), other.split(os.sep), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
