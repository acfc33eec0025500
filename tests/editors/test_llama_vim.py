"""The real llama.vim in real Neovims, with `midfill api` in the place of llama-server.

llama.vim is not installed with the editors. It is in the sources of llama.cpp up to 2025 (`examples/llama.vim`), and in
a repository of its own since. `MIDFILL_LLAMA_VIM` names a folder that has it as `autoload/llama.vim`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from editors.conftest import Start
from editors.editors import GHOST, Neovim
from editors.neovims import SUM, VERSIONS

FOLDER = os.environ.get("MIDFILL_LLAMA_VIM", "")
KEY = "a-key-of-the-tests"

pytestmark = pytest.mark.skipif(not FOLDER, reason="set MIDFILL_LLAMA_VIM to the folder of llama.vim")


@pytest.fixture(scope="module")
def address(bundle: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run `midfill api`, and return its address."""
    command = [sys.executable, "-m", "midfill", "api", "--port", "0"]
    environment = {**os.environ, "MIDFILL_API_KEY": KEY}
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8", env=environment) as process:
        assert process.stdout is not None
        told = re.search(r"http://\S+(?=,)", process.stdout.readline())
        assert told
        yield told[0]
        process.terminate()


class WithLlamaVim(Neovim):
    """Neovim with llama.vim in the place of Midfill's plug-in."""

    def _configure(self, command: str) -> list[str | Path]:
        """Write the configuration; ``command`` is the server's address. curl sends the key, as old versions cannot."""
        (self.home / ".curlrc").write_text(f'header = "Authorization: Bearer {KEY}"\n')
        init = self.home / "init.vim"
        init.write_text(
            f"set termguicolors nofixendofline runtimepath^={FOLDER}\n"
            "runtime autoload/llama.vim\n"
            f"let g:llama_config.endpoint = '{command}/infill'\n"
            f"let g:llama_config.endpoint_fim = '{command}/infill'\n"
            "let g:llama_config.show_info = 1\n"
            "call llama#init()\n"
            f"highlight llama_hl_hint guifg=#{GHOST}\n"
        )
        return ["--clean", "-n", "-i", "NONE", "-u", init]


@pytest.mark.parametrize("version", VERSIONS)
def test_suggestion_is_shown_and_accepted(start: Start, version: str, address: str) -> None:
    """What Midfill says appears as ghost text, and Tab takes it."""
    editor = start(version, WithLlamaVim, command=address)
    editor.open(SUM.removesuffix(" +"))
    editor.type(" +")
    editor.wait_for_ghost(" second")
    editor.press("accept")
    editor.wait_for_text(f"{SUM} second".splitlines()[-1])
    assert editor.contents().startswith(f"{SUM} second")
