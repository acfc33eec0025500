"""The conventions of a project, found in its files: line length, docstring style, annotations, tests."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from midfill.actions.selection import Selection
from midfill.common.file_system import repository_of

Read = Callable[[Path], "str | None"]
"""Returns the text of a file without secrets; None for a file that is not there, or that ignore rules exclude."""
_CONFIGURATIONS = (
    "pyproject.toml", "ruff.toml", ".ruff.toml", "setup.cfg", "tox.ini", "pytest.ini", ".flake8", ".editorconfig",
    "package.json", ".prettierrc", ".prettierrc.json", "pom.xml", "build.gradle", "build.gradle.kts",
)  # fmt: skip
_MAX_FOLDERS = 8
"""Maximum number of folders above a document that are searched."""
_MAX_NEIGHBOURS = 4
"""Maximum number of files beside a document that are read for their style."""
_MAX_FIXTURES = 12
_LINE_LENGTH = re.compile(r"""\b(?:line[-_]length|max[-_]line[-_]length|printWidth)["']?\s*[=:]\s*["']?(\d{2,3})\b""")
_DOCSTRING_STYLES = {
    "Google": re.compile(r"^[ \t]+(?:Args|Arguments|Returns|Raises|Yields):[ \t]*$", re.MULTILINE),
    "NumPy": re.compile(r"^[ \t]+(?:Parameters|Returns|Raises|Yields)[ \t]*\n[ \t]+-{3,}[ \t]*$", re.MULTILINE),
    "Sphinx": re.compile(r"^[ \t]*:(?:param|returns?|rtype|raises)\b[^:\n]*:", re.MULTILINE),
}
_CONFIGURED_STYLE = re.compile(r"""\bconvention\s*=\s*["'](google|numpy)["']""")
_FRAMEWORKS = {
    "pytest": re.compile(r"\bpytest\b"),
    "Vitest": re.compile(r'"vitest"'),
    "Jest": re.compile(r'"(?:jest|ts-jest|@jest/globals)"'),
    "Mocha": re.compile(r'"mocha"'),
    "TestNG": re.compile(r"\btestng\b"),
    "JUnit 4": re.compile(r"\bjunit:junit:4|<artifactId>junit</artifactId>"),
}
_FRAMEWORKS_OF = {
    "python": ("pytest",),
    **dict.fromkeys(("javascript", "typescript", "tsx"), ("Vitest", "Jest", "Mocha")),
    **dict.fromkeys(("java", "kotlin"), ("TestNG", "JUnit 4")),
}
"""The names of frameworks by grammar."""
_FIXTURE = re.compile(r"^@(?:pytest\.|pytest_asyncio\.)?fixture\b.*\n(?:[@ )].*\n)*(?:async )?def (\w+)", re.MULTILINE)
_DECLARED = re.compile(r"^[ \t]*(?:async )?def \w+\([^)]{0,400}\)[ \t]*(->)?", re.MULTILINE)
_MIN_DECLARED = 3
"""Minimum number of functions that tell whether types are annotated."""
_MOST = 0.8


@dataclass(frozen=True, kw_only=True)
class Conventions:
    """What is known of a project's conventions."""

    line_length: int = 0
    """Maximum number of characters of a line; 0 if it is not known."""
    docstrings: str = ""
    """The style of docstrings, such as "Google"; "" if it is not known."""
    annotated: bool | None = None
    """Whether functions have type annotations; None if that is not known."""
    framework: str = ""
    """What tests are written with; "" if it is not known."""
    fixtures: tuple[str, ...] = ()
    """The fixtures that tests can use."""

    def about_code(self) -> list[str]:
        """Return what matters for code, each in a few words."""
        known = {True: "functions have type annotations", False: "functions have no type annotations"}
        return [*self._about_lines(), *([known[self.annotated]] if self.annotated is not None else ())]

    def about_documentation(self) -> list[str]:
        """Return what matters for documentation, each in a few words."""
        return [*self._about_lines(), *([f"docstrings in {self.docstrings} style"] if self.docstrings else ())]

    def about_tests(self) -> list[str]:
        """Return what matters for tests, each in a few words."""
        named = ", ".join(f"`{name}`" for name in self.fixtures)
        return [*self._about_lines(), *([f"tests may use the fixtures {named}"] if named else ())]

    def _about_lines(self) -> list[str]:
        return [f"lines of at most {self.line_length} characters"] if self.line_length else []


def conventions_around(selection: Selection, read: Read) -> Conventions:
    """Return the conventions that hold for a document, as far as they can be found.

    Args:
        selection: lines of the document. They may be what is to be changed, so they tell nothing.
        read: reads other files.
    """
    path = Path(selection.path)
    folders = list(_folders(path)) if path.is_absolute() else []
    configured = "\n".join(filter(None, (read(folder / name) for folder in folders for name in _CONFIGURATIONS)))
    conftests = [text for folder in _folders_of_tests(folders) if (text := read(folder / "conftest.py"))]
    lines = selection.redacted_lines
    own = "\n".join([*lines[: selection.first_line], *lines[selection.end_line :]])
    grammar = selection.language.grammar
    length = _LINE_LENGTH.search(configured)
    return Conventions(
        line_length=int(length[1]) if length else 0,
        docstrings=_docstring_style(configured, own, path, read) if grammar == "python" else "",
        annotated=_annotated(own) if grammar == "python" else None,
        framework=_framework(configured, grammar, conftests),
        fixtures=_fixtures(conftests) if grammar == "python" else (),
    )


def _folders(path: Path) -> Iterator[Path]:
    """Yield the folders of a file up to its repository's, the nearest first; only its own if it is in none."""
    root = repository_of(path.parent) or path.parent
    for folder in islice(path.parents, _MAX_FOLDERS):
        yield folder
        if folder == root:
            return


def _folders_of_tests(folders: list[Path]) -> Iterator[Path]:
    yield from folders
    for folder in folders[-1:]:
        yield from (folder / name for name in ("tests", "test", "tests/unit"))


def _docstring_style(configured: str, own: str, path: Path, read: Read) -> str:
    if found := _CONFIGURED_STYLE.search(configured):
        return {"google": "Google", "numpy": "NumPy"}[found[1]]
    texts = [own, *(read(other) or "" for other in islice(_neighbours(path), _MAX_NEIGHBOURS))]
    counts = {name: sum(len(style.findall(text)) for text in texts) for name, style in _DOCSTRING_STYLES.items()}
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] else ""


def _neighbours(path: Path) -> Iterator[Path]:
    """Yield the files of the same kind beside a file, in the order of their names."""
    try:
        names = sorted(os.listdir(path.parent)) if path.is_absolute() else []
    except OSError:
        return
    yield from (path.parent / name for name in names if name.endswith(path.suffix) and name != path.name)


def _annotated(text: str) -> bool | None:
    """Return whether most functions of a text say what they return; None if there are few, or it differs."""
    arrows = [bool(arrow) for arrow in _DECLARED.findall(text)]
    if len(arrows) < _MIN_DECLARED:
        return None
    share = sum(arrows) / len(arrows)
    return share >= _MOST if share >= _MOST or not share else None


def _framework(configured: str, grammar: str, conftests: list[str]) -> str:
    if conftests and grammar == "python":
        return "pytest"
    return next((name for name in _FRAMEWORKS_OF.get(grammar, ()) if _FRAMEWORKS[name].search(configured)), "")


def _fixtures(conftests: list[str]) -> tuple[str, ...]:
    names = dict.fromkeys(name for text in conftests for name in _FIXTURE.findall(text))
    return tuple(names)[:_MAX_FIXTURES]
