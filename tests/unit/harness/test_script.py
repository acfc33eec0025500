"""Reading scripts: every step has its line, and every mistake gives one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from midfill.common.errors import UsageError
from midfill.harness.script import read_script


def read(tmp_path: Path, text: str, name: str = "script.yaml") -> list[tuple[int, str, dict[str, object]]]:
    """Read a script that has this text."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return [(step.line, step.verb, dict(step.values)) for step in read_script(path)]


def test_steps_in_yaml(tmp_path: Path) -> None:
    """A verb has a table, or its main value, or stands alone; comments and empty lines are not steps."""
    text = """\
# what somebody types

- open: {file: a.py, text: "x = ▌"}
- type: |
    two
    lines
- complete
- complete: key
- set: {maxLines: 1, colour: null}
-   expect:
        lines: 1
        starts: "yes"
- wait: 0.5
"""
    assert read(tmp_path, text) == [
        (3, "open", {"file": "a.py", "text": "x = ▌"}),
        (4, "type", {"text": "two\nlines\n"}),
        (7, "complete", {}),
        (8, "complete", {"by": "key"}),
        (9, "set", {"maxLines": 1, "colour": None}),
        (10, "expect", {"lines": 1, "starts": "yes"}),
        (13, "wait", {"seconds": 0.5}),
    ]


def test_steps_in_json(tmp_path: Path) -> None:
    """There is a step a line; JSON can have escapes, here a character of two."""
    text = '{"open": "a.py"}\n\n"complete"\n{"expect": {"contains": "\\ud83d\\ude00"}}\n'
    steps = [(1, "open", {"file": "a.py"}), (3, "complete", {}), (4, "expect", {"contains": "😀"})]
    assert read(tmp_path, text, "script.jsonl") == steps


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "has no steps"),
        ("# nothing yet\n", "has no steps"),
        ("open: a.py\n", ":1: a script is a list of steps"),
        ("- open: a.py\n- [complete]\n", ":2: a step is one verb"),
        ("- {type: x, complete: key}\n", ":1: a step is one verb"),
        ("- 1: x\n", ":1: a step is one verb"),
        ("- complte\n", ":1: there is no step `complte`; did you mean `complete`?"),
        ("- xyzzy\n", ":1: there is no step `xyzzy`; there are `write`, `remove`, `open`"),
        ("- complete: loudly\n", ":1: `by` of `complete` must be typing, key or popup."),
        ("- accept: 2\n", ":1: `part` of `accept` must be all, line or word."),
        ("- type: 3\n", ":1: `text` of `type` must be a text (in quotes"),
        ("- type\n", ":1: `type` needs `text`."),
        ("- kill: now\n", ":1: `kill` stands alone."),
        ("- backspace: 0\n", ":1: `count` of `backspace` must be a whole number from 1 to 100000."),
        ("- wait: soon\n", ":1: `seconds` of `wait` must be seconds, from 0 to 600."),
        ("- write: {file: a.py}\n", ":1: `write` needs `text`."),
        ("- write: a.py\n", ":1: `write` needs `file`, `text`."),
        ("- open: /etc/passwd\n", ":1: `file` of `open` must be the path of a file within the workspace."),
        ("- open: ../a.py\n", ":1: `file` of `open` must be the path of a file within the workspace."),
        ("- set: 3\n", ":1: `set` needs a table of settings."),
        ("- set\n", ":1: `set` needs a table of settings."),
        ("- expect\n", ":1: `expect` needs one of `shown`"),
        ("- expect: {show: true}\n", ":1: `expect` has no `show`; did you mean `shown`?"),
        ("- expect: {shown: maybe}\n", ":1: `shown` of `expect` must be true or false."),
        ("- type: x\n- type: 'y\n", ":3: this is not YAML"),
        ("- type: x\n---\n- type: y\n", ": this is not YAML"),
        ("- type: !!python/object/apply:os.getcwd []\n", ":1: this is not YAML"),
        ("- type: *unknown\n", ":1: this is not YAML"),
        ("- type: 2026-99-99\n", ": this is not YAML"),
        ("- type: a\0b\n", ": this is not YAML"),
        ("- " * 5000 + "x\n", "script.yaml"),
    ],
)
def test_wrong_script(tmp_path: Path, text: str, fault: str) -> None:
    """One line says where the mistake is and what it is."""
    with pytest.raises(UsageError) as error:
        read(tmp_path, text)
    assert fault in str(error.value)
    assert "\n" not in str(error.value)


def test_wrong_json(tmp_path: Path) -> None:
    """The error has the line, too."""
    with pytest.raises(UsageError, match=r"script\.jsonl:2: this line is not JSON\."):
        read(tmp_path, '"complete"\n- complete\n', "script.jsonl")


def test_script_that_cannot_be_read(tmp_path: Path) -> None:
    """The file does not exist, is a folder, or has another encoding."""
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        read_script(tmp_path / "none.yaml")
    with pytest.raises(UsageError, match="cannot be read"):
        read_script(tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"- type: \xe9\n")
    with pytest.raises(UsageError, match=r"is not UTF-8 \(byte 8\)"):
        read_script(tmp_path / "latin.yaml")
