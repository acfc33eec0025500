"""The schema: values become settings, and wrong values are reported."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from midfill.settings.schema import ABOUT, ATTRIBUTES, Settings, default_bundle, describe, needs_reload, read, table

PAGE = Path(__file__).parents[3] / "docs" / "settings.md"


@pytest.mark.parametrize("options", [None, {}])
def test_nothing_set_is_all_defaults(options: object) -> None:
    """No options and empty options both give the defaults without a problem."""
    assert settings_of(options) == (Settings(), [])


def test_every_setting_is_known_by_its_camel_case_name() -> None:
    """Editors write maxTokens for max_tokens."""
    options = {
        "bundle": "/models/b",
        "use": "commercial",
        "threads": 2,
        "contextTokens": 512,
        "maxTokens": 8,
        "maxLines": 3,
        "draftTokens": 4,
        "deadlineMs": 100,
        "cacheMegabytes": 64,
        "warmUpMs": 0,
        "unloadMinutes": 5,
        "shareEngine": False,
        "enabled": False,
        "workspaceTokens": 0,
        "latencyMs": 700,
        "minConfidence": 1,
        "calibrateConfidence": False,
        "languages": {"markdown": {"enabled": False}},
        "exclude": ["*.key"],
        "quietLanguages": ["markdown"],
        "quietFolders": ["docs/"],
        "quietInComments": True,
        "quietInStrings": True,
        "debounceMs": 75,
        "prefetch": False,
        "journal": False,
        "actionsBundle": "/models/larger",
        "runCode": "ask",
        "engine": "https://coder.example.com:8443/team/",
        "engineModel": "qwen-7b",
        "engineProtocol": "openai",
        "engineTimeoutMs": 900,
        "engineKeyFile": "/keys/one",
        "engineCaFile": "/keys/ca.pem",
        "engineCertificate": "/keys/me.pem",
        "actionsEngine": "http://[::1]:8080",
        "actionsEngineModel": "qwen-32b",
        "actionsEngineKeyFile": "/keys/two",
        "nextEdit": True,
        "nextEditConfidence": 0.9,
        "nextEditModel": "sweep-0.5b",
        "nextEditMegabytes": 900,
    }
    expected = Settings(
        bundle=Path("/models/b"),
        use="commercial",
        threads=2,
        context_tokens=512,
        max_tokens=8,
        max_lines=3,
        draft_tokens=4,
        deadline_ms=100,
        cache_megabytes=64,
        warm_up_ms=0,
        unload_minutes=5,
        share_engine=False,
        enabled=False,
        workspace_tokens=0,
        latency_ms=700,
        min_confidence=1.0,
        calibrate_confidence=False,
        languages={"markdown": {"enabled": False}},
        exclude=("*.key",),
        quiet_languages=("markdown",),
        quiet_folders=("docs/",),
        quiet_in_comments=True,
        quiet_in_strings=True,
        debounce_ms=75,
        prefetch=False,
        journal=False,
        actions_bundle=Path("/models/larger"),
        run_code="ask",
        engine="https://coder.example.com:8443/team",
        engine_model="qwen-7b",
        engine_protocol="openai",
        engine_timeout_ms=900,
        engine_key_file=str(Path("/keys/one")),
        engine_ca_file=str(Path("/keys/ca.pem")),
        engine_certificate=str(Path("/keys/me.pem")),
        actions_engine="http://[::1]:8080",
        actions_engine_model="qwen-32b",
        actions_engine_key_file=str(Path("/keys/two")),
        next_edit=True,
        next_edit_confidence=0.9,
        next_edit_model="sweep-0.5b",
        next_edit_megabytes=900,
    )
    assert settings_of(options) == (expected, [])
    assert len(options) == len(fields(Settings)), "add the new setting to this test"


@pytest.mark.parametrize("value", ["8", 8.0, True, None, [8], 0, 1025], ids=repr)
def test_wrong_number_is_reported_and_its_default_used(value: object) -> None:
    """A value that is not a number within the limits gives one line with the limits; other settings count."""
    settings, [problem] = settings_of({"maxTokens": value, "maxLines": 3})
    assert settings == Settings(max_lines=3)
    assert "'maxTokens' must be a whole number from 1 to 1024" in problem


@pytest.mark.parametrize(
    ("name", "value", "must_be"),
    [
        ("contextTokens", 63, "0 or a whole number from 64 to 131072"),
        ("minConfidence", 1.01, "a number from 0 to 1"),
        ("minConfidence", float("nan"), "a number from 0 to 1"),
        ("minConfidence", True, "a number from 0 to 1"),
        ("enabled", 1, "true or false"),
        ("enabled", "false", "true or false"),
        ("exclude", "*.key", "a list of texts"),
        ("exclude", ["*.key", 7], "a list of texts"),
        ("exclude", [""], "a list of texts"),
        ("engine", "coder.example.com", "the URL of a server, without a password"),
        ("engine", "ftp://coder.example.com", "the URL of a server, without a password"),
        ("engine", "https://me:secret@coder.example.com", "the URL of a server, without a password"),
        ("engine", "https://coder.example.com/?key=x", "the URL of a server, without a password"),
        ("engine", "https://coder.example.com\r\nX-More: 1", "the URL of a server, without a password"),
        ("engine", "https://", "the URL of a server, without a password"),
        ("engineModel", "two\nlines", "a short text"),
        ("engineKeyFile", 7, 'the path of a file, or ""'),
        ("languages", ["markdown"], "a table of tables"),
        ("languages", {"markdown": False}, "a table of tables"),
    ],
)
def test_wrong_value_is_reported_and_its_default_used(name: str, value: object, must_be: str) -> None:
    """The line says what the value must be; other settings count."""
    settings, problems = settings_of({name: value, "maxLines": 3})
    assert settings == Settings(max_lines=3)
    assert problems == [f"Midfill setting '{name}' must be {must_be}; it is ignored."]


def test_context_may_be_zero() -> None:
    """Zero is allowed, and means a size that depends on the machine's speed."""
    assert settings_of({"contextTokens": 0}) == (Settings(context_tokens=0), [])


