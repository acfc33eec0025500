"""The command line: what each command prints, and one line and the right exit code for each thing that can be wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from midfill import __version__
from midfill.cli.main import main
from midfill.inference import cpu
from midfill.inference.bundle import FORMAT, GRAPH, MANIFEST, TOKENIZER, KvLayout
from unit.helpers import chain_graph, write_bundle

CODE = "def f(x):\n    return x\n\n"


@dataclass(frozen=True)
class Ran:
    """What a command left."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder, with a cache of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MIDFILL_BUNDLE", raising=False)
    monkeypatch.setenv("TQDM_DISABLE", "")  # a command may set it; this way it is taken back


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Return what runs a command within this process."""

    def run(*arguments: object) -> Ran:
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return run


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """Write a file to complete."""
    file = tmp_path / "code.py"
    file.write_text(CODE, encoding="utf-8", newline="")
    return file


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Write a bundle whose model says one thing, in an empty document."""
    return write_bundle(tmp_path / "bundle", graph=chain_graph("pass")).path


def is_one_line(ran: Ran, code: int) -> bool:
    """Whether a command failed as it should: with a code, one line on stderr, nothing on stdout."""
    return (
        ran.code == code
        and ran.out == ""
        and ran.err.startswith("midfill: ")
        and ran.err.endswith("\n")
        and ran.err.count("\n") == 1
    )


def midfill(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command as a program."""
    return subprocess.run(
        [sys.executable, "-m", "midfill", *map(str, arguments)],
        text=True,
        encoding="utf-8",
        check=False,
        timeout=120,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
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
        ["export", "source", "--target", "abacus"],
        ["eval"],
        ["eval", "no-such-suite"],
        ["eval", "humaneval-single", "--limit", "-1"],
        ["serve", "--tcp"],
        ["serve", "--tcp", "8700"],
        ["serve", "--tcp", ":8700"],
        ["serve", "--tcp", "localhost:http"],
        ["serve", "--tcp", "localhost:65536"],
        ["serve", "--stdio", "--tcp", "localhost:8700"],
        ["serve", "--log-level", "LOUD"],
        ["pull", "no-such-model"],
    ],
    ids=lambda arguments: " ".join(arguments)[:40] or "nothing",
)
def test_wrong_usage_is_one_line_and_exit_code_2(arguments: list[str], run: Run) -> None:
    """Whoever mistypes a command is told what is wrong, without a page of usage."""
    assert is_one_line(run(*arguments), code=2)


@pytest.mark.parametrize("command", [[], ["complete"], ["serve"], ["doctor"], ["pull"], ["export"], ["eval"]])
def test_help_is_printed(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Every command explains itself on stdout, and succeeds."""
    with pytest.raises(SystemExit) as ended:
        main([*command, "--help"])
    assert ended.value.code == 0
    assert " ".join(["usage: midfill", *command]) in capsys.readouterr().out


def test_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """The version is the package's."""
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"midfill {__version__}\n"


@pytest.mark.parametrize(
    "place",
    [
        *("", ":", "::", "code.py", "code.py:1", "code.py:1:", "code.py::1", ":1:1", "code.py:0:1", "code.py:1:0"),
        *("code.py:a:1", "code.py:1:b", "code.py:-1:1", "code.py:1.5:1", "code.py:1:1:", "code.py:²:1"),
        *("C:\\code.py:3", f"code.py:1:{'9' * 5000}"),
    ],
    ids=lambda place: place[:20] or "nothing",
)
def test_place_that_is_none(place: str, code: Path, run: Run) -> None:
    """A place is FILE:LINE:COL, both from 1."""
    ran = run("complete", place)
    assert is_one_line(ran, code=2)
    assert "FILE:LINE:COL" in ran.err


@pytest.mark.parametrize(
    ("line", "column", "complaint"),
    [
        (5, 1, "has 4 lines; line 5 does not exist"),
        (999_999_999, 1, "line 999999999 does not exist"),
        (1, 11, "line 1 of {} has 9 characters; column 11 is past its end"),
        (3, 2, "line 3 of {} has 0 characters; column 2 is past its end"),
        (4, 2, "line 4 of {} has 0 characters; column 2 is past its end"),
    ],
)
def test_place_past_the_end(line: int, column: int, complaint: str, code: Path, run: Run) -> None:
    """The message says how much there is."""
    ran = run("complete", f"{code}:{line}:{column}")
    assert is_one_line(ran, code=2)
    assert complaint.format(code) in ran.err


@pytest.mark.parametrize(
    "name", ["none.py", "no/such/folder/a.py", "C:\\code.py", "folder", "code.py/within", "a" * 300]
)
def test_file_that_cannot_be_read(name: str, code: Path, run: Run) -> None:
    """The file is named, with the system's reason; a colon of a Windows path belongs to the file."""
    Path("folder").mkdir()
    ran = run("complete", f"{name}:1:1")
    assert is_one_line(ran, code=2)
    assert f"{Path(name)} cannot be read: " in ran.err


def test_byte_order_mark_is_no_column(run: Run) -> None:
    """Editors do not show it, and so it is not counted."""
    Path("bom.py").write_bytes("\ufeffab".encode())
    assert "line 1 of bom.py has 2 characters" in run("complete", "bom.py:1:4").err


def test_file_that_is_not_utf8(run: Run) -> None:
    """The message says at which byte."""
    Path("latin.py").write_bytes("a = 'é'\n".encode("latin-1"))
    ran = run("complete", "latin.py:1:1")
    assert is_one_line(ran, code=2)
    assert "latin.py is not UTF-8 (byte 5)" in ran.err


def test_binary_file(run: Run) -> None:
    """A file that is no text at all is one line too."""
    Path("a.bin").write_bytes(bytes(range(256)))
    assert is_one_line(run("complete", "a.bin:1:1"), code=2)


def flip(folder: Path, name: str) -> None:
    """Change one byte of a file."""
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)


