"""Which files of a workspace may contribute to a prompt.

A file may when it is in a workspace folder and nothing excludes it: neither ``.gitignore`` nor ``.midfillignore`` files
(in its folder and those above, up to the repository's), nor ``.git/info/exclude``, nor the patterns of the settings,
nor the built-in ones. Each of these decides for itself, so that one cannot let in what another keeps out; within one
kind, the last matching pattern of the deepest file counts, as git has it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from pathspec import GitIgnoreSpec

IGNORE_FILES = (".gitignore", ".midfillignore")
BUILT_IN = (
    # What tools keep for themselves
    ".git/", ".hg/", ".svn/", "node_modules/", "__pycache__/", ".venv/", "venv/", ".tox/", ".nox/", ".mypy_cache/",
    ".ruff_cache/", ".pytest_cache/", ".hypothesis/", ".gradle/", ".idea/", ".cache/", "site-packages/", ".terraform/",
    # What holds secrets
    ".env", ".env.*", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx", "id_rsa*", "id_dsa*",
    "id_ecdsa*", "id_ed25519*", ".netrc", "_netrc", ".npmrc", ".pypirc", ".htpasswd", ".aws/", ".ssh/", ".gnupg/",
    "*.tfstate", "*.tfvars", "credentials.json", "secrets.y*ml", "secrets.json", "secrets.toml",
    # What nobody writes by hand
    "*.min.js", "*.min.css", "*.map", "*.lock", "package-lock.json", "pnpm-lock.yaml", "go.sum", "*_pb2.py",
    "*_pb2.pyi", "*_pb2_grpc.py", "*.pb.go", "*.pb.cc", "*.pb.h", "*.g.dart", "*.designer.cs",
)  # fmt: skip
_LARGEST = 1_000_000
"""Bytes of an ignore file; a larger one is none."""

_REMEMBERED = 4096
"""Decisions kept, for as long as the ignore files that they come of stay as they are."""

_Stamp = tuple[int, int]
_Chain = list[tuple[str, list[GitIgnoreSpec | None]]]
"""Folders, outer ones first, each with what its ignore files say."""


class Ignore:
    """Answers whether a file may contribute; asking again costs a few look-ups of times of change."""

    def __init__(self, folders: Sequence[Path], patterns: Sequence[str] = ()) -> None:
        """Consider the workspace ``folders`` and the settings' ``patterns``, in gitignore's syntax."""
        self.folders = tuple(dict.fromkeys(_resolved(folder) for folder in folders))
        self._tops = {folder: repository_of(folder) or folder for folder in self.folders}
        self._always = (_spec(BUILT_IN), _spec(patterns))
        self._known: dict[str, tuple[_Stamp | None, GitIgnoreSpec | None]] = {}
        self._decided: dict[Path, tuple[_Chain, bool]] = {}

    def folder_of(self, path: Path) -> Path | None:
        """Return the innermost workspace folder that ``path`` is in, links followed; None for a path outside."""
        path = _resolved(path)
        around = [folder for folder in self.folders if path.is_relative_to(folder)]
        return max(around, key=lambda folder: len(folder.parts), default=None)

    def allows(self, path: Path) -> bool:
        """Say whether a file may contribute; it need not exist. A link is judged by where it leads, too."""
        target = _resolved(path)
        literal = Path(os.path.abspath(path))
        return self._allows(target) and (
            literal == target
            or self.folder_of(literal.parent) is None
            or (self._allows(_resolved(literal.parent) / literal.name))
        )

    def walk(self) -> Iterator[Path]:
        """Yield every file that may contribute, links left out; what cannot be read is passed over."""
        for folder in self.folders:
            if not any(folder != other and folder.is_relative_to(other) for other in self.folders):
                yield from self._walk(folder, self._tops[folder])

    def _walk(self, folder: Path, top: Path) -> Iterator[Path]:
        pending = [folder]
        while pending:
            here = pending.pop()
            try:
                with os.scandir(here) as scan:
                    entries = sorted(scan, key=lambda entry: entry.name)
            except OSError:
                continue
            chain = self._chain(top, here)
            for entry in entries:
                path, is_folder = Path(entry.path), _is(entry, "is_dir")
                if self._excludes(chain, folder, path, is_folder):
                    continue
                if is_folder:
                    pending.append(path)
                elif _is(entry, "is_file"):
                    yield path

    def _allows(self, path: Path) -> bool:
        folder = self.folder_of(path)
        if folder is None or path == folder:
            return False
        top = self._tops[folder]
        chain = self._chain(top, path.parent)
        known = self._decided.get(path)
        if known is None or known[0] != chain:
            within = [parent for parent in reversed(path.parents) if parent.is_relative_to(folder) and parent != folder]
            excluded = any(self._excludes(self._chain(top, p.parent), folder, p, p != path) for p in (*within, path))
            if len(self._decided) >= _REMEMBERED:
                self._decided.clear()
            known = self._decided[path] = (chain, not excluded)
        return known[1]

    def _excludes(self, chain: _Chain, folder: Path, path: Path, is_folder: bool) -> bool:
        """Say whether ``path`` itself is excluded; what it is in has been asked before."""
        slash = "/" if is_folder else ""
        below = _relative(path, str(folder)) + slash
        if any(spec.match_file(below) for spec in self._always):
            return True
        for kind in range(len(IGNORE_FILES) + 1):
            for where, specs in reversed(chain):
                spec = specs[kind]
                decided = spec.check_file(_relative(path, where) + slash).include if spec else None
                if decided is not None:
                    if decided:
                        return True
                    break
        return False

    def _chain(self, top: Path, folder: Path) -> _Chain:
        """Return the folders from ``top`` to ``folder`` whose ignore files say something, with what they say."""
        where = str(top)
        steps = [where, *(where := os.path.join(where, part) for part in folder.parts[len(top.parts) :])]
        chain: _Chain = []
        for step in steps:
            specs = [self._load(os.path.join(step, name)) for name in IGNORE_FILES]
            specs.append(self._load(os.path.join(step, ".git/info/exclude")) if step == steps[0] else None)
            if any(specs):
                chain.append((step, specs))
        return chain

    def _load(self, file: str) -> GitIgnoreSpec | None:
        """Read an ignore file, unless it is as it was; None when there is none."""
        try:
            status = os.stat(file)
            stamp: _Stamp | None = (status.st_mtime_ns, status.st_size)
        except (OSError, ValueError):
            stamp = None
        known = self._known.get(file)
        if known is not None and known[0] == stamp:
            return known[1]
        spec = None
        if stamp is not None and stamp[1] <= _LARGEST:
            try:
                spec = _spec(Path(file).read_text(encoding="utf-8", errors="replace").splitlines())
            except OSError:
                spec = None
        self._known[file] = (stamp, spec)
        return spec


def _spec(patterns: Sequence[str]) -> GitIgnoreSpec:
    """Compile patterns; ones that are none, as git has it, match nothing."""
    # `a/**` is all that is in the folder: git does not mean the folder itself, pathspec does.
    patterns = [f"{pattern.rstrip()}/*" if pattern.rstrip().endswith("/**") else pattern for pattern in patterns]
    try:
        return GitIgnoreSpec.from_lines(patterns)
    except ValueError:
        return GitIgnoreSpec.from_lines([pattern for pattern in patterns if _is_pattern(pattern)])


def _is_pattern(pattern: str) -> bool:
    try:
        GitIgnoreSpec.from_lines([pattern])
    except ValueError:
        return False
    return True


def _relative(path: Path, folder: str) -> str:
    return str(path)[len(folder.rstrip(os.sep)) + 1 :].replace(os.sep, "/")


def _resolved(path: Path) -> Path:
    """Follow links; a path that cannot be followed (a loop, a NUL) is left as it is."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        return path


def repository_of(folder: Path) -> Path | None:
    """Return the git repository that a folder is in, None for one outside."""
    return next((parent for parent in (folder, *folder.parents) if (parent / ".git").exists()), None)


def _is(entry: os.DirEntry[str], kind: str) -> bool:
    try:
        return bool(getattr(entry, kind)(follow_symlinks=False))
    except OSError:
        return False
