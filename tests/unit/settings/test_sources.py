"""The sources of settings: how they are merged, what a workspace may set, and how mistakes are reported."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midfill.settings.schema import ABOUT, ATTRIBUTES, Settings
from midfill.settings.sources import SettingsSources, user_file

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="made in other ways there")


@pytest.fixture(autouse=True)
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of the user's settings file, which does not exist yet."""
    file = tmp_path / "user" / "midfill.toml"
    file.parent.mkdir()
    monkeypatch.setenv("MIDFILL_CONFIG", str(file))
    return file


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Return the path of a workspace's midfill.toml, which does not exist yet."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder / "midfill.toml"


@pytest.fixture
def configuration(workspace: Path) -> SettingsSources:
    """Return the sources of settings in that workspace."""
    return SettingsSources([workspace.parent])


# Layers


def test_no_source_at_all_is_all_defaults() -> None:
    """Without any source, all settings have their defaults."""
    assert SettingsSources().reload() == (Settings(), [])


def test_each_source_is_stronger_than_the_one_before(
    configuration: SettingsSources, user: Path, workspace: Path
) -> None:
    """The order is: the user's file, the workspace's file, the editor's first options, and its later changes."""
    user.write_text("draftTokens = 1\ndebounceMs = 1\nmaxTokens = 1\nmaxLines = 1\n")
    workspace.write_text("debounceMs = 2\nmaxTokens = 2\nmaxLines = 2\n")
    configuration.options({"maxTokens": 3, "maxLines": 3})
    assert configuration.changed({"maxLines": 4}) == (
        Settings(draft_tokens=1, debounce_ms=2, max_tokens=3, max_lines=4),
        [],
    )


def test_workspace_is_stronger_than_the_user(configuration: SettingsSources, user: Path, workspace: Path) -> None:
    """A project may set the length of suggestions for all its users."""
    user.write_text("maxLines = 5\n")
    workspace.write_text("maxLines = 20\n")
    assert configuration.reload() == (Settings(max_lines=20), [])


def test_lists_add_up(configuration: SettingsSources, user: Path, workspace: Path) -> None:
    """The lists of all sources are joined."""
    user.write_text('exclude = ["a"]\nquietLanguages = ["markdown"]\n')
    workspace.write_text('exclude = ["b"]\n')
    settings, problems = configuration.options({"exclude": ["c"], "quietLanguages": []})
    assert problems == []
    assert sorted(settings.exclude) == ["a", "b", "c"]
    assert settings.quiet_languages == ("markdown",)


def test_a_workspace_cannot_include_what_the_user_excludes(
    configuration: SettingsSources, user: Path, workspace: Path
) -> None:
    """A later pattern can undo an earlier one, so the workspace's patterns come first."""
    user.write_text('exclude = ["*.key"]\n')
    workspace.write_text('exclude = ["!*.key"]\n')
    assert configuration.options({"exclude": ["c"]})[0].exclude == ("!*.key", "*.key", "c")


def test_languages_add_up(configuration: SettingsSources, user: Path, workspace: Path) -> None:
    """The settings of each language are merged one by one."""
    user.write_text("[languages.markdown]\nenabled = false\nmaxLines = 3\n[languages.sql]\nmaxLines = 2\n")
    workspace.write_text("[languages.markdown]\nmaxLines = 4\n")
    settings, problems = configuration.options({"languages": {"python": {"maxLines": 9}}})
    assert problems == []
    assert settings.languages == {
        "markdown": {"enabled": False, "maxLines": 4},
        "sql": {"maxLines": 2},
        "python": {"maxLines": 9},
    }


def test_first_folder_with_a_file_counts(tmp_path: Path) -> None:
    """Of several folders with a file, only the first is used."""
    folders = [tmp_path / name for name in "abc"]
    for folder in folders:
        folder.mkdir()
    (folders[1] / "midfill.toml").write_text("maxLines = 2\n")
    (folders[2] / "midfill.toml").write_text("maxLines = 3\n")
    assert SettingsSources(folders).reload()[0].max_lines == 2


def test_reload_reads_the_files_again(configuration: SettingsSources, workspace: Path) -> None:
    """A file that was changed or deleted is noticed."""
    workspace.write_text("maxLines = 2\n")
    assert configuration.reload()[0].max_lines == 2
    workspace.unlink()
    assert configuration.reload()[0] == Settings()


# What the editor says


def _line(value: object) -> str | None:
    """Name a case by its line of settings; the settings that come of it have paths of this process."""
    return value if isinstance(value, str) else None


