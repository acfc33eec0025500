"""Tests that the extension's package.json agrees with the server; `vscode_in_browser.py` tests the editor."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from midfill import __version__
from midfill.settings.schema import describe

ROOT = Path(__file__).parents[2]
EXTENSION = ROOT / "editors" / "vscode"


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    """Return package.json."""
    loaded: dict[str, Any] = json.loads((EXTENSION / "package.json").read_text())
    return loaded


@pytest.fixture(scope="module")
def server_settings(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the server's settings in package.json. The extension's own have a dot in their names."""
    properties = manifest["contributes"]["configuration"]["properties"]
    named = {key.removeprefix("midfill."): value for key, value in properties.items()}
    return {name: value for name, value in named.items() if "." not in name}


def test_settings_are_the_servers(server_settings: dict[str, dict[str, Any]]) -> None:
    """Names, order, types, defaults, limits and descriptions are those of the server's own table."""
    offered = sorted(server_settings.items(), key=lambda item: item[1]["order"])
    compared = ("type", "items", "additionalProperties", "enum", "default", "minimum", "maximum", "markdownDescription")
    expected = []
    for known in describe():
        # The extension does not send an empty text; the server has its own default.
        default = "" if known["default"] is None else known["default"]
        description = f"{known['description'][0].upper()}{known['description'][1:]}."
        expected.append((known["name"], {**known, "default": default, "markdownDescription": description}))
    assert [(name, _only(compared, value)) for name, value in offered] == [
        (name, _only(compared, value)) for name, value in expected
    ]


def test_version_is_the_servers(manifest: dict[str, Any]) -> None:
    """The extension contains the server's package, and has the same version."""
    assert manifest["version"] == __version__


def test_an_untrusted_folder_has_the_rights_of_its_midfill_toml(manifest: dict[str, Any]) -> None:
    """It may set the length of suggestions, but neither what is run, nor what is read, nor when Midfill is quiet."""
    restricted = manifest["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"]
    all_settings = manifest["contributes"]["configuration"]["properties"]
    assert set(all_settings) - set(restricted) == {"midfill.maxTokens", "midfill.maxLines"}
    assert {"midfill.bundle", "midfill.server.path", "midfill.exclude", "midfill.pause.languages"} <= set(restricted)


@pytest.mark.parametrize("folder", [EXTENSION, EXTENSION / "test" / "code-server"], ids=["extension", "code-server"])
def test_lock_files_name_no_host(folder: Path) -> None:
    """Packages come from any registry; their hashes are checked."""
    packages = json.loads((folder / "package-lock.json").read_text())["packages"]
    assert not [name for name, package in packages.items() if "resolved" in package]
    assert all("integrity" in package for name, package in packages.items() if name)


def _only(names: Sequence[str], values: dict[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in names if name in values}
