"""Bundles: the manifest, the checksums, and the error for each kind of faulty bundle."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from midfill.common.errors import BundleDamaged, BundleError, BundleForeign, BundleNotFound, BundleTooNew
from midfill.inference.bundle import (
    FORMAT,
    GRAPH,
    MANIFEST,
    TOKENIZER,
    KvLayout,
    load_bundle,
    read_manifest,
    write_manifest,
)
from midfill.inference.bundle_files import FileEntry, describe_files, hash_file
from midfill.inference.manifest_check import CHECKSUM
from unit.helpers import edit_manifest, manifest, write_bundle

DATA = f"{GRAPH}.data"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use a cache folder of the test's own instead of the user's."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("MIDFILL_CACHE", str(folder))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a correct bundle."""
    return write_bundle(tmp_path / "bundle").path


def error_of(folder: Path) -> BundleError:
    """Return the error of loading the bundle, after checking that its message is one line that says what to do."""
    with pytest.raises(BundleError) as caught:
        load_bundle(folder)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    assert any(advice in message for advice in ("export", "pull", "upgrade")), message
    return caught.value


def test_correct_bundle_is_loaded(folder: Path) -> None:
    """The bundle is as it was written, and has the paths of its files."""
    bundle = load_bundle(folder)
    assert bundle == write_bundle(folder)
    assert bundle.graph.read_bytes() == b"a graph"
    assert bundle.tokenizer.name == TOKENIZER


def test_bundle_may_be_anywhere(tmp_path: Path) -> None:
    """Its path may contain spaces and characters of any alphabet."""
    assert load_bundle(write_bundle(tmp_path / "mes modèles" / "模型").path).manifest.name == "tiny"


@pytest.mark.parametrize(
    "make",
    [Path.exists, Path.mkdir, lambda place: place.write_text("a file", encoding="utf-8")],
    ids=["no folder", "no manifest", "a file in its place"],
)
def test_no_bundle(tmp_path: Path, make: Callable[[Path], object]) -> None:
    """The message names the folder and says how to make a bundle."""
    place = tmp_path / "none"
    make(place)
    error = error_of(place)
    assert isinstance(error, BundleNotFound)
    assert str(place) in str(error)


def test_path_that_no_system_allows() -> None:
    """A path that contains NUL is an ordinary error."""
    assert isinstance(error_of(Path("a\0b")), BundleDamaged)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"no", b"[" * 100_000, b'{"format": ' + b"9" * 5000 + b"}"],
    ids=["empty", "cut off", "not UTF-8", "a word", "deep", "a huge number"],
)
def test_manifest_that_is_no_json(folder: Path, content: bytes) -> None:
    """A bundle whose manifest is not JSON is damaged."""
    (folder / MANIFEST).write_bytes(content)
    error = error_of(folder)
    assert isinstance(error, BundleDamaged)
    assert MANIFEST in str(error)


def test_manifest_that_is_a_folder(folder: Path) -> None:
    """A bundle whose manifest is a folder is damaged."""
    (folder / MANIFEST).unlink()
    (folder / MANIFEST).mkdir()
    assert isinstance(error_of(folder), BundleDamaged)


@pytest.mark.parametrize(
    "content",
    [
        [],
        {},
        3,
        None,
        {"format": "1", "files": {}},
        {"format": 1},
        {"version": 2, "files": []},
        {"format": 0, "files": {}},
    ],
    ids=repr,
)
def test_manifest_of_another_tool(folder: Path, content: object) -> None:
    """JSON without the number of a Midfill format is not a Midfill manifest."""
    (folder / MANIFEST).write_text(json.dumps(content), encoding="utf-8")
    assert isinstance(error_of(folder), BundleForeign)


def test_newer_format_asks_for_an_upgrade(folder: Path) -> None:
    """The format is checked first, because a newer format may change everything else."""
    edit_manifest(folder, format=FORMAT + 1, kv=None)
    error = error_of(folder)
    assert isinstance(error, BundleTooNew)
    assert "upgrade Midfill" in str(error)


