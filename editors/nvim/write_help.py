"""Write the lists of keys and options in `doc/midfill.txt` from the annotations in `lua/midfill/options.lua`.

    python editors/nvim/write_help.py

Run it after a change to the options. A test finds a help file that is out of date.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

FOLDER = Path(__file__).parent
HELP = FOLDER / "doc/midfill.txt"
OPTIONS = FOLDER / "lua/midfill/options.lua"
_WIDTH = 78
_COLUMN = 15
"""Where the descriptions of the options begin."""


def updated(text: str, options: str) -> str:
    """Return the help file's text with its lists made from the text of `options.lua`."""
    defaults = _between(options, "M.defaults = {\n", "\n}\n")
    text = _replaced(text, "before Midfill was set up. >\n", "\n<\n", _keys(options, defaults))
    example = f'    require("midfill").setup({{\n{textwrap.indent(defaults, "    ")}\n    }})'
    return _replaced(text, "The defaults: >lua\n\n", "\n\nCall `setup()` again", f"{example}\n<\n{_options(options)}")


def fields(options: str, name: str) -> dict[str, str]:
    """Return the fields of an annotated class, each with its description."""
    lines = re.search(rf"^---@class {re.escape(name)}\n((?:---@field .*\n)+)", options, re.MULTILINE)
    if lines is None:
        raise SystemExit(f"{OPTIONS} has no class {name}.")
    return dict(re.findall(r"^---@field (\w+) .+? ([A-Z].*)$", lines[1], re.MULTILINE))


def _keys(options: str, defaults: str) -> str:
    described = fields(options, "midfill.Keys")
    mapped = dict(re.findall(r'(\w+) = "(<.+?>)"', defaults))
    return "".join(
        f"\n    {mapped[name]:<8} {description.rstrip('.'):<29} {name}" for name, description in described.items()
    )


def _options(options: str) -> str:
    return "\n".join(
        textwrap.fill(
            description,
            _WIDTH,
            initial_indent=f"{name:<{_COLUMN}}",
            subsequent_indent=" " * _COLUMN,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for name, description in fields(options, "midfill.Options").items()
    )


def _between(text: str, start: str, end: str) -> str:
    _, found, rest = text.partition(start)
    inside, also_found, _ = rest.partition(end)
    if not found or not also_found:
        raise SystemExit(f"There is nothing between {start!r} and {end!r}.")
    return inside


def _replaced(text: str, start: str, end: str, new: str) -> str:
    old = _between(text, start, end)
    return text.replace(f"{start}{old}{end}", f"{start}{new}{end}", 1)


if __name__ == "__main__":
    HELP.write_text(updated(HELP.read_text("utf-8"), OPTIONS.read_text("utf-8")), "utf-8", newline="\n")
