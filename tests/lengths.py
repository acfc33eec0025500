"""How long the long tests are: a part in the usual run, everything in `nox -s length`."""

from __future__ import annotations

import os
from collections.abc import Container, Iterable
from typing import TypeVar

import pytest

AT_LENGTH = "MIDFILL_TESTS_AT_LENGTH" in os.environ

only_at_length = pytest.mark.skipif(not AT_LENGTH, reason="it is in `nox -s length`")
"""For a test that takes long, and whose promise a shorter test of the usual run watches, too."""

T = TypeVar("T")


def length(usual: int, whole: int) -> int:
    """Return the number of repetitions of a test."""
    return whole if AT_LENGTH else usual


def cases(whole: Iterable[T], usual: Container[T]) -> list[T]:
    """Return the cases of a test: of the whole, those that the usual run has too."""
    return [case for case in whole if AT_LENGTH or case in usual]
