"""The editors as their users drive them: by keys, on a terminal, with a configuration as the README has it."""

from __future__ import annotations

import itertools
import os
import re
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

import psutil

from editors.terminal import Terminal
from midfill.settings.schema import default_bundle
from own_files import another_cache

ROOT = Path(__file__).resolve().parents[2]
GHOST = "8a94a6"
"""The colour that ghost text has in these tests, and nothing else."""
ACTION_PATIENCE = 240.0
"""Seconds that an action may take on a busy machine."""
Key = Literal["accept", "accept line", "accept word", "next", "previous", "dismiss"]

_numbers = itertools.count()


class Editor(ABC):
    """An editor that runs, with one document at a time."""

    program: ClassVar[str]
    keys: ClassVar[Mapping[Key, str]]
    first_screen: ClassVar[str]
    """What the screen shows once the editor takes keys."""

    def __init__(
        self, launcher: Path, home: Path, *, columns: int = 160, rows: int = 24, command: str = "midfill"
    ) -> None:
        self.home = home
        self.document = home / "none.py"
        home.mkdir(parents=True, exist_ok=True)
        arguments = self._configure(command)
        self.terminal = Terminal([launcher, *arguments], _environment(home), home, columns=columns, rows=rows)
        try:
            self.terminal.wait_for(lambda: self.first_screen in self.screen, "the editor to start")
        except AssertionError:
            self.terminal.__exit__()
            raise

    @abstractmethod
    def _configure(self, command: str) -> list[str | Path]:
        """Write the configuration, with the server's program; return the arguments that make the editor use it."""

    @abstractmethod
    def visit(self, path: Path) -> None:
        """Press the keys that open a file and go behind its last character, ready to type."""

    @abstractmethod
    def run(self, command: str) -> None:
        """Run one of Midfill's commands, such as "pause", and come back to typing."""

    @abstractmethod
    def _write(self, path: Path) -> None:
        """Press the keys that write the text to another file, whole or not at all, and come back to typing."""

    def open(self, text: str) -> None:
        """Open a new Python file with a text, and go to its end."""
        self.document = self.home / f"file_{next(_numbers)}.py"
        self.document.write_text(text)
        self.visit(self.document)
        self.terminal.wait_for(lambda: self.document.name in self.screen, f"{self.document.name} to be open")

    @property
    def screen(self) -> str:
        """What the screen shows."""
        return self.terminal.text()

    @property
    def ghost(self) -> str:
        """The ghost text on the screen, line by line; "" when there is none."""
        return self.terminal.text_in(GHOST)

    def type(self, text: str) -> None:
        """Type text."""
        self.terminal.send(text)

    def press(self, key: Key) -> None:
        """Press one of Midfill's keys."""
        self.terminal.send(self.keys[key])

    def wait_for_ghost(self, beginning: str = "") -> str:
        """Wait until there is ghost text that begins so; return it."""
        self.terminal.wait_for(
            lambda: self.ghost and self.ghost.startswith(beginning), f"ghost text beginning with {beginning!r}"
        )
        return self.ghost

    def wait_for_text(self, text: str) -> None:
        """Wait until the screen shows a text of which nothing is ghost text."""
        self.terminal.wait_for(lambda: text in self.terminal.text(without=GHOST), f"the text {text!r}")

    def wait_for_action(self, pattern: str) -> None:
        """Wait until the screen matches; for what the model writes on demand, a hundred tokens rather than ten."""
        self.terminal.wait_for(
            lambda: re.search(pattern, self.screen, re.DOTALL), f"the text {pattern!r}", ACTION_PATIENCE
        )

    def contents(self) -> str:
        """Return the document's text as the editor has it."""
        copy = self.home / f"copy_{next(_numbers)}"
        self._write(copy)
        self.terminal.wait_for(copy.exists, "the text to be written")
        return copy.read_text()

    def servers(self) -> list[psutil.Process]:
        """Return the language servers that the editor runs."""
        found = []
        for process in psutil.Process(self.terminal.process.pid).children(recursive=True):
            try:
                if "serve" in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.NoSuchProcess:
                continue
        return found


class Neovim(Editor):
    """Neovim in insert mode."""

    program = "nvim"
    first_screen = "[No Name]"
    keys: ClassVar[Mapping[Key, str]] = {
        "accept": "\t",
        "accept line": "\x1bl",
        "accept word": "\x1bw",
        "next": "\x1bn",
        "previous": "\x1bp",
        "dismiss": "\x1d",
    }
    configuration = """
vim.g.loaded_python3_provider = 0 -- looking for one takes seconds
vim.opt.termguicolors, vim.opt.laststatus = true, 2
vim.opt.fixendofline, vim.opt.showmode = false, false
vim.opt.statusline = "%f%m midfill:%{{v:lua.require('midfill').status()}}"
vim.opt.runtimepath:prepend({plugin})
for _, name in ipairs({{ "MidfillGhost", "ComplHint" }}) do
  vim.api.nvim_set_hl(0, name, {{ fg = "#{ghost}" }})
end
{before}
require("midfill").setup({{ cmd = {{ {command}, "serve" }}, settings = {{ contextTokens = 512, deadlineMs = 0 }} }})
"""
    before_setup: ClassVar[str] = ""
    """What a test has Neovim do before Midfill is set up."""

    def _configure(self, command: str) -> list[str | Path]:
        init = self.home / "init.lua"
        init.write_text(
            self.configuration.format(
                plugin=_quoted(ROOT / "editors/nvim"), ghost=GHOST, command=_quoted(command), before=self.before_setup
            )
        )
        return ["--clean", "-n", "-i", "NONE", "-u", init]

    def command_line(self, command: str) -> None:
        """Run a command of Neovim's own and stay in normal mode."""
        self.terminal.send(f"\x1c\x0e:{command}\r")  # <C-\><C-N>: a bare escape may become part of a chord

    def run(self, command: str) -> None:
        self.command_line(f"Midfill {command}")
        self.terminal.send("gi")

    def visit(self, path: Path) -> None:
        self.command_line(f"edit! {path}")
        self.terminal.send("GA")

    def _write(self, path: Path) -> None:
        self.command_line(f"silent write! {path}.part | call rename('{path}.part', '{path}')")
        self.terminal.send("gi")


