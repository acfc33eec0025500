"""Where the Neovim plug-in looks for the server's program, in real Neovims."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from editors.conftest import launcher
from editors.neovims import PLUGIN, VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_program_outside_the_path_is_found(version: str, tmp_path: Path) -> None:
    """A Neovim with a short PATH looks where pipx and uv put programs; a path and what is nowhere stay as they are."""
    program = tmp_path / ".local/bin/midfill-of-the-test"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    names = [program.name, "sh", f"./{program.name}", "midfill-that-is-not-there"]
    code = f"""
    local find = require("midfill.program").find
    local found = vim.tbl_map(function(name) return find({{ name, "serve" }}) end, {{ "{'", "'.join(names)}" }})
    io.stdout:write(vim.json.encode(found))
    """
    options = [
        "--clean",
        "--headless",
        "--cmd",
        f"set rtp+={PLUGIN}",
        "-c",
        f"lua {' '.join(code.split())}",
        "-c",
        "quit",
    ]
    ran = subprocess.run(
        [str(launcher(version)), *options],
        env={**os.environ, "HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        check=True,
        timeout=60,
    )
    assert json.loads(ran.stdout) == [[str(program), "serve"], *([name, "serve"] for name in names[1:])]
