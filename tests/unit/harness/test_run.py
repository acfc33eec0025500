"""`midfill harness` with a real server, whose model always suggests the same text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from midfill.cli.main import main
from midfill.harness.editor import HeadlessEditor
from midfill.harness.open_document import OpenDocument
from midfill.harness.run import run_step
from midfill.harness.script import Step, read_script
from unit.helpers import chain_graph, write_bundle

SAID = "print(1)"
TEMPLATE = "{% for m in messages %}{{ m.content }}{% endfor %}{{ eos_token }}"
CALM = "- set: {minConfidence: 0, deadlineMs: 0, prefetch: false}\n"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a bundle whose model suggests one text, wherever the cursor is."""
    graph = chain_graph(SAID, anywhere=True)
    folder = tmp_path_factory.mktemp("bundle")
    return write_bundle(folder, graph=graph, chat_template=TEMPLATE, context_length=8192).path


@pytest.fixture
def run(bundle: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    """Return what runs scripts, given as texts, within this process."""

    def run(*texts: str) -> tuple[int, str, str]:
        paths = [tmp_path / f"{number}.yaml" for number in range(1, len(texts) + 1)]
        for path, text in zip(paths, texts, strict=True):
            path.write_text(text)
        code = main(["harness", "--bundle", str(bundle), *map(str, paths)])
        out, err = capfd.readouterr()
        return code, out.replace(f"{tmp_path}/", ""), err

    return run


@pytest.fixture(scope="module")
def editor(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HeadlessEditor]:
    """Return an editor that shows a suggestion."""
    with HeadlessEditor(tmp_path_factory.mktemp("editor"), bundle) as editor:
        editor.set({"minConfidence": 0, "deadlineMs": 0, "prefetch": False})
        editor.open("shown.py", "x = 1\n")
        editor.complete()
        yield editor


def test_script_that_holds(run: Run) -> None:
    """It has all verbs, in one session."""
    code, out, err = run(
        f"""{CALM}
- write: {{file: pkg/on_disk.py, text: "x = 1\\n"}}
- open: pkg/on_disk.py
- complete
- expect: {{shown: true, suggestion: {SAID}, starts: print, contains: (1, lines: 1}}
- accept: word
- expect: {{document: "x = 1\\nprint▌", suggestion: (1)}}
- accept: line
- expect: {{document: "x = 1\\n{SAID}▌", shown: false}}
- save
- open: {{file: other.py, text: "one two ▌three", language: python}}
- backspace: 4
- move: {{after: one}}
- type: "  and "
- expect: {{document: "one  and ▌ three", documentContains: and}}
- move: " three"
- type: "\\n"
- complete: key
- expect: {{alternatives: 1}}
- kill
- open: pkg/on_disk.py
- expect: {{document: "x = 1\\n{SAID}"}}
- open: {{file: third.py, text: "y = 2\\n"}}
- complete
- expect: {{suggestion: {SAID}, prompt: "y = 2"}}
- cancel
- complete: popup
- expect: {{contains: {SAID}}}
- accept
- open: {{file: code.py, text: "def f(x):\\n    return x\\n\\n# add▌\\n"}}
- action: write
- expect: {{applied: true, document: "def f(x):\\n    return x\\n\\n# add\\n{SAID}\\n"}}
- move: return
- action: {{name: explain, words: ""}}
- expect: {{applied: false, answer: {SAID}}}
- set: {{maxLines: none}}
- expect: {{message: "'maxLines' must be a whole number"}}
- write: {{file: .midfillignore, text: "*.py\\n"}}
- remove: pkg/on_disk.py
- complete
- expect: {{shown: false, reason: excluded}}
- wait: 0
"""
    )
    assert (code, err) == (0, ""), out
    assert re.fullmatch(r"ok    1\.yaml  \d+ steps\n", out)


def test_every_script_is_run(run: Run) -> None:
    """A failure is one line with script, line, step and what is wrong; the next script runs nevertheless."""
    failing = f'{CALM}\n- open: {{file: a.py, text: ""}}\n- complete\n- expect: {{starts: def}}\n- accept\n'
    holding = f'{CALM}- open: {{file: a.py, text: ""}}\n- expect: {{shown: false}}\n'
    code, out, err = run(failing, holding)
    assert (code, err) == (1, "")
    assert out.splitlines() == [
        f"FAIL  1.yaml:5: step 4, expect: the suggestion {SAID!r} does not start with 'def'.",
        "ok    2.yaml  3 steps",
    ]


def test_wrong_script_runs_nothing(run: Run) -> None:
    """A mistake in a script is wrong usage, reported in one line before any server starts."""
    code, out, err = run('- open: {file: a.py, text: ""}\n', "- type: x\n- typo: y\n")
    assert (code, out) == (2, "")
    assert re.fullmatch(r"midfill: \S+2\.yaml:2: there is no step `typo`; did you mean `type`\?\n", err)


def test_model_that_is_not_there(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The server's message is part of the failure."""
    script = tmp_path / "a.yaml"
    script.write_text(
        '- open: {file: a.py, text: ""}\n- complete\n- expect: {message: There is no model}\n- expect: {shown: true}\n'
    )
    assert main(["harness", "--bundle", str(tmp_path / "none"), str(script)]) == 1
    out = capfd.readouterr().out
    assert "nothing is shown" in out
    assert "the server says: There is no model bundle in" in out
    assert out.count("\n") == 1


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("expect: {shown: false}", "'print(1)' is shown"),
        ("expect: {suggestion: print(2)}", "the suggestion 'print(1)' is not 'print(2)'"),
        ("expect: {contains: x}", "the suggestion 'print(1)' does not contain 'x'"),
        ("expect: {lines: 2}", "the suggestion 'print(1)' does not have this number of lines: 2"),
        ("expect: {alternatives: 2}", "there is 1 suggestion, not 2 or more"),
        ("expect: {reason: unsure}", "'print(1)' is shown"),
        ("expect: {document: 'x = 2'}", r"the document differs from line 1 on: '1\n', not '2'"),
        ("expect: {document: \"x = 1\\n\\n\"}", r"the document differs from line 2 on: '', not '\n'"),
        ("expect: {document: \"▌x = 1\\n\"}", r"the document differs from line 1 on: 'x = 1\n▌', not '▌x = 1\n'"),
        ("expect: {documentContains: y}", "the document has no 'y'"),
        ("expect: {applied: true}", "the action has edited nothing"),
        ("expect: {answer: x}", "the answer '' does not contain 'x'"),
        ("expect: {prompt: sentinel}", "the last prompt has no 'sentinel'"),
        ("open: none.py", "none.py cannot be read: No such file or directory"),
        ("remove: none.py", "none.py cannot be deleted: No such file or directory"),
        ("move: {after: nowhere}", "the document has no 'nowhere'"),
    ],
)  # fmt: skip
def test_failure_message(editor: HeadlessEditor, tmp_path: Path, step: str, message: str) -> None:
    """Each failure is one sentence."""
    script = tmp_path / "script.yaml"
    script.write_text(f"- {step}\n")
    [read] = read_script(script)
    assert run_step(editor, read) == f"{message}."