class Emacs(Editor):
    """Emacs with Eglot."""

    program = "emacs"
    first_screen = "*scratch*"
    keys: ClassVar[Mapping[Key, str]] = {
        "accept": "\t",
        "accept line": "\x1be",
        "accept word": "\x1bf",
        "next": "\x1bn",
        "previous": "\x1bp",
        "dismiss": "\x07",
    }
    configuration = """;; -*- lexical-binding: t -*-
(setq inhibit-startup-screen t make-backup-files nil auto-save-default nil create-lockfiles nil
      eglot-autoreconnect t ; also where the server has lived for less than three seconds
      native-comp-deferred-compilation nil native-comp-jit-compilation nil native-comp-enable-subr-trampolines nil)
(menu-bar-mode -1)
(add-to-list 'load-path {plugin})
(require 'midfill)
(set-face-attribute 'midfill-ghost nil :foreground "#{ghost}")
(setq midfill-command '({command} "serve")
      midfill-settings '(:contextTokens 512 :deadlineMs 0))
(add-hook 'python-mode-hook #'midfill-ensure)
"""

    def _configure(self, command: str) -> list[str | Path]:
        init = self.home / "init.el"
        init.write_text(
            self.configuration.format(plugin=_quoted(ROOT / "editors/emacs"), ghost=GHOST, command=_quoted(command))
        )
        return ["-nw", "-Q", "-l", init]

    def run(self, command: str) -> None:
        self.terminal.send(f"\x1bxmidfill-{command}\r")

    def visit(self, path: Path) -> None:
        self.evaluate(f'(progn (find-file "{path}") (goto-char (point-max)))')

    def _write(self, path: Path) -> None:
        self.evaluate(f'(progn (write-region nil nil "{path}.part" nil 0) (rename-file "{path}.part" "{path}"))')

    def evaluate(self, expression: str) -> None:
        """Evaluate an expression of Emacs Lisp."""
        self.terminal.send(f"\x1b:{expression}\r")


class Helix(Editor):
    """Helix, as docs/editors.md sets it up: suggestions are items of its completion menu."""

    program = "hx"
    first_screen = "[scratch]"
    keys: ClassVar[Mapping[Key, str]] = {"next": "\x0e", "accept": "\r"}
    _to_normal_mode = "\x1bOQ"  # F2: a bare escape may become part of a chord
    configuration = """
[editor]
true-color = true
[keys.insert]
F2 = "normal_mode"
[keys.normal]
F2 = "no_op"
"""

    def _configure(self, command: str) -> list[str | Path]:
        documented = re.search(r"^### Helix\n.*?```toml\n(.*?)```", (ROOT / "docs/editors.md").read_text(), re.M | re.S)
        assert documented
        folder = self.home / "config/helix"
        folder.mkdir(parents=True)
        (folder / "languages.toml").write_text(documented[1].replace('"midfill"\nargs', f"{_quoted(command)}\nargs"))
        (folder / "config.toml").write_text(self.configuration)
        (self.home / "midfill.toml").write_text("contextTokens = 512\ndeadlineMs = 0\nshareEngine = false\n")
        return []

    def run(self, command: str) -> None:
        raise NotImplementedError("Midfill has no commands in Helix")

    def visit(self, path: Path) -> None:
        self.command_line(f"open {path}")
        self.terminal.send("geA")

    def command_line(self, command: str) -> None:
        """Run a command of Helix' own and stay in normal mode."""
        self.terminal.send(f"{self._to_normal_mode}:{command}\r")

    def _write(self, path: Path) -> None:
        self.command_line("write")
        self.terminal.wait_for(lambda: " written, " in self.screen, "the text to be written")
        self.document.rename(path)

    def insist(self, keys: str, text: str) -> None:
        """Press keys until the screen shows a text, since before the server is ready they are in vain."""
        pressed = 0.0

        def is_shown() -> bool:
            nonlocal pressed
            if text not in self.screen and time.monotonic() - pressed > 5:
                self.terminal.send(keys)
                pressed = time.monotonic()
            return text in self.screen

        self.terminal.wait_for(is_shown, f"the text {text!r}")


def _environment(home: Path) -> dict[str, str]:
    """Return an environment in which an editor finds this Midfill, and none of the user's own files."""
    return {
        **os.environ,
        "HOME": str(home),
        **{f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("CONFIG", "DATA", "STATE", "CACHE")},
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "LC_ALL": "C.UTF-8",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "MIDFILL_BUNDLE": str(default_bundle()),
        "MIDFILL_CACHE": another_cache(home / "midfill"),  # what others accepted moves the gate
        "MIDFILL_CONFIG": str(home / "midfill.toml"),
    }


def _quoted(value: str | Path) -> str:
    """Return a string as both Lua and Emacs Lisp read it."""
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
