"""Sessions for development; they use the environment nox runs in, as `make test` sets it up."""

import os
import sys
from pathlib import Path

import nox

# The tools beside this Python, whether or not the environment was activated.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])

nox.options.sessions = ["lint", "typecheck", "tests"]


@nox.session(python=False)
def fix(session: nox.Session) -> None:
    """Format and mend what can be mended."""
    session.run("ruff", "check", "--fix")
    session.run("ruff", "format")


@nox.session(python=False)
def settings(session: nox.Session) -> None:
    """Write the table of settings into the README and VS Code's manifest, after a change to it."""
    session.run("python", "editors/write_settings.py")


@nox.session(python=False)
def lint(session: nox.Session) -> None:
    """Check style and the privacy rules."""
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session(python=False)
def typecheck(session: nox.Session) -> None:
    """Check types, strictly."""
    session.run("mypy")


@nox.session(python=False)
def tests(session: nox.Session) -> None:
    """Run the tests; arguments go to pytest."""
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session(python=False)
def soak(session: nox.Session) -> None:
    """Type for half an hour: 2,000 requests to the real model, half of them cancelled, and nothing may grow."""
    session.run("python", "-m", "pytest", "tests/e2e/soak.py", *session.posargs)


@nox.session(python=False)
def large_workspace(session: nox.Session) -> None:
    """Index 10,000 files while somebody types: seconds, memory, and what a keystroke takes meanwhile and afterwards."""
    session.run("python", "-m", "pytest", "tests/e2e/large_workspace.py", *session.posargs)


@nox.session(python=False)
def vscode(session: nox.Session) -> None:
    """Test the VS Code extension in the real editor, which is installed first; arguments go to pytest."""
    with session.chdir("editors/vscode"):
        for command in (["ci"], ["run", "check"], ["test"]):
            session.run("npm", *command, external=True)
    session.run("python", "-m", "pytest", "tests/editors/vscode_in_browser.py", *session.posargs)


@nox.session(python=False)
def vscode_delay(session: nox.Session) -> None:
    """Measure what VS Code takes from a key to ghost text, apart from the server."""
    session.run("python", "-m", "editors.vscode_delay", env={"PYTHONPATH": "tests"})


@nox.session(python=False)
def editors_delay(session: nox.Session) -> None:
    """Measure what Neovim and Emacs take from a key to ghost text, apart from the server."""
    session.run("python", "-m", "editors.terminal_delay", env={**_install_editors(session), "PYTHONPATH": "tests"})


@nox.session(python=False)
def editors(session: nox.Session) -> None:
    """Run the tests in real Neovims, Emacsen and Helix, which are installed into .nox/editors first."""
    environment = _install_editors(session)
    chosen = list(session.posargs)
    if all(argument.startswith("-") for argument in chosen):
        chosen += [
            f"tests/editors/test_{name}.py"
            for name in ("ghost_text", "neovim", "neovim_install", "neovim_keys", "emacs", "helix")
        ]
    session.run("python", "-m", "pytest", *chosen, env=environment)


def _install_editors(session: nox.Session) -> dict[str, str]:
    """Install the editors that run in a terminal; return what tells the tests where they are."""
    folder = os.environ.get("MIDFILL_EDITORS", str(Path(".nox/editors").resolve()))
    session.run("python", "tests/editors/install.py", folder)
    return {"MIDFILL_EDITORS": folder}