def edit(folder: Path, **changes: Any) -> None:
    """Change the manifest."""
    data = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    (folder / MANIFEST).write_text(json.dumps({**data, **changes}), encoding="utf-8")


FOREIGN = next(target for target in cpu.TARGETS if not cpu.runs_here(target))
DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no manifest": (lambda folder: (folder / MANIFEST).unlink(), "midfill pull"),
    "data cut short": (lambda folder: (folder / f"{GRAPH}.data").write_bytes(b"some"), "has 4 bytes instead of 12"),
    "byte flipped": (lambda folder: flip(folder, f"{GRAPH}.data"), "SHA-256 differs"),
    "manifest is no JSON": (lambda folder: (folder / MANIFEST).write_text("{"), "not valid JSON"),
    "another tool's manifest": (lambda folder: (folder / MANIFEST).write_text('{"name": "x"}'), "is no Midfill bundle"),
    "newer format": (lambda folder: edit(folder, format=FORMAT + 1), "upgrade Midfill"),
    "no tokenizer": (lambda folder: (folder / TOKENIZER).unlink(), f"{TOKENIZER} is missing"),
    "garbled tokenizer": (lambda folder: write_bundle(folder, tokenizer=b"\0\1"), f"{TOKENIZER} is no tokenizer"),
    "garbled graph": (write_bundle, "onnxruntime cannot load"),
    "another processor's": (lambda folder: edit(folder, target=FOREIGN), f"quantised for '{FOREIGN}'"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_bundle_that_cannot_be_used(damage: str, tmp_path: Path, code: Path, run: Run) -> None:
    """Each fault of a bundle is one line that says what to do, and exit code 1; the doctor finds it too."""
    spoil, complaint = DAMAGES[damage]
    folder = write_bundle(tmp_path / "bundle").path
    spoil(folder)
    ran = run("complete", f"{code}:1:1", "--bundle", folder)
    assert is_one_line(ran, code=1)
    assert complaint in ran.err
    diagnosis = run("doctor", "--json", "--bundle", folder)
    assert (diagnosis.code, diagnosis.err) == (1, "")
    faults = [check["detail"] for check in json.loads(diagnosis.out)["checks"] if not check["ok"]]
    assert len(faults) == 1
    assert complaint in faults[0]


def test_missing_bundle(code: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The place where it was looked for is named, be it the default's or the environment's."""
    ran = run("complete", f"{code}:1:1")
    assert is_one_line(ran, code=1)
    assert f"There is no model bundle in {Path.cwd() / 'cache' / 'bundles'}" in ran.err
    monkeypatch.setenv("MIDFILL_BUNDLE", "elsewhere")
    assert "There is no model bundle in elsewhere" in run("complete", f"{code}:1:1").err


@pytest.mark.parametrize("where", ["before", "after"])
def test_debug_shows_where_an_error_came_from(where: str, code: Path) -> None:
    """With --debug, before the command or after it, the traceback is shown."""
    command = ["complete", f"{code}:1:1", "--bundle", "nowhere"]
    ran = midfill(*(["--debug", *command] if where == "before" else [*command, "--debug"]))
    assert ran.returncode == 1
    assert "Traceback (most recent call last)" in ran.stderr
    assert "BundleNotFound" in ran.stderr


def test_unexpected_fault_is_one_line(tmp_path: Path, code: Path, run: Run) -> None:
    """An exception nobody thought of is named, with the way to see more of it."""
    layout = KvLayout(layers=1, heads=1, head_size=1, inputs="past.{nonsense}")
    folder = write_bundle(tmp_path / "b", graph=chain_graph("pass"), kv=layout).path
    ran = run("complete", f"{code}:1:1", "--bundle", folder)
    assert is_one_line(ran, code=1)
    assert "unexpected KeyError; run again with --debug" in ran.err


def test_export_without_its_extra(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What must be installed first is said."""
    monkeypatch.setitem(sys.modules, "midfill_export.cli.export", None)
    ran = run("export", "source")
    assert is_one_line(ran, code=2)
    assert "pip install 'midfill[export]'" in ran.err


def test_program_ends_as_the_command_does(code: Path) -> None:
    """``python -m midfill`` has the exit code and the line of the command."""
    ran = midfill("complete", f"{code}:1:1", "--bundle", "nowhere")
    assert is_one_line(Ran(ran.returncode, ran.stdout, ran.stderr), code=1)


def test_completion_is_printed(bundle: Path, run: Run) -> None:
    """The ghost text alone is on stdout; what it took is on stderr."""
    Path("empty.py").touch()
    ran = run("complete", "empty.py:1:1", "--bundle", bundle)
    assert (ran.code, ran.out) == (0, "pass\n")
    assert ran.err.count("\n") == 1
    assert "tokens after 3 of prompt" in ran.err


def test_completion_as_json(bundle: Path, run: Run) -> None:
    """The JSON has the text, its range as editors count, and what it took."""
    Path("a.py").write_bytes(b"\n\n")
    ran = run("complete", "a.py:1:1", "--bundle", bundle, "--json")
    report = json.loads(ran.out)
    assert (ran.code, ran.err) == (0, "")
    assert (report["text"], report["reason"], report["model"]) == ("pass", "", "tiny")
    assert report["range"] == {"start": {"line": 1, "column": 1}, "end": {"line": 1, "column": 1}}
    assert report["tokens"] > 0
    assert report["prompt_tokens"] > 3
    assert list(report["milliseconds"]) == ["load", "context", "tokenize", "prefill", "decode"]


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("abc\n", "1:4"),
        ("é😀x\n", "1:4"),
        ("abc", "1:4"),
        ("a\r\nb\r\n", "2:2"),
        ("a\r\nb\r\n", "3:1"),
        ("\ufeffab", "1:3"),
    ],
    ids=["line's end", "wide characters", "no newline", "CRLF", "after CRLF", "byte order mark"],
)
def test_place_is_the_range_of_a_plain_insertion(content: str, place: str, bundle: Path, run: Run) -> None:
    """The range is where the cursor is, in the characters an editor shows; an empty answer has its reason."""
    Path("a.py").write_bytes(content.encode())
    ran = run("complete", f"a.py:{place}", "--bundle", bundle, "--json")
    report = json.loads(ran.out)
    line, column = map(int, place.split(":"))
    assert report["range"]["start"] == report["range"]["end"] == {"line": line, "column": column}
    assert (report["text"], report["reason"]) == ("", "blank")


