"""The suite ``languages``, and the files of its tasks."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from midfill.code.languages import Language
from midfill.common.reasons import Reason
from midfill.completion.types import Completion, Request
from midfill.evals import languages, sources, suites
from midfill.evals.runner import run_tasks
from midfill.evals.sources import INSTALLED, pick

LUA = next(language for language in INSTALLED if language.name == "Lua")
JAVA = next(language for language in INSTALLED if language.name == "Java")
C = next(language for language in INSTALLED if language.name == "C")


def write(path: Path, lines: int, line: str = "local value{} = compute(first, second)") -> Path:
    """Write a file of ``lines`` statements."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(line.format(number) + "\n" for number in range(lines)))
    return path


def names(language: Language, count: int, root: Path) -> list[str]:
    """Return the names of the picked files."""
    return [file.name.rpartition("/")[2] for file, _ in pick(language, count, [root])]


def test_median_sizes_first(tmp_path: Path) -> None:
    """Files of median size come first, one of each folder; files that are too small or large never come."""
    lengths = {"a/short": 60, "a/middle": 100, "a/near": 101, "b/long": 300, "b/tiny": 3, "b/huge": 5000}
    for name, lines in lengths.items():
        write(tmp_path / f"{name}.lua", lines)
    assert names(LUA, 2, tmp_path) == ["near.lua", "long.lua"]
    assert names(LUA, 9, tmp_path) == ["near.lua", "long.lua", "middle.lua", "short.lua"]


def test_same_text_once(tmp_path: Path) -> None:
    """A file that is installed twice counts once; so does a link."""
    first = write(tmp_path / "a" / "one.lua", 100)
    write(tmp_path / "b" / "one.lua", 100)
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "two.lua").symlink_to(first)
    assert names(LUA, 9, tmp_path) == ["one.lua"]


def test_sources_before_headers(tmp_path: Path) -> None:
    """Files with the language's first ending come first, whatever their size."""
    for number in range(3):
        write(tmp_path / f"{number}" / "header.h", 100 + number)
    write(tmp_path / "z" / "source.c", 300)
    assert names(C, 2, tmp_path)[0] == "source.c"
    assert len(names(C, 2, tmp_path)) == 2


def test_archive_of_sources(tmp_path: Path) -> None:
    """The Java library's sources are read from their archive; a damaged archive has none."""
    text = write(tmp_path / "T.java", 100, "int value{} = compute(first, second);").read_text()
    (tmp_path / "T.java").unlink()
    with zipfile.ZipFile(tmp_path / "src.zip", "w") as archive:
        archive.writestr("java.base/java/util/List.java", text)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "src.zip").write_bytes(b"PK no archive")
    [(file, found)] = pick(JAVA, 9, [tmp_path])
    assert (file.name, found) == ("java/util/List.java", text)


def test_roots_are_apart() -> None:
    """No folder is searched twice, and the standard library is among them."""
    roots = sources.installed_roots()
    assert not any(one != other and one.is_relative_to(other) for one in roots for other in roots)
    assert any((root / "argparse.py").exists() or (root / "python3").exists() for root in roots)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Make a machine with files of two languages."""
    for number in range(4):
        write(tmp_path / f"{number}" / "some.lua", 100 + number)
        write(tmp_path / f"{number}" / "some.c", 100 + number, "  int value{} = compute(first, second);  ")
    return tmp_path


def test_one_line_tasks(machine: Path) -> None:
    """Half of the gaps are whole statements, half the rest of a statement; a gap ends with the line's code."""
    tasks = languages.tasks([machine])
    assert {task.group for task in tasks} == {"Lua", "C"}
    assert len(tasks) == 16
    begun = [task.prefix.rpartition("\n")[2].strip() for task in tasks]
    assert sum(bool(start) for start in begun) == 8
    for task, start in zip(tasks, begun, strict=True):
        statement = start + task.expected if not start else task.prefix.rpartition("\n")[2].lstrip() + task.expected
        assert statement.startswith(("int value", "local value"))
        assert statement.endswith(("second);", "second)"))
        assert task.suffix.lstrip(" ").startswith("\n")
        assert task.request().language == task.group.lower()
        assert str(machine) not in task.path + task.name
    assert tasks == languages.tasks([machine])


def test_comments_are_not_asked_for(tmp_path: Path) -> None:
    """Comments, closing brackets and short lines are not statements."""
    path = write(tmp_path / "a" / "some.c", 100, "// it says nothing of what is computed {}\n }}\nx = 1;")
    path.write_text(path.read_text() + "int only_one = compute(1);\n")
    assert {task.prefix.rpartition("\n")[2] + task.expected for task in languages.tasks([tmp_path])} == {
        "int only_one = compute(1);"
    }


def test_missing_languages_are_told(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A language without files on this machine is reported, and each other one has its own figures."""

    def answer(request: Request) -> Completion:
        return Completion(text="", start=request.offset, end=request.offset, reason=Reason.BLANK, model="scripted")

    report = run_tasks("languages", "all", languages.tasks([machine]), answer, lambda *_: None, missing=("Rust",))
    assert list(report.groups) == ["C", "Lua"]
    assert report.to_json()["none_found"] == ["Rust"]
    assert {row.reason for row in report.rows} == {"blank"}
    monkeypatch.setattr(sources, "installed_roots", lambda: [machine])
    everything = suites.run("languages", answer, 1, lambda *_: None)
    assert set(everything.missing) == set(languages.NAMES) - {"C", "Lua"}
    assert len(languages.NAMES) >= 20
