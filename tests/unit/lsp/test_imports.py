"""The modules of the protocol's layer import each other in one direction only."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import midfill.lsp

FOLDER = Path(midfill.lsp.__file__).parent


def imports(file: Path) -> set[str]:
    """Return the modules that a file imports, for type checking too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_no_circle() -> None:
    """Whoever reads a module need not know those that use it."""
    files = {".".join(("midfill.lsp", *f.relative_to(FOLDER).with_suffix("").parts)): f for f in FOLDER.rglob("*.py")}
    graph = {name: imports(file) & files.keys() for name, file in files.items()}
    order = list(TopologicalSorter(graph).static_order())  # raises CycleError
    assert order.index("midfill.lsp.streamed_text") < order.index("midfill.lsp.server")