def test_failures_where_nothing_is_shown(bundle: Path, tmp_path: Path) -> None:
    """Steps fail without a document, and without a suggestion."""
    with HeadlessEditor(tmp_path, bundle) as editor:
        assert run_step(editor, Step(1, "complete", {})) == "no document is open: add a step `open` before this one."
        editor.set({"enabled": False})
        editor.open("a.py", "")
        assert run_step(editor, Step(1, "accept", {})) == "there is no suggestion to accept."
        editor.complete()
        assert run_step(editor, Step(1, "expect", {"starts": "x"})) == "nothing is shown (disabled)."
        wrong = "nothing is shown because of 'disabled', not 'unsure'."
        assert run_step(editor, Step(1, "expect", {"reason": "unsure"})) == wrong


def test_document_keeps_the_line_ends_of_its_file(tmp_path: Path) -> None:
    r"""In the editor, lines end with ``\n``; the server and the file get the file's line ends."""
    document = OpenDocument(tmp_path / "a.rb", "a\r\n🚀 b\r\n")
    assert document.language == "ruby"
    assert document.position(3) == {"line": 1, "character": 1}
    assert [document.offset({"line": line, "character": 1}) for line in (0, 1, 9)] == [1, 3, 6]
    change = document.replace(3, 5, "c\nd")
    assert change["text"] == "c\r\nd"
    assert change["range"]["end"] == {"line": 1, "character": 3}
    assert document.as_file(document.text) == "a\r\n🚀c\r\nd\r\n"
    assert document.text[: document.cursor] == "a\n🚀c\nd"
