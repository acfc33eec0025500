"""`midfill do`: a diff, a text or a changed file, and one line for each thing that can be wrong."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

import pytest

from midfill.cli.do import name_in_diff
from midfill.cli.main import main
from unit.helpers import chain_graph, write_bundle

CODE = "def f(x):\n    return x\n\n# add\n"
SAID = "print(1)"
TEMPLATE = "{% for m in messages %}{{ m.content }}{% endfor %}{{ eos_token }}"

Ran = tuple[int, str, str]
Run = Callable[..., Ran]


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder, with its own cache, settings, and bundle, whose model suggests one text."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MIDFILL_CONFIG", str(tmp_path / "none.toml"))
    graph = chain_graph(SAID, anywhere=True)
    bundle = write_bundle(tmp_path / "bundle", graph=graph, chat_template=TEMPLATE, context_length=8192)
    monkeypatch.setenv("MIDFILL_BUNDLE", str(bundle.path))


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Return what runs `midfill do` within this process."""

    def run(*arguments: object) -> Ran:
        code = main(["do", *map(str, arguments)])
        out, err = capfd.readouterr()
        return code, out, err

    return run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Write a file to work on."""
    path = tmp_path / "code.py"
    path.write_bytes(CODE.encode())
    return path


def is_one_line(ran: Ran, code: int) -> bool:
    """Return whether a command failed as it should."""
    return ran[:2] == (code, "") and ran[2].startswith("midfill: ") and ran[2].count("\n") == 1


def test_edit_is_printed_as_a_diff_that_applies(run: Run, file: Path) -> None:
    """The file does not change; git applies the diff."""
    code, out, err = run("write", f"{file.name}:4")
    assert (code, file.read_text()) == (0, CODE)
    assert out.endswith(f"@@ -2,3 +2,4 @@\n     return x\n \n # add\n+{SAID}\n")
    assert "prompt tokens; milliseconds: " in err
    subprocess.run(["git", "apply", "-"], input=out, text=True, check=True)
    assert file.read_text() == f"{CODE}{SAID}\n"


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
def test_file_is_changed_in_its_own_way(run: Run, file: Path, mark: bytes) -> None:
    """Line ends, byte order mark, permissions and links stay; the folder has no other new file."""
    file.write_bytes(mark + CODE.replace("\n", "\r\n").encode())
    file.chmod(0o750)
    link = file.with_name("link.py")
    link.symlink_to(file)
    before = set(file.parent.iterdir())
    code, out, err = run("write", f"{link.name}:4", "--write")
    assert (code, out) == (0, "")
    assert err.startswith("wrote link.py; ")
    assert file.read_bytes() == mark + f"{CODE}{SAID}\n".replace("\n", "\r\n").encode()
    assert file.stat().st_mode & 0o777 == 0o750
    assert link.is_symlink()
    assert set(file.parent.iterdir()) - before <= {file.parent / "cache"}


def test_file_without_a_line_end_keeps_that(run: Run, file: Path) -> None:
    """The diff says so, as git's does."""
    file.write_bytes(b"# add")
    _, out, _ = run("write", f"{file.name}:1")
    subprocess.run(["git", "apply", "-"], input=out, text=True, check=True)
    assert file.read_bytes() == f"# add\n{SAID}".encode()


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CR LF"])
def test_diff_has_the_bytes_of_the_file(file: Path, end: str, mark: bytes) -> None:
    """Whatever the system's code page and line ends are: git applies it to a file of either kind, also at its top."""
    text = f"# größer als 日本{end}# add{end}"
    file.write_bytes(mark + text.encode())
    diff = midfill_in_code_page("do", "write", f"{file.name}:2")
    subprocess.run(["git", "apply", "-"], input=diff, check=True)
    assert file.read_bytes() == mark + f"{text}{SAID}{end}".encode()


