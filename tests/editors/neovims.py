"""What the tests of the Neovim plug-in share: the versions, and code that the model surely completes."""

from __future__ import annotations

from editors.editors import ROOT, Editor, Neovim
from editors.install import RELEASES

VERSIONS = [name for name in RELEASES if name.startswith("neovim")]
NEWEST = VERSIONS[-1]
PLUGIN = ROOT / "editors/nvim"
SUM = "def add(first, second):\n    return first +"
"""The model completes it with " second"."""


def neovim(editor: Editor) -> Neovim:
    """Return an editor as the Neovim that it is."""
    assert isinstance(editor, Neovim)
    return editor
