"""IPython's magics: which language a notebook's cell really has, and which of its lines are no code.

A cell that begins with ``%%bash`` is a shell script, though its document says Python. In a cell of Python, the lines
``!pip install x`` and ``%matplotlib inline`` are commands to IPython.
"""

from __future__ import annotations

import re

from midfill.code.languages import language_of

_CELL_MAGIC = re.compile(r"\s*(?P<command>%%(?P<name>!|\w+)(?P<arguments>[^\n]*))")
_LINE_MAGIC = re.compile(
    r"^(?P<indent>[ \t]*)(?P<command>(?:!(?!=)|%{1,2}[A-Za-z_]\w*(?=\s|$)|\?|[\w.]+\?{1,2}[ \t]*$)[^\n]*"
    r"(?:(?<=\\)\n[^\n]*)*)",
    re.MULTILINE,
)
"""A line for IPython, with the lines that continue it. Elsewhere in Python, ``%`` and ``!=`` may begin a line, too."""
_PYTHON = frozenset(
    ("time", "timeit", "capture", "prun", "mprun", "memit", "lprun", "debug", "pyinstrument", "python", "python2",
     "python3", "pypy", "px", "chime", "skip")
)  # fmt: skip
"""Cell magics that take Python."""
_LANGUAGES = {
    "!": "shellscript", "bash": "shellscript", "sh": "shellscript", "sx": "shellscript", "system": "shellscript",
    "cmd": "bat", "powershell": "powershell", "pwsh": "powershell", "js": "javascript", "javascript": "javascript",
    "node": "javascript", "html": "html", "svg": "xml", "css": "css", "latex": "latex", "markdown": "markdown",
    "perl": "perl", "ruby": "ruby", "r": "r", "rscript": "r", "julia": "julia", "sql": "sql", "bigquery": "sql",
    "sparksql": "sql", "cython": "cython",
}  # fmt: skip
"""The LSP language ids of other cell magics, and of the programs that ``%%script`` may name."""


def language_of_cell(language: str, text: str) -> str:
    """Return the LSP language id of a cell's code, by the id of its document and by the magic that it begins with.

    The language of an unknown magic is plain text.
    """
    magic = _CELL_MAGIC.match(text) if language == "python" else None
    if magic is None:
        return language
    name, arguments = magic["name"].lower(), magic["arguments"].split()
    if name in ("writefile", "file"):
        return next(iter(language_of(arguments[-1]).ids)) if arguments else "plaintext"
    if name == "script":
        name = next((word.rpartition("/")[2] for word in arguments if not word.startswith("-")), "")
    return language if name in _PYTHON else _LANGUAGES.get(name, "plaintext")


def without_magics(language: str, text: str, cursor: int | None = None) -> str:
    """Return the text of a cell with comments, or blanks, in place of commands to IPython.

    The text is as long as before, so offsets into it stay valid. The line of the cursor stays as it is.

    Args:
        language: the LSP language id of the cell's document.
        text: the cell's text.
        cursor: the cursor's offset in it; None if it is in another cell.
    """
    if language != "python":
        return text
    real = language_of_cell(language, text)
    begin = _CELL_MAGIC.match(text)
    if begin is not None:
        text = _hidden(begin, language_of("", real).line_comment, cursor) + text[begin.end() :]
    return _LINE_MAGIC.sub(lambda found: _hidden(found, "#", cursor), text) if real == "python" else text


def _hidden(found: re.Match[str], mark: str, cursor: int | None) -> str:
    """Return what was found with a comment's mark at the start of each line of the command, or with blanks for it."""
    if cursor is not None and found.start("command") <= cursor <= found.end():
        return found[0]
    before = found[0][: found.start("command") - found.start()]
    return before + "\n".join(
        (mark + line[len(mark) :])[: len(line)] if mark else " " * len(line) for line in found["command"].split("\n")
    )
