"""The part of a line that a change replaced, and where else it stands."""

from __future__ import annotations

import pytest

from midfill.next_edit.rewrites import Rewrite, rewrite_between


@pytest.mark.parametrize(
    ("old", "new", "rewrite"),
    [
        ("if not sys.is_finalizing():", "if not is_stopping():", Rewrite("not sys.is_finalizing(", "not is_stopping(")),
        ("x = User.query.get(name)", "x = User.get(name)", Rewrite(".query.get", ".get")),
        ("f(a)", "f(a, b)", None),
        ("x = (1)", "x = [1]", None),
        ("same", "same", None),
        ("x" * 500, "y" * 500, None),
    ],
)
def test_what_was_replaced(old: str, new: str, rewrite: Rewrite | None) -> None:
    """It has what stands beside it. Only inserted text, and signs alone, are no example for other lines."""
    assert rewrite_between(old, new) == rewrite


def test_it_is_replaced_in_other_lines() -> None:
    """A longer word that begins alike is another one."""
    rewrite = Rewrite(".query.get", ".get")
    assert rewrite.apply("return Device.query.get(code)") == "return Device.get(code)"
    assert rewrite.apply("return Device.query.get_all(code)") == "return Device.query.get_all(code)"
