"""Configuration: sources become settings, a stranger's repository gains nothing, and each mistake is told once."""

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
    """Return the user's file of settings, which is not there yet."""
    file = tmp_path / "user" / "midfill.toml"
    file.parent.mkdir()
    monkeypatch.setenv("MIDFILL_CONFIG", str(file))
    return file


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Return the midfill.toml of a workspace's folder, which is not there yet."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder / "midfill.toml"


@pytest.fixture
def configuration(workspace: Path) -> SettingsSources:
    """Return a configuration of that workspace."""
    return SettingsSources([workspace.parent])


# Layers


def test_no_source_at_all_is_all_defaults() -> None:
    """Nobody has to write a file."""
    assert SettingsSources().reload() == (Settings(), [])


def test_each_source_is_stronger_than_the_one_before(
    configuration: SettingsSources, user: Path, workspace: Path
) -> None:
    """The user's file, the workspace's, what the editor says at first, and later."""
    user.write_text("draftTokens = 1\ndebounceMs = 1\nmaxTokens = 1\nmaxLines = 1\n")
    workspace.write_text("debounceMs = 2\nmaxTokens = 2\nmaxLines = 2\n")
    configuration.options({"maxTokens": 3, "maxLines": 3})
    assert configuration.changed({"maxLines": 4}) == (
        Settings(draft_tokens=1, debounce_ms=2, max_tokens=3, max_lines=4),
        [],
    )


def test_workspace_is_stronger_than_the_user(configuration: SettingsSources, user: Path, workspace: Path) -> None:
    """A project may want shorter suggestions than its author does elsewhere, or longer ones."""
    user.write_text("maxLines = 5\n")
    workspace.write_text("maxLines = 20\n")
    assert configuration.reload() == (Settings(max_lines=20), [])


def test_lists_add_up(configuration: SettingsSources, user: Path, workspace: Path) -> None:
    """What one source keeps out, no other lets in by naming something else."""
    user.write_text('exclude = ["a"]\nquietLanguages = ["markdown"]\n')
    workspace.write_text('exclude = ["b"]\n')
    settings, problems = configuration.options({"exclude": ["c"], "quietLanguages": []})
    assert problems == []
    assert sorted(settings.exclude) == ["a", "b", "c"]
    assert settings.quiet_languages == ("markdown",)


def test_a_workspace_cannot_let_in_what_the_user_excludes(
    configuration: SettingsSources, user: Path, workspace: Path
) -> None:
    """A later pattern can undo an earlier one, so the workspace's come first."""
    user.write_text('exclude = ["*.key"]\n')
    workspace.write_text('exclude = ["!*.key"]\n')
    assert configuration.options({"exclude": ["c"]})[0].exclude == ("!*.key", "*.key", "c")


def test_languages_add_up(configuration: SettingsSources, user: Path, workspace: Path) -> None:
    """A source changes of a language what it names."""
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
    """Of several folders, one speaks for the workspace."""
    folders = [tmp_path / name for name in "abc"]
    for folder in folders:
        folder.mkdir()
    (folders[1] / "midfill.toml").write_text("maxLines = 2\n")
    (folders[2] / "midfill.toml").write_text("maxLines = 3\n")
    assert SettingsSources(folders).reload()[0].max_lines == 2


def test_reload_reads_what_is_there_now(configuration: SettingsSources, workspace: Path) -> None:
    """A file that is changed, or deleted, counts at once."""
    workspace.write_text("maxLines = 2\n")
    assert configuration.reload()[0].max_lines == 2
    workspace.unlink()
    assert configuration.reload()[0] == Settings()


# What the editor says


@pytest.mark.parametrize("wrap", [lambda options: options, lambda options: {"midfill": options, "pylsp": {"x": 1}}])
def test_settings_may_stand_in_a_section(wrap: Any) -> None:
    """Editors send one server's settings, or everybody's by name."""
    configuration = SettingsSources()
    assert configuration.options(wrap({"maxLines": 3})) == (Settings(max_lines=3), [])
    assert configuration.changed(wrap({"maxLines": 4})) == (Settings(max_lines=4), [])


