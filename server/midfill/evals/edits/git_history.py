"""Reads the changes of a git repository's own history, commit by commit, with git itself.

Git starts no other program, writes nothing, and fetches nothing that the repository lacks.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from midfill.code.source_files import MAX_SOURCE_BYTES
from midfill.common.child_programs import find_program
from midfill.common.errors import EvalError
from midfill.evals.edits.hunks import FileChange
from midfill.evals.edits.releases import is_source, to_source
from midfill.privacy.ignore_rules import IgnoreRules

_MAX_COMMITS = 5_000
"""Number of latest commits that are read."""
_MAX_FILES = 10
"""Maximum number of changed source files of a commit. One that changes more was hardly made by hand."""
_FILES_AT_ONCE = 100
_SECONDS = 300.0
"""Time limit of one call of git."""
_ID_CHARACTERS = 12
_SAFE = (
    "--no-pager", "--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null",
    "-c", "protocol.allow=never", "-c", "log.showSignature=false",
)  # fmt: skip
"""A stranger's repository may name programs in its configuration."""


def changes_in(repository: Path) -> Iterator[FileChange]:
    """Yield the source files that each commit changed, the latest commit first. Merges are left out.

    Files that an ignore rule of the repository excludes are left out, too.

    Raises:
        EvalError: there is no git, or the folder is no repository that it can read.
    """
    rules = IgnoreRules([repository])
    name = repository.resolve().name
    found = [
        file
        for files in _commits(repository)
        if len(wanted := [file for file in files if is_source(file.path)]) <= _MAX_FILES
        for file in wanted
        if rules.allows(repository / file.path)
    ]
    small = _small_blobs(repository, {blob for file in found for blob in (file.old, file.new)})
    readable = [file for file in found if file.old in small and file.new in small]
    for start in range(0, len(readable), _FILES_AT_ONCE):
        files = readable[start : start + _FILES_AT_ONCE]
        texts = _texts(repository, [blob for file in files for blob in (file.old, file.new)])
        for file, before, after in zip(files, texts[::2], texts[1::2], strict=True):
            if before is not None and after is not None:
                yield FileChange(name, file.commit[:_ID_CHARACTERS], file.path, before, after)


@dataclass(frozen=True)
class _ModifiedFile:
    """A file that a commit modified, and the ids of its contents before and after."""

    commit: str
    path: str
    old: str
    new: str


def _commits(repository: Path) -> Iterator[list[_ModifiedFile]]:
    """Yield the files that each commit modified."""
    listed = _git(
        repository, "log", f"--max-count={_MAX_COMMITS}", "--no-merges", "--no-renames", "--no-ext-diff",
        "--no-textconv", "--diff-filter=M", "--raw", "--no-abbrev", "-z", "--format=%x01%H",
    )  # fmt: skip
    for record in listed.decode(errors="replace").split("\x01")[1:]:
        commit, *rest = (part.strip("\n") for part in record.split("\0"))
        # An entry is ":100644 100644 OLD NEW M", and then the path.
        entries = [part for part in rest if part]
        yield [
            _ModifiedFile(commit, path, *entry.split(" ")[2:4])
            for entry, path in zip(entries[::2], entries[1::2], strict=False)
        ]


def _small_blobs(repository: Path, blobs: set[str]) -> frozenset[str]:
    """Return which blobs are here, and small enough for source code."""
    listed = _git(repository, "cat-file", "--batch-check", given=_lines(sorted(blobs))).decode(errors="replace")
    entries = [line.split(" ") for line in listed.splitlines()]  # "ID blob SIZE"; "ID missing" without a size
    return frozenset(
        entry[0] for entry in entries if len(entry) == 3 and entry[1] == "blob" and int(entry[2]) <= MAX_SOURCE_BYTES
    )


def _texts(repository: Path, blobs: Sequence[str]) -> list[str | None]:
    """Return the texts of some blobs; None for one that is no handwritten text."""
    found = _git(repository, "cat-file", "--batch", given=_lines(blobs))
    texts: list[str | None] = []
    at = 0
    for _ in blobs:
        start = found.index(b"\n", at) + 1
        size = int(found[at:start].split(b" ")[2])
        texts.append(to_source(found[start : start + size]))
        at = start + size + 1
    return texts


def _lines(blobs: Sequence[str]) -> bytes:
    return "".join(f"{blob}\n" for blob in blobs).encode()


def _git(repository: Path, *arguments: str, given: bytes = b"") -> bytes:
    git = find_program("git")
    if git is None:
        raise EvalError("git is needed to read the history of a repository: install it, or compare two releases.")
    environment = {**os.environ, "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(  # noqa: S603 (no shell, and git is told to start nothing)
            [git, *_SAFE, "-C", str(repository), *arguments],
            input=given,
            capture_output=True,
            check=False,
            timeout=_SECONDS,
            env=environment,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EvalError(f"git cannot read {repository} ({type(error).__name__}): try a smaller repository.") from error
    if done.returncode:
        raise EvalError(f"git cannot read {repository}: name a folder with a git repository that has commits.")
    return done.stdout
