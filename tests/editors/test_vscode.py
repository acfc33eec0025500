"""The VS Code extension's manifest, held against what it speaks for; `vscode_in_browser.py` has the editor itself."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest

from midfill import __version__
from midfill.settings import LIMITS, Settings

ROOT = Path(__file__).parents[2]
EXTENSION = ROOT / "editors" / "vscode"
_README_ROW = re.compile(r"^\| `(\w+)` \| [^|]+ \| (.+?) \|$", re.MULTILINE)


@pytest.fixture(scope="session", autouse=True)
def _bundle() -> None:
    """Ask for no model, as the tests beside this one do: only files are compared here."""


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    """Return package.json."""
    loaded: dict[str, Any] = json.loads((EXTENSION / "package.json").read_text())
    return loaded


@pytest.fixture(scope="module")
def server_settings(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what the extension offers of the server's settings; its own have a dot in their names."""
    properties = manifest["contributes"]["configuration"]["properties"]
    named = {key.removeprefix("midfill."): value for key, value in properties.items()}
    return {name: value for name, value in named.items() if "." not in name}


def test_settings_are_the_servers(server_settings: dict[str, dict[str, Any]]) -> None:
    """Names, order, defaults and limits are those of the server's own table."""
    expected: dict[str, dict[str, Any]] = {}
    for field in dataclasses.fields(Settings):
        if field.name in LIMITS:
            minimum, maximum = LIMITS[field.name]
            facts = {"type": "integer", "default": field.default, "minimum": minimum, "maximum": maximum}
        else:
            assert field.name == "bundle", f"{field.name} has no limits: say here what its type is"
            facts = {"type": "string", "default": ""}  # empty is not sent: the server knows where its own is
        expected[_camel(field.name)] = facts
    offered = {
        name: {key: value[key] for key in ("type", "default", "minimum", "maximum") if key in value}
        for name, value in sorted(server_settings.items(), key=lambda item: item[1]["order"])
    }
    assert list(offered.items()) == list(expected.items())


def test_descriptions_are_the_readmes(server_settings: dict[str, dict[str, Any]]) -> None:
    """A setting is described in the editor as in the README."""
    readme = dict(_README_ROW.findall((ROOT / "README.md").read_text().partition("## Settings")[2]))
    described = {name: value["markdownDescription"] for name, value in server_settings.items()}
    assert described == {name: f"{readme[name][0].upper()}{readme[name][1:]}." for name in server_settings}


def test_version_is_the_servers(manifest: dict[str, Any]) -> None:
    """The extension carries the server's package, and so its version."""
    assert manifest["version"] == __version__


def test_a_folder_cannot_name_a_program(manifest: dict[str, Any]) -> None:
    """What is run or loaded is for a folder to say only once it is trusted."""
    restricted = manifest["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"]
    assert set(restricted) == {"midfill.server.path", "midfill.bundle"}


@pytest.mark.parametrize("folder", [EXTENSION, EXTENSION / "test" / "code-server"], ids=["extension", "code-server"])
def test_lock_files_name_no_host(folder: Path) -> None:
    """Packages come from whichever registry the machine knows; their hashes decide."""
    packages = json.loads((folder / "package-lock.json").read_text())["packages"]
    assert not [name for name, package in packages.items() if "resolved" in package]
    assert all("integrity" in package for name, package in packages.items() if name)


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(word.capitalize() for word in tail)
