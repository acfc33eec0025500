"""Which values a bundle's manifest may have. A bundle may come from a stranger, so each is checked before it is used.

The values are those of the JSON. A value that is missing is not this module's matter.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Union

CHECKSUM = "checksum"
"""The name of the SHA-256 of all other values. Bundles that earlier versions made have none."""

EDIT_FORMATS = ("plain", "sweep", "zeta")
"""The names of the prompt formats for edits (:data:`midfill.inference.bundle.EditFormatName`)."""

_Rule = Callable[[Any], str]
"""Returns what a value must be; "" if it is that."""
_Rules = Mapping[str, Union[_Rule, "_Rules"]]

_MAX_TEXT = 300
_MAX_TEMPLATE = 200_000
_MAX_ENTRIES = 10_000
_MAX_VOCABULARY = 1 << 21
_FILE_NAME = re.compile(r"\w[\w-]*(\.[\w-]+)*")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CACHE_NAME = re.compile(r"[\w./-]{0,100}\{layer\}[\w./-]{0,100}\{part\}[\w./-]{0,100}")
"""A name with two fields and no format of its own, which could ask for a text of any length."""


def fault_in(data: Mapping[str, Any]) -> str:
    """Return what is wrong with a manifest, in a clause that names the value; "" if nothing is."""
    return _fault(data, _RULES, "") or _fault_of_tokens(data)


def checksum_of(data: Mapping[str, Any]) -> str:
    """Return the SHA-256 of all values of a manifest but the checksum, in hexadecimal.

    Raises:
        RecursionError: a value is nested too deeply.
    """
    values = {name: value for name, value in data.items() if name != CHECKSUM}
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _fault(data: Any, rules: _Rules, where: str) -> str:
    if not isinstance(data, dict):
        return f"'{where.rstrip('.')}' must be an object"
    for name, rule in rules.items():
        if name in data:
            if not callable(rule):
                if fault := _fault(data[name], rule, f"{where}{name}."):
                    return fault
            elif words := rule(data[name]):
                return f"'{where}{name}' must be {words}"
    return ""


def _fault_of_tokens(data: Mapping[str, Any]) -> str:
    """Return what is wrong with the ids of tokens, whose kinds are right."""
    size, fim = data.get("vocabulary", _MAX_VOCABULARY), data.get("fim", {})
    tokens = {name: fim.get(name, -1) for name in _RULES_OF_FIM}
    highest = max([*tokens.values(), *data.get("stop_tokens", ())])
    if highest >= size:
        return f"there is no token {highest} in a vocabulary of {size}"
    if fim.get("order") in ("suffix-first", "prefix-first") and min(tokens[name] for name in _FIM_TOKENS) < 0:
        return f"'fim' must name the tokens {', '.join(_FIM_TOKENS)}"
    if data.get("edit_format") == "sweep" and tokens["file"] < 0:
        return "'fim' must name the token file, because edit_format is sweep"
    return ""


def _whole(low: int, high: int) -> _Rule:
    words = f"a whole number from {low} to {high}"
    return lambda value: "" if type(value) is int and low <= value <= high else words


def _fraction(value: Any) -> str:
    return "" if type(value) in (int, float) and 0 <= value <= 1 else "a number from 0 to 1"


def _positive(value: Any) -> str:
    return "" if type(value) in (int, float) and 0 <= value < math.inf else "a number that is not negative"


def _text(value: Any) -> str:
    fits = isinstance(value, str) and len(value) <= _MAX_TEXT and value.isprintable()
    return "" if fits else f"a text of at most {_MAX_TEXT} printable characters"


def _template(value: Any) -> str:
    fits = isinstance(value, str) and len(value) <= _MAX_TEMPLATE
    return "" if fits else f"a text of at most {_MAX_TEMPLATE} characters"


def _form(pattern: re.Pattern[str], words: str) -> _Rule:
    return lambda value: "" if isinstance(value, str) and pattern.fullmatch(value) else words


def _one_of(*values: str) -> _Rule:
    words = f"one of {', '.join(values)}"
    return lambda value: "" if value in values else words


def _stop_tokens(value: Any) -> str:
    fits = isinstance(value, list) and len(value) <= _MAX_ENTRIES and all(type(v) is int and v >= 0 for v in value)
    return "" if fits else f"a list of at most {_MAX_ENTRIES} whole numbers that are not negative"


def _texts(value: Any) -> str:
    fits = isinstance(value, dict) and not any(map(_text, [*value, *value.values()]))
    return "" if fits else "an object of short texts"


def _notes(value: Any) -> str:
    """Allow what was done to a model: an object of plain values."""
    fits = isinstance(value, dict) and not any(
        _text(name) or not (own is None or type(own) in (bool, int, float) or not _text(own))
        for name, own in value.items()
    )
    return "" if fits else "an object of numbers and short texts"


def _files(value: Any) -> str:
    if not isinstance(value, dict) or len(value) > _MAX_FILES:
        return f"an object of at most {_MAX_FILES} files"
    for name, entry in value.items():
        if not (len(name) <= _MAX_TEXT and _FILE_NAME.fullmatch(name)):
            return "an object of files, each by its name without a folder"
        if fault := _fault(entry, _FILE, ""):
            return f"an object of files, each with a size and a SHA-256 ({fault})"
    return ""


_MAX_FILES = 20
_FIM_TOKENS = ("prefix", "suffix", "middle")
_RULES_OF_FIM: _Rules = dict.fromkeys((*_FIM_TOKENS, "repository", "file"), _whole(-1, _MAX_VOCABULARY - 1))
_FILE: _Rules = {
    "size": _whole(0, 1 << 40),
    "sha256": _form(_SHA256, "64 hexadecimal digits"),
}
_RULES: _Rules = {
    "made_by": _text,
    "name": _text,
    "family": _text,
    "source": {"repository": _text, "file": _text, "sha256": _text, "license": _text},
    "fim": _RULES_OF_FIM,
    "fim_tokens": _texts,
    "stop_tokens": _stop_tokens,
    "chat_template": _template,
    "context_length": _whole(1, 1 << 24),
    "vocabulary": _whole(1, _MAX_VOCABULARY),
    "kv": {
        "inputs": _form(_CACHE_NAME, "a name with {layer} and {part}"),
        "outputs": _form(_CACHE_NAME, "a name with {layer} and {part}"),
        "layers": _whole(1, 1024),
        "heads": _whole(1, 1024),
        "head_size": _whole(1, 4096),
        "dtype": _one_of("float32", "float16"),
    },
    "quantisation": _notes,
    "verification": {
        "graph_max_difference": _positive,
        "positions": _whole(0, 1 << 40),
        "top1_agreement": _fraction,
        "mean_kl": _positive,
    },
    "files": _files,
    "target": _text,
    "stretch": _notes,
    "folder": _text,
    "edit_format": _one_of(*EDIT_FORMATS),
}