def test_sections_of_other_servers_are_no_mistakes() -> None:
    """Some editors send every server all that the user has set for any; a slip of a name is told all the same."""
    sections: dict[str, object] = {"pylsp": {"plugins": {}}, "rust-analyzer": {}, "language": {"markdown": {}}}
    settings, problems = SettingsSources().changed(sections)
    assert settings == Settings()
    assert problems == ["Midfill has no setting 'language'; did you mean 'languages'?"]


def test_later_word_takes_the_place_of_the_earlier_one() -> None:
    """What the editor sends anew is all there is; a list it makes shorter is shorter."""
    configuration = SettingsSources()
    configuration.options({"maxLines": 3, "exclude": ["a", "b"]})
    assert configuration.changed({"exclude": ["a"]})[0] == Settings(max_lines=3, exclude=("a",))
    assert configuration.changed({})[0] == Settings(max_lines=3, exclude=("a", "b"))


def test_null_takes_back(user: Path) -> None:
    """A setting that is removed in the editor is as if it had never been sent; weaker sources count again."""
    user.write_text("maxLines = 7\n")
    configuration = SettingsSources()
    configuration.options({"maxLines": 3})
    assert configuration.changed({"maxLines": None}) == (Settings(max_lines=7), [])


@pytest.mark.parametrize("nothing", [None, {"midfill": None}])
def test_null_as_a_whole_says_nothing(nothing: object) -> None:
    """Editors that want to be asked for their settings send null."""
    configuration = SettingsSources()
    configuration.changed({"maxLines": 3})
    assert configuration.changed(nothing) == (Settings(max_lines=3), [])


def test_null_at_first_is_wrong() -> None:
    """Lisp's nil arrives as null, which is not false."""
    settings, [problem] = SettingsSources().options({"enabled": None})
    assert settings == Settings()
    assert "'enabled' must be true or false" in problem


@pytest.mark.parametrize("said", [[], "fast", 3])
def test_what_is_no_object_is_left_out(said: object) -> None:
    """It costs one line, and the other sources hold."""
    configuration = SettingsSources()
    configuration.options({"maxLines": 3})
    settings, [problem] = configuration.changed(said)
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
        ("debounceMs = 0", {"debounceMs": 75}),
        ("languages.python.enabled = true", {"enabled": False}),
        ("languages.python.minConfidence = 0.5", {"minConfidence": 0.9}),
        ("languages.python.enabled = true", {"languages": {"python": {"enabled": False}}}),
    ],
    ids=str,
)
def test_a_workspace_may_not(
    line: str, before: dict[str, Any], configuration: SettingsSources, workspace: Path
) -> None:
    """A repository that somebody has cloned makes Midfill neither louder nor less private, and cannot cost memory."""
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
        ("quietInStrings = true", Settings(quiet_in_strings=True)),
        ("debounceMs = 75", Settings(debounce_ms=75)),
        ("maxLines = 30", Settings(max_lines=30)),
        ("languages.sql.enabled = false", Settings(languages={"sql": {"enabled": False}})),
    ],
    ids=str,
)
def test_a_workspace_may(line: str, expected: Settings, configuration: SettingsSources, workspace: Path) -> None:
    """It may make Midfill quieter and more private, and say how long suggestions are."""
    workspace.write_text(f"{line}\n")
    assert configuration.reload() == (expected, [])


def test_nothing_a_workspace_may_set_costs_much() -> None:
    """Whoever adds a setting says whether a stranger may set it; what costs time or memory is not for strangers."""
    for name in ("bundle", "threads", "context_tokens", "latency_ms", "cache_megabytes", "unload_minutes", "journal"):
        assert ABOUT[name].workspace_may == "no"


def test_users_file_in_an_open_folder_is_still_the_users(user: Path) -> None:
    """Whoever opens the folder of settings to edit them is no stranger."""
    user.write_text("threads = 2\n")
    assert SettingsSources([user.parent]).reload() == (Settings(threads=2), [])


