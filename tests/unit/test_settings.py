"""Settings: what a client sends becomes settings, and what it gets wrong is said."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from midfill.settings import LIMITS, Settings, default_bundle, parse_settings


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


def test_unknown_name_is_reported_with_the_known_ones() -> None:
    """A misspelled name is told apart by the list of right ones, and does no harm."""
    settings, [problem] = parse_settings({"max_tokens": 8})
    assert settings == Settings()
    assert "'max_tokens'" in problem
    assert "maxTokens" in problem


@pytest.mark.parametrize("options", [[], "fast", 3])
def test_options_that_are_no_object(options: Any) -> None:
    """Anything but an object is one problem, and all defaults."""
    settings, [problem] = parse_settings(options)
    assert settings == Settings()
    assert "must be an object" in problem


def test_every_default_is_within_its_limits() -> None:
    """A default that a user could not set would be a mistake."""
    defaults = Settings()
    assert all(low <= getattr(defaults, name) <= high for name, (low, high) in LIMITS.items())


def test_environment_names_the_default_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    """MIDFILL_BUNDLE comes before the user's data folder."""
    monkeypatch.setenv("MIDFILL_BUNDLE", "/models/b")
    assert default_bundle() == Path("/models/b")
    monkeypatch.delenv("MIDFILL_BUNDLE")
    assert default_bundle().name == "qwen2.5-coder-0.5b-instruct"
