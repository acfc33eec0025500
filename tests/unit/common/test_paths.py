"""The folders of Midfill's own files."""

from __future__ import annotations

from pathlib import Path

import pytest

from midfill.common.paths import bundles_dir, cache_dir, weights_dir


def test_environment_names_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """MIDFILL_CACHE replaces the cache folder."""
    monkeypatch.setenv("MIDFILL_CACHE", "/c")
    assert cache_dir() == Path("/c")
    assert weights_dir() == Path("/c/weights")
    assert bundles_dir() == Path("/c/bundles")


@pytest.mark.parametrize("environment", [{}, {"MIDFILL_CACHE": ""}], ids=["unset", "empty"])
def test_default_is_the_users_own_cache(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without MIDFILL_CACHE it is Midfill's folder in the user's cache folder."""
    monkeypatch.delenv("MIDFILL_CACHE", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert cache_dir().is_absolute()
    assert "midfill" in cache_dir().parts
