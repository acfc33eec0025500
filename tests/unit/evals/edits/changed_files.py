"""Changed files for the tests of the suite ``edits``."""

from __future__ import annotations

from midfill.evals.edits.hunks import FileChange

GAP = 30
"""Number of lines between two places of a file."""


def file_of(*places: str) -> str:
    """Return a file in which many other lines stand before, between and after some places of a line or several."""
    parts = []
    for number, place in enumerate((*places, "")):
        parts += [f"f{number}({line})\n" for line in range(GAP)]
        parts.append(place and f"{place}\n")
    return "".join(parts)


def change(
    before: tuple[str, ...], after: tuple[str, ...], project: str = "some", path: str = "src/a.py"
) -> FileChange:
    """Return a change of a file of some places."""
    return FileChange(project, "1.1", path, file_of(*before), file_of(*after))


RENAME = change(
    ("def area(w, h):", "size = area(w=2, h=3)", "print(area(w=4, h=5))"),
    ("def area(width, h):", "size = area(width=2, h=3)", "print(area(width=4, h=5))"),
)
"""A parameter is renamed in three places."""
