"""The Neovim plug-in's keys: with completion menus, with the user's own mappings, and with fast typing."""

from __future__ import annotations

import re
from typing import ClassVar

import pytest

from editors.conftest import Start
from editors.editors import Neovim
from editors.neovims import SUM, VERSIONS, neovim

CLAMP = "def clamp(value, low, high):\n    if value"


class Mapped(Neovim):
    """Neovim whose user has mapped Tab."""

    before_setup: ClassVar[str] = """
vim.keymap.set("i", "<Tab>", function() return "<own>" end, { expr = true })
"""


class BesideBlink(Mapped):
    """The same with a completion menu that maps as blink.cmp does: in each buffer, with a fallback to what it finds."""

    before_setup: ClassVar[str] = (
        Mapped.before_setup
        + """
vim.api.nvim_create_autocmd("InsertEnter", { callback = function(event)
  vim.keymap.set("i", "<Tab>", function()
    if vim.g.menu_is_open then
      return "<menu>"
    end
    for _, below in ipairs(vim.api.nvim_get_keymap("i")) do
      if below.lhs == "<Tab>" then
        return below.callback()
      end
    end
  end, { expr = true, buffer = event.buf, replace_keycodes = false, desc = "blink.cmp" })
end })
"""
    )


class BesideCmp(Mapped):
    """The same with a menu that maps as nvim-cmp does: for all buffers, with a fallback to the mapping it replaced."""

    before_setup: ClassVar[str] = (
        Mapped.before_setup
        + """
vim.api.nvim_create_autocmd("InsertEnter", { callback = function()
  local below = vim.fn.maparg("<Tab>", "i", false, true)
  if below.desc == "cmp.utils.keymap.set_map" then
    return
  end
  vim.keymap.set("i", "<Tab>", function()
    if vim.g.menu_is_open then
      vim.api.nvim_feedkeys("<menu>", "in", true)
      return
    end
    local again = "<Plug>(below:<Tab>)"
    vim.keymap.set("i", again, below.callback, { expr = true, remap = below.noremap == 0, replace_keycodes = false })
    vim.api.nvim_feedkeys(vim.keycode(again), "im", true)
  end, { desc = "cmp.utils.keymap.set_map" })
end })
"""
    )


MENUS = [BesideBlink, BesideCmp]


class OwnMapping(Neovim):
    """Neovim whose user has mapped Tab to change the text, and F2 to accept by an expression, which may not."""

    before_setup: ClassVar[str] = """
vim.keymap.set("i", "<Tab>", function() vim.api.nvim_put({ "<put>" }, "c", false, true) end)
vim.keymap.set("i", "<F2>", function() return require("midfill").accept() and "" or "<none>" end, { expr = true })
"""


@pytest.mark.parametrize("menu", MENUS)
@pytest.mark.parametrize("version", VERSIONS)
def test_beside_a_completion_menu(start: Start, version: str, menu: type[Mapped]) -> None:
    """Tab is the menu's while that is open; then the ghost text's while there is some; then the user's own."""
    editor = neovim(start(version, menu))
    editor.open(SUM)
    ghost = editor.wait_for_ghost(" second")
    editor.command_line("let g:menu_is_open = v:true")
    editor.type("gi\t")
    editor.wait_for_text(f"{SUM.splitlines()[1]}<menu>")
    editor.command_line("let g:menu_is_open = v:false")
    editor.open(SUM)
    editor.wait_for_ghost(ghost)
    editor.press("accept")
    editor.wait_for_text(f"first +{ghost}")
    editor.open("name")
    editor.command_line("Midfill pause")
    editor.type("gi\t")
    editor.wait_for_text("name<own>")
    editor.command_line("checkhealth midfill")
    editor.wait_for_text("the server runs for")
    assert not re.search("WARNING|ERROR", editor.screen)


