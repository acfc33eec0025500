"""Finds the secrets in the rows that SQL inserts: a telling name is the name of their column."""

from __future__ import annotations

import re
from collections.abc import Iterator

from midfill.privacy.secret_names import telling_names
from midfill.privacy.secret_values import Secret, Shape, looks_secret

_INSERT = re.compile(
    r"(?i:insert)\s{1,9}(?i:into)\s{1,9}[^\s(]{1,100}\s{0,9}\((?P<columns>[^()]{1,1000})\)\s{0,9}(?i:values)"
)
_VALUE = re.compile(
    r"\s{0,40}(?:'(?P<secret>(?:[^'\\\n]|''|\\.){0,1000})'|[^,()']{1,200}(?:\([^()]{0,200}\))?)\s{0,40}(?P<end>[,)])"
)
_NEXT_ROW = re.compile(r"\s{0,40},?\s{0,40}\(")


def sql_secrets(text: str) -> Iterator[Secret]:
    """Yield the start, the end and the kind of each secret, without quotes."""
    for insert in _INSERT.finditer(text):
        kinds: list[tuple[str, str] | None] = []
        for column in insert["columns"].split(","):
            names = [(name.kind, name.words) for name in telling_names(column)]
            kinds.append(names[0] if names else None)
        if any(kinds):
            yield from _secrets_in_rows(text, insert.end(), kinds)


def _secrets_in_rows(text: str, start: int, kinds: list[tuple[str, str] | None]) -> Iterator[Secret]:
    while row := _NEXT_ROW.match(text, start):
        start = row.end()
        for known in kinds:
            value = _VALUE.match(text, start)
            if not value:
                return
            start = value.end()
            if known and value["secret"] and looks_secret(*known, value["secret"], Shape.WORD):
                yield *value.span("secret"), known[0]
            if value["end"] == ")":
                break
