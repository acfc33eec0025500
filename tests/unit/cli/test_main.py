"""The command line: usage, help, exit codes, and one line for each thing that can go wrong in any command."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from midfill import __version__
from midfill.actions import ACTIONS
from midfill.cli import main as main_module
from midfill.cli.main import main
from midfill.common.errors import MidfillError
from midfill.evals.suites import SUITES
from policies import place_policy
from unit.cli.running import Ran, Run, is_one_line, midfill

pytestmark = pytest.mark.usefixtures("own_folders")
COMMANDS = (
    *("serve", "models", "pull", "doctor", "complete", "do", "why", "stats", "settings", "replay", "api"),
    *("export", "tune", "bench", "eval", "harness"),
)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["--fly"],
        ["complete"],
        ["complete", "a:1:1", "b:1:1"],
        ["complete", "a:1:1", "--max-lines", "0"],
        ["complete", "a:1:1", "--max-lines", "many"],
        ["complete", "a:1:1", "--max-lines", "9" * 5000],
        ["export"],
        ["export", "source", "--eval-limit", "few"],
        ["eval"],
        ["eval", "no-such-suite"],
        ["eval", "humaneval-single", "--limit", "-1"],
        ["serve", "--tcp", "127.0.0.1:8700"],
        ["serve", "--log-level", "LOUD"],
        ["serve", "--record"],
        ["serve", "--record", "no/such/folder/session.jsonl"],
        ["replay"],
        ["pull", "no-such-model"],
    ],
    ids=lambda arguments: " ".join(arguments)[:40] or "nothing",
)
def test_wrong_usage_is_one_line_and_exit_code_2(arguments: list[str], run: Run) -> None:
    """A wrong command gives one line that says what is wrong, not a page of usage."""
    assert is_one_line(run(*arguments), code=2)


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_is_printed(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every command explains itself on stdout, and succeeds."""
    with pytest.raises(SystemExit) as ended:
        main([*command.split(), "--help"])
    assert ended.value.code == 0
    assert f"usage: midfill {command}" in capsys.readouterr().out


def test_help_lists_every_command_in_its_group(capsys: pytest.CaptureFixture[str]) -> None:
    """One line a command, with one sentence, under the heading of those who need it."""
    with pytest.raises(SystemExit):
        main(["--help"])
    groups = capsys.readouterr().out.split("\n\n")
    listed = {
        line.split()[0]: group.partition(":")[0]
        for group in groups
        if group.startswith("Commands for")
        for line in group.splitlines()[1:]
    }
    assert list(listed) == list(COMMANDS)
    assert (listed["complete"], listed["tune"], listed["bench"]) == (
        "Commands for everyone",
        "Commands for making models",
        "Commands for measuring and testing",
    )


