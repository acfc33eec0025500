"""The index of files: what it contains, and how it follows changes."""

from __future__ import annotations

from pathlib import Path

from midfill.retrieval.inverted_index import InvertedIndex

LONG = "".join(f"def function_{n}(argument_{n}):\n    return argument_{n}\n\n\n" for n in range(30))


def _write(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def test_definitions_by_name(tmp_path: Path) -> None:
    """Files are found by the names they define, and definitions are returned unchanged."""
    index = InvertedIndex()
    one = _write(tmp_path / "one.py", "def shared(a):\n    '''Say so.'''\n\ndef only_one(): pass\n")
    two = _write(tmp_path / "pkg/__init__.py", "def shared(b): pass\n")
    assert index.update(one)
    assert index.update(two)
    assert not index.update(two)  # as it was
    assert index.defining("shared") == (one, two)
    assert index.named("pkg") == (two,)
    first = index.definitions(one)[0]
    assert (first.name, first.first_line, first.last_line) == ("shared", 0, 1)
    assert first.signature == 'def shared(a):\n    """Say so."""'


def test_changes_are_followed(tmp_path: Path) -> None:
    """A changed file is indexed again; a deleted or binary file is removed with all its names."""
    index = InvertedIndex()
    path = _write(tmp_path / "a.py", "def old(): pass\n")
    index.update(path)
    _write(tmp_path / "a.py", "def brand_new(): pass\n")
    assert index.update(path)
    assert (index.defining("old"), index.defining("brand_new")) == ((), (path,))
    (tmp_path / "a.py").write_bytes(b"\0\1\2")
    assert index.update(path)
    assert (len(index), index.defining("brand_new"), index.definitions(path)) == (0, (), ())
    (tmp_path / "a.py").unlink()
    assert not index.update(path)
    index.remove("unknown")


def test_similar_chunks(tmp_path: Path) -> None:
    """Only rare words count, and the chunk with most of them comes first."""
    index = InvertedIndex()
    text = "common = 1\nzebra_{0} = common\nquagga_{0} = zebra_{0}\n"
    paths = [_write(tmp_path / f"{n}.py", text.format(n)) for n in range(40)]
    for path in paths:
        index.update(path)
    index.rank()
    best, *_rest = index.similar("common zebra_7 quagga_7 zebra_9", 5)
    assert (best.path, best.first_line) == (paths[7], 0)
    assert 0.3 < best.score <= 1
    assert [hit.path for hit in index.similar("common zebra_7 quagga_7 zebra_9", 5)] == [paths[7], paths[9]]
    assert index.similar("common", 5) == []
    assert index.similar("", 5) == []
    index.remove(paths[7])
    assert [hit.path for hit in index.similar("zebra_7 zebra_9", 5)] == [paths[9]]


def test_nothing_to_rank() -> None:
    """The index of an empty workspace finds nothing."""
    index = InvertedIndex()
    index.rank()
    assert index.similar("word", 3) == []


def test_memory_is_bounded(tmp_path: Path) -> None:
    """Beyond the limits no further file is indexed, but indexed files are still updated."""
    for index in (InvertedIndex(max_files=2), InvertedIndex(max_bytes=12_000)):
        paths = [_write(tmp_path / f"{n}.py", LONG) for n in range(5)]
        for path in paths:
            index.update(path)
        assert 0 < len(index) < 5
        _write(tmp_path / "0.py", "def changed(): pass\n")
        index.update(paths[0])
        assert index.defining("changed") == (paths[0],)
