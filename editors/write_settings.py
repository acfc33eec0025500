"""Write the server's settings where people look: package.json of VS Code, and the table in docs/settings.md.

Run after a setting was added or changed: `nox -s settings`. Tests compare what is written with the server's own table.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from midfill.settings.engine_settings import OF_ENGINES
from midfill.settings.schema import ATTRIBUTES, describe, table

ROOT = Path(__file__).parents[1]
_EXTENSION = ROOT / "editors" / "vscode" / "package.json"
_PAGE = ROOT / "docs" / "settings.md"
_OF_THE_SCHEMA = ("type", "items", "additionalProperties", "enum", "default", "minimum", "maximum")


def package_json(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return VS Code's manifest with the server's settings, the extension's own after them."""
    configuration = manifest["contributes"]["configuration"]
    before = configuration["properties"]
    servers = {f"midfill.{known['name']}": _property(known) for known in describe()}
    own = {name: value for name, value in before.items() if "." in name.removeprefix("midfill.")}
    configuration["properties"] = {
        name: {**value, "order": order} for order, (name, value) in enumerate({**servers, **own}.items(), start=1)
    }
    # A folder's value would replace the user's, and so loosen what the folder's midfill.toml can only tighten.
    free = {f"midfill.{known['name']}" for known in describe() if known["workspaceMay"] == "set it"}
    restricted = [name for name in configuration["properties"] if name not in free]
    manifest["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"] = restricted
    return manifest


def _property(known: dict[str, Any]) -> dict[str, Any]:
    """Return one setting as VS Code has it; an empty folder is not sent, for the server knows where its own is."""
    value = {name: known[name] for name in _OF_THE_SCHEMA if name in known}
    # A workspace's own settings, once it is trusted, override the user's unless the scope is "machine".
    scope = "machine-overridable" if known["workspaceMay"] == "no" else "window"
    return {
        **value,
        "default": "" if known["default"] is None else known["default"],
        "scope": "machine" if ATTRIBUTES[known["name"]] in OF_ENGINES else scope,
        "order": 0,
        "markdownDescription": f"{known['description'][0].upper()}{known['description'][1:]}.",
    }


if __name__ == "__main__":
    manifest = package_json(json.loads(_EXTENSION.read_text(encoding="utf-8")))
    _EXTENSION.write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")
    page = _PAGE.read_text(encoding="utf-8")
    old = re.search(r"\| name \| value \| default \|.*?\n\n", page, re.DOTALL)
    if old is None:
        raise SystemExit("docs/settings.md has no table of settings to be replaced.")
    _PAGE.write_text(page.replace(old[0], f"{table()}\n\n"), encoding="utf-8", newline="\n")
