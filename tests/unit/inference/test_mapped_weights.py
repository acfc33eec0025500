"""The weights of a model that runs: another program may cut them, write to them, replace or delete them."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from midfill.common.cancel import CancelFlag
from midfill.common.errors import BundleDamaged, ModelChanged
from midfill.completion.scheduler import new_scheduler
from midfill.completion.types import Completion, Request
from midfill.inference.bundle import GRAPH
from midfill.inference.onnx_model import OnnxModel
from midfill.settings.live import LiveSettings
from midfill.settings.schema import Settings
from unit.helpers import chain_graph, manifest, write_bundle

DATA = f"{GRAPH}.data"
REQUEST = Request(text="", offset=0, path="a.py")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use a cache folder of the test's own."""
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write a bundle that says "pass"."""
    return write_bundle(tmp_path / "bundle", graph=chain_graph("pass")).path


def write_in_place(file: Path) -> None:
    """Write other bytes into a file, as many as it had."""
    with file.open("r+b") as opened:
        opened.write(bytes(file.stat().st_size))
    os.utime(file, ns=(1, 1))  # a file system may have coarse times


CHANGES: dict[str, Callable[[Path], object]] = {
    "cut": lambda file: os.truncate(file, 3),
    "emptied": lambda file: os.truncate(file, 0),
    "longer": lambda file: os.truncate(file, 1000),
    "written to": write_in_place,
}


def delete(file: Path) -> None:
    """Delete a file."""
    file.unlink()


def replace(file: Path) -> None:
    """Put another file in a file's place."""
    other = file.with_name("other")
    other.write_bytes(b"other weights")
    os.replace(other, file)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_change_is_found_before_the_next_run(folder: Path, change: Callable[[Path], object]) -> None:
    """The system would end the process at the next page that is not there any more."""
    model = OnnxModel(folder / GRAPH, manifest().kv)
    cache = model.new_cache(8)
    model.step([1], cache, 1, CancelFlag())
    change(folder / DATA)
    with pytest.raises(ModelChanged, match=r"model\.onnx\.data was changed while it was in use"):
        model.step([2], cache, 1, CancelFlag())
    assert cache.tokens == [1]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows refuses both")
@pytest.mark.parametrize("change", [delete, replace])
def test_file_that_was_deleted_or_replaced_is_still_there_for_the_model(
    folder: Path, change: Callable[[Path], object]
) -> None:
    """A new version of a bundle does not stop the servers that have the old one."""
    model = OnnxModel(folder / GRAPH, manifest().kv)
    change(folder / DATA)
    assert model.step([1], model.new_cache(8), 1, CancelFlag()).shape[0] == 1


@pytest.mark.parametrize("shares", [False, True], ids=["own model", "shared model"])
async def test_server_loads_the_bundle_again_or_says_what_is_wrong(folder: Path, tmp_path: Path, shares: bool) -> None:
    """It neither ends nor shows what changed weights make of a prompt, and it serves as soon as it can."""
    shutil.copy2(folder / DATA, tmp_path / "good")
    scheduler = new_scheduler(
        LiveSettings(Settings(bundle=folder, min_confidence=0, warm_up_ms=0, share_engine=shares))
    )
    asked: list[Completion] = []
    states: list[str] = []
    scheduler.start().result(60)
    asked.append(await scheduler.complete(REQUEST))
    scheduler.work_in(None)  # forgets what was suggested
    os.truncate(folder / DATA, 3)
    asked.append(await scheduler.complete(REQUEST))
    states.append(scheduler.state)
    with pytest.raises(BundleDamaged, match="has 3 bytes instead of 12"):
        scheduler.start().result(60)
    asked.append(await scheduler.complete(REQUEST))
    states.append(scheduler.state)
    shutil.copy2(tmp_path / "good", folder / DATA)
    states.append(scheduler.state)
    scheduler.start().result(60)
    asked.append(await scheduler.complete(REQUEST))
    scheduler.close()
    assert states == ["idle", "failed", "idle"]
    assert [(answer.text, answer.reason) for answer in asked] == [
        ("pass", ""),
        ("", "failed"),
        ("", "failed"),
        ("pass", ""),
    ]
