"""The versions of a bundle: it can be replaced while a server has it in memory, and nothing old stays for long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mapped_files import MappedFiles
from midfill.common.errors import BundleDamaged, ModelError
from midfill.inference.bundle import GRAPH, MANIFEST, TOKENIZER, load_bundle, read_manifest, write_manifest
from midfill.inference.bundle_versions import discard_version, load_current, next_version, remove_old_versions
from unit.helpers import edit_manifest, write_bundle

DATA = f"{GRAPH}.data"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use a cache folder for this test."""
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a bundle of format 1: its files are beside the manifest."""
    return write_bundle(tmp_path / "bundle").path


def add_version(folder: Path, name: str) -> None:
    """Add a version with the same files, and switch to it."""
    manifest = read_manifest(folder)
    files = {file: (folder / manifest.folder / file).read_bytes() for file in manifest.files}
    (folder / name).mkdir()
    for file, content in files.items():
        (folder / name / file).write_bytes(content)
    write_manifest(folder, replace(manifest, folder=name))


def names(folder: Path) -> list[str]:
    """Return the names of what is in a folder."""
    return sorted(path.name for path in folder.iterdir())


def test_first_version_follows_the_plain_form(folder: Path, tmp_path: Path) -> None:
    """A bundle of format 1, an empty folder and no folder all get version 1."""
    (tmp_path / "empty").mkdir()
    assert [next_version(path) for path in (folder, tmp_path / "empty", tmp_path / "none")] == ["v1", "v1", "v1"]


def test_numbers_only_grow(folder: Path) -> None:
    """An unfinished version counts, and so does one that the manifest names although its folder is gone."""
    add_version(folder, "v3")
    assert next_version(folder) == "v4"
    (folder / "v10").mkdir()
    (folder / "v011").mkdir()
    (folder / "version12").mkdir()
    assert next_version(folder) == "v11"
    write_manifest(folder, replace(read_manifest(folder), folder="v20"))
    assert next_version(folder) == "v21"


def test_version_that_the_manifest_names_is_loaded(folder: Path) -> None:
    """Afterwards nothing of the plain form is needed."""
    add_version(folder, "v1")
    remove_old_versions(folder)
    assert names(folder) == [MANIFEST, "v1"]
    bundle = load_bundle(folder)
    assert (bundle.path, bundle.graph, bundle.tokenizer) == (folder, folder / "v1" / GRAPH, folder / "v1" / TOKENIZER)


def test_only_older_versions_are_removed(folder: Path) -> None:
    """One that is being added has a higher number; other files are not a bundle's."""
    for name in ("v1", "v2"):
        add_version(folder, name)
    for name in ("v3", "v01", "notes", "v1.backup"):
        (folder / name).mkdir()
    remove_old_versions(folder)
    assert names(folder) == [MANIFEST, "notes", "v01", "v1.backup", "v2", "v3"]


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"folder": 7}', b'{"folder": "../v9"}'], ids=repr)
def test_nothing_is_removed_without_a_good_manifest(folder: Path, content: bytes) -> None:
    """A damaged manifest tells nothing about what is old."""
    add_version(folder, "v1")
    before = names(folder)
    (folder / MANIFEST).write_bytes(content)
    remove_old_versions(folder)
    assert names(folder) == before


def test_link_to_another_folder_is_not_followed(folder: Path, tmp_path: Path) -> None:
    """What only looks like a version stays, and so does what it leads to."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").touch()
    (folder / "v1").symlink_to(tmp_path / "elsewhere")
    add_version(folder, "v2")
    remove_old_versions(folder)
    assert (tmp_path / "elsewhere" / "file").exists()


def test_mapped_version_stays_until_it_is_released(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows refuses to remove what a server has mapped; the next chance is taken."""
    mapped = MappedFiles(monkeypatch)
    mapped.hold(folder / DATA)
    add_version(folder, "v1")
    remove_old_versions(folder)
    assert names(folder) == [MANIFEST, DATA, "v1"]
    mapped.hold(folder / "v1" / DATA)
    add_version(folder, "v2")
    remove_old_versions(folder)
    assert (names(folder), names(folder / "v1")) == ([MANIFEST, DATA, "v1", "v2"], [DATA])
    mapped.release()
    remove_old_versions(folder)
    assert names(folder) == [MANIFEST, "v2"]


def test_unfinished_version_is_discarded(folder: Path) -> None:
    """The version in use is not, even if the failure came after the switch."""
    add_version(folder, "v1")
    (folder / "v2").mkdir()
    discard_version(folder, "v2")
    discard_version(folder, "v1")
    assert "v2" not in names(folder)
    assert load_bundle(folder).manifest.folder == "v1"


def test_bundle_that_is_replaced_while_it_is_loaded_is_loaded_again(folder: Path) -> None:
    """The files of the version that was read first are gone."""
    loaded: list[str] = []

    def replace_it() -> None:
        add_version(folder, "v1")
        remove_old_versions(folder)
        raise ModelError("onnxruntime cannot load it")

    steps: Iterator[Callable[[], object]] = iter([replace_it, dict])

    def load() -> str:
        loaded.append(read_manifest(folder).folder)
        next(steps)()
        return loaded[-1]

    assert load_current(folder, load) == "v1"
    assert loaded == ["", "v1"]


def test_fault_of_a_bundle_that_was_not_replaced_is_raised(folder: Path) -> None:
    """It is tried once."""
    tries: list[int] = []

    def load() -> None:
        tries.append(1)
        raise BundleDamaged("a file is missing")

    with pytest.raises(BundleDamaged):
        load_current(folder, load)
    assert tries == [1]


@pytest.mark.parametrize("name", ["..", "../other", "/v1", "v0", "v1/../..", "V1", "v1 ", ".", "C:\\v1"])
def test_manifest_that_points_elsewhere_is_damaged(folder: Path, name: str) -> None:
    """Only a version's name is taken; the message is one line."""
    edit_manifest(folder, folder=name)
    with pytest.raises(BundleDamaged, match="no version's folder: export it again") as caught:
        load_bundle(folder)
    assert "\n" not in str(caught.value)


def test_missing_version_is_one_line(folder: Path) -> None:
    """It names the first file that is not there."""
    write_manifest(folder, replace(read_manifest(folder), folder="v7"))
    with pytest.raises(BundleDamaged) as caught:
        load_bundle(folder)
    assert str(caught.value) == f"{folder / 'v7' / GRAPH} is missing: export the bundle again."
