"""Builds everything that a release publishes.

    python tools/build_release.py FOLDER

FOLDER is emptied first. It then holds the wheel, the source distribution, the VS Code extension, the archives of the
other plug-ins, an SBOM of the wheel with all its dependencies (CycloneDX), and SHA256SUMS. `nox -s release` calls this
from an environment with the tools. The same commit gives the same bytes, except for the SBOM after a dependency's new
release.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SUMS = "SHA256SUMS"
ARCHIVES = [ROOT / "editors" / editor / "archive.py" for editor in ("nvim", "emacs")]
"""Each has ``main(out_folder)``."""


def main(out_folder: Path) -> None:
    """Build everything into a folder, which is emptied first."""
    out_folder = out_folder.resolve()
    shutil.rmtree(out_folder, ignore_errors=True)
    out_folder.mkdir(parents=True)
    os.environ.pop("PYTHONPATH", None)  # the SBOM must not show packages that are not installed
    os.environ["SOURCE_DATE_EPOCH"] = _run("git", "log", "-1", "--format=%ct").strip()
    _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out_folder)
    _build_extension(out_folder / f"midfill-vscode-{version()}.vsix")
    for archive in filter(Path.is_file, ARCHIVES):
        runpy.run_path(str(archive))["main"](out_folder)
    _write_sbom(out_folder / f"midfill-{version()}.cdx.json")
    _write_sums(out_folder)


def version() -> str:
    """Return the version that the server's package states."""
    text = (ROOT / "server" / "midfill" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    if found is None:
        raise ValueError("midfill/__init__.py has no line `__version__ = ...`")
    return found[1]


def _build_extension(target: Path) -> None:
    folder = ROOT / "editors" / "vscode"
    _run("npm", "ci", "--no-audit", "--no-fund", cwd=folder)
    _run("npm", "run", "package", cwd=folder)
    shutil.copyfile(folder / "midfill.vsix", target)


def _write_sbom(target: Path) -> None:
    """Write what is installed with the wheel beside it, as a CycloneDX document."""
    with tempfile.TemporaryDirectory() as scratch:
        python = Path(scratch) / "bin" / "python"
        _run("uv", "venv", "--quiet", "--python", sys.executable, scratch)
        # By name: the path of a wheel that is installed by path would be noted, and shown by the SBOM.
        options: list[str | Path] = ["--quiet", "--find-links", target.parent, "--reinstall-package", "midfill"]
        _run("uv", "pip", "install", "--python", python, *options, f"midfill=={version()}")
        options = ["--output-reproducible", "--of", "JSON", "--pyproject", ROOT / "pyproject.toml"]
        document = json.loads(_run(sys.executable, "-m", "cyclonedx_py", "environment", *options, python))
    document["metadata"]["component"]["version"] = version()  # pyproject.toml leaves it to the package
    target.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n", encoding="utf-8", newline="\n")


def _write_sums(folder: Path) -> None:
    """Write the digest of each file, in the form that `sha256sum --check` reads."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8", newline="\n")


def _run(*command: str | Path, cwd: Path = ROOT) -> str:
    """Run a program and return its standard output; its errors are shown."""
    return subprocess.run(command, cwd=cwd, check=True, stdout=subprocess.PIPE, text=True, encoding="utf-8").stdout


if __name__ == "__main__":
    main(Path(sys.argv[1]))
