"""How long the long tests are: a part in the usual run, everything in `nox -s length`."""

from __future__ import annotations

import os

AT_LENGTH = "MIDFILL_TESTS_AT_LENGTH" in os.environ


def length(usual: int, whole: int) -> int:
    """Return the number of repetitions of a test."""
    return whole if AT_LENGTH else usual
