"""The prompts: one Markdown file for each, with ``$names`` that stand for values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from string import Template


def prompt(name: str, values: Mapping[str, str]) -> str:
    """Return a prompt with its ``values``. A value that contains ``$name`` stays as it is."""
    return _template(name).substitute(values).strip()


def block(code: str, grammar: str = "") -> str:
    """Return ``code`` as a Markdown code block, with a fence that is longer than any in the code."""
    longest = max((len(run) for run in re.findall(r"`{3,}", code)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{grammar}\n{code}\n{fence}"


@cache
def _template(name: str) -> Template:
    return Template((files(__package__) / f"{name}.md").read_text(encoding="utf-8"))
