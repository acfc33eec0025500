"""Releases of made-up projects in which parameters were renamed, for the tests of what is learnt from them."""

from __future__ import annotations

import zipfile
from pathlib import Path

from midfill.evals.edits.kept_apart import is_kept_apart

PROJECTS = tuple(f"shapes{number}" for number in range(12))
LEARNT = tuple(name for name in PROJECTS if not is_kept_apart(name))
_GAP = 30


def write_releases(folder: Path, licence: str = "MIT") -> None:
    """Write two releases of each project: in some files, a name of two lines far from each other was replaced."""
    for project in PROJECTS:
        for version, name in (("1.9", "w"), ("1.10", "width")):
            with zipfile.ZipFile(folder / f"{project}-{version}-py3-none-any.whl", "w") as wheel:
                wheel.writestr(f"{project}-{version}.dist-info/METADATA", f"License: {licence}")
                for number in range(6):
                    wheel.writestr(f"{project}/m{number}.py", _module(f"{project[6:]}_{number}", name))


def _module(where: str, name: str) -> str:
    filling = "".join(f"x{line} = {line}\n" for line in range(_GAP))
    uses = [f"a{place}_{where} = area({name}={place})\n{filling}" for place in range(3)]
    return filling + "".join(uses)
