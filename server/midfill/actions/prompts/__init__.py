"""The prompts, a Markdown file each, with ``$names`` for what is put in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from string import Template


def prompt(name: str, values: Mapping[str, str]) -> str:
    """Return a prompt with ``values`` put in; what is put in is not looked through again."""
    return _template(name).substitute(values).strip()


def block(code: str, grammar: str = "") -> str:
    """Return ``code`` as a Markdown code block, whatever fences it holds itself."""
    longest = max((len(run) for run in re.findall(r"`{3,}", code)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{grammar}\n{code}\n{fence}"


@cache
def _template(name: str) -> Template:
    return Template((files(__package__) / f"{name}.md").read_text(encoding="utf-8"))
