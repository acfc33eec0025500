"""Settings: what a client sends becomes settings, and what it gets wrong is said."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from midfill.settings import ABOUT, Settings, default_bundle, parse_settings, table

README = Path(__file__).parents[2] / "README.md"


@pytest.mark.parametrize("options", [None, {}])
def test_nothing_set_is_all_defaults(options: object) -> None:
    """No options and empty options are alike, and no problem."""
    assert parse_settings(options) == (Settings(), [])


def test_every_setting_is_known_by_its_camel_case_name() -> None:
    """Editors write maxTokens for max_tokens."""
    options = {
        "bundle": "/models/b",
        "threads": 2,
        "contextTokens": 512,
        "maxTokens": 8,
        "maxLines": 3,
        "draftTokens": 4,
        "deadlineMs": 100,
        "cacheMegabytes": 64,
        "warmUpMs": 0,
        "unloadMinutes": 5,
        "enabled": False,
        "workspaceTokens": 0,
        "latencyMs": 700,
        "minConfidence": 1,
        "languages": {"markdown": {"enabled": False}},
        "exclude": ["*.key"],
        "quietLanguages": ["markdown"],
        "quietFolders": ["docs/"],
        "quietInComments": True,
        "quietInStrings": True,
        "debounceMs": 75,
        "prefetch": False,
        "journal": False,
    }
    expected = Settings(
        bundle=Path("/models/b"),
        threads=2,
        context_tokens=512,
        max_tokens=8,
        max_lines=3,
        draft_tokens=4,
        deadline_ms=100,
        cache_megabytes=64,
        warm_up_ms=0,
        unload_minutes=5,
        enabled=False,
        workspace_tokens=0,
        latency_ms=700,
        min_confidence=1.0,
        languages={"markdown": {"enabled": False}},
        exclude=("*.key",),
        quiet_languages=("markdown",),
        quiet_folders=("docs/",),
        quiet_in_comments=True,
        quiet_in_strings=True,
        debounce_ms=75,
        prefetch=False,
        journal=False,
    )
    assert parse_settings(options) == (expected, [])
    assert len(options) == len(fields(Settings)), "a new setting belongs into this test"


@pytest.mark.parametrize("value", ["8", 8.0, True, None, [8], 0, 1025], ids=repr)
def test_wrong_number_is_reported_and_its_default_used(value: object) -> None:
    """A number that is none, or out of its limits, costs one line that names the limits; the others hold."""
    settings, [problem] = parse_settings({"maxTokens": value, "maxLines": 3})
    assert settings == Settings(max_lines=3)
    assert "'maxTokens' must be a whole number from 1 to 1024" in problem


@pytest.mark.parametrize("value", [7, "", None])
def test_wrong_bundle_is_reported_and_its_default_used(value: object) -> None:
    """A bundle is the path of a folder."""
    settings, [problem] = parse_settings({"bundle": value})
    assert settings.bundle == default_bundle()
    assert "'bundle' must be the path of a folder" in problem


def test_bundle_may_start_at_home() -> None:
    """A tilde is the user's home."""
    assert parse_settings({"bundle": "~/b"})[0].bundle == Path("~/b").expanduser()


def test_unknown_name_is_reported_with_the_nearest_one() -> None:
    """A misspelled name is told with the right one, and does no harm."""
    settings, problems = parse_settings({"max_tokens": 8, "colour": "red"})
    assert settings == Settings()
    assert problems == [
        "Midfill has no setting 'max_tokens'; did you mean 'maxTokens'?",
        "Midfill has no setting 'colour'; `midfill settings` lists all.",
    ]


@pytest.mark.parametrize("options", [[], "fast", 3])
def test_options_that_are_no_object(options: Any) -> None:
    """Anything but an object is one problem, and all defaults."""
    settings, [problem] = parse_settings(options)
    assert settings == Settings()
    assert "must be an object" in problem


def test_every_default_is_within_its_limits() -> None:
    """A default that a user could not set would be a mistake."""
    defaults = {name: str(value) if isinstance(value, Path) else value for name, value in vars(Settings()).items()}
    assert {name: known.kind.read(defaults[name]) for name, known in ABOUT.items()} == vars(Settings())


def test_readme_has_the_table() -> None:
    """What the README says of the settings is what they are."""
    assert table() in README.read_text(encoding="utf-8")


def test_environment_names_the_default_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    """MIDFILL_BUNDLE comes before the user's data folder."""
    monkeypatch.setenv("MIDFILL_BUNDLE", "/models/b")
    assert default_bundle() == Path("/models/b")
    monkeypatch.delenv("MIDFILL_BUNDLE")
    assert default_bundle().name == "qwen2.5-coder-0.5b-instruct"