def test_nothing_to_suggest_is_no_fault(bundle: Path, code: Path, run: Run) -> None:
    """Stdout stays empty, stderr says why, and the command has done what it should."""
    ran = run("complete", f"{code}:3:1", "--bundle", bundle)
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.startswith("no suggestion (blank) after ")


@pytest.mark.parametrize("name", ["with space.py", "mit:doppelpunkt.py", "a:1:2", "naïve 模型.py"])
def test_file_of_any_name(name: str, bundle: Path, run: Run) -> None:
    """Only the last two colons part line and column from the file."""
    try:
        Path(name).touch()
    except OSError:
        pytest.skip("this system has no such names")
    assert run("complete", f"{name}:1:1", "--bundle", bundle).out == "pass\n"


def test_lines_of_a_windows_file_are_printed_with_plain_newlines(tmp_path: Path, run: Run) -> None:
    """What the console does to a newline is not done twice."""
    folder = write_bundle(tmp_path / "b", graph=chain_graph("x\n   y")).path
    Path("a.py").write_bytes(b"\r\n")
    ran = run("complete", "a.py:1:1", "--bundle", folder)
    assert ran.out == "x\n   y\n"
    assert json.loads(run("complete", "a.py:1:1", "--bundle", folder, "--json").out)["text"] == "x\r\n   y"


