"""The folders of Midfill's own files."""

from __future__ import annotations

from pathlib import Path

import platformdirs
import pytest
from platformdirs.api import PlatformDirsABC
from platformdirs.macos import MacOS
from platformdirs.windows import Windows

from midfill.common.paths import bundles_dir, cache_dir, weights_dir
from midfill.settings.sources import user_file

WINDOWS_FOLDERS = {
    "CSIDL_LOCAL_APPDATA": "/Users/me/AppData/Local",
    "CSIDL_APPDATA": "/Users/me/AppData/Roaming",
}


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


@pytest.mark.parametrize(
    ("system", "cache", "settings"),
    [
        (MacOS, "/Users/me/Library/Caches/midfill", "/Users/me/Library/Application Support/midfill/midfill.toml"),
        (Windows, "/Users/me/AppData/Local/midfill/Cache", "/Users/me/AppData/Roaming/midfill/midfill.toml"),
    ],
)
def test_folders_of_other_systems(
    system: type[PlatformDirsABC], cache: str, settings: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are those that the documentation names."""
    monkeypatch.delenv("MIDFILL_CACHE", raising=False)
    monkeypatch.delenv("MIDFILL_CONFIG", raising=False)
    monkeypatch.setenv("HOME", "/Users/me")
    monkeypatch.setattr("platformdirs.windows.get_win_folder", WINDOWS_FOLDERS.__getitem__)
    for variable in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(platformdirs, "PlatformDirs", system)
    assert (cache_dir().as_posix(), user_file().as_posix()) == (cache, settings)
