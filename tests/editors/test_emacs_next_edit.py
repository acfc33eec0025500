"""The next edit in real Emacsen, over the real server and model; and what copilot.el sends for it."""

from __future__ import annotations

import json
import re

import pytest

from edited_texts import AREA, CONFIG, with_radius
from editors.conftest import Start
from editors.editors import Emacs
from editors.install import RELEASES

VERSIONS = [name for name in RELEASES if name.startswith("emacs")]
ADDED, REMOVED = "22aa44", "cc3355"
"""The colours that added and removed text have in these tests, and nothing else."""
_STEPS = "".join(f"    # step {number}\n" for number in range(1, 31))
CIRCLE = AREA.replace("    if r", f"{_STEPS}    if r")
"""With its uses out of view."""
RENAMED = CIRCLE.replace("area(r,", "area(radius,")
FIRST_CHANGED = CONFIG.replace('get("HOST")', 'get("HOST", "")')
BOTH_CHANGED = FIRST_CHANGED.replace('get("PORT")', 'get("PORT", "")')
SUM = "def add(first, second):\n    return first "
SETTINGS = f"""(progn
 (set-face-attribute (quote midfill-added) nil :foreground "#{ADDED}")
 (set-face-attribute (quote midfill-removed) nil :foreground "#{REMOVED}")
 (setq midfill-delay 1000 midfill-settings (list :contextTokens 512 :deadlineMs 0 :workspaceTokens 0 :nextEdit t)))"""


class Predicting(Emacs):
    """Emacs with the next edit. Ghost text comes only when a test wants it, since it would take the key first."""

    configuration = f"{Emacs.configuration.rstrip()}\n{SETTINGS.replace('{', '{{').replace('}', '}}')}\n"

    def go_behind(self, text: str) -> None:
        """Go behind the first place that has a text."""
        self.evaluate(f"(let (case-fold-search) (goto-char (point-min)) (search-forward {json.dumps(text)}))")

    def wait_for_edit(self, added: str) -> None:
        """Wait until an edit is shown that adds a text."""
        self.terminal.wait_for(lambda: added in self.terminal.text_in(ADDED), f"an edit with {added!r}")

    def wait_for_no_edit(self) -> None:
        """Wait until no edit is shown."""
        self.terminal.wait_for(lambda: not self.terminal.text_in(ADDED), "the edit to go")

    def wait_for_line(self, number: int) -> None:
        """Wait until the mode line has the number of the cursor's line."""
        self.terminal.wait_for(lambda: re.search(rf"\bL{number}\b", self.screen), f"the cursor in line {number}")


def begin(start: Start, version: str, text: str, *, behind: str, keys: str) -> Predicting:
    """Open a text in an Emacs, and type behind the first place that has some other text."""
    editor = start(version, kind=Predicting)
    assert isinstance(editor, Predicting)
    editor.open(text)
    editor.wait_for_text("(Python Midfill ")
    editor.go_behind(behind)
    editor.type(keys)
    return editor


@pytest.mark.parametrize("version", VERSIONS)
def test_rename(start: Start, version: str) -> None:
    """A renamed parameter's other uses, which are out of view, are offered, jumped to, applied, and undone at once."""
    editor = begin(start, version, CIRCLE, behind="area(r", keys="\x7fradius")
    editor.wait_for_text("Midfill (edit: line 36)")
    editor.wait_for_text("Next edit: line 36")
    assert editor.contents() == RENAMED
    editor.press("accept")
    editor.wait_for_line(36)
    editor.wait_for_edit("adius")
    assert editor.contents() == RENAMED
    editor.press("accept")
    editor.wait_for_no_edit()
    assert editor.contents() == with_radius(CIRCLE)
    editor.type("\x1f")
    editor.wait_for_text("return math.pi * r * r * scale")
    assert editor.contents() == RENAMED


@pytest.mark.parametrize("version", VERSIONS)
def test_like_line(start: Start, version: str) -> None:
    """The edit of a like line is dismissed, dropped by typing, typed along and applied; ghost text comes as ever."""
    editor = begin(start, version, CONFIG, behind='"HOST"', keys=', ""')
    editor.wait_for_edit('""')
    editor.press("dismiss")
    editor.wait_for_no_edit()
    editor.run("next-edit")
    editor.wait_for_edit('""')
    editor.type("#")
    editor.wait_for_no_edit()
    editor.run("next-edit-accept")
    editor.wait_for_text("There is no next edit")
    editor.type("\x7f")
    assert editor.contents() == FIRST_CHANGED
    editor.run("next-edit")
    editor.wait_for_edit('""')
    editor.go_behind('"PORT"')
    editor.type(",")
    editor.terminal.wait_for(lambda: editor.terminal.text_in(ADDED) == ' ""', "the rest of the edit")
    editor.press("accept")
    editor.wait_for_no_edit()
    assert editor.contents() == BOTH_CHANGED
    editor.evaluate("(setq midfill-delay 0.05)")
    editor.open(SUM)
    editor.type("+")
    ghost = editor.wait_for_ghost(" second")
    editor.press("accept")
    editor.wait_for_text(f"first +{ghost}")
