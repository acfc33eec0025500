"""A policy file in a folder of a test's own, as if the tests' user were root."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from midfill.settings import policy_file

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="files have no owner by number there")


def place_policy(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str | bytes | None = None) -> Path:
    """Have this process read its policy in a folder, and write the file there unless ``text`` is None."""
    file = folder / "midfill-policy" / "policy.toml"
    file.parent.mkdir(mode=0o755)
    if text is not None:
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        file.chmod(0o644)
    monkeypatch.setattr(policy_file, "policy_file", lambda: file)
    monkeypatch.setattr(policy_file, "_OWNER", os.getuid() if hasattr(os, "getuid") else 0)
    if sys.platform == "win32":
        monkeypatch.setattr(policy_file, "ADMINISTRATORS", {policy_file.owner_of(file.parent)})
    return file
