"""The settings that decide where code goes: nobody but the user can set them, in any editor."""

from __future__ import annotations

import json
from pathlib import Path

from midfill.settings.engine_settings import OF_ENGINES, engine_options
from midfill.settings.schema import ABOUT, ATTRIBUTES, Settings

MANIFEST = Path(__file__).parents[3] / "editors" / "vscode" / "package.json"


def test_a_workspace_may_set_none_of_them() -> None:
    """Whatever is added to them."""
    assert {ABOUT[attribute].workspace_may for attribute in OF_ENGINES} == {"no"}


def test_vs_code_has_them_for_the_user_alone() -> None:
    """A folder that the user trusts could else set them in its own settings."""
    properties = json.loads(MANIFEST.read_text(encoding="utf-8"))["contributes"]["configuration"]["properties"]
    scopes = {name: properties[f"midfill.{name}"]["scope"] for name, own in ATTRIBUTES.items() if own in OF_ENGINES}
    assert set(scopes.values()) == {"machine"}
    assert scopes.keys() == engine_options(Settings()).keys()


def test_options_are_by_the_names_that_users_write() -> None:
    """So that they can be given to a server at its start."""
    options = engine_options(Settings(engine="https://coder.example.com", engine_timeout_ms=900))
    assert (options["engine"], options["engineTimeoutMs"], options["actionsEngine"]) == (
        "https://coder.example.com",
        900,
        "",
    )
