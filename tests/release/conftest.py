"""What `nox -s release` has built, installed outside the checkout as users install it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from own_files import USERS_WEIGHTS

DIST = Path(os.environ.get("MIDFILL_DIST", "dist")).resolve()
"""The folder with the built files."""
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "inventory.py"
LINE, COLUMN = 26, 5
"""The marked place of the example, from 1."""
_DEFAULT_WEIGHTS = "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"

if "MIDFILL_DIST" not in os.environ:  # the plain test run builds nothing
    collect_ignore_glob = ["test_*.py"]


@dataclass(frozen=True)
class Installed:
    """The program `midfill` as one installer has put it, with the folder and the environment that it runs in."""

    program: Path
    folder: Path
    """Empty, and outside the checkout."""
    env: Mapping[str, str]

    def run(self, *arguments: str | Path) -> str:
        """Run a command of Midfill; return its standard output.

        Raises:
            AssertionError: the command failed; the error has its standard error.
        """
        command = [self.program, *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=self.env, capture_output=True, text=True, encoding="utf-8", check=False
        )
        assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture(scope="session")
def dist() -> Path:
    """Return the folder with the built files."""
    return DIST


@pytest.fixture(scope="session")
def wheel() -> Path:
    """Return the built wheel."""
    (found,) = DIST.glob("midfill-*.whl")
    return found


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for everything that these tests install and write."""
    return tmp_path_factory.mktemp("release")


@pytest.fixture(scope="session")
def user(folder: Path) -> Mapping[str, str]:
    """Return the environment of a user who has never run Midfill: own home, empty cache, nothing of this checkout."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("MIDFILL_", "PYTHON", "VIRTUAL"))}
    home = folder / "home"
    home.mkdir()
    return {
        **own,
        "MIDFILL_CACHE": str(home / "cache"),
        "MIDFILL_CONFIG": str(home / "config.toml"),
        "PIPX_HOME": str(home / "pipx"),
        "PIPX_BIN_DIR": str(home / "pipx-bin"),
        "UV_TOOL_DIR": str(home / "uv"),
        "UV_TOOL_BIN_DIR": str(home / "uv-bin"),
    }


@pytest.fixture(scope="session")
def by_pip(wheel: Path, folder: Path, user: Mapping[str, str]) -> Installed:
    """Return Midfill as pip installs the wheel into a new environment."""
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    _install(user, python, "-m", "pip", "install", "--quiet", wheel)
    return Installed(folder / "venv" / "bin" / "midfill", folder, user)


@pytest.fixture(scope="session")
def by_pipx(wheel: Path, folder: Path, user: Mapping[str, str]) -> Installed:
    """Return Midfill as `pipx install` puts it."""
    _install(user, "pipx", "install", "--python", sys.executable, wheel)
    return Installed(Path(user["PIPX_BIN_DIR"]) / "midfill", folder, user)


@pytest.fixture(scope="session")
def by_uv(wheel: Path, folder: Path, user: Mapping[str, str]) -> Installed:
    """Return Midfill as `uv tool install` puts it."""
    _install(user, "uv", "tool", "install", "--python", sys.executable, "--reinstall-package", "midfill", wheel)
    return Installed(Path(user["UV_TOOL_BIN_DIR"]) / "midfill", folder, user)


def _install(env: Mapping[str, str], *command: str | Path) -> None:
    subprocess.run(command, env=env, check=True)


@pytest.fixture(scope="session")
def bundle(by_pip: Installed) -> Path:
    """Return the bundle that the installed `midfill pull` makes; MIDFILL_RELEASE_BUNDLE names another, to save time.

    The weights are those of MIDFILL_WEIGHTS or of the user's cache folder; if neither is there, they are downloaded.
    """
    ready = os.environ.get("MIDFILL_RELEASE_BUNDLE")
    if ready:
        return Path(ready)
    weights = Path(os.environ.get("MIDFILL_WEIGHTS") or USERS_WEIGHTS / _DEFAULT_WEIGHTS)
    return Path(by_pip.run("pull", *([weights] if weights.is_file() else [])).strip())


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """Return a copy of the example, in a folder with nothing else."""
    return Path(shutil.copy(EXAMPLE, tmp_path))
