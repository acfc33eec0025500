"""Which files of a workspace may contribute to a prompt.

A file may contribute when it is in a workspace folder and no rule excludes it. Rules come from ``.gitignore`` and
``.midfillignore`` files (in the file's folder and its parents, up to the repository's root), from
``.git/info/exclude``, from the settings, and from the built-in patterns. A file that one of these sources excludes is
excluded, whatever the others say. Within one source the last matching pattern of the deepest file decides, as in git.
Where a workspace folder ignores the case of names, patterns ignore it too, as git's do there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from pathspec import GitIgnoreSpec

from midfill.common.file_identity import ignores_case, resolve, resolve_entry
from midfill.common.file_system import FileStamp, repository_of, stamp_of
from midfill.common.file_uri import MAX_PATH_CHARACTERS
from midfill.common.folder_names import loosely

IGNORE_FILES = (".gitignore", ".midfillignore")
BUILT_IN_PATTERNS = (
    # Folders of tools
    ".git/", ".hg/", ".svn/", "node_modules/", "__pycache__/", ".venv/", "venv/", ".tox/", ".nox/", ".mypy_cache/",
    ".ruff_cache/", ".pytest_cache/", ".hypothesis/", ".gradle/", ".idea/", ".cache/", "site-packages/", ".terraform/",
    # Files with secrets
    ".env", ".env.*", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx", "id_rsa*", "id_dsa*",
    "id_ecdsa*", "id_ed25519*", ".netrc", "_netrc", ".npmrc", ".pypirc", ".htpasswd", ".aws/", ".ssh/", ".gnupg/",
    "*.tfstate", "*.tfvars", "credentials.json", "secrets.y*ml", "secrets.json", "secrets.toml",
    # Generated files
    "*.min.js", "*.min.css", "*.map", "*.lock", "package-lock.json", "pnpm-lock.yaml", "go.sum", "*_pb2.py",
    "*_pb2.pyi", "*_pb2_grpc.py", "*.pb.go", "*.pb.cc", "*.pb.h", "*.g.dart", "*.designer.cs",
)  # fmt: skip
_MAX_IGNORE_FILE_BYTES = 1_000_000
"""Maximum size of an ignore file in bytes; a larger one is not read."""

_MAX_DECISIONS = 4096
"""Maximum number of remembered decisions. A decision is valid while the ignore files behind it are unchanged."""

_Chain = list[tuple[str, list[GitIgnoreSpec | None]]]
"""Folders that have ignore files, outer ones first, each with the rules of its files."""


class IgnoreRules:
    """Answers whether a file may contribute. A repeated question only reads the ignore files' modification times."""

    def __init__(self, folders: Sequence[Path], patterns: Sequence[str] = ()) -> None:
        """Use the workspace ``folders`` and the settings' ``patterns``, in gitignore's syntax."""
        self.folders = tuple(dict.fromkeys(resolve(folder) for folder in folders))
        self._roots = {folder: repository_of(folder) or folder for folder in self.folders}
        self._fold: Callable[[str], str] = loosely if any(map(ignores_case, self.folders)) else str
        self._patterns = (self._spec(BUILT_IN_PATTERNS), self._spec(patterns))
        self._files: dict[str, tuple[FileStamp | None, GitIgnoreSpec | None]] = {}
        self._decisions: dict[Path, tuple[_Chain, bool]] = {}

    def folder_of(self, path: Path) -> Path | None:
        """Return the innermost workspace folder that contains ``path``, links followed; None for a path outside."""
        return self._containing(resolve(path))

    def allows(self, path: Path) -> bool:
        """Return whether a file, which need not exist, may contribute. For a link its target must be allowed, too.

        Links are followed anew each time: one that was harmless may lead elsewhere now.
        """
        target = resolve(path)
        name = target if target == path else resolve_entry(path)
        return self._allows(target) and (name == target or self._containing(name.parent) is None or self._allows(name))

    def walk(self) -> Iterator[Path]:
        """Yield every file that may contribute, without links; a folder that cannot be read is skipped."""
        for folder in self.folders:
            if not any(folder != other and folder.is_relative_to(other) for other in self.folders):
                yield from self._walk(folder, self._roots[folder])

    def _walk(self, folder: Path, root: Path) -> Iterator[Path]:
        pending = [folder]
        while pending:
            here = pending.pop()
            try:
                with os.scandir(here) as scan:
                    entries = sorted(scan, key=lambda entry: entry.name)
            except (OSError, ValueError):
                continue
            chain = self._chain(root, here)
            for entry in entries:
                path, is_folder = Path(entry.path), _is(entry, "is_dir")
                if self._excludes(chain, folder, path, is_folder):
                    continue
                if is_folder:
                    pending.append(path)
                elif _is(entry, "is_file"):
                    yield path

    def _containing(self, path: Path) -> Path | None:
        containing = [folder for folder in self.folders if path.is_relative_to(folder)]
        return max(containing, key=lambda folder: len(folder.parts), default=None)

    def _allows(self, path: Path) -> bool:
        folder = self._containing(path)
        if folder is None or path == folder or len(str(path)) > MAX_PATH_CHARACTERS:
            return False
        root = self._roots[folder]
        chain = self._chain(root, path.parent)
        known = self._decisions.get(path)
        if known is None or known[0] != chain:
            excluded = any(self._excludes(*step) for step in self._steps(chain, folder, path))
            if len(self._decisions) >= _MAX_DECISIONS:
                self._decisions.clear()
            known = self._decisions[path] = (chain, not excluded)
        return known[1]

    @staticmethod
    def _steps(chain: _Chain, folder: Path, path: Path) -> Iterator[tuple[_Chain, Path, Path, bool]]:
        """Yield what :meth:`_excludes` takes, for each folder from ``folder`` to a file, and for the file."""
        here = folder
        for name in path.parts[len(folder.parts) :]:
            above = len(str(here))
            here /= name
            yield [step for step in chain if len(step[0]) <= above], folder, here, here != path

    def _excludes(self, chain: _Chain, folder: Path, path: Path, is_folder: bool) -> bool:
        """Return whether a rule excludes ``path`` itself; the caller has checked its parents."""
        slash = "/" if is_folder else ""
        if any(spec.match_file(self._relative(path, str(folder)) + slash) for spec in self._patterns):
            return True
        for source in range(len(IGNORE_FILES) + 1):
            for where, specs in reversed(chain):
                spec = specs[source]
                excluded = spec.check_file(self._relative(path, where) + slash).include if spec else None
                if excluded is not None:
                    if excluded:
                        return True
                    break
        return False

    def _chain(self, root: Path, folder: Path) -> _Chain:
        """Return the folders from ``root`` to ``folder`` that have ignore files, each with their rules."""
        where = str(root)
        steps = [where, *(where := os.path.join(where, part) for part in folder.parts[len(root.parts) :])]
        chain: _Chain = []
        for step in steps:
            specs = [self._load(os.path.join(step, name)) for name in IGNORE_FILES]
            specs.append(self._load(os.path.join(step, ".git/info/exclude")) if step == steps[0] else None)
            if any(specs):
                chain.append((step, specs))
        return chain

    def _load(self, file: str) -> GitIgnoreSpec | None:
        """Return the rules of an ignore file, read again only after a change; None when there is no such file."""
        stamp = stamp_of(file)
        known = self._files.get(file)
        if known is not None and known[0] == stamp:
            return known[1]
        spec = None
        if stamp is not None and stamp[1] <= _MAX_IGNORE_FILE_BYTES:
            try:
                spec = self._spec(Path(file).read_text(encoding="utf-8", errors="replace").splitlines())
            except OSError:
                spec = None
        self._files[file] = (stamp, spec)
        return spec

    def _spec(self, patterns: Sequence[str]) -> GitIgnoreSpec:
        """Compile patterns; an invalid pattern matches nothing, as in git."""
        # For git `a/**` means everything in the folder; for pathspec it also means the folder itself.
        patterns = [f"{pattern.rstrip()}/*" if pattern.rstrip().endswith("/**") else pattern for pattern in patterns]
        patterns = [self._fold(pattern) for pattern in patterns]
        try:
            return GitIgnoreSpec.from_lines(patterns)
        except ValueError:
            return GitIgnoreSpec.from_lines([pattern for pattern in patterns if _is_pattern(pattern)])

    def _relative(self, path: Path, folder: str) -> str:
        return self._fold(str(path)[len(folder.rstrip(os.sep)) + 1 :].replace(os.sep, "/"))


def _is_pattern(pattern: str) -> bool:
    try:
        GitIgnoreSpec.from_lines([pattern])
    except ValueError:
        return False
    return True


def _is(entry: os.DirEntry[str], kind: str) -> bool:
    try:
        return bool(getattr(entry, kind)(follow_symlinks=False))
    except OSError:
        return False
