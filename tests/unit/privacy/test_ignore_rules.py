"""Which files may contribute to a prompt, with real files."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midfill.privacy.ignore_rules import IgnoreRules


def _write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def _walked(ignore: IgnoreRules, folder: Path) -> set[str]:
    return {path.relative_to(folder.resolve()).as_posix() for path in ignore.walk()}


FILES = ("b", "c.py", "a/b.py", "a/c/d.py", "a/c/b", "e/c")
PATTERNS = ("*.py", "!*.py", "a/", "/b", "!a/b.py", "a/*", "!a/c", "**/c", "c.py", "a/**")


def test_nested_files_and_negations(tmp_path: Path) -> None:
    """The deepest ignore file with a match decides, and a file in an excluded folder cannot be included again."""
    _write(
        tmp_path,
        {
            ".gitignore": "*.log\nbuild/\n/only_top.py\n",
            "a.py": "", "a.log": "", "only_top.py": "", "build/keep.py": "", "build/.gitignore": "!keep.py",
            "sub/.gitignore": "!kept.log\n*.txt", "sub/kept.log": "", "sub/other.log": "", "sub/x.txt": "",
            "sub/only_top.py": "", "sub/deep/x.txt": "", "sub/deep/.gitignore": "!x.txt",
        },
    )  # fmt: skip
    ignore = IgnoreRules([tmp_path])
    code = {name for name in _walked(ignore, tmp_path) if not name.endswith(".gitignore")}
    assert code == {"a.py", "sub/kept.log", "sub/only_top.py", "sub/deep/x.txt"}
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != ".gitignore"]
    assert {path.relative_to(tmp_path).as_posix() for path in files if ignore.allows(path)} == code


@pytest.mark.parametrize(
    "name", [".aws/config", ".ssh/config", ".kube/config", ".docker/config.json", ".azure/x/y.json"]
)
@pytest.mark.parametrize("folder", ["", "home", "home/name/.."], ids=["its own", "above", "by another name"])
def test_places_of_secrets_above_the_workspace(tmp_path: Path, name: str, folder: str) -> None:
    """A file is in such a place too if it is opened on its own, or if its folder is the workspace."""
    file = tmp_path / "home" / name
    (tmp_path / "home" / "name").mkdir(parents=True)
    _write(tmp_path / "home", {name: "", f"{Path(name).parent}/.midfillignore": f"!{file.name}"})
    root = tmp_path / folder if folder else file.parent
    assert not IgnoreRules([root]).allows(file)
    assert file not in set(IgnoreRules([root]).walk())


def test_each_source_decides_alone(tmp_path: Path) -> None:
    """.midfillignore, .gitignore and the settings' patterns cannot include what another of them excludes."""
    _write(
        tmp_path,
        {
            ".gitignore": "a.py\n!b.py",
            ".midfillignore": "b.py\n!a.py",
            "a.py": "",
            "b.py": "",
            "c.py": "",
            "x/d.py": "",
        },
    )
    ignore = IgnoreRules([tmp_path], ["x/"])
    assert [name for name in sorted(_walked(ignore, tmp_path)) if name.endswith(".py")] == ["c.py"]
    assert not ignore.allows(tmp_path / "x/d.py")


def test_repository_above_the_workspace(tmp_path: Path) -> None:
    """In a workspace within a repository, the rules of the whole repository apply."""
    _write(
        tmp_path, {".git/info/exclude": "mine.py", ".gitignore": "part/gen/", "part/gen/a.py": "", "part/mine.py": ""}
    )
    _write(tmp_path, {"part/b.py": ""})
    assert _walked(IgnoreRules([tmp_path / "part"]), tmp_path / "part") == {"b.py"}


def test_changed_ignore_file_takes_effect_at_once(tmp_path: Path) -> None:
    """The next answer follows the new rules, without a notification."""
    _write(tmp_path, {"a.py": ""})
    ignore = IgnoreRules([tmp_path])
    assert ignore.allows(tmp_path / "a.py")
    (tmp_path / ".midfillignore").write_text("*.py")
    assert not ignore.allows(tmp_path / "a.py")
    (tmp_path / ".midfillignore").write_text("*.pyc # longer")
    assert ignore.allows(tmp_path / "a.py")
    (tmp_path / ".midfillignore").unlink()
    assert ignore.allows(tmp_path / "a.py")


@pytest.mark.parametrize(
    "name", [".env", ".env.local", "deploy/server.key", "node_modules/x/i.js", "a.min.js", "id_rsa"]
)
def test_built_in(tmp_path: Path, name: str) -> None:
    """Files with secrets and folders of tools are excluded without any rule."""
    _write(tmp_path, {name: "x", "a.py": ""})
    ignore = IgnoreRules([tmp_path])
    assert not ignore.allows(tmp_path / name)
    assert _walked(ignore, tmp_path) == {"a.py"}


def test_outside_and_links(tmp_path: Path) -> None:
    """Files outside the workspace and links to excluded files are excluded; loops of links end."""
    work, other = tmp_path / "work", tmp_path / "other"
    _write(tmp_path, {"work/a.py": "", "other/b.py": "", "work/hidden/c.py": "", "work/.gitignore": "hidden/"})
    (work / "out").symlink_to(other)
    (work / "out.py").symlink_to(other / "b.py")
    (work / "loop").symlink_to(work)
    (work / "self").symlink_to(work / "self")
    (work / "shown.py").symlink_to(work / "hidden/c.py")
    ignore = IgnoreRules([work])
    assert _walked(ignore, work) == {"a.py", ".gitignore"}
    for path in ("out/b.py", "out.py", "../other/b.py", "shown.py", "."):
        assert not ignore.allows(work / path)
    assert ignore.allows(work / "loop/a.py")
    assert not ignore.allows(other / "b.py")


