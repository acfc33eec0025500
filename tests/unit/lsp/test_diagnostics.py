"""Findings as an editor shows them."""

from __future__ import annotations

from lsprotocol import types

from midfill.actions import Finding
from midfill.lsp.diagnostics import diagnostics_of
from midfill.lsp.text_document import Document


def test_findings_are_hints_over_their_lines() -> None:
    """Without the white space around the code; a line that does not exist has none."""
    document = Document("x = 1\n    y = 😀  \n", language="python", encoding="utf-16")
    [hint] = diagnostics_of([Finding(1, "Odd."), Finding(9, "Gone.")], document)
    assert hint.range == types.Range(types.Position(1, 4), types.Position(1, 10))
    assert (hint.severity, hint.source, hint.message) == (types.DiagnosticSeverity.Hint, "midfill", "Odd.")