def midfill_in_code_page(*arguments: str) -> bytes:
    """Run a command whose standard streams have a code page of Windows; return what it printed."""
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "midfill", *arguments]
    return subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True).stdout


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (PurePosixPath("src/a b.py"), "src/a b.py"),
        (PurePosixPath("/home/me/a.py"), "home/me/a.py"),
        (PureWindowsPath("src\\a.py"), "src/a.py"),
        (PureWindowsPath("C:\\src\\größe.py"), "src/größe.py"),
        (PureWindowsPath("\\\\server\\share\\src\\a.py"), "src/a.py"),
    ],
    ids=str,
)
def test_names_in_a_diff(path: PurePath, name: str) -> None:
    """They have forward slashes and no drive, as git's do."""
    assert name_in_diff(path) == name


def test_text_is_printed(run: Run, file: Path) -> None:
    """An explanation goes to standard output, tokens and times to standard error."""
    code, out, _ = run("explain", f"{file.name}:1-2")
    assert (code, out) == (0, f"{SAID}\n")


def test_json_has_all_of_it(run: Run, file: Path) -> None:
    """The JSON has the edit with lines from 1, the action, tokens and times."""
    code, out, _ = run("write", f"{file.name}:4", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["edit"]["diff"].startswith("--- a/code.py\n+++ b/code.py\n")
    assert (found["edit"]["first_line"], found["edit"]["replaced_lines"], found["edit"]["lines"]) == (5, 0, [SAID])
    assert (found["reason"], found["written"], found["action"]) == ("", False, "write")
    assert found["answers"][0]["model"] == "tiny"


def test_no_good_edit_is_one_line_and_exit_code_1(run: Run, file: Path) -> None:
    """The reason is printed, in JSON too; the file does not change."""
    ran = run("simplify", f"{file.name}:1", "--write")
    assert is_one_line(ran, 1)
    assert "(syntax)" in ran[2]
    assert file.read_text() == CODE
    code, out, _ = run("simplify", f"{file.name}:1", "--json")
    assert (code, json.loads(out)["reason"], json.loads(out)["edit"]) == (1, "syntax", None)


@pytest.mark.parametrize(
    "arguments",
    [
        ("paint", "code.py:1"),
        ("fix", "none.py:1"),
        ("fix", "code.py:9"),
        ("fix", "code.py:3-2"),
        ("fix", "latin.py:1"),
        ("explain", "code.py:1", "--write"),
    ],
    ids=["no action", "no file", "no line", "backwards", "not UTF-8", "writes nothing"],
)
def test_wrong_usage_is_one_line_and_exit_code_2(run: Run, file: Path, arguments: tuple[str, ...]) -> None:
    """The error comes before a model is loaded."""
    file.with_name("latin.py").write_bytes(b"# \xe9\n")
    assert is_one_line(run(*arguments), 2)


def test_file_that_may_not_be_read_is_refused(run: Run, file: Path) -> None:
    """An excluded file does not reach the model."""
    (file.parent / ".git").mkdir()
    (file.parent / ".midfillignore").write_text("code.py\n")
    ran = run("explain", f"{file.name}:1")
    assert is_one_line(ran, 1)
    assert "excluded" in ran[2]


def test_file_behind_a_link_out_of_the_repository_is_not_changed(run: Run, file: Path) -> None:
    """The line names the file, which the user may name instead; the diff is printed as ever."""
    repository = file.parent / "strange"
    (repository / ".git").mkdir(parents=True)
    (repository / "link.py").symlink_to(file)
    ran = run("write", "strange/link.py:4", "--write")
    assert is_one_line(ran, 1)
    assert "(outside)" in ran[2]
    assert str(file) in ran[2]
    assert file.read_text() == CODE
    assert run("write", "strange/link.py:4")[0] == 0


def test_message_may_come_from_standard_input(run: Run, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pasted traceback chooses the function; without one there is nothing to fix."""
    message = '  File "code.py", line 2, in f\r\nTypeError: größer als 日本'
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(message.encode()), encoding="cp1252"))
    _, out, _ = run("fix", file.name, "--message", "-", "--json")
    assert json.loads(out)["lines"] == [1, 2]
    assert "(no-message)" in run("fix", file.name)[2]