@pytest.mark.parametrize("value", [7, "", None, "a\0b"])
def test_wrong_bundle_is_reported_and_its_default_used(value: object) -> None:
    """A bundle is the path of a folder."""
    settings, [problem] = settings_of({"bundle": value})
    assert settings.bundle == default_bundle()
    assert "'bundle' must be the path of a folder" in problem


def test_bundle_may_start_with_a_tilde() -> None:
    """A tilde stands for the user's home folder."""
    assert settings_of({"bundle": "~/b"})[0].bundle == Path("~/b").expanduser()


def test_unknown_name_is_reported_with_the_nearest_one() -> None:
    """The line about a misspelt name suggests the correct one, and the value is ignored."""
    settings, problems = settings_of({"max_tokens": 8, "colour": "red"})
    assert settings == Settings()
    assert problems == [
        "Midfill has no setting 'max_tokens'; did you mean 'maxTokens'?",
        "Midfill has no setting 'colour'; `midfill settings` lists all.",
    ]


@pytest.mark.parametrize("options", [[], "fast", 3])
def test_options_that_are_not_an_object(options: Any) -> None:
    """Any other value than an object gives one problem and the defaults."""
    settings, [problem] = settings_of(options)
    assert settings == Settings()
    assert "must be an object" in problem


def test_every_default_is_within_its_limits() -> None:
    """Each default is a value that a user could set."""
    defaults = {name: str(value) if isinstance(value, Path) else value for name, value in vars(Settings()).items()}
    assert {name: known.kind.read(defaults[name]) for name, known in ABOUT.items()} == vars(Settings())