@pytest.mark.parametrize("wrap", [lambda options: options, lambda options: {"midfill": options, "pylsp": {"x": 1}}])
def test_settings_may_stand_in_a_section(wrap: Any) -> None:
    """An editor sends the settings of one server, or those of all servers by name."""
    configuration = SettingsSources()
    assert configuration.options(wrap({"maxLines": 3})) == (Settings(max_lines=3), [])
    assert configuration.changed(wrap({"maxLines": 4})) == (Settings(max_lines=4), [])


def test_sections_of_other_servers_are_ignored() -> None:
    """Some editors send the settings of all servers to each one; a misspelt name is still reported."""
    sections: dict[str, object] = {"pylsp": {"plugins": {}}, "rust-analyzer": {}, "language": {"markdown": {}}}
    settings, problems = SettingsSources().changed(sections)
    assert settings == Settings()
    assert problems == ["Midfill has no setting 'language'; did you mean 'languages'?"]


def test_later_settings_replace_the_earlier_ones() -> None:
    """The editor's latest settings replace its earlier ones completely, lists included."""
    configuration = SettingsSources()
    configuration.options({"maxLines": 3, "exclude": ["a", "b"]})
    assert configuration.changed({"exclude": ["a"]})[0] == Settings(max_lines=3, exclude=("a",))
    assert configuration.changed({})[0] == Settings(max_lines=3, exclude=("a", "b"))


def test_null_removes_a_setting(user: Path) -> None:
    """After a setting is removed in the editor, weaker sources count again."""
    user.write_text("maxLines = 7\n")
    configuration = SettingsSources()
    configuration.options({"maxLines": 3})
    assert configuration.changed({"maxLines": None}) == (Settings(max_lines=7), [])


@pytest.mark.parametrize("nothing", [None, {"midfill": None}])
def test_null_instead_of_settings_changes_nothing(nothing: object) -> None:
    """Some editors send null, because they expect the server to request the settings."""
    configuration = SettingsSources()
    configuration.changed({"maxLines": 3})
    assert configuration.changed(nothing) == (Settings(max_lines=3), [])


def test_null_in_the_first_options_is_wrong() -> None:
    """Null is not false; an editor in Lisp may send nil as null."""
    settings, [problem] = SettingsSources().options({"enabled": None})
    assert settings == Settings()
    assert "'enabled' must be true or false" in problem


@pytest.mark.parametrize("value", [[], "fast", 3])
def test_settings_that_are_not_an_object_are_ignored(value: object) -> None:
    """There is one line about the mistake, and the other sources count."""
    configuration = SettingsSources()
    configuration.options({"maxLines": 3})
    settings, [problem] = configuration.changed(value)
    assert settings == Settings(max_lines=3)
    assert "must be an object" in problem


# What a workspace may do


@pytest.mark.parametrize(
    ("line", "before"),
    [
        ('bundle = "/stranger"', {}),
        ("journal = false", {}),
        ("threads = 200", {}),
        ("contextTokens = 131072", {}),
        ("cacheMegabytes = 100000", {}),
        ("workspaceTokens = 4096", {}),
        ("enabled = true", {"enabled": False}),
        ("prefetch = true", {"prefetch": False}),
        ("quietInComments = false", {"quietInComments": True}),
        ("minConfidence = 0", {}),
        ("nextEdit = true", {}),
        ("nextEditConfidence = 0.5", {}),
        ("debounceMs = 0", {"debounceMs": 75}),
        ("languages.python.enabled = true", {"enabled": False}),
        ("languages.python.minConfidence = 0.5", {"minConfidence": 0.9}),
        ("languages.python.enabled = true", {"languages": {"python": {"enabled": False}}}),
    ],
    ids=_line,
)
def test_a_workspace_may_not(
    line: str, before: dict[str, Any], configuration: SettingsSources, workspace: Path
) -> None:
    """A cloned repository cannot make Midfill show more, read more, or use more memory."""
    expected, _ = configuration.options(before)
    workspace.write_text(f"{line}\n")
    settings, [problem] = configuration.reload()
    assert settings.for_language("python") == expected.for_language("python")
    assert line.partition(" ")[0] in problem
    assert str(workspace) in problem


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("enabled = false", Settings(enabled=False)),
        ("prefetch = false", Settings(prefetch=False)),
        ("workspaceTokens = 0", Settings(workspace_tokens=0)),
        ("minConfidence = 0.9", Settings(min_confidence=0.9)),
        ("nextEditConfidence = 0.9", Settings(next_edit_confidence=0.9)),
        ("quietInStrings = true", Settings(quiet_in_strings=True)),
        ("debounceMs = 75", Settings(debounce_ms=75)),
        ("maxLines = 30", Settings(max_lines=30)),
        ("languages.sql.enabled = false", Settings(languages={"sql": {"enabled": False}})),
    ],
    ids=_line,
)
def test_a_workspace_may(line: str, expected: Settings, configuration: SettingsSources, workspace: Path) -> None:
    """A workspace may make Midfill show less or read less, and set the length of suggestions."""
    workspace.write_text(f"{line}\n")
    assert configuration.reload() == (expected, [])


