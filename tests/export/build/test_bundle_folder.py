"""A bundle is made in scratch and takes its place only when it is whole."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mapped_files import MappedFiles
from midfill.common.errors import ExportError
from midfill.inference.bundle import GRAPH, Manifest, load_bundle
from midfill.inference.loaded_model import load_model
from midfill.settings.schema import Settings
from midfill_export.build import bundle_folder
from midfill_export.build.bundle_folder import (
    copy_bundle,
    folder_size,
    put_in_place,
    require_bundle_folder,
    scratch_beside,
)
from unit.helpers import chain_graph, write_bundle


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep notes of verified files out of the user's cache."""
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path_factory.mktemp("cache")))


def make_folder(path: Path, content: str) -> Path:
    """Make a folder with one file."""
    path.mkdir()
    (path / "file").write_text(content)
    return path


def test_scratch_is_removed(tmp_path: Path) -> None:
    """It is beside the bundle, on the same disk, and goes away with what is in it."""
    with scratch_beside(tmp_path / "new" / "out") as scratch:
        make_folder(scratch / "bundle", "half")
        assert scratch.parent == tmp_path / "new"
    assert list((tmp_path / "new").iterdir()) == []


def test_full_disk_is_one_line(tmp_path: Path) -> None:
    """An OSError becomes an ExportError that names the folder."""
    with pytest.raises(ExportError) as caught, scratch_beside(tmp_path / "out"):
        raise OSError(28, "No space left on device")
    assert str(caught.value) == f"{tmp_path}: the disk is full; nothing was left behind."
    assert list(tmp_path.iterdir()) == []


def test_leftovers_of_killed_processes_are_removed(tmp_path: Path) -> None:
    """What a running process makes beside it stays, and so does what only looks like scratch."""
    kept = [f".out-{os.getpid()}-running", ".out-name-other", "out"]
    for name in [*kept, ".out-4194305-killed"]:
        (tmp_path / name).mkdir()
    with scratch_beside(tmp_path / "out"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(kept)


def test_scratch_of_a_name_with_special_characters(tmp_path: Path) -> None:
    """Leftovers are found by the name as it is, not as a pattern."""
    (tmp_path / ".a[b]*-4194305-killed").mkdir()
    (tmp_path / ".ab-4194305-other").mkdir()
    with scratch_beside(tmp_path / "a[b]*"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == [".ab-4194305-other"]


def make_built(path: Path, name: str = "tiny") -> tuple[Path, Manifest]:
    """Make the finished files of a bundle in scratch; return their folder and the manifest."""
    made = write_bundle(path, name=name)
    return made.path, made.manifest


def visible(folder: Path) -> list[str]:
    """Return the names in a folder, without hidden ones."""
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_new_bundle_replaces_the_old_one(tmp_path: Path) -> None:
    """Afterwards only the new version is there, and it is whole."""
    out = tmp_path / "out"
    put_in_place(*make_built(tmp_path / "first", "old"), out)
    manifest = put_in_place(*make_built(tmp_path / "second", "new"), out)
    assert visible(out) == ["manifest.json", "v2"]
    bundle = load_bundle(out)
    assert (bundle.manifest, bundle.manifest.name) == (manifest, "new")
    assert visible(bundle.folder) == sorted(manifest.files)
    assert folder_size(bundle.folder) == sum(entry.size for entry in manifest.files.values())


def test_bundle_of_format_1_is_replaced(tmp_path: Path) -> None:
    """Its files beside the manifest go away."""
    out = write_bundle(tmp_path / "out", format=1).path
    put_in_place(*make_built(tmp_path / "built", "new"), out)
    assert visible(out) == ["manifest.json", "v1"]
    assert load_bundle(out).manifest.name == "new"


OLD_BUNDLES: dict[str, Callable[[Path], object]] = {
    "format 1": lambda out: write_bundle(out, format=1),
    "a version": lambda out: put_in_place(*make_built(out.with_name("made")), out),
}


@pytest.mark.parametrize("make", OLD_BUNDLES.values(), ids=OLD_BUNDLES)
def test_bundle_that_a_server_has_mapped_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], object]
) -> None:
    """On Windows the old files stay while they are mapped. The new ones are loaded, which removes the old ones."""
    out = tmp_path / "out"
    make(out)
    mapped = MappedFiles(monkeypatch)
    held = load_bundle(out).folder / f"{GRAPH}.data"
    mapped.hold(held)
    loadable = write_bundle(tmp_path / "loadable", graph=chain_graph("1"), name="new")
    put_in_place(loadable.path, loadable.manifest, out)
    assert load_model(Settings(bundle=out)).manifest.name == "new"
    assert held.exists()
    mapped.release()
    assert load_model(Settings(bundle=out)).manifest.name == "new"
    assert visible(out) == ["manifest.json", load_bundle(out).manifest.folder]


