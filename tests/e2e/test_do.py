"""`midfill do` with the real model: what it changes, and that it says something."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CODE = '''"""Prices."""

RATE = 0.19


def with_tax(net, rate=RATE):
    if net < 0:
        raise ValueError("negative")
    return round(net * (1 + rate), 2)


def without_tax(gross, rate=RATE):
    """Take the tax off a price."""
    return round(gross / (1 + rate), 2)
'''


def do(*arguments: object) -> dict[str, Any]:
    """Run the command; return what it printed as JSON."""
    command = [sys.executable, "-m", "midfill", "do", *map(str, arguments), "--json"]
    ran = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=300, check=False)
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


@pytest.fixture
def file(tmp_path: Path, bundle: Path) -> Path:
    """Write a file to work on."""
    path = tmp_path / "prices.py"
    path.write_text(CODE)
    return path


@pytest.mark.bundle
def test_documentation_is_all_that_changes(file: Path) -> None:
    """A docstring comes into the function the line is in; the code is the same, and so is the rest of the file."""
    found = do("document", f"{file}:8", "--write")
    assert found["written"]
    written = file.read_text()
    before, after = ast.parse(CODE), ast.parse(written)
    function = after.body[2]
    assert isinstance(function, ast.FunctionDef)
    assert "tax" in (ast.get_docstring(function) or "").lower()
    del function.body[0]
    assert ast.dump(after) == ast.dump(before)
    first, end = CODE.index("    if net"), written.index("    if net")
    assert (written[:first], written[end:]) == (CODE[:first], CODE[first:])


@pytest.mark.bundle
def test_explanation_names_what_it_explains(file: Path) -> None:
    """There is a text, about this code, and nothing is changed."""
    found = do("explain", f"{file}:6-9")
    assert "tax" in found["text"]
    assert len(found["text"].split()) > 10
    assert (found["edit"], found["written"], file.read_text()) == (None, False, CODE)
