"""The Emacs package as its community checks it, and its manners beside what Emacs does itself."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from editors.conftest import Start, launcher
from editors.editors import ROOT, Editor, Emacs
from editors.install import RELEASES

VERSIONS = [name for name in RELEASES if name.startswith("emacs")]
PACKAGE = ROOT / "editors/emacs"
LIBRARIES = sorted(path.name for path in PACKAGE.glob("*.el"))
TESTS = sorted(f"test/{path.name}" for path in (PACKAGE / "test").glob("*.el"))
PRIVATE_NAME = re.compile(r"\b(?:eglot|jsonrpc)--\w*")
SUM = "def add(first, second):\n    return first +"
MEDIAN = """\
def median(numbers):
    ordered = sorted(numbers)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2
"""
CLAMP = "def clamp(value, low, high):\n    if value"
LISTEN = '(advice-add \'midfill-server-run :before (lambda (command told _) (message "%S %S" command told)))'
LINT = """
(setq native-comp-enable-subr-trampolines nil package-archives nil)
(require 'package-lint)
(package-initialize)
;; There is no archive here to look Eglot up in, and package-lint does not know that it is one for older Emacs, too.
(push (list 'eglot (package-desc-create :name 'eglot :version '(1 9) :archive "gnu")) package-archive-contents)
(push '(eglot "\\\\`eglot-") package-lint-backport-libraries)
(setq package-lint-main-file (expand-file-name "midfill.el"))
(dolist (file command-line-args-left)
  (with-current-buffer (find-file-noselect file)
    (dolist (finding (package-lint-buffer)) (message "%s: %S" file finding))))
"""
INSTALL = """
(require 'cl-lib)
(require 'package)
(setq native-comp-enable-subr-trampolines nil package-archives nil package-user-dir (expand-file-name "elpa"))
;; Eglot for Emacs 28 is a package that Debian has put elsewhere.
(dolist (folder load-path)
  (when (string-match-p "/elpa-src/" folder)
    (cl-pushnew (file-name-directory folder) package-directory-list :test #'equal)))
(package-initialize)
(package-install-file (expand-file-name (pop command-line-args-left)))
(message "autoload: %S" (autoloadp (symbol-function 'midfill-ensure)))
(require 'midfill)
(message "installed: %s" (file-relative-name (locate-library "midfill-ghost") package-user-dir))
"""


def emacs_of(editor: Editor) -> Emacs:
    """Return the editor as what it is."""
    assert isinstance(editor, Emacs)
    return editor


def emacs(version: str, folder: Path, *arguments: str | Path) -> str:
    """Run Emacs without a screen on a copy of the package; return what it says."""
    shutil.copytree(PACKAGE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.elc", "__pycache__"))
    command = [launcher(version), "-Q", "--batch", *arguments]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env=os.environ | {"HOME": str(folder)}, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def make_archive(folder: Path) -> Path:
    """Make the package's archive; return its path."""
    command: list[str | Path] = [sys.executable, PACKAGE / "archive.py", folder]
    return Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())


@pytest.mark.parametrize("library", [*LIBRARIES, *TESTS])
@pytest.mark.parametrize("version", VERSIONS)
def test_byte_compiles(tmp_path: Path, version: str, library: str) -> None:
    """The compiler has nothing to say about a file, with no other file compiled before it."""
    assert emacs(version, tmp_path, "-L", ".", "-f", "batch-byte-compile", library) == ""
    assert (tmp_path / library).with_suffix(".elc").exists()


@pytest.mark.parametrize("version", VERSIONS)
def test_checkdoc(tmp_path: Path, version: str) -> None:
    """The checker of documentation strings has nothing to say, either."""
    names = " ".join(f'"{name}"' for name in LIBRARIES + TESTS)
    assert emacs(version, tmp_path, "--eval", f"(mapc #'checkdoc-file '({names}))") == ""


@pytest.mark.parametrize("version", VERSIONS)
def test_ert(tmp_path: Path, version: str) -> None:
    """The package's own tests pass."""
    loaded = [argument for name in TESTS for argument in ("-l", name)]
    said = emacs(version, tmp_path, "-L", ".", "-l", "ert", *loaded, "-f", "ert-run-tests-batch-and-exit")
    assert re.search(r"^Ran ([1-9]\d*) tests, \1 results as expected, 0 unexpected", said, re.MULTILINE), said


def test_private_names() -> None:
    """Only one file uses private names of Eglot and of its JSON-RPC library."""
    users = {name for name in LIBRARIES + TESTS if PRIVATE_NAME.search((PACKAGE / name).read_text())}
    assert users == {"midfill-compat.el"}


@pytest.mark.parametrize("version", VERSIONS)
def test_loads_by_path(tmp_path: Path, version: str) -> None:
    """Who loads midfill.el by its path gets the other files, too."""
    show = '(message "%s" (file-name-directory (locate-library "midfill-ghost")))'
    assert emacs(version, tmp_path, "-l", tmp_path / "midfill.el", "--eval", show) == f"{tmp_path}/\n"


def test_archive_is_reproducible(tmp_path: Path) -> None:
    """The same files make the same archive, with all that is to be installed and nothing else."""
    first, second = make_archive(tmp_path / "first"), make_archive(tmp_path / "second")
    assert first.read_bytes() == second.read_bytes()
    with tarfile.open(first) as archive:
        names = archive.getnames()
    assert names == sorted(f"{first.stem}/{name}" for name in ["LICENSE", "midfill-pkg.el", *LIBRARIES])


@pytest.mark.parametrize("version", VERSIONS)
def test_archive_installs(tmp_path: Path, version: str) -> None:
    """Emacs installs the archive without a warning, and finds the package then."""
    (tmp_path / "install.el").write_text(INSTALL)
    said = emacs(version, tmp_path, "-l", "install.el", make_archive(tmp_path / "dist"))
    assert "Warning" not in said
    assert "autoload: t" in said
    assert re.search(r"^installed: midfill-[\d.]+/midfill-ghost\.elc$", said, re.MULTILINE)


def test_package_lint(tmp_path: Path) -> None:
    """The linter of those who keep package archives has nothing to say."""
    (tmp_path / "lint.el").write_text(LINT)
    assert emacs("emacs-30", tmp_path, "-l", "lint.el", *LIBRARIES) == ""


def test_package_lint_finds_faults(tmp_path: Path) -> None:
    """The linter runs at all: it complains about a package without its address."""
    (tmp_path / "lint.el").write_text(LINT.replace("(dolist (finding", '(flush-lines "^;; URL") (dolist (finding'))
    assert "URL header" in emacs("emacs-30", tmp_path, "-l", "lint.el", "midfill.el")


@pytest.mark.parametrize("version", VERSIONS)
def test_keys_without_ghost_text(start: Start, version: str) -> None:
    """Where there is nothing to accept, keys do what they always did: TAB indents, M-f goes to a word's end."""
    editor = start(version)
    editor.run("pause")
    editor.open("if True:\npass")
    editor.press("accept")
    editor.wait_for_text("    pass")
    editor.type("\x1b<\x1bfx")
    editor.wait_for_text("ifx True:")


@pytest.mark.parametrize("version", VERSIONS)
def test_file_opened_while_the_server_starts(start: Start, version: str, tmp_path: Path) -> None:
    """Eglot waits three seconds for a server; a file that is opened after that waits for the same one."""
    slow = tmp_path / "slow"
    slow.write_text('#!/bin/sh\nsleep 5\nexec midfill "$@"\n')
    slow.chmod(0o755)
    editor = start(version, command=str(slow))
    editor.open(SUM)
    editor.open(SUM.removesuffix("+"))
    [server] = editor.servers()
    editor.wait_for_text("Connected!")
    editor.type("+")
    editor.wait_for_ghost(" second")
    assert editor.servers() == [server]


@pytest.mark.parametrize("version", VERSIONS)
def test_undo(start: Start, version: str) -> None:
    """What was accepted is undone by itself; what was typed before stays."""
    editor = start(version)
    editor.open(SUM.removesuffix("+"))
    editor.type("+")
    ghost = editor.wait_for_ghost(" second")
    editor.press("accept")
    editor.wait_for_text(f"first +{ghost}")
    editor.type("\x1f")
    editor.terminal.wait_for(lambda: f"first +{ghost}" not in editor.screen, "the suggestion to be undone")
    assert editor.contents() == SUM


@pytest.mark.parametrize("version", VERSIONS)
def test_quit_while_emacs_is_busy(start: Start, version: str) -> None:
    """The key that takes the suggestion away does so, too, when it quits what Emacs is at instead."""
    editor = emacs_of(start(version))
    editor.evaluate('(global-set-key [f8] (lambda () (interactive) (message "endless") (redisplay) (while t)))')
    editor.open(SUM.removesuffix("+"))
    editor.type("+")
    editor.wait_for_ghost(" second")
    editor.type("\x1b[19~")
    editor.wait_for_text("endless")
    editor.press("dismiss")
    editor.terminal.wait_for(lambda: not editor.ghost, "the ghost text to go")
    editor.wait_for_text("Quit")


@pytest.mark.parametrize("version", VERSIONS)
def test_other_settings_count_at_once(start: Start, version: str) -> None:
    """The same server goes by settings that were changed, and by its own once they are taken back."""
    editor = emacs_of(start(version))
    editor.open(CLAMP)
    editor.type(" <")
    editor.wait_for_ghost(" low:\n")
    [server] = editor.servers()
    editor.evaluate("(customize-set-variable 'midfill-settings '(:contextTokens 512 :deadlineMs 0 :maxLines 1))")
    editor.open(CLAMP)
    editor.type(" <")
    editor.terminal.wait_for(lambda: editor.ghost == " low:", "one line")
    editor.evaluate("(customize-set-variable 'midfill-settings '(:contextTokens 512 :deadlineMs 0))")
    editor.open(CLAMP)
    editor.type(" <")
    editor.wait_for_ghost(" low:\n")
    assert editor.servers() == [server]


@pytest.mark.parametrize("version", VERSIONS)
def test_why_and_statistics(start: Start, version: str) -> None:
    """The last prompt is shown, and what became of suggestions, in windows of their own."""
    editor = emacs_of(start(version))
    editor.open(SUM.removesuffix("+"))
    editor.type("+")
    editor.wait_for_ghost(" second")
    editor.run("why")
    editor.wait_for_text("# Why")
    editor.run("statistics")
    editor.wait_for_text("on this machine only")


@pytest.mark.parametrize("version", VERSIONS)
def test_code_action(start: Start, version: str) -> None:
    """Chosen from Eglot's own menu, an action is done by the model, and its edit is in the buffer."""
    editor = emacs_of(start(version))
    editor.open(MEDIAN)
    editor.wait_for_text("(Python Midfill ")
    editor.evaluate("(setq eglot-confirm-server-initiated-edits nil completion-styles '(basic))")
    editor.type("\x1b<\x1bxeglot-code-actions\r")
    editor.terminal.wait_for(lambda: re.search("ick an action|code action", editor.screen), "the menu")
    editor.type("Add documentation\r")
    editor.wait_for_action('"""')
    text = editor.contents()
    assert [line for line in text.splitlines() if line in MEDIAN.splitlines()] == MEDIAN.splitlines()
    assert ast.get_docstring(ast.parse(text).body[0])  # type: ignore[arg-type]


@pytest.mark.parametrize("version", VERSIONS)
def test_explanation_and_question(start: Start, version: str) -> None:
    """What the model has to say comes in a window of its own while it is written, and questions go on from it."""
    editor = emacs_of(start(version, rows=40))
    editor.open(MEDIAN)
    editor.wait_for_text("(Python Midfill ")
    editor.type("\x1b<")
    editor.run("explain")
    editor.wait_for_action(r"# Explain\n.*(median|middle|sort)")  # without dots: it is all there
    editor.type("\x18oa")
    editor.terminal.wait_for(lambda: "Ask:" in editor.screen, "to be asked")
    editor.type("What if it is empty?\r")
    editor.wait_for_action(r"# Ask about this code\n.*empty")


@pytest.mark.parametrize("version", VERSIONS)
def test_the_server_is_told_what_is_accepted(start: Start, version: str) -> None:
    """Accepting runs the item's command."""
    editor = emacs_of(start(version))
    editor.open(SUM.removesuffix("+"))
    editor.type("+")
    ghost = editor.wait_for_ghost(" second")
    editor.evaluate(LISTEN)
    editor.press("accept")
    editor.wait_for_text(f"first +{ghost}")
    editor.terminal.wait_for(
        lambda: re.search(rf'"midfill.accepted" \[\d+ {len(ghost)}\]', editor.screen), "the command"
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_missing_program(start: Start, version: str) -> None:
    """A program that is not there is named, and Emacs works on."""
    editor = emacs_of(start(version, command="midfill-that-is-not-there"))
    editor.document = editor.home / "any.py"
    editor.document.write_text(SUM)
    editor.type(f"\x18\x06{editor.document}\r")  # an expression's value would be shown over the message
    editor.terminal.wait_for(lambda: "there is no program" in editor.screen, "the message")


@pytest.mark.parametrize("version", VERSIONS)
def test_doctor(start: Start, version: str) -> None:
    """What the doctor says comes in a window; here another program is asked for it, since that takes a minute."""
    editor = start(version, command="echo")
    editor.run("doctor")
    editor.terminal.wait_for(lambda: "The doctor has finished" in editor.screen, "the doctor to finish")
    editor.wait_for_text("|doctor")
