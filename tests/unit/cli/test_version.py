"""One version for everything that is released together."""

from __future__ import annotations

import json
import re
from pathlib import Path

from midfill import __version__

ROOT = Path(__file__).parents[3]


def test_the_extension_has_the_servers_version() -> None:
    """The extension installs the server's wheel of its own version."""
    for name in ("package.json", "package-lock.json"):
        assert json.loads((ROOT / "editors/vscode" / name).read_text(encoding="utf-8"))["version"] == __version__


def test_the_emacs_package_has_the_servers_version() -> None:
    """Emacs reads it from the header of the package's main file."""
    header = (ROOT / "editors/emacs/midfill.el").read_text(encoding="utf-8")
    assert re.search(r"^;; Version: (.+)$", header, re.MULTILINE)[1] == __version__  # type: ignore[index]


def test_the_changelog_begins_with_this_version() -> None:
    """A release says what is new in it. What is not released yet stands above it."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (\d\S*)", changelog, re.MULTILINE)[0] == __version__
