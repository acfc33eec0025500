"""Finds the values in a Kubernetes manifest of kind Secret: all of them are secret, whatever their names."""

from __future__ import annotations

import re
from collections.abc import Iterator

_KIND = re.compile(r"\bkind[\"']?:[ \t]{0,9}[\"']?Secret\b")
_YAML_DATA = re.compile(r"^(?P<margin> {0,40})(?:data|stringData):[ \t]{0,80}(?:#[^\n]*)?\n", re.MULTILINE)
_YAML_VALUE = re.compile(r"[ \t]+[\w.\"'-]{1,250}:[ \t]+[\"']?(?P<secret>[^\s\"'][^\n\"']*)?")
_IS_NO_SECRET = re.compile(r"[|>][-+\d]{0,2}\s*|[#{$<].*")
"""The head of a block, whose lines follow, or what a template fills in."""
_JSON_DATA = re.compile(r"\"(?:data|stringData)\"\s{0,80}:\s{0,80}\{(?P<body>[^{}]{0,20000})\}")
_JSON_VALUE = re.compile(r":\s{0,80}\"(?P<secret>[^\"\\\n{$<][^\"\n]{0,20000})\"")


def kubernetes_secrets(text: str) -> Iterator[tuple[int, int]]:
    """Yield the start and the end of each value, without quotes."""
    if "Secret" not in text:
        return
    end = -1
    for kind in _KIND.finditer(text):
        if kind.start() < end:
            continue  # the document was searched already
        start = text.rfind("\n---", 0, kind.start()) + 1
        end = text.find("\n---", kind.end())
        end = len(text) if end < 0 else end
        for data in _YAML_DATA.finditer(text, start, end):
            yield from _yaml_values(text, data.end(), end, len(data["margin"]))
        for data in _JSON_DATA.finditer(text, start, end):
            yield from (value.span("secret") for value in _JSON_VALUE.finditer(text, *data.span("body")))


def _yaml_values(text: str, start: int, end: int, margin: int) -> Iterator[tuple[int, int]]:
    """Yield the values of a mapping whose lines are indented by more than ``margin``."""
    while start < end:
        newline = text.find("\n", start, end)
        line_end = end if newline < 0 else newline
        line = text[start:line_end]
        if line.strip() and len(line) - len(line.lstrip(" ")) <= margin:
            return
        value = _YAML_VALUE.match(text, start, line_end)
        if value is None and line.strip():  # a line of a block
            yield start + len(line) - len(line.lstrip()), start + len(line.rstrip())
        elif value and value["secret"] and not _IS_NO_SECRET.fullmatch(value["secret"]):
            yield value.start("secret"), value.start("secret") + len(value["secret"].rstrip())
        start = line_end + 1
