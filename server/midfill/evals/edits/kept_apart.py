"""Which projects are for measuring, and are never trained on. The project's name decides, so all its files go together.

A quarter of all projects is kept apart. Whoever cuts data for training asks :func:`is_kept_apart` first.
"""

from __future__ import annotations

import hashlib
import re

_KEPT = 64
"""A project is kept apart if the first byte of the SHA-256 of its name is less than this."""


def is_kept_apart(project: str) -> bool:
    """Return whether a project is for measuring only.

    Args:
        project: its name in a package registry, such as "python-dateutil" or "@types/node". Case does not matter, and
            "-", "_" and "." are the same.
    """
    name = re.sub(r"[-_.]+", "-", project.strip().lower())
    return hashlib.sha256(name.encode()).digest()[0] < _KEPT
