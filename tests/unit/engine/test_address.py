"""Which servers meet at one engine process: those whose results and speed would be the same."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

import midfill
from midfill.common.errors import EngineUnavailable
from midfill.engine.address import address_for
from midfill.inference import cores
from midfill.inference.cores import UsableCores
from unit.helpers import manifest

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="servers share no engine on Windows yet"),
    pytest.mark.usefixtures("runtime"),
]


def test_same_setup_has_the_same_address() -> None:
    """Servers with the same bundle and threads meet."""
    assert address_for(manifest(), 2) == address_for(manifest(), 2)


@pytest.mark.parametrize(
    "change",
    [
        lambda patch: patch.setattr(midfill, "__version__", "99"),
        lambda patch: patch.setenv("MIDFILL_CACHE", "/elsewhere"),
        lambda patch: patch.setattr(cores, "usable", lambda: UsableCores(cores=(), quota=0.5)),
        lambda patch: patch.setattr(os, "getpriority", lambda *_: 7),
    ],
    ids=["version", "cache", "cores", "priority"],
)
def test_other_setups_do_not_meet(
    change: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another version, another cache folder, other cores or another priority have an engine of their own."""
    before = address_for(manifest(), 0)
    change(monkeypatch)
    assert address_for(manifest(), 0).name != before.name


def test_other_bundles_and_threads_do_not_meet() -> None:
    """Nor do servers with another bundle, or with another number of threads in their settings."""
    names = {address_for(manifest(), 0).name, address_for(manifest(name="b"), 0).name, address_for(manifest(), 1).name}
    assert len(names) == 3


def test_no_safe_folder(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says why servers cannot share."""
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    (short_path / f"midfill-{os.geteuid()}").mkdir(mode=0o755)
    with pytest.raises(EngineUnavailable, match="is not a folder that only you can open"):
        address_for(manifest(), 0)