@pytest.mark.parametrize(("command", "names"), [("do", list(ACTIONS)), ("eval", list(SUITES))])
def test_help_names_all_that_can_be_chosen(command: str, names: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The parser lists actions and suites itself, so that help need not import them."""
    with pytest.raises(SystemExit):
        main([command, "--help"])
    words = re.findall(r"[\w-]+", capsys.readouterr().out)
    assert set(names) <= set(words)


def test_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """The version is the package's."""
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"midfill {__version__}\n"


@pytest.mark.parametrize("where", ["before", "after"])
def test_debug_shows_where_an_error_came_from(where: str, code: Path) -> None:
    """With --debug, before the command or after it, the traceback is shown."""
    command = ["complete", f"{code}:1:1", "--bundle", "nowhere"]
    ran = midfill(*(["--debug", *command] if where == "before" else [*command, "--debug"]))
    assert ran.returncode == 1
    assert "Traceback (most recent call last)" in ran.stderr
    assert "BundleNotFound" in ran.stderr


def test_unexpected_fault_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unexpected exception is named, with the way to see more of it."""

    def fail(_: object) -> int:
        raise KeyError("nothing")

    monkeypatch.setitem(main_module._COMMANDS, "stats", fail)
    ran = run("stats")
    assert is_one_line(ran, code=1)
    assert "unexpected KeyError; run again with --debug" in ran.err


def test_api_without_its_extra(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install."""
    for name in [name for name in sys.modules if name.startswith(("midfill.api", "midfill.cli.api"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    ran = run("api")
    assert is_one_line(ran, code=2)
    assert "pip install 'midfill[api]' (uvicorn is missing)" in ran.err


def test_api_without_a_bundle(run: Run) -> None:
    """Nothing is served, and the error says what to do."""
    ran = run("api", "--bundle", "nowhere")
    assert is_one_line(ran, code=1)
    assert "midfill pull" in ran.err


@pytest.mark.parametrize("port", ["65536", "-1", "http", ""])
def test_port_must_be_one(port: str, run: Run) -> None:
    """A number that a port can have."""
    ran = run("api", f"--port={port}")
    assert is_one_line(ran, code=2)
    assert "is not a port" in ran.err


@pytest.mark.parametrize(("command", "extra"), [("export", "export"), ("tune", "tune")])
def test_command_without_its_extra(command: str, extra: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install; the missing module is the library, not one of Midfill's own."""
    for name in [name for name in sys.modules if name.startswith("midfill_export")]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("torch", "transformers"):
        monkeypatch.setitem(sys.modules, name, None)
    ran = run(command, "source")
    assert is_one_line(ran, code=2)
    assert f"pip install 'midfill[{extra}]'" in ran.err
    assert re.search(r"\((torch|transformers)[\w.]* is missing\)", ran.err)


def test_program_ends_as_the_command_does(code: Path) -> None:
    """``python -m midfill`` has the exit code and the line of the command."""
    ran = midfill("complete", f"{code}:1:1", "--bundle", "nowhere")
    assert is_one_line(Ran(ran.returncode, ran.stdout, ran.stderr), code=1)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_output_that_cannot_be_written_is_one_line() -> None:
    """A full disk is reported once, not again when Python ends."""
    with Path("/dev/full").open("w") as full:
        ran = midfill("doctor", "--bundle", "nowhere", stdout=full)
    assert (ran.returncode, ran.stderr) == (1, "midfill: the disk is full\n")


@pytest.mark.skipif(os.name != "posix", reason="a pipe without a reader is another error on Windows")
def test_reader_that_left_is_no_traceback() -> None:
    """``midfill doctor | head -0`` says nothing."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        ran = midfill("doctor", "--bundle", "nowhere", stdout=writer)
    finally:
        os.close(writer)
    assert (ran.returncode, ran.stderr) == (1, "")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(28, "Kein Platz"), "the disk is full"),
        (PermissionError(13, "Zugriff verweigert", "a.py"), "you have no permission: a.py"),
        (MidfillError("a\n\x1b[2Jb"), "a\\n\\x1b[2Jb"),
        (ModuleNotFoundError("No module named 'x'", name="x.y"), "x is not installed: "),
        (
            ImportError("DLL load failed\nwhile importing", name="x"),
            "x cannot be loaded (DLL load failed while importing): ",
        ),
        (ImportError("cannot import", name="midfill.cli"), "unexpected ImportError; "),
    ],
    ids=["disk", "permission", "escape code", "missing", "broken", "our own"],
)
def test_fault_of_the_system_is_one_line(
    error: Exception, line: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said in our words, not in the language of the system."""

    def fail(_: object) -> int:
        raise error

    monkeypatch.setitem(main_module._COMMANDS, "stats", fail)
    ran = run("stats")
    assert is_one_line(ran, code=1)
    assert ran.err.startswith(f"midfill: {line}")


def test_reader_that_left_on_windows(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """There it is an invalid argument."""
    monkeypatch.setattr(sys, "platform", "win32")

    def fail(_: object) -> int:
        raise OSError(22, "Invalid argument")

    monkeypatch.setitem(main_module._COMMANDS, "stats", fail)
    assert run("stats") == Ran(1, "", "")


def test_help_needs_neither_model_nor_protocol() -> None:
    """Help imports no model and no protocol, so it is fast."""
    program = (
        "import sys, midfill.cli.main; sys.exit(any(name in sys.modules for name in ('onnxruntime', 'pygls', 'numpy')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=120).returncode == 0


def test_policy_forbids_recordings(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server does not start, and no file is made."""
    file = place_policy(tmp_path, monkeypatch, "record = false")
    ran = run("serve", "--record", tmp_path / "session.jsonl")
    assert is_one_line(ran, 1)
    assert ran.err == f"midfill: The policy in {file} forbids recordings: start the server without --record.\n"
    assert not (tmp_path / "session.jsonl").exists()
