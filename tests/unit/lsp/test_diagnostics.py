"""Findings stay with their lines, and go when those change."""

from __future__ import annotations

from lsprotocol import types

from midfill.actions import Finding
from midfill.lsp.diagnostics import Findings
from midfill.lsp.text_document import Document

URI = "file:///a.py"


def document(text: str) -> Document:
    """Return a document in Python."""
    return Document(text, language="python", encoding="utf-16")


def after(before: str, now: str, *lines: int) -> tuple[bool, list[tuple[int, str]]]:
    """Return whether a change matters to findings at lines, and where they are afterwards."""
    findings = Findings()
    findings.put(URI, document(before), [Finding(line, f"wrong {line}") for line in lines])
    changed = findings.changed(URI, document(now))
    shown = findings.diagnostics(URI, document(now))
    return changed, [(diagnostic.range.start.line, diagnostic.message) for diagnostic in shown]


def test_findings_are_hints_over_their_lines() -> None:
    """Without the white space round them."""
    findings = Findings()
    findings.put(URI, document("x = 1\n    y = 😀  \n"), [Finding(1, "Odd.")])
    [hint] = findings.diagnostics(URI, document("x = 1\n    y = 😀  \n"))
    assert hint.range == types.Range(types.Position(1, 4), types.Position(1, 10))
    assert (hint.severity, hint.source, hint.message) == (types.DiagnosticSeverity.Hint, "midfill", "Odd.")


def test_change_drops_what_it_touches_and_moves_what_is_below() -> None:
    """The rest stays, and needs no showing anew."""
    assert after("a\nb\nc\n", "a\nx\ny\nc\n", 0, 1, 2) == (True, [(0, "wrong 0"), (3, "wrong 2")])
    assert after("a\nb\nc\n", "a\nc\n", 2) == (True, [(1, "wrong 2")])
    assert after("a\nb\nc\n", "a\nb\nx\n", 0) == (False, [(0, "wrong 0")])
    assert after("a\na\n", "a\na\na\n", 0, 1)[1] == [(0, "wrong 0"), (1, "wrong 1")]
    assert after("a\n", "", 0) == (True, [])


def test_documents_without_findings_are_none_of_its_business() -> None:
    """Nothing is kept of them."""
    findings = Findings()
    findings.put(URI, document("a\n"), [])
    assert (findings.documents, findings.changed(URI, document("b\n")), findings.forget(URI)) == ([], False, False)
