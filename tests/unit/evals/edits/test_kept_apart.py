"""Which projects are only for measuring."""

from __future__ import annotations

import pytest

from midfill.evals.edits.kept_apart import is_kept_apart
from midfill.evals.edits.standard_set import projects


def test_standard_set_is_kept_apart() -> None:
    """No project of it is ever trained on."""
    assert [project.name for project in projects() if not is_kept_apart(project.name)] == []


def test_a_quarter_of_all_projects_is_kept_apart() -> None:
    """The name alone decides."""
    kept = sum(is_kept_apart(f"project-{number}") for number in range(4000))
    assert 900 < kept < 1100


@pytest.mark.parametrize("name", ["Flask_Login", "flask.login", " flask-login "])
def test_names_of_one_project_are_one(name: str) -> None:
    """As in the registries."""
    assert is_kept_apart(name) == is_kept_apart("flask-login")