@pytest.mark.parametrize(
    "changes",
    [{"name": None}, {"fim": None}, {"kv": {"heads": 1, "head_size": 1}}, {"verification": {}}, {"source": {}}],
    ids=repr,
)
def test_manifest_that_lacks_something(folder: Path, changes: dict[str, Any]) -> None:
    """The message names the value that is missing."""
    edit_manifest(folder, **changes)
    error = error_of(folder)
    assert isinstance(error, BundleDamaged)
    assert "is incomplete (" in str(error)


NUMBERS = [-2, 2**70, 10**4000, True, 1.5, 1e999, "7", "", [], {}, [[[7]]]]
TEXTS = [7, True, [], {}, "a\nb", "\x1b[2J", "\x9b", "\u202e", "x" * 10_000]
FILE = {"size": 7, "sha256": "0" * 64}
KV = {"layers": 1, "heads": 1, "head_size": 1}
VERIFIED = {"graph_max_difference": 0.0, "positions": 1, "top1_agreement": 1.0, "mean_kl": 0.0}
WRONG: list[dict[str, Any]] = [
    *({"name": value} for value in TEXTS),
    *({"made_by": value} for value in TEXTS),
    *({"target": value} for value in TEXTS),
    *({"edit_format": value} for value in ["", "Sweep", *TEXTS]),
    *({"context_length": value} for value in [0, *NUMBERS]),
    *({"vocabulary": value} for value in [0, 3, *NUMBERS]),
    *({"kv": {**KV, "layers": value}} for value in [0, *NUMBERS]),
    *({"kv": {**KV, "inputs": value}} for value in ["past", "{layer:>1000000000}{part}", "{layer.real}{part}", *TEXTS]),
    *({"kv": {**KV, "dtype": value}} for value in ["int8", *TEXTS]),
    *({"kv": value} for value in [7, "", []]),
    *({"stop_tokens": value} for value in [[-1], [10**9], ["a"], [True], [[7]], list(range(100)) * 1000, 7, "", {}]),
    *({"fim": {"order": value}} for value in ["sideways", [], {}, 7, "suffix-first"]),
    *({"fim": {"order": "suffix-first", "prefix": 1, "suffix": 2, "middle": value}} for value in NUMBERS),
    *({"fim_tokens": value} for value in [7, [], {"prefix": 7}, {"prefix": "\x1b"}]),
    *({"chat_template": value} for value in [7, [], "{{ 1 }}" * 100_000]),
    *({"quantisation": value} for value in [7, [], {"a": []}, {"a": {"b": 1}}, {"scheme": "\x1b[2J"}, {"\n": 1}]),
    *({"verification": {**VERIFIED, "top1_agreement": value}} for value in NUMBERS if value != 1e999),
    *({"files": value} for value in [7, [], {GRAPH: 3}, {GRAPH: {}}, {str(n): FILE for n in range(100)}]),
    *({"files": {name: FILE}} for name in ["../a", "/a", "a/b", "C:a", "a\\b", "..", ".", "", "a\n", ".hidden"]),
    *({"files": {GRAPH: {**FILE, "size": value}}} for value in NUMBERS),
    *({"files": {GRAPH: {**FILE, "sha256": value}}} for value in ["", "0" * 63, "G" * 64, 7, []]),
    *({"source": value} for value in [7, [], {"repository": "\x1b", "file": "", "sha256": "", "license": ""}]),
    *({"folder": value} for value in TEXTS),
    *({"stretch": value} for value in [7, [], {"factor": [2]}]),
]


@pytest.mark.parametrize("changes", WRONG, ids=lambda changes: ascii(changes)[:60])
def test_manifest_with_a_value_that_cannot_be(folder: Path, changes: dict[str, Any]) -> None:
    """A stranger's bundle may say anything. The message is one line, without what a terminal would obey."""
    edit_manifest(folder, **changes)
    error = error_of(folder)
    assert isinstance(error, BundleError)
    assert str(error).isprintable()
    assert len(str(error)) < 600


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_number_that_is_none(folder: Path, number: str) -> None:
    """Python would read it, and compare it with nothing."""
    text = (folder / MANIFEST).read_text()
    (folder / MANIFEST).write_text(text.replace('"mean_kl": 0.0', f'"mean_kl": {number}'))
    assert isinstance(error_of(folder), BundleDamaged)