@pytest.mark.parametrize("menu", MENUS)
@pytest.mark.parametrize("version", VERSIONS)
def test_another_key_beside_a_completion_menu(start: Start, version: str, menu: type[Mapped]) -> None:
    """After another key was chosen, the old key accepts no more, even from behind a menu's mapping."""
    editor = neovim(start(version, menu))
    editor.open(SUM)
    ghost = editor.wait_for_ghost(" second")
    same = "settings = { contextTokens = 512, deadlineMs = 0 }"
    editor.command_line(f"lua require('midfill').setup({{ {same}, keys = {{ accept = '<M-a>' }} }})")
    editor.open(SUM)
    editor.wait_for_ghost(ghost)
    editor.type("\t")
    editor.wait_for_text("first +<own>")
    editor.open(SUM)
    editor.wait_for_ghost(ghost)
    editor.type("\x1ba")
    editor.wait_for_text(f"first +{ghost}")


@pytest.mark.parametrize("version", VERSIONS)
def test_keys_take_their_turn(start: Start, version: str) -> None:
    """What is typed together with a key, right after it, comes after what that key does."""
    editor = neovim(start(version, OwnMapping))
    editor.open(SUM)
    ghost = editor.wait_for_ghost(" second")
    editor.type(f"{editor.keys['accept']} # sum")
    editor.wait_for_text(f"first +{ghost} # sum")
    editor.open(SUM)
    editor.wait_for_ghost(ghost)
    editor.type(f"{editor.keys['dismiss']}\t # sum")
    editor.wait_for_text("first +<put> # sum")
    assert editor.contents() == f"{SUM}<put> # sum"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_mapping_of_the_users_accepts(start: Start, version: str) -> None:
    """`accept()` works in a mapping that is an expression, during which the text may not change."""
    editor = neovim(start(version, OwnMapping))
    editor.open(SUM)
    ghost = editor.wait_for_ghost(" second")
    editor.type("\x1bOQ")
    editor.wait_for_text(f"first +{ghost}")
    editor.command_line("Midfill pause")
    editor.type("gi\x1bOQ")
    editor.wait_for_text(f"first +{ghost}<none>")


@pytest.mark.parametrize("version", VERSIONS)
def test_other_options_count_at_once(start: Start, version: str) -> None:
    """A second `setup()` changes the settings of the running server, and the keys; a third one changes them back."""
    editor = neovim(start(version, BesideBlink))
    editor.open(CLAMP)
    editor.type(" <")
    editor.wait_for_ghost(" low:\n")
    [server] = editor.servers()
    same = "contextTokens = 512, deadlineMs = 0"
    editor.command_line(
        f"lua require('midfill').setup({{ settings = {{ {same}, maxLines = 1 }}, keys = {{ accept = '<M-a>' }} }})"
    )
    editor.open(CLAMP)
    editor.type(" <")
    editor.terminal.wait_for(lambda: editor.ghost == " low:", "one line")
    editor.type("\x1ba")
    editor.wait_for_text("if value < low:")
    editor.command_line("Midfill pause")
    editor.type("gi\t")
    editor.wait_for_text("if value < low:<own>")
    editor.command_line("Midfill resume")
    editor.command_line(f"lua require('midfill').setup({{ settings = {{ {same} }} }})")
    editor.open(CLAMP)
    editor.type(" <")
    editor.wait_for_ghost(" low:\n")
    editor.press("accept")
    editor.wait_for_text("return low")
    editor.open("name")
    editor.command_line("Midfill pause")
    editor.type("gi\t")
    editor.wait_for_text("name<own>")
    assert editor.servers() == [server]


@pytest.mark.parametrize("version", VERSIONS)
def test_tab_without_ghost_text(start: Start, version: str) -> None:
    """Tab is a tab while there is no ghost text and nobody else has mapped it."""
    editor = neovim(start(version))
    editor.run("pause")
    editor.open("name")
    editor.press("accept")
    editor.type("end")
    assert editor.contents().expandtabs(4) == "name    end"