def test_character_that_the_console_lacks_is_escaped(tmp_path: Path) -> None:
    """An old code page is no reason to fail."""
    folder = write_bundle(tmp_path / "b", graph=chain_graph("naïve")).path
    Path("a.py").touch()
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    ran = midfill("complete", "a.py:1:1", "--bundle", folder, env=environment)
    assert (ran.returncode, ran.stdout) == (0, "na\\xefve\n")


def test_doctor_of_a_sound_installation(tmp_path: Path, run: Run) -> None:
    """Every check is well, and the exit code says so too."""
    folder = write_bundle(tmp_path / "b", graph=chain_graph("1", anywhere=True)).path
    ran = run("doctor", "--json", "--bundle", folder)
    report = json.loads(ran.out)
    assert (ran.code, ran.err, report["ok"]) == (0, "", True)
    assert {"midfill", "bundle", "memory", "completion"} <= {check["name"] for check in report["checks"]}
    assert "FAIL" not in run("doctor", "--bundle", folder).out


def test_doctor_finds_a_model_that_says_nothing(bundle: Path, run: Run) -> None:
    """A bundle that is whole but completes nothing is a fault."""
    ran = run("doctor", "--json", "--bundle", bundle)
    faults = [check for check in json.loads(ran.out)["checks"] if not check["ok"]]
    assert ran.code == 1
    assert faults == [{"name": "completion", "ok": False, "detail": "nothing was suggested (blank)"}]


def test_doctor_in_words(run: Run) -> None:
    """Without --json, each check is a line; a fault is exit code 1."""
    ran = run("doctor", "--bundle", "nowhere")
    assert (ran.code, ran.err) == (1, "")
    assert [line.split()[0] for line in ran.out.splitlines()] == ["ok", "ok", "ok", "ok", "FAIL"]
    assert "There is no model bundle in nowhere" in ran.out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_output_that_cannot_be_written_is_one_line() -> None:
    """A full disk under stdout is said once, not again when Python ends."""
    with Path("/dev/full").open("w") as full:
        ran = midfill("doctor", "--bundle", "nowhere", stdout=full)
    assert (ran.returncode, ran.stderr) == (1, "midfill: No space left on device\n")


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


def test_address_that_does_not_exist_is_one_line() -> None:
    """An address that cannot be listened at is said with the system's reason."""
    ran = midfill("serve", "--tcp", "256.256.256.256:8700")
    assert is_one_line(Ran(ran.returncode, ran.stdout, ran.stderr), code=1)


def test_help_needs_neither_model_nor_protocol() -> None:
    """What a command does not need is not imported: help is there at once."""
    program = (
        "import sys, midfill.cli.main; sys.exit(any(name in sys.modules for name in ('onnxruntime', 'pygls', 'numpy')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=120).returncode == 0