def test_changed_byte_of_a_manifest_is_found(folder: Path) -> None:
    """Whichever it is, the manifest is refused, or it is the same: a changed name of the checksum leaves it out."""
    good = (folder / MANIFEST).read_bytes()
    known = read_manifest(folder)
    taken = []
    for place in range(len(good)):
        (folder / MANIFEST).write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        with suppress(BundleError):
            taken.append(read_manifest(folder))
    assert taken == [known] * len(taken)
    assert len(taken) <= len(CHECKSUM)


def test_manifest_without_a_checksum_is_taken(folder: Path) -> None:
    """Earlier versions wrote none."""
    data = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({name: value for name, value in data.items() if name != CHECKSUM}))
    assert load_bundle(folder) == write_bundle(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
@pytest.mark.parametrize("name", [MANIFEST, GRAPH, TOKENIZER])
def test_pipe_or_device_in_place_of_a_file(folder: Path, name: str) -> None:
    """Nothing waits for its writer, and nothing reads it for ever."""
    edit_manifest(folder, files={GRAPH: {**FILE, "size": 0}, TOKENIZER: {**FILE, "size": 0}})
    for other in (GRAPH, TOKENIZER):
        (folder / other).write_bytes(b"")
    (folder / name).unlink()
    os.mkfifo(folder / name)
    assert isinstance(error_of(folder), BundleDamaged)
    (folder / name).unlink()
    (folder / name).symlink_to("/dev/zero")
    assert isinstance(error_of(folder), BundleDamaged)


def test_manifest_that_never_ends(folder: Path) -> None:
    """Only so much of it is read as a manifest may have."""
    with (folder / MANIFEST).open("r+b") as file:
        file.truncate(1 << 40)
    assert isinstance(error_of(folder), BundleDamaged)


@pytest.mark.parametrize("name", [GRAPH, TOKENIZER])
def test_manifest_must_list_the_files_that_are_used(folder: Path, name: str) -> None:
    """A manifest without the graph's or the tokenizer's hash is refused, because the file could not be checked."""
    files = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
    del files[name]
    edit_manifest(folder, files=files)
    error = error_of(folder)
    assert isinstance(error, BundleDamaged)
    assert name in str(error)


def test_unknown_names_in_a_manifest_are_ignored(folder: Path) -> None:
    """A later version of Midfill may add names without changing the format."""
    edit_manifest(folder, colour="red")
    assert load_bundle(folder).manifest.name == "tiny"


@pytest.mark.parametrize("target", ["any", "vnni", "avx2", "arm64"])
def test_bundle_of_any_known_processor_is_loaded(folder: Path, target: str) -> None:
    """Older versions made bundles for one kind of processor. They run on all."""
    edit_manifest(folder, target=target)
    assert load_bundle(folder).manifest.target == target


@pytest.mark.parametrize("name", ["plain", "sweep", "zeta"])
def test_bundle_names_the_format_of_its_edits(folder: Path, name: str) -> None:
    """Most models were not made for edits, and name none."""
    made = load_bundle(folder).manifest
    assert made.edit_format == "plain"
    edit_manifest(folder, edit_format=name, fim=asdict(replace(made.fim, file=0)))
    assert load_bundle(folder).manifest.edit_format == name


def test_sweeps_format_needs_the_token_between_files(folder: Path) -> None:
    """Without it a prompt would have text where the model learnt a control token, and nothing would end an answer."""
    edit_manifest(folder, edit_format="sweep")
    with pytest.raises(BundleDamaged, match="'fim' must name the token file, because edit_format is sweep"):
        load_bundle(folder)


def test_bundle_of_an_unknown_processor_is_refused(folder: Path) -> None:
    """A later version may make bundles that this one would run wrongly."""
    edit_manifest(folder, target="quantum")
    error = error_of(folder)
    assert isinstance(error, BundleForeign)
    assert "'quantum'" in str(error)


@pytest.mark.parametrize(
    ("quantisation", "limit"),
    [({}, 127), ({"weight_limit": 63}, 63), ({"weight_limit": "63"}, 127), ({"weight_limit": 0}, 127)],
)
def test_limit_of_the_weights(quantisation: dict[str, object], limit: int) -> None:
    """A manifest that does not say it, or says nonsense, gets the limit that is safe everywhere."""
    assert replace(manifest(), quantisation=quantisation).weight_limit == limit


def flip(file: Path) -> None:
    """Change one bit in the middle of a file."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def put_folder_in_place(file: Path) -> None:
    """Replace a file by a folder, and make the manifest name the folder's size."""
    file.unlink()
    file.mkdir()
    files = json.loads((file.parent / MANIFEST).read_text(encoding="utf-8"))["files"]
    edit_manifest(file.parent, files={**files, file.name: {"size": file.stat().st_size, "sha256": "0" * 64}})


FAULTS: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "truncated": lambda file: file.write_bytes(file.read_bytes()[:-1]),
    "longer": lambda file: file.write_bytes(file.read_bytes() + b"\0"),
    "flipped": flip,
    "a folder": put_folder_in_place,
}