def test_a_language_has_settings_of_its_own() -> None:
    """For a setting that a language does not have, the general value counts."""
    settings, problems = settings_of(
        {
            "maxLines": 5,
            "maxTokens": 32,
            "languages": {"markdown": {"enabled": False, "maxLines": 2}, "sql": {"minConfidence": 0.5}},
        }
    )
    assert problems == []
    markdown, sql = settings.for_language("markdown"), settings.for_language("sql")
    assert (markdown.enabled, markdown.max_lines, markdown.max_tokens) == (False, 2, 32)
    assert (sql.enabled, sql.max_lines, sql.min_confidence) == (True, 5, 0.5)
    assert settings.for_language("python") is settings


def test_mistakes_within_a_language_are_reported_with_the_full_name() -> None:
    """The other settings of the language count."""
    own = {"threads": 2, "maxLine": 3, "maxTokens": 0, "enabled": False}
    settings, problems = settings_of({"languages": {"sql": own}})
    assert settings.languages == {"sql": {"enabled": False}}
    assert problems == [
        "Midfill has no setting 'languages.sql.threads'; `midfill settings` lists all.",
        "Midfill has no setting 'languages.sql.maxLine'; did you mean 'languages.sql.maxLines'?",
        "Midfill setting 'languages.sql.maxTokens' must be a whole number from 1 to 1024; it is ignored.",
    ]


def test_description_names_the_settings_of_a_language() -> None:
    """The description of ``languages`` names all settings that a language may have."""
    named = set(re.findall(r"`(\w+)`", ABOUT["languages"].description))
    assert named == {name for name, attribute in ATTRIBUTES.items() if ABOUT[attribute].by_language}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"bundle": "/b"}, True),
        ({"threads": 2}, True),
        ({"contextTokens": 512}, True),
        ({"cacheMegabytes": 64}, True),
        ({"draftTokens": 0}, True),
        ({"languages": {"sql": {"maxTokens": 128}}}, True),
        ({"languages": {"sql": {"maxTokens": 8}}}, False),
        ({"languages": {"sql": {"enabled": False}}}, False),
        ({"maxLines": 3, "minConfidence": 0, "exclude": ["a"], "enabled": False}, False),
        ({}, False),
    ],
    ids=str,
)
def test_settings_that_need_a_reload(options: dict[str, Any], expected: bool) -> None:
    """The model is loaded again for settings of the bundle, the threads, the drafts and the sizes of KV caches."""
    assert needs_reload(Settings(), settings_of(options)[0]) is expected


def test_description_for_machines_is_plain_json() -> None:
    """Every setting is described completely, in order."""
    described = describe()
    assert json.loads(json.dumps(described)) == described
    assert [known["name"] for known in described] == list(ATTRIBUTES)
    [max_tokens] = [known for known in described if known["name"] == "maxTokens"]
    assert max_tokens == {
        "name": "maxTokens",
        "type": "integer",
        "minimum": 1,
        "maximum": 1024,
        "default": 64,
        "description": "maximum number of tokens of one suggestion",
        "workspaceMay": "set it",
        "byLanguage": True,
        "needsReload": True,
    }


@pytest.mark.parametrize("known", describe(), ids=lambda known: known["name"])
def test_description_is_one_line_of_a_table(known: dict[str, Any]) -> None:
    """A description begins in lower case and has no full stop at its end, so that it fits into a sentence."""
    description = known["description"]
    assert description[0] == "`" or description[0].islower()
    assert not description.endswith(".")
    assert "|" not in description
    assert "\n" not in description


def test_the_documentation_has_the_table() -> None:
    """The page about settings contains the schema's table."""
    assert table() in PAGE.read_text(encoding="utf-8")


def test_environment_names_the_default_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    """MIDFILL_BUNDLE overrides the default folder."""
    monkeypatch.setenv("MIDFILL_BUNDLE", "/models/b")
    assert default_bundle() == Path("/models/b")
    monkeypatch.delenv("MIDFILL_BUNDLE")
    assert default_bundle().name == "qwen2.5-coder-0.5b-instruct"


def settings_of(options: object) -> tuple[Settings, list[str]]:
    """Return the settings with these options and defaults for the rest, and the problems."""
    values, problems = read(options)
    return Settings(**values), problems
