r"""Reads and checks a script before any step runs. A script is a YAML list of steps, or JSON with a step a line.

A step is a table with one entry: its verb and the verb's values. A verb with one main value also takes that value
alone, and a verb without values may stand alone::

    - open: {file: prices.py, text: "def total(items):\n    return ▌"}
    - type: sum
    - complete
    - expect: {starts: (, lines: 1}
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from midfill.actions import ACTIONS
from midfill.common.errors import UsageError
from midfill.common.limits import MAX_FILE_BYTES
from midfill.common.os_errors import explain
from midfill.common.regular_file import read_regular
from midfill.settings.kinds import Kind, flag, in_line, nearest, whole

CURSOR = "▌"
"""Stands for the cursor in a document's text."""
_JSON_LINES = {".json", ".jsonl", ".ndjson"}


@dataclass(frozen=True)
class Step:
    """One step: something to do, or to expect."""

    line: int
    """The line in the script, counted from 1."""
    verb: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class _Verb:
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    """What each value must be."""
    needed: tuple[str, ...] = ()
    """The values that must be given."""
    alone: str = ""
    """The name of the value that may stand without a table; "" for none."""


def _text() -> Kind:
    def read(value: object) -> str:
        if not isinstance(value, str):
            raise ValueError
        return value

    return Kind("a text (in quotes, if YAML would take it for something else)", {}, read)


def _file() -> Kind:
    def read(value: object) -> str:
        if not isinstance(value, str) or not value or "\0" in value:
            raise ValueError
        path = Path(value)
        if path.is_absolute() or ".." in path.parts:
            raise ValueError
        return value

    return Kind("the path of a file within the workspace", {}, read)


def _one_of(*words: str) -> Kind:
    def read(value: object) -> str:
        if value not in words:
            raise ValueError
        return str(value)

    return Kind(f"{', '.join(words[:-1])} or {words[-1]}", {}, read)


def _seconds() -> Kind:
    def read(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 600:
            raise ValueError
        return float(value)

    return Kind("seconds, from 0 to 600", {}, read)


_EXPECTED = {
    "shown": flag(),
    "suggestion": _text(),
    "starts": _text(),
    "contains": _text(),
    "lines": whole(1, 1000),
    "alternatives": whole(1, 100),
    "reason": _text(),
    "document": _text(),
    "documentContains": _text(),
    "answer": _text(),
    "applied": flag(),
    "prompt": _text(),
    "message": _text(),
}
_VERBS = {
    "write": _Verb({"file": _file(), "text": _text()}, ("file", "text")),
    "remove": _Verb({"file": _file()}, ("file",), "file"),
    "open": _Verb({"file": _file(), "text": _text(), "language": _text()}, ("file",), "file"),
    "save": _Verb(),
    "type": _Verb({"text": _text()}, ("text",), "text"),
    "backspace": _Verb({"count": whole(1, 100_000)}, (), "count"),
    "move": _Verb({"after": _text()}, ("after",), "after"),
    "complete": _Verb({"by": _one_of("typing", "key", "popup")}, (), "by"),
    "edit": _Verb(),
    "cancel": _Verb(),
    "accept": _Verb({"part": _one_of("all", "line", "word")}, (), "part"),
    "action": _Verb({"name": _one_of(*ACTIONS), "words": _text()}, ("name",), "name"),
    "expect": _Verb(_EXPECTED),
    "kill": _Verb(),
    "wait": _Verb({"seconds": _seconds()}, ("seconds",), "seconds"),
}
_SET = "set"
"""The verb whose values are settings. The server checks them, not this module."""


def read_script(path: Path) -> list[Step]:
    """Return the steps of a script.

    Raises:
        UsageError: the script cannot be read, or has a mistake; the message names the line.
    """
    try:
        text = read_regular(path, MAX_FILE_BYTES).decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {explain(error)}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 (byte {error.start}): convert it first.") from error
    steps = []
    for line, item in _json_lines(path, text) if path.suffix in _JSON_LINES else _yaml_items(path, text):
        try:
            verb, values = _read_step(item)
        except ValueError as error:
            raise UsageError(f"{path}:{line}: {error}") from error
        steps.append(Step(line, verb, values))
    if not steps:
        raise UsageError(f"{path} has no steps: write at least one.")
    return steps


def _json_lines(path: Path, text: str) -> Iterator[tuple[int, object]]:
    for line, source in enumerate(text.split("\n"), 1):
        if source.strip():
            try:
                yield line, json.loads(source)
            except (ValueError, RecursionError) as error:
                raise UsageError(f"{path}:{line}: this line is not JSON.") from error


def _yaml_items(path: Path, text: str) -> Iterator[tuple[int, object]]:
    loader = None
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        if root is None:
            return
        if not isinstance(root, yaml.SequenceNode):
            raise UsageError(f"{path}:{root.start_mark.line + 1}: a script is a list of steps.")
        for node in root.value:
            yield node.start_mark.line + 1, loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f":{mark.line + 1}" if mark else ""
        raise UsageError(f"{path}{where}: this is not YAML: {error.problem or error.context}.") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:  # ValueError: an impossible date
        raise UsageError(f"{path}: this is not YAML: {in_line(str(error).partition(chr(10))[0])}.") from error
    finally:
        if loader is not None:
            loader.dispose()


def _read_step(item: object) -> tuple[str, dict[str, Any]]:
    """Return the verb and the values of a step; raise ValueError with a message if the step has a mistake."""
    table = {item: None} if isinstance(item, str) else item
    if not isinstance(table, dict) or len(table) != 1 or not isinstance(next(iter(table)), str):
        raise ValueError("a step is one verb with its values, such as `- type: text`.")
    [(name, value)] = table.items()
    if name == _SET:
        if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
            raise ValueError("`set` needs a table of settings.")
        return name, value
    verb = _VERBS.get(name)
    if verb is None:
        raise ValueError(f"there is no step `{in_line(name)}`{_hint(name, [*_VERBS, _SET])}")
    if value is None:
        value = {}
    elif verb.alone and not isinstance(value, dict):
        value = {verb.alone: value}
    if not isinstance(value, dict):
        raise ValueError(f"`{name}` needs {_listed(verb.kinds)}." if verb.kinds else f"`{name}` stands alone.")
    return name, _read_values(name, verb, value)


def _read_values(name: str, verb: _Verb, given: dict[Any, Any]) -> dict[str, Any]:
    values = {}
    for key, value in given.items():
        kind = verb.kinds.get(key)
        if kind is None:
            raise ValueError(f"`{name}` has no `{in_line(str(key))}`{_hint(str(key), verb.kinds)}")
        try:
            values[key] = kind.read(value)
        except ValueError:
            raise ValueError(f"`{key}` of `{name}` must be {kind.words}.") from None
    for key in verb.needed:
        if key not in values:
            raise ValueError(f"`{name}` needs `{key}`.")
    if name == "expect" and not values:
        raise ValueError(f"`expect` needs one of {_listed(verb.kinds)}.")
    return values


def _hint(name: str, known: Mapping[str, object] | list[str]) -> str:
    near = nearest(name, known)
    return f"; did you mean `{near}`?" if near else f"; there are {_listed(known)}."


def _listed(names: Mapping[str, object] | list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "nothing"