def test_link_with_an_excluded_name(tmp_path: Path) -> None:
    """A rule for the name of a link counts too, whatever folder the link is reached through."""
    _write(tmp_path, {"work/a.py": "", "work/sub/b.py": "", "work/.midfillignore": "notes.py"})
    (tmp_path / "work/notes.py").symlink_to("a.py")
    (tmp_path / "work/.env").symlink_to("a.py")
    (tmp_path / "link").symlink_to("work")
    ignore = IgnoreRules([tmp_path / "link"])
    assert ignore.allows(tmp_path / "link/a.py")
    assert not [name for name in ("link/notes.py", "work/notes.py", "link/.env") if ignore.allows(tmp_path / name)]


def test_link_that_leads_elsewhere_now(tmp_path: Path) -> None:
    """The next answer is about the new target, whether the link is one to a file or to a folder."""
    _write(tmp_path, {"work/a.py": "", "work/.env": "", "work/lib/x.py": "", "other/x.py": ""})
    work = tmp_path / "work"
    (work / "b.py").symlink_to("a.py")
    (work / "current").symlink_to("lib")
    ignore = IgnoreRules([work])
    assert ignore.allows(work / "b.py")
    assert ignore.allows(work / "current/x.py")
    (work / "b.py").unlink()
    (work / "b.py").symlink_to(".env")
    (work / "current").unlink()
    (work / "current").symlink_to("../other")
    assert not ignore.allows(work / "b.py")
    assert not ignore.allows(work / "current/x.py")


@pytest.mark.usefixtures("loose_disk")
@pytest.mark.parametrize(
    "name",
    ["Secrets/a.py", "secrets/A.py", "Notes.PY", "keep/.ENV", "keep/Server.KEY", "Node_Modules/a.js", "été/a"],
)
def test_case_does_not_matter_where_files_ignore_it(tmp_path: Path, name: str) -> None:
    """There, patterns match in any case, as in git, and a file is excluded by any spelling of its name."""
    _write(tmp_path, {".gitignore": "secrets/\nÉTÉ/\n", ".midfillignore": "/NOTES.py", name: "", "keep/a.py": ""})
    ignore = IgnoreRules([tmp_path])
    assert not [path for path in ignore.walk() if path == tmp_path / name]
    assert not [spelling for spelling in (name, name.upper(), name.lower()) if ignore.allows(tmp_path / spelling)]
    assert ignore.allows(tmp_path / "KEEP/A.py")


def test_case_matters_elsewhere(tmp_path: Path) -> None:
    """On Linux, another case is another name."""
    _write(tmp_path, {".gitignore": "secrets/", "Secrets/a.py": ""})
    assert IgnoreRules([tmp_path]).allows(tmp_path / "Secrets/a.py")


@pytest.mark.parametrize("name", ["a" * 300 + ".py", "\0.py", "b/" * 900 + "c.py", "b/" * 9_000 + "c.py", "\udcff.py"])
def test_odd_names(tmp_path: Path, name: str) -> None:
    """A name that no file can have, or that is no text, raises no error, and no path takes long."""
    ignore = IgnoreRules([tmp_path, Path("\0"), Path("x" * 10_000)])
    assert list(ignore.walk()) == []
    assert ignore.allows(tmp_path / name) == (len(name) < 9_000)


@pytest.mark.timeout(60)
def test_path_that_takes_long_to_judge(tmp_path: Path) -> None:
    """A thousand folders, for each of which hundreds of patterns have to be tried, are excluded instead."""
    deep = tmp_path / ("a/" * 1_000) / "a.py"
    assert IgnoreRules([tmp_path]).allows(deep)
    assert not IgnoreRules([tmp_path], [f"**/{'a/' * 30}b"] * 250).allows(deep)


def test_several_folders(tmp_path: Path) -> None:
    """A folder within another one is walked once; its files belong to the inner folder."""
    _write(tmp_path, {"a/x.py": "", "a/in/y.py": "", "b/z.py": ""})
    ignore = IgnoreRules([tmp_path / "a", tmp_path / "a/in", tmp_path / "b"])
    assert sorted(path.name for path in ignore.walk()) == ["x.py", "y.py", "z.py"]
    assert ignore.folder_of(tmp_path / "a/in/y.py") == (tmp_path / "a/in").resolve()
    assert ignore.folder_of(tmp_path / "c.py") is None


def test_no_folder_allows_nothing(tmp_path: Path) -> None:
    """Without a workspace folder no file contributes."""
    assert not IgnoreRules([]).allows(tmp_path / "a.py")
    assert list(IgnoreRules([]).walk()) == []


def test_unreadable_ignore_files(tmp_path: Path) -> None:
    """A missing folder, and an ignore file that is a folder or binary, raise no error."""
    _write(tmp_path, {".gitignore/x": "", "sub/a.py": "", "a.py": ""})
    (tmp_path / "sub/.gitignore").write_bytes(b"\xff\xfe\0*.py\n[\n!\n*.py\n")
    assert {name for name in _walked(IgnoreRules([tmp_path, tmp_path / "gone"]), tmp_path) if "py" in name} == {"a.py"}


@settings(max_examples=25)
@given(st.lists(st.sampled_from(PATTERNS), max_size=6))
def test_same_files_as_git(tmp_path_factory: pytest.TempPathFactory, patterns: list[str]) -> None:
    """For all patterns the allowed files are those that git would add."""
    folder = tmp_path_factory.mktemp("repository")
    _write(folder, {**dict.fromkeys(FILES, ""), ".gitignore": "\n".join(patterns)})
    env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True, env=env)
    command = ["git", "ls-files", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=folder, check=True, env=env, capture_output=True, text=True)
    assert _walked(IgnoreRules([folder]), folder) == set(listed.stdout.split())
