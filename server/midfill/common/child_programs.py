"""The commands of child processes. A repository that is the current folder can put no code into them.

``python -m`` imports from the current folder first, and Windows looks for programs there first. So a child gets the
import path of this process without the current folder, and a program is named by its absolute path.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import midfill

_HOME = str(Path(midfill.__file__).resolve().parent.parent)
"""The folder that has this package."""


def python_module(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module in this interpreter, as ``python -m`` does.

    Python 3.10 lacks the option ``-P``. The option ``-I`` would also hide the user's own packages and variables.
    """
    # Only `sys`, which no file can replace, is imported while the current folder is still in the path.
    program = (
        f"import sys; sys.path[:] = {_import_path()!a};"
        " import runpy; runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
    )
    return [sys.executable, "-c", program, module, *arguments]


def find_program(name: str) -> str | None:
    """Return the absolute path of the first program of this name in ``PATH``; None if there is none."""
    suffixes = os.environ.get("PATHEXT", ".EXE").split(";") if sys.platform == "win32" else [""]
    for folder in filter(os.path.isabs, os.get_exec_path()):
        for suffix in suffixes:
            file = os.path.join(folder, f"{name}{suffix}")
            if os.path.isfile(file) and os.access(file, os.X_OK):
                return file
    return None


def _import_path() -> list[str]:
    """Return the folders that this process imports from, without the current one unless it is Midfill's own."""
    try:
        here = os.path.realpath(os.curdir)
    except OSError:  # it was deleted
        here = ""
    elsewhere = [folder for folder in sys.path if os.path.isabs(folder) and os.path.realpath(folder) != here]
    return list(dict.fromkeys([*elsewhere, _HOME]))
