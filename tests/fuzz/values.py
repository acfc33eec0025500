"""Values that nobody expects, and JSON with some of them."""

from __future__ import annotations

import copy
from random import Random
from typing import Any

_NESTED: Any = []
for _ in range(300):
    _NESTED = [_NESTED]

ODD_URIS = (
    *("", "file:", "file:///%zz%", "file:///%00", "file:///\0", "file:///../../..", "file://[x/y", "untitled:\udfff"),
    *("file:///" + "a/" * 5_000, "file:///" + "a" * 5_000, "C:\\a.py", "//x/y", "git:/w/.env?x", "file:///w/C%23/a.py"),
    *("vscode-notebook-cell:/w/a.ipynb#1", "file:///dev/zero", "file:///proc/self/mem", "http://192.0.2.1/a.py"),
)
ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31 - 1, 2**31, -(2**31), 2**53, 2**63, 10**30, 1e308, -0.0, 0.5),
    *("", " ", "\0", "\u2028", "\ud800", "a", "a" * 40_000, "🚀" * 200, "(" * 5_000, '"' * 999, "\r", "\n" * 5_000),
    *("*a" * 14 + "*b", "**/a/" * 12, "<|fim_prefix|>", "\x1b[2J", "javascript", "1" * 5_000),
    *([], {}, [[]], {"a": 1}, [None] * 1_000, {"jsonrpc": "2.0"}, _NESTED),
    *ODD_URIS,
)
"""Among them: limits of integers, half a character, long runs that patterns go back in, and names of other files."""


def mutated(value: Any, chance: Random) -> Any:
    """Return a JSON value in which one to three things are changed."""
    changed = [copy.deepcopy(value)]  # in a list, so that the whole value can be replaced too
    for _ in range(chance.randint(1, 3)):
        _change(changed, chance)
    return changed[0]


def _change(root: list[Any], chance: Random) -> None:
    places = list(_places(root))
    holder, key = chance.choice(places)
    what = chance.randrange(6)
    if what == 0 and len(places) > 1 and holder is not root:
        del holder[key]
    elif what == 1 and isinstance(holder, list):
        holder.insert(key, copy.deepcopy(holder[key]))
    elif what == 2:
        other, from_key = chance.choice(places)
        holder[key] = copy.deepcopy(other[from_key])
    elif what == 3 and isinstance(holder, dict):
        holder[str(chance.choice(["", "jsonrpc", "uri", "method", "\0", "text"]))] = chance.choice(ODD)
    else:
        holder[key] = copy.deepcopy(chance.choice(ODD))


def _places(holder: Any, depth: int = 0) -> list[tuple[Any, Any]]:
    """Return the containers and keys of all values within one, not those of a deep nest."""
    keys = list(range(len(holder))) if isinstance(holder, list) else list(holder)
    found = [(holder, key) for key in keys[:50]]
    for _, key in list(found):
        if isinstance(holder[key], (list, dict)) and depth < 12:
            found += _places(holder[key], depth + 1)
    return found
