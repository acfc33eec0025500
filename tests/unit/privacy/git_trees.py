"""Random folders with git repositories, and what git itself ignores in them."""

from __future__ import annotations

import os
import random
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

FOLDERS = ("a", "b", "lib", "build", "é", "x y", "C")
FILES = ("a.py", "b.log", "c", "d.txt", "build", "ab.py", "é.py", "[x]", "A.PY", "d.txt ", "!a", "#b")
ATOMS = (
    "a", "b", "c", "*", "*", "?", ".py", ".log", "d.txt", "build", "lib", "/", "/", "**/", "/**", "/**/", "**", "[ab]",
    "[!a]", "[^a-c]", "[[:alpha:]]", "[[:upper:]]", "[[:x:]]", "[", "]", "\\", "\\*", "\\ ", " ", "é", "#", "!", "C",
)  # fmt: skip
WHOLE = (
    "*.py", "*.log", "build/", "/build", "lib/*", "!lib/a.py", "**/c", "a/**", "!*.txt", "/*", "!/a/", "*", "!*/", "c",
)  # fmt: skip


@dataclass
class Tree:
    """A folder to be opened as a workspace."""

    folder: Path
    repositories: list[Path] = field(default_factory=list)
    """The tops of the checkouts in it, the folder itself first."""

    @property
    def files(self) -> set[str]:
        """All files that git might track, by their paths from the folder on."""
        return {
            path.relative_to(self.folder).as_posix()
            for path in self.folder.rglob("*")
            if path.is_file() and ".git" not in path.parts
        }

    def ignored(self) -> set[str]:
        """Return the files that git ignores, by the rules of one of the repositories that they are in."""
        return {file for repository in self.repositories for file in self._ignored_in(repository)}

    def _ignored_in(self, repository: Path) -> list[str]:
        above = repository.relative_to(self.folder).as_posix()
        prefix = "" if above == "." else f"{above}/"
        inside = [file.removeprefix(prefix) for file in sorted(self.files) if file.startswith(prefix)]
        names = git(repository, "check-ignore", "--no-index", "-z", "--stdin", stdin="".join(f"{n}\0" for n in inside))
        return [f"{prefix}{name}" for name in names.split("\0") if name]


def git(folder: Path, *arguments: str, stdin: str = "") -> str:
    """Return what git prints. Exit code 1 says that there is nothing."""
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-C", str(folder), *arguments]
    done = subprocess.run(command, input=stdin.encode(), capture_output=True, check=False)
    assert done.returncode in (0, 1), done.stderr.decode()
    return done.stdout.decode()


def random_tree(folder: Path, seed: int, personal: Path) -> Tree:
    """Make a tree: a main checkout or a linked worktree, with nested repositories, worktrees and submodules in it.

    The file ``personal`` gets patterns, too.
    """
    dice = random.Random(seed)  # noqa: S311 (a test keeps no secret)
    work = folder / "work"
    tree = Tree(work)
    if dice.random() < 0.3:
        _linked_worktree(folder / "elsewhere", work)
    else:
        _main(work)
    tree.repositories.append(work)
    for _ in range(dice.randint(2, 8)):
        place = _random_folder(dice, work)
        for name in dice.sample(FILES, 3):
            if not (place / name).exists():
                (place / name).touch()
    for number in range(dice.choice((0, 0, 1, 1, 2))):
        inner = _random_folder(dice, work) / f"inner{number}"
        dice.choice((_main, _submodule, _relative_submodule, _worktree_of_another))(inner)
        tree.repositories.append(inner)
        for name in dice.sample(FILES, 3):
            (inner / name).touch()
            (inner / "lib").mkdir(exist_ok=True)
            (inner / "lib" / name).touch()
    for repository in tree.repositories:
        exclude = repository / git(repository, "rev-parse", "--git-path", "info/exclude").strip()
        exclude.parent.mkdir(parents=True, exist_ok=True)
        exclude.write_bytes(_patterns(dice) if dice.random() < 0.6 else b"")
    for place in [work, *sorted(path for path in work.rglob("*") if path.is_dir() and ".git" not in path.parts)]:
        if dice.random() < 0.3:
            (place / ".gitignore").write_bytes(_patterns(dice))
    personal.write_bytes(_patterns(dice) if dice.random() < 0.3 else b"")
    return tree


def _random_folder(dice: random.Random, top: Path) -> Path:
    place = top
    for name in dice.choices(FOLDERS, k=dice.randint(0, 3)):
        place = place / name if not (place / name).is_file() else place
    place.mkdir(parents=True, exist_ok=True)
    return place


def _patterns(dice: random.Random) -> bytes:
    lines = [
        dice.choice(WHOLE) if dice.random() < 0.6 else "".join(dice.choices(ATOMS, k=dice.randint(1, 5)))
        for _ in range(dice.randint(1, 5))
    ]
    text = dice.choice(("\n", "\n", "\r\n")).join(f"{dice.choice(('', '', '', '!'))}{line}" for line in lines)
    return dice.choice((b"", b"", b"\xef\xbb\xbf")) + text.encode()


def _main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet")


def _linked_worktree(main: Path, folder: Path) -> None:
    _main(main)
    git(main, "commit", "--quiet", "--allow-empty", "-m", "first")
    git(main, "worktree", "add", "--quiet", "--detach", str(folder))


def _worktree_of_another(folder: Path) -> None:
    outside = next(parent for parent in folder.parents if parent.name == "work").parent
    _linked_worktree(outside / f"main-of-{folder.name}", folder)


def _submodule(folder: Path) -> None:
    """Make a checkout whose repository is elsewhere, as `git submodule` does."""
    outside = next(parent for parent in folder.parents if parent.name == "work").parent
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--separate-git-dir", str(outside / f"module-of-{folder.name}"))


def _relative_submodule(folder: Path) -> None:
    _submodule(folder)
    named = (folder / ".git").read_text().removeprefix("gitdir: ").strip()
    (folder / ".git").write_text(f"gitdir: {os.path.relpath(named, folder)}\n")
