"""Findings stay with their lines, and go when those change."""

from __future__ import annotations

from midfill.actions.findings import Finding, Findings


def after(before: str, now: str, *lines: int) -> tuple[bool, list[tuple[int, str]]]:
    """Return whether a change matters to findings at these lines, and where they are afterwards."""
    findings = Findings()
    findings.put("a.py", before, [Finding(line, f"wrong {line}") for line in lines])
    changed = findings.changed("a.py", now)
    return changed, [(finding.line, finding.text) for finding in findings.of("a.py")]


def test_change_drops_what_it_touches_and_moves_what_is_below() -> None:
    """The rest stays, and need not be shown again."""
    assert after("a\nb\nc\n", "a\nx\ny\nc\n", 0, 1, 2) == (True, [(0, "wrong 0"), (3, "wrong 2")])
    assert after("a\nb\nc\n", "a\nc\n", 2) == (True, [(1, "wrong 2")])
    assert after("a\nb\nc\n", "a\nb\nx\n", 0) == (False, [(0, "wrong 0")])
    assert after("a\na\n", "a\na\na\n", 0, 1)[1] == [(0, "wrong 0"), (1, "wrong 1")]
    assert after("a\n", "", 0) == (True, [])


def test_nothing_is_kept_of_documents_without_findings() -> None:
    """An edit of them changes no findings."""
    findings = Findings()
    findings.put("a.py", "a\n", [])
    assert (findings.documents, findings.changed("a.py", "b\n"), findings.forget("a.py")) == ([], False, False)
