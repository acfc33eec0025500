"""Facts in the cache folder: several servers write them, and anything may be found there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from midfill.common.json_store import JsonStore
from midfill.common.locked_file import Busy, locked

ADD = """
from midfill.common.json_store import JsonStore
for _ in range(100):
    while not JsonStore("counts").update(lambda values: values.update(all=values.get("all", 0) + 1)):
        pass
"""


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Use an empty cache folder, which does not exist yet."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("MIDFILL_CACHE", str(folder))
    return folder


def test_values_are_kept(cache: Path) -> None:
    """One writer does not undo another's change, whichever read the file first; nothing else is left."""
    early, late = JsonStore("facts"), JsonStore("facts")
    early.put("a", 1)
    late.put("b", [2])
    assert (late.get("a"), late.get("b"), late.get("c")) == (1, [2], None)
    assert JsonStore("facts").names() == ["a", "b"]
    assert {file.name for file in cache.iterdir()} <= {"facts.json", ".facts.json.lock"}


def test_no_change_of_several_processes_is_lost() -> None:
    """They change the same value at the same time."""
    adding = [subprocess.Popen([sys.executable, "-c", ADD]) for _ in range(3)]
    assert [process.wait() for process in adding] == [0, 0, 0]
    assert JsonStore("counts").get("all") == 300


def test_change_is_put_off_while_another_process_has_the_file(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not made, and whoever wants it hears of that."""
    monkeypatch.setattr("midfill.common.json_store._WAIT_SECONDS", 0.0)
    cache.mkdir()
    store = JsonStore("facts")
    with locked(cache / "facts.json", 0):
        assert not store.update(lambda values: values.update(a=1))
        with pytest.raises(Busy), locked(cache / "facts.json", 0):
            pytest.fail("two have it")
    assert store.update(lambda values: values.update(a=1))
    assert JsonStore("facts").get("a") == 1


@pytest.mark.parametrize(
    "content",
    [b"", b"\0", b"\xff\xfe", b"[]", b"1", b'"a"', b"null", b"{", b"[" * 100_000, b'{"a":' * 10_000, b" " * 2_000_000],
    ids=lambda content: str(content[:10]),
)
def test_file_that_holds_something_else_is_empty_and_is_replaced(cache: Path, content: bytes) -> None:
    """However large or deep it is."""
    cache.mkdir()
    (cache / "facts.json").write_bytes(content)
    store = JsonStore("facts")
    assert store.names() == []
    store.put("a", 1)
    assert json.loads((cache / "facts.json").read_bytes()) == {"a": 1}


@pytest.mark.parametrize("folder", ["facts.json", ".facts.json.lock"])
def test_folder_in_place_of_a_file_is_left_alone(cache: Path, folder: str) -> None:
    """Nothing can be written then."""
    (cache / folder).mkdir(parents=True)
    assert JsonStore("facts").names() == []
    assert not JsonStore("facts").update(lambda values: values.update(a=1))
    assert (cache / folder).is_dir()


def test_file_in_place_of_the_folder_is_left_alone(cache: Path) -> None:
    """Nothing can be written then, either."""
    cache.write_text("mine")
    JsonStore("facts").put("a", 1)
    assert cache.read_text() == "mine"