# Mistakes


def test_a_problem_is_told_once_until_it_is_gone(configuration: SettingsSources, workspace: Path) -> None:
    """Nobody wants to read the same line at every change of another setting; whoever makes it again does."""
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
        (b"maxLines = 3\nmaxTokens = \n", "line 2 is no TOML"),
        (b"maxLines = 3\n[languages", "line 2 is no TOML"),
        (b"maxLines = 3\nexclude = ['a',", "line 2 is no TOML"),
        (b"maxLines = 3\nmaxLines = 4\n", "line 2 is no TOML"),
        (b"maxLines = " + b"9" * 900 + b"\n# \xe9t\xe9\n", "line 2 is not UTF-8"),
        ('# "été"\n'.encode("latin-1"), "line 1 is not UTF-8"),
        (b"exclude = " + b"[\n" * 9000, "nested too deeply"),
        (b"a" + b".a" * 10_000 + b" = 1", "line 1 has more than 1000 characters"),
        (b"#\n" * 20_000, "more than 32768 bytes"),
        (b"\0", "line 1 is no TOML"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_broken_file_is_left_out(content: bytes, why: str, user: Path) -> None:
    """It costs one line, with the file's name, the line and what to do; the other sources hold."""
    user.write_bytes(content)
    settings, [problem] = SettingsSources().options({"maxTokens": 5})
    assert settings == Settings(max_tokens=5)
    assert str(user) in problem
    assert why in problem
    assert "\n" not in problem


def test_byte_order_mark_and_windows_lines_are_fine(user: Path) -> None:
    """Some editors write them."""
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
def test_file_that_is_none(make: Callable[[Path], None], configuration: SettingsSources, workspace: Path) -> None:
    """A folder of that name, a pipe that nobody writes to, a link to itself: one line, and no waiting."""
    make(workspace)
    settings, [problem] = configuration.reload()
    assert settings == Settings()
    assert f"in {workspace}: " in problem


def test_link_to_nothing_sets_nothing(configuration: SettingsSources, workspace: Path) -> None:
    """What is not there is no mistake."""
    workspace.symlink_to(workspace.with_name("gone"))
    assert configuration.reload() == (Settings(), [])


def test_folder_that_no_path_can_have() -> None:
    """A client may send anything as a folder."""
    assert SettingsSources([Path("\0"), Path("/nowhere/at/all")]).reload() == (Settings(), [])


def test_a_name_of_lines_is_told_in_one(configuration: SettingsSources, workspace: Path) -> None:
    """A stranger's file cannot write what it likes onto the user's screen."""
    workspace.write_text('"all is well\\n\\u001b[2J" = 1\n')
    _, [problem] = configuration.reload()
    assert problem.isprintable()


def test_many_mistakes_are_told_in_few_lines(configuration: SettingsSources, workspace: Path) -> None:
    """Ten are enough to see what is wrong."""
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
    """Nothing raises, and each problem is a line."""
    configuration = SettingsSources()
    configuration.options(initial)
    settings, problems = configuration.changed(changed)
    written = {tuple: list, type(Path()): str}  # as JSON has it
    known = {name: written.get(type(value), lambda it: it)(value) for name, value in vars(settings).items()}
    assert all(ABOUT[name].kind.read(value) == getattr(settings, name) for name, value in known.items())
    assert all(problem.isprintable() for problem in problems)


# Where the files are


def test_environment_names_the_users_file(user: Path) -> None:
    """MIDFILL_CONFIG is a file, not a folder."""
    assert user_file() == user


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="has a place of its own")
def test_users_file_is_in_the_configuration_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the desktop's specification has it."""
    monkeypatch.delenv("MIDFILL_CONFIG")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert user_file() == tmp_path / "midfill" / "midfill.toml"


def test_files_are_named_whether_or_not_they_exist(configuration: SettingsSources, user: Path, workspace: Path) -> None:
    """Whoever watches for changes watches for files that come, too."""
    assert configuration.files == (user, workspace)