def test_nothing_a_workspace_may_set_costs_much() -> None:
    """A workspace may not set what costs time or memory."""
    for name in ("bundle", "threads", "context_tokens", "latency_ms", "cache_megabytes", "unload_minutes", "journal"):
        assert ABOUT[name].workspace_may == "no"


def test_users_file_in_an_open_folder_is_trusted(user: Path) -> None:
    """If the user opens the folder of their own settings file, it is not a workspace's file."""
    user.write_text("threads = 2\n")
    assert SettingsSources([user.parent]).reload() == (Settings(threads=2), [])


@pytest.mark.parametrize("way", ["link to the folder", "link to the file", "other steps"])
def test_users_file_by_another_spelling_is_trusted(user: Path, tmp_path: Path, way: str) -> None:
    """It is the user's own file, by whatever way the workspace leads to it."""
    user.write_text("threads = 2\n")
    (tmp_path / "link to the folder").symlink_to(user.parent)
    (tmp_path / "link to the file").mkdir()
    (tmp_path / "link to the file/midfill.toml").symlink_to(user)
    (tmp_path / "other steps").mkdir()
    folder = {"other steps": tmp_path / "other steps" / ".." / user.parent.name}.get(way, tmp_path / way)
    assert SettingsSources([folder]).reload() == (Settings(threads=2), [])


@pytest.mark.usefixtures("loose_disk")
def test_users_file_in_another_case_is_trusted(user: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a file system that ignores case, the setting of its path may have another case."""
    user.write_text("threads = 2\n")
    (tmp_path / "USER").symlink_to(user.parent)  # so that this disk finds it
    monkeypatch.setenv("MIDFILL_CONFIG", str(tmp_path / "USER/midfill.toml"))
    assert SettingsSources([user.parent]).reload() == (Settings(threads=2), [])


def test_workspace_cannot_pass_for_the_user(configuration: SettingsSources, user: Path, workspace: Path) -> None:
    """A copy of the user's file, a link to another one, and a file of its name are a workspace's."""
    user.write_text("threads = 2\n")
    workspace.write_text("threads = 3\n")
    assert "may not set it" in configuration.reload()[1][0]
    workspace.rename(workspace.with_name("other.toml"))
    workspace.symlink_to("other.toml")
    assert configuration.reload()[0] == Settings(threads=2)


def test_files_that_settings_are_read_from(configuration: SettingsSources, user: Path, workspace: Path) -> None:
    """They are told by their identities: that of a link as well as that of the file behind it."""
    workspace.with_name("shared.toml").touch()
    workspace.symlink_to("shared.toml")
    ours = [str(user), str(workspace), str(workspace.with_name("shared.toml"))]
    assert all(configuration.has_any_of(["/other", file]) for file in ours)
    assert not configuration.has_any_of([str(workspace.with_name("other.toml")), ""])


# Mistakes


def test_a_problem_is_reported_once_until_it_is_solved(configuration: SettingsSources, workspace: Path) -> None:
    """A problem is not reported again when another setting changes, but when it comes back after it was solved."""
    workspace.write_text("maxLine = 3\n")
    line = f"Midfill has no setting 'maxLine' in {workspace}; did you mean 'maxLines'?"
    assert configuration.options({})[1] == [line]
    assert configuration.changed({"maxLines": 0})[1] == [
        "Midfill setting 'maxLines' must be a whole number from 1 to 1000; it is ignored."
    ]
    assert configuration.reload()[1] == []
    workspace.write_text("maxLines = 3\n")
    assert configuration.reload() == (Settings(max_lines=3), [])
    workspace.write_text("maxLine = 3\n")
    assert configuration.reload()[1] == [line]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"maxLines = 3\nmaxTokens = \n", "line 2 is not valid TOML"),
        (b"maxLines = 3\n[languages", "line 2 is not valid TOML"),
        (b"maxLines = 3\nexclude = ['a',", "line 2 is not valid TOML"),
        (b"maxLines = 3\nmaxLines = 4\n", "line 2 is not valid TOML"),
        (b"maxLines = " + b"9" * 900 + b"\n# \xe9t\xe9\n", "line 2 is not UTF-8"),
        ('# "été"\n'.encode("latin-1"), "line 1 is not UTF-8"),
        (b"exclude = " + b"[\n" * 9000, "nested too deeply"),
        (b"a" + b".a" * 10_000 + b" = 1", "line 1 has more than 1000 characters"),
        (b"#\n" * 20_000, "more than 32768 bytes"),
        (b"\0", "line 1 is not valid TOML"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_broken_file_is_ignored(content: bytes, why: str, user: Path) -> None:
    """There is one line with the file's name and the reason, and the other sources count."""
    user.write_bytes(content)
    settings, [problem] = SettingsSources().options({"maxTokens": 5})
    assert settings == Settings(max_tokens=5)
    assert str(user) in problem
    assert why in problem
    assert "\n" not in problem


def test_byte_order_mark_and_windows_line_endings_are_allowed(user: Path) -> None:
    """A file may have a byte order mark and CRLF, because some editors write them."""
    user.write_bytes(b"\xef\xbb\xbfmaxLines = 3\r\nmaxTokens = 4\r\n")
    assert SettingsSources().reload() == (Settings(max_lines=3, max_tokens=4), [])


def make_unreadable(file: Path) -> None:
    """Write a file that its own user may not read; skip the test for a user who may read anything."""
    file.write_text("maxLines = 3\n")
    file.chmod(0)
    if os.access(file, os.R_OK):
        pytest.skip("this user may read anything")


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(Path.mkdir, id="folder"),
        pytest.param(lambda file: os.mkfifo(file, 0o600), id="pipe", marks=POSIX),
        pytest.param(lambda file: file.symlink_to(file), id="loop", marks=POSIX),
        pytest.param(make_unreadable, id="unreadable", marks=POSIX),
    ],
)
def test_file_that_cannot_be_read(
    make: Callable[[Path], None], configuration: SettingsSources, workspace: Path
) -> None:
    """A folder, a pipe, a link to itself and an unreadable file each give one line, without waiting."""
    make(workspace)
    settings, [problem] = configuration.reload()
    assert settings == Settings()
    assert f"in {workspace}: " in problem


