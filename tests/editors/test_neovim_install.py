"""Each way to install the Neovim plug-in that docs/editors.md has, in real Neovims."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import ClassVar

import pytest

from editors.conftest import Start
from editors.editors import ROOT, Neovim
from editors.neovims import NEWEST, PLUGIN, SUM, VERSIONS


def snippets() -> dict[str, str]:
    """Return the page's Lua for each way to install the plug-in, by the first words of its comment."""
    block = re.search(r"```lua\n(-- lazy.*?)```", (ROOT / "docs/editors.md").read_text(), re.DOTALL)
    assert block
    parts = re.split(r"^-- ([\w. ]+).*\n", block[1], flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


class Installed(Neovim):
    """Neovim with the plug-in as one of the page's snippets installs it.

    The page says where the user's clone of the repository is: in `~/src/midfill`.
    """

    configuration = """
vim.g.loaded_python3_provider = 0
vim.opt.termguicolors, vim.opt.laststatus, vim.opt.showmode = true, 2, false
for _, name in ipairs({{ "MidfillGhost", "ComplHint" }}) do
  vim.api.nvim_set_hl(0, name, {{ fg = "#{ghost}" }})
end
{before}
"""
    snippet: ClassVar[str]

    def _configure(self, command: str) -> list[str | Path]:
        self.before_setup = self._surround(snippets()[self.snippet])  # type: ignore[misc]  # its own
        (self.home / "midfill.toml").write_text("contextTokens = 512\ndeadlineMs = 0\nshareEngine = false\n")
        (self.home / "src").mkdir()
        self._fetch(self.home / "src/midfill")
        arguments = super()._configure(command)
        arguments.remove("--clean")  # leaves out the folders where package managers put plug-ins; all are new here
        return arguments

    def _surround(self, snippet: str) -> str:
        """Return the snippet with what else the configuration needs."""
        return snippet

    def _fetch(self, clone: Path) -> None:
        """Make the clone."""
        clone.symlink_to(ROOT)

    def finish(self) -> None:
        """Answer what the package manager asks after Neovim has started."""


class ByLazy(Installed):
    """Neovim with lazy.nvim; here three lines do what that does with the specification of a local plug-in."""

    snippet = "lazy.nvim"

    def _surround(self, snippet: str) -> str:
        return f"""
local specification = {snippet}
vim.opt.runtimepath:append(vim.fs.normalize(specification.dir))
specification.config()
"""


class ByPack(Installed):
    """Neovim with its own package manager, which asks before it clones."""

    snippet = "vim.pack"
    first_screen = "These plugins will be installed"

    def _fetch(self, clone: Path) -> None:
        shutil.copytree(PLUGIN, clone / "editors/nvim")
        for command in (
            ["init", "--quiet"],
            ["add", "."],
            ["-c", "user.name=Midfill", "-c", "user.email=nobody@example.org", "commit", "--quiet", "-m", "All"],
        ):
            subprocess.run(["git", *command], cwd=clone, check=True)

    def finish(self) -> None:
        self.type("y")
        self.wait_for_text("[No Name]")


class ByPath(Installed):
    """Neovim without a plug-in manager."""

    snippet = "none at all"


@pytest.mark.parametrize(
    ("version", "way"),
    [*((version, way) for version in VERSIONS for way in (ByLazy, ByPath)), (NEWEST, ByPack)],
)
def test_installed_as_the_page_says(start: Start, version: str, way: type[Installed]) -> None:
    """Each way brings ghost text and the command `:Midfill`."""
    editor = start(version, way)
    assert isinstance(editor, Installed)
    editor.finish()
    editor.open(SUM)
    editor.wait_for_ghost(" second")
    editor.press("accept")
    editor.wait_for_text("first + second")
    editor.command_line("Midfill stats")
    editor.wait_for_text("on this machine only")
