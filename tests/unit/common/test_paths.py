"""Where Midfill keeps its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from midfill.common.paths import bundles_dir, cache_dir, weights_dir


def test_environment_names_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """MIDFILL_CACHE holds all that Midfill writes."""
    monkeypatch.setenv("MIDFILL_CACHE", "/c")
    assert cache_dir() == Path("/c")
    assert weights_dir() == Path("/c/weights")
    assert bundles_dir() == Path("/c/bundles")


@pytest.mark.parametrize("value", [None, ""])
def test_default_is_the_users_own_cache(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unset or empty, it is a folder of Midfill's own, which need not be shared with anyone."""
    monkeypatch.delenv("MIDFILL_CACHE", raising=False)
    if value is not None:
        monkeypatch.setenv("MIDFILL_CACHE", value)
    assert cache_dir().is_absolute()
    assert "midfill" in cache_dir().parts
