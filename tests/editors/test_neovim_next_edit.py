"""The next edit in real Neovims, over the real server and model: offered, gone to, applied, dismissed, never stale."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

import pytest

from edited_texts import AREA, LIKE_LINES, with_radius
from editors.conftest import launcher
from editors.editors import Neovim
from editors.neovims import VERSIONS

NEW, HINT = "5fd787", "ffaf00"
"""The colours of what the edit adds, and of the hint at the edge of the window."""


class Predicting(Neovim):
    """Neovim with next edits, in colours of their own."""

    configuration = Neovim.configuration.replace("settings = {{", "settings = {{ nextEdit = true,").replace(
        "midfill:%{{", "%{{v:lua.require('midfill').next_edit_status()}} midfill:%{{"
    )
    before_setup: ClassVar[str] = f"""
vim.api.nvim_set_hl(0, "MidfillNextEditNew", {{ fg = "#{NEW}" }})
vim.api.nvim_set_hl(0, "MidfillNextEditHint", {{ fg = "#{HINT}" }})
"""

    def open_alone(self, text: str) -> None:
        """Open a text, close all others, since there may be edits there, too, and wait until the server knows it."""
        self.command_line("%bwipeout!")
        self.open(text)
        self.wait_for_text("midfill:ready")

    def rename(self) -> None:
        """Open the circle, and rename the parameter `r` to `radius`."""
        self.open_alone(AREA)
        self.command_line("call cursor(4, 10)")
        self.type("cwradius\x1c\x0e")

    def wait_for_edit(self, new: str) -> None:
        """Wait until exactly this is drawn as what the edit adds."""
        self.terminal.wait_for(lambda: self.terminal.text_in(NEW) == new, f"the edit {new!r}")

    def text(self) -> str:
        """Return the document's text, in normal mode."""
        text = self.contents()
        self.type("\x1c\x0e")
        return text


@pytest.fixture(scope="module", params=VERSIONS)
def editor(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, bundle: None
) -> Iterator[Predicting]:
    """Return each Neovim in turn, started once for all tests here."""
    started = Predicting(launcher(request.param), tmp_path_factory.mktemp(request.param))
    with started.terminal:
        yield started


def test_rename_is_continued(editor: Predicting) -> None:
    """Tab goes to the other uses, Tab applies them, and undo takes only them back; Tab is the user's again then."""
    editor.rename()
    editor.wait_for_edit("radius\nradiusradius")
    assert "next edit: line 6" in editor.screen
    editor.type("\t")
    editor.command_line("echo 'line' line('.') '.'")
    editor.wait_for_text("line 6 .")
    assert editor.text() == AREA.replace("area(r,", "area(radius,")
    editor.type("6G\t")
    editor.wait_for_text("radius * radius")
    assert editor.text() == with_radius(AREA)
    editor.type("u")
    editor.wait_for_text("pi * r * r")
    editor.command_line("echo 'errors:' v:errmsg '.'")
    editor.wait_for_text("errors:  .")


def test_like_line_is_typed_by_hand(editor: Predicting) -> None:
    """The second of two like lines is offered; what is typed of it leaves the rest, and Tab applies that."""
    editor.open_alone(LIKE_LINES)
    editor.command_line("call cursor(4, 38)")
    editor.type('a, ""\x1c\x0e')
    editor.wait_for_edit(', ""')
    editor.command_line("call cursor(5, 38)")
    editor.type("a,\x1c\x0e")
    editor.wait_for_edit(' ""')
    editor.type("\t")
    editor.wait_for_text('get("PORT", "")')
    assert editor.text() == LIKE_LINES.replace('T")', 'T", "")')


def test_edit_out_of_view(editor: Predicting) -> None:
    """A hint says where it is, Tab goes there, and Ctrl+O comes back."""
    editor.rename()
    editor.wait_for_edit("radius\nradiusradius")
    editor.command_line("new | wincmd p | resize 1")
    editor.terminal.wait_for(lambda: "↓ line 6" in editor.terminal.text_in(HINT), "the hint")
    editor.type("\t")
    editor.wait_for_edit("radius")
    assert not editor.terminal.text_in(HINT)
    editor.type("gg")
    editor.terminal.wait_for(lambda: "↓ line 6" in editor.terminal.text_in(HINT), "the hint")
    editor.type("G")
    editor.wait_for_edit("radiusradius")
    editor.type("\x0f")
    editor.terminal.wait_for(lambda: "↓ line 6" in editor.terminal.text_in(HINT), "the hint")


def test_stale_edit_is_not_applied(editor: Predicting) -> None:
    """Another change removes the edit at once: Tab does what it did before."""
    editor.rename()
    editor.wait_for_edit("radius\nradiusradius")
    editor.type("ggdd6G\t\x1c\x0e")
    editor.wait_for_text("area(radius,")
    assert editor.text() == AREA.replace("area(r,", "area(radius,").removeprefix("import math\n")


def test_dismissed_edit_stays_away(editor: Predicting) -> None:
    """Escape removes the edit, and leaving insert mode does not bring it back; asking for it does."""
    editor.rename()
    editor.wait_for_edit("radius\nradiusradius")
    editor.type("\x1b")
    editor.wait_for_edit("")
    editor.type("i\x1c\x0e\t")
    assert editor.text() == AREA.replace("area(r,", "area(radius,")
    assert not editor.terminal.text_in(NEW)
    editor.command_line("Midfill next-edit")
    editor.wait_for_edit("radius\nradiusradius")
    editor.command_line("Midfill next-edit off")
    editor.wait_for_edit("")
    editor.command_line("Midfill next-edit on")


def test_ghost_text_is_as_before(editor: Predicting) -> None:
    """It appears while next edits are on, Tab accepts it, and the health check finds no fault."""
    editor.open("def add(first, second):\n    return first +")
    ghost = editor.wait_for_ghost(" second")
    editor.press("accept")
    editor.wait_for_text(f"first +{ghost}")
    editor.command_line("checkhealth midfill")
    editor.wait_for_text("next edits are shown")
    assert not re.search("WARNING|ERROR", editor.screen)
