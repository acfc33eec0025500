"""The processors that the tests emulate, and how a program is run on each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("MIDFILL_EMULATED", ".nox/emulated")).resolve()
"""Where ``install.py`` has put everything."""
PACKAGES = [str(PROJECT / name) for name in ("server", "export", "tests")]
_ARM64 = {"arm64": "max,sve=off,sme=off", "arm64-plain": "cortex-a72"}
"""By system root, QEMU's name of a processor: with dot products in the processor, and without."""


@dataclass(frozen=True)
class Machine:
    """A processor with a Python."""

    name: str
    python: tuple[str, ...] = (sys.executable,)
    """The words that start Python."""
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: object) -> str:
        """Run Python with ``arguments``, and return what it writes.

        Raises:
            AssertionError: it failed.
        """
        words = [*self.python, *map(str, arguments)]
        done = subprocess.run(words, capture_output=True, text=True, check=False, env=self.variables())
        assert done.returncode == 0, f"{self.name}: {done.stderr}"
        return done.stdout

    def ask(self, module: str, *arguments: object) -> Any:
        """Run a module that writes JSON, and return what it wrote."""
        return json.loads(self.run("-m", module, *arguments))

    def variables(self) -> dict[str, str]:
        """Return the environment of a program on it."""
        return {**os.environ, "PYTHONPATH": os.pathsep.join(PACKAGES), **self.environment}


NATIVE = Machine("native")


def haswell() -> Machine:
    """Return an x86-64 processor with AVX2 and without VNNI, on which sums of products saturate."""
    qemu = FOLDER / "qemu/usr/bin/qemu-x86_64"
    return Machine("haswell", (str(qemu), "-cpu", "Haswell,-hle,-rtm,-invpcid", sys.executable))


def arm64(name: str) -> Machine:
    """Return an arm64 processor, with a Python of its own."""
    root = FOLDER / name
    qemu = FOLDER / "qemu/usr/bin/qemu-aarch64"
    packages = os.pathsep.join([*PACKAGES, str(FOLDER / "site")])
    environment = {"PYTHONHOME": str(root / "usr"), "PYTHONPATH": packages}
    return Machine(
        name, (str(qemu), "-cpu", _ARM64[name], "-L", str(root), str(root / "usr/bin/python3.11")), environment
    )


MACHINES = {machine.name: machine for machine in (NATIVE, haswell(), *map(arm64, _ARM64))}