def test_link_to_a_missing_file_sets_nothing(configuration: SettingsSources, workspace: Path) -> None:
    """A link to a missing file counts as a missing file, and is not a mistake."""
    workspace.symlink_to(workspace.with_name("gone"))
    assert configuration.reload() == (Settings(), [])


def test_invalid_folder_is_ignored() -> None:
    """A folder with an invalid path has no settings."""
    assert SettingsSources([Path("\0"), Path("/nowhere/at/all")]).reload() == (Settings(), [])


def test_control_characters_in_a_name_are_escaped(configuration: SettingsSources, workspace: Path) -> None:
    """A stranger's file cannot print control characters on the user's screen."""
    workspace.write_text('"all is well\\n\\u001b[2J" = 1\n')
    _, [problem] = configuration.reload()
    assert problem.isprintable()


def test_many_mistakes_are_reported_in_few_lines(configuration: SettingsSources, workspace: Path) -> None:
    """Ten problems get a line each, and one more line has the number of the others."""
    workspace.write_text("".join(f"no{number} = 1\n" for number in range(500)))
    problems = configuration.reload()[1]
    assert len(problems) == 11
    assert "490 more" in problems[-1]


_NAMES = st.sampled_from(list(ATTRIBUTES)) | st.text()
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(_NAMES, inner),
    max_leaves=10,
)
_OPTIONS = st.dictionaries(_NAMES, _JSON) | _JSON


@given(_OPTIONS, _OPTIONS)
def test_whatever_a_client_sends_becomes_settings(initial: object, changed: object) -> None:
    """Any JSON value becomes settings without an error, and each problem is one printable line."""
    configuration = SettingsSources()
    configuration.options(initial)
    settings, problems = configuration.changed(changed)
    to_json = {tuple: list, type(Path()): str}
    known = {name: to_json.get(type(value), lambda it: it)(value) for name, value in vars(settings).items()}
    assert all(ABOUT[name].kind.read(value) == getattr(settings, name) for name, value in known.items())
    assert all(problem.isprintable() for problem in problems)


# Where the files are


def test_environment_names_the_users_file(user: Path) -> None:
    """MIDFILL_CONFIG is the path of the file."""
    assert user_file() == user


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="this system has another folder")
def test_users_file_is_in_the_configuration_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's file is in the folder that the XDG specification names."""
    monkeypatch.delenv("MIDFILL_CONFIG")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert user_file() == tmp_path / "midfill" / "midfill.toml"


def test_files_are_named_whether_or_not_they_exist(configuration: SettingsSources, user: Path, workspace: Path) -> None:
    """The paths include files that do not exist yet, so that a watcher notices when they are made."""
    assert configuration.files == (user, workspace)