def test_file_that_cannot_be_moved_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On another disk, or while Windows still has it open."""
    built, manifest = make_built(tmp_path / "built")
    MappedFiles(monkeypatch).hold(built / GRAPH)
    put_in_place(built, manifest, tmp_path / "out")
    assert load_bundle(tmp_path / "out").manifest.name == "tiny"


@pytest.mark.parametrize("failing", ["write_manifest", "_move_files"])
def test_failed_switch_leaves_the_old_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    """A full disk at the end changes nothing, and nothing is left of the new version."""
    out = tmp_path / "out"
    before = put_in_place(*make_built(tmp_path / "first"), out)
    monkeypatch.setattr(bundle_folder, failing, fail_for_want_of_room)
    with pytest.raises(OSError, match="No space"):
        put_in_place(*make_built(tmp_path / "second"), out)
    assert load_bundle(out).manifest == before
    assert visible(out) == ["manifest.json", "v1"]


def fail_for_want_of_room(*_: object) -> None:
    """Fail as on a full disk."""
    raise OSError(28, "No space left on device")


def test_killed_process_leaves_a_version_that_the_next_one_removes(tmp_path: Path) -> None:
    """It came as far as the files, but not to the manifest."""
    out = tmp_path / "out"
    put_in_place(*make_built(tmp_path / "first"), out)
    make_folder(out / "v2", "half")
    assert load_bundle(out).manifest.folder == "v1"
    assert put_in_place(*make_built(tmp_path / "second"), out).folder == "v3"
    assert visible(out) == ["manifest.json", "v3"]


def test_two_at_once(tmp_path: Path) -> None:
    """Each gets a version of its own, and the last one stays, whole."""
    out = tmp_path / "out"
    made = [make_built(tmp_path / str(number), str(number)) for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        put = list(pool.map(lambda built: put_in_place(built[0], built[1], out), made))
    assert sorted(manifest.folder for manifest in put) == [f"v{number}" for number in range(1, 9)]
    assert (load_bundle(out).manifest.folder, visible(out)) == ("v8", ["manifest.json", "v8"])


def test_copy_is_a_bundle_of_its_own(tmp_path: Path) -> None:
    """A newer copy replaces an older one."""
    out = tmp_path / "out"
    put_in_place(*make_built(tmp_path / "built"), out)
    for _ in range(2):
        copy_bundle(load_bundle(out), tmp_path / "copy")
    assert load_bundle(tmp_path / "copy").manifest.files == load_bundle(out).manifest.files
    assert visible(tmp_path / "copy") == ["manifest.json", "v2"]


OWN_FILES: dict[str, Callable[[Path], object]] = {
    "a file": lambda out: out.write_text("notes"),
    "other files": lambda out: make_folder(out, "notes"),
    "a project with a manifest": lambda out: (make_folder(out, "x") / "manifest.json").write_text('{"name": "x"}'),
}


@pytest.mark.parametrize("make", OWN_FILES.values(), ids=OWN_FILES)
def test_other_files_are_not_mixed_with_a_bundle(tmp_path: Path, make: Callable[[Path], object]) -> None:
    """A folder that is the user's own is refused in one line."""
    make(tmp_path / "out")
    with pytest.raises(ExportError, match=r"^[^\n]*out (is not a folder|has other files)"):
        require_bundle_folder(tmp_path / "out")


FREE: dict[str, Callable[[Path], object]] = {
    "nothing": lambda _: None,
    "an empty folder": Path.mkdir,
    "a bundle": write_bundle,
    "a damaged bundle": lambda out: (write_bundle(out).path / "manifest.json").write_text("{"),
    "an unfinished bundle": lambda out: (out / "v1").mkdir(parents=True),
    "only hidden files": lambda out: (make_folder(out, "x") / "file").rename(out / ".DS_Store"),
}


@pytest.mark.parametrize("make", FREE.values(), ids=FREE)
def test_places_where_a_bundle_may_be_made(tmp_path: Path, make: Callable[[Path], object]) -> None:
    """What is Midfill's own may be replaced."""
    make(tmp_path / "out")
    require_bundle_folder(tmp_path / "out")
    put_in_place(*make_built(tmp_path / "built", "new"), tmp_path / "out")
    assert load_bundle(tmp_path / "out").manifest.name == "new"
