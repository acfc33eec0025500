"""Folders that a stranger may have written, each made by a seed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

_PATTERNS = (
    "*a" * 14 + "*b",
    "**/a/" * 12 + "b",
    "[" * 500,
    "!" * 500,
    "**" * 200,
    "a?" * 200 + "b",
    "\\" * 99,
    "[!a-",
)
_NAMES = ("C#", "q?r", "50%25", "a b", "ü", "-rf", "con.txt", "a\nb", "\u202e", "x" * 200, "pip", "midfill.py")
_SETTINGS = (
    b"exclude = [" + b'"*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b",' * 50 + b"]\n",
    b"bundle = '/'\nthreads = 256\n",
    b"[" * 5_000,
    b"a = " + b"[" * 5_000 + b"\n",
    b"\xff\xfe",
    b"maxTokens = 1e999\n",
)
_LONG = 300_000


def make_workspace(folder: Path, seed: int) -> str:
    """Make a folder with a document ``main.py`` and two to four hostile things; return what they are."""
    chance = Random(seed)  # noqa: S311 -- repeatable
    folder.mkdir()
    (folder / "main.py").write_text("from helpers import add\n\n\ndef total(a, b):\n    return \n")
    (folder / "helpers.py").write_text("def add(a, b):\n    return a + b\n")
    ways: Sequence[tuple[str, Callable[[Path, Random], None]]] = (
        ("patterns", _patterns),
        ("ignore file that is none", _special_ignore_file),
        ("deep folders", _deep),
        ("many folders", _wide),
        ("long lines", _long_lines),
        ("links", _links),
        ("odd names", _odd_names),
        ("settings", _settings),
        ("git", _git),
        ("noise", _noise),
        ("special files", _special_files),
        ("nested code", _nested_code),
    )
    chosen = chance.sample(ways, chance.randint(2, 4))
    for _, make in chosen:
        with contextlib.suppress(FileExistsError):  # two of them may want the same name
            make(folder, chance)
    return ", ".join(name for name, _ in chosen)


def _patterns(folder: Path, chance: Random) -> None:
    name = chance.choice((".gitignore", ".midfillignore"))
    with (folder / name).open("x") as file:  # there may be a pipe of this name
        file.write("\n".join(chance.choices(_PATTERNS, k=5)) + "\n")
    for length in (20, 40, 80):
        (folder / ("a" * length + ".py")).write_text("x = 1\n")


def _special_ignore_file(folder: Path, chance: Random) -> None:
    file = folder / chance.choice((".gitignore", ".midfillignore"))
    what = chance.randrange(4)
    if what == 0:
        file.symlink_to("/dev/zero")
    elif what == 1:
        os.mkfifo(file)
    elif what == 2:
        file.mkdir()
    else:
        with file.open("xb") as plain:
            plain.write(b"x\n" * 2_000_000)


def _deep(folder: Path, chance: Random) -> None:
    here = folder
    for _ in range(chance.choice((50, 400))):
        here /= "d"
        with contextlib.suppress(OSError):  # the path is too long
            here.mkdir()
    with contextlib.suppress(OSError):
        (here / "deep.py").write_text("x = 1\n")


def _wide(folder: Path, chance: Random) -> None:
    for number in range(chance.choice((20, 300))):
        (folder / f"f{number}").mkdir()
        (folder / f"f{number}" / "module.py").write_text(f"def f{number}():\n    pass\n")


def _long_lines(folder: Path, chance: Random) -> None:
    character = chance.choice(("a", "(", '"', " ", "\\", "a.", "<", "=", "password=", "\t", "é"))
    (folder / "long.py").write_text("x = " + character * (_LONG // len(character)), encoding="utf-8")
    (folder / "long.js").write_text(character * (_LONG // len(character)), encoding="utf-8")


def _links(folder: Path, _: Random) -> None:
    (folder / "loop").symlink_to(folder)
    (folder / "self").symlink_to("self")
    (folder / "root").symlink_to("/")
    (folder / "zero.py").symlink_to("/dev/zero")
    (folder / "secret.py").symlink_to("/etc/passwd")


def _odd_names(folder: Path, chance: Random) -> None:
    for name in chance.sample(_NAMES, 5):
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "module.py").write_text("def odd():\n    pass\n")
    with contextlib.suppress(OSError):  # macOS allows only Unicode
        (folder / os.fsdecode(b"\xff.py")).write_text("x = 1\n")


def _settings(folder: Path, chance: Random) -> None:
    file = folder / "midfill.toml"
    if chance.randrange(4) == 0:
        file.symlink_to("/dev/zero")
    else:
        file.write_bytes(chance.choice(_SETTINGS))


def _git(folder: Path, chance: Random) -> None:
    if chance.randrange(2):
        (folder / ".git").write_text(
            chance.choice(("gitdir: /dev/zero\n", "gitdir: .\n", "gitdir: ../../..\n", "x" * 99_999))
        )
        return
    (folder / ".git" / "info").mkdir(parents=True)
    (folder / ".git" / "info" / "exclude").symlink_to(chance.choice(("/dev/zero", "exclude", "/etc/passwd")))
    (folder / ".git" / "commondir").write_text("../" * 50)


def _noise(folder: Path, chance: Random) -> None:
    for suffix in ("py", "js", "rs", "md", "json", "ipynb"):
        (folder / f"noise.{suffix}").write_bytes(chance.randbytes(20_000))


def _special_files(folder: Path, _: Random) -> None:
    os.mkfifo(folder / "pipe.py")
    os.mkfifo(folder / "pipe.js")
    (folder / "folder.py").mkdir()
    (folder / "sparse.py").write_bytes(b"")
    os.truncate(folder / "sparse.py", 1 << 33)


def _nested_code(folder: Path, chance: Random) -> None:
    depth = chance.choice((500, 20_000))
    (folder / "nested.py").write_text("(" * depth + ")" * depth)
    (folder / "nested.js").write_text("{" * depth + "[" * depth)
    (folder / "classes.py").write_text("".join(f"{' ' * n}class C{n}:\n" for n in range(300)))