@pytest.mark.parametrize("name", [GRAPH, DATA, TOKENIZER])
@pytest.mark.parametrize("spoil", FAULTS.values(), ids=FAULTS)
def test_file_that_is_not_what_was_exported(folder: Path, name: str, spoil: Callable[[Path], object]) -> None:
    """The message names the first file that differs."""
    file = folder / name
    spoil(file)
    error = error_of(folder)
    assert isinstance(error, BundleDamaged)
    assert str(file) in str(error)


def test_checked_file_is_not_hashed_again(folder: Path, cache: Path) -> None:
    """A file with the size and the time of change of its last check is not hashed again."""
    load_bundle(folder)
    file = folder / DATA
    status = file.stat()
    content = bytearray(file.read_bytes())
    content[0] ^= 1
    file.write_bytes(content)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert load_bundle(folder).manifest.name == "tiny"
    (cache / "verified.json").unlink()
    assert isinstance(error_of(folder), BundleDamaged)


def test_changed_file_is_hashed_again(folder: Path) -> None:
    """A file with another time of change is hashed again."""
    load_bundle(folder)
    file = folder / DATA
    content = bytearray(file.read_bytes())
    content[0] ^= 1
    file.write_bytes(content)
    os.utime(file, ns=(0, 1))
    assert isinstance(error_of(folder), BundleDamaged)


def test_file_checked_for_another_manifest_is_hashed_again(folder: Path) -> None:
    """A check is valid only for the hash in the manifest."""
    load_bundle(folder)
    manifest = read_manifest(folder)
    entry = FileEntry(size=manifest.files[DATA].size, sha256="0" * 64)
    write_manifest(folder, replace(manifest, files={**manifest.files, DATA: entry}))
    assert isinstance(error_of(folder), BundleDamaged)


def test_checks_of_two_bundles_are_remembered(folder: Path, cache: Path) -> None:
    """The check of a second bundle does not delete that of the first."""
    load_bundle(folder)
    load_bundle(write_bundle(folder.with_name("other")).path)
    assert len(json.loads((cache / "verified.json").read_text(encoding="utf-8"))) == 6


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b'{"a": 3}'], ids=repr)
def test_damaged_list_of_checked_files_is_replaced(folder: Path, cache: Path, content: bytes) -> None:
    """All files are hashed again, and the checks are remembered."""
    cache.mkdir()
    (cache / "verified.json").write_bytes(content)
    assert load_bundle(folder).manifest.name == "tiny"
    assert str((folder / DATA).resolve()) in json.loads((cache / "verified.json").read_text(encoding="utf-8"))


def test_bundle_is_loaded_without_a_cache_folder(folder: Path, cache: Path) -> None:
    """If the checks cannot be remembered, the bundle is loaded anyway."""
    cache.write_text("a file where the folder should be", encoding="utf-8")
    assert load_bundle(folder).manifest.name == "tiny"


def test_files_are_described_by_size_and_hash(tmp_path: Path) -> None:
    """The hash is the SHA-256 in hexadecimal."""
    (tmp_path / "a").write_bytes(b"abc")
    sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert describe_files(tmp_path, ["a"]) == {"a": FileEntry(size=3, sha256=sha256)}
    assert hash_file(tmp_path / "a") == sha256


def test_bytes_of_a_token_in_the_cache() -> None:
    """A token has a key and a value in each head of each layer, of 32-bit floats."""
    assert KvLayout(layers=24, heads=2, head_size=64).bytes_per_token == 24 * 2 * 2 * 64 * 4
    assert KvLayout(layers=24, heads=2, head_size=64, dtype="float16").bytes_per_token == 24 * 2 * 2 * 64 * 2
