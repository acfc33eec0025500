"""The findings of reviews as diagnostics."""

from __future__ import annotations

from collections.abc import Iterable

from lsprotocol import types

from midfill.actions.findings import Finding
from midfill.lsp.text_document import Document

SOURCE = "midfill"


def diagnostics_of(findings: Iterable[Finding], document: Document) -> list[types.Diagnostic]:
    """Return the findings of a document as hints, each over its line without the white space around it."""
    lines = document.text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    return [
        types.Diagnostic(
            range=document.range_between(
                starts[finding.line] + len(lines[finding.line]) - len(lines[finding.line].lstrip()),
                starts[finding.line] + len(lines[finding.line].rstrip()),
            ),
            message=finding.text,
            severity=types.DiagnosticSeverity.Hint,
            source=SOURCE,
            code="review",
        )
        for finding in findings
        if finding.line < len(lines)
    ]
