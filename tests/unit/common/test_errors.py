"""The tree of errors is the one that the module's docstring draws."""

from __future__ import annotations

import re

import pytest

from midfill.common import errors
from midfill.common.errors import BundleDamaged, MidfillError, SourceError, UsageError


def drawn() -> dict[str, str]:
    """Return the parent of each error in the drawing."""
    parents: dict[str, str] = {}
    path: list[str] = []
    for line in str(errors.__doc__).splitlines():
        if found := re.match(r"    ([│ ]*)(?:[├└]── )?(\w+)(?:  |$)", line):
            depth = (found.start(2) - 4) // 4
            path[depth:] = [found[2]]
            parents[found[2]] = path[depth - 1] if depth else "Exception"
    return parents


def test_drawing_is_the_tree() -> None:
    """The drawing has every error under its base class, and nothing else."""
    classes = [error for error in vars(errors).values() if isinstance(error, type) and issubclass(error, Exception)]
    assert drawn() == {error.__name__: error.__base__.__name__ for error in classes if error.__base__}


@pytest.mark.parametrize(("error", "code"), [(UsageError, 2), (MidfillError, 1), (BundleDamaged, 1), (SourceError, 1)])
def test_wrong_usage_alone_has_exit_code_2(error: type[MidfillError], code: int) -> None:
    """Every other error has exit code 1."""
    assert error("x").exit_code == code


def test_message_is_the_errors_text() -> None:
    """`str` of an error is its whole message."""
    assert str(BundleDamaged("a is missing.")) == "a is missing."
