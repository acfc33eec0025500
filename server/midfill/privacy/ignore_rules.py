"""Which files of a workspace may contribute to a prompt.

A file may contribute when it is in a workspace folder and no rule excludes it. Rules come from git's ignore files, from
``.midfillignore`` files, from the settings, and from the built-in patterns. A file that one of these sources excludes
is excluded, whatever the others say. Within one source the last matching pattern of the deepest file decides.

A pattern of the settings that begins with two slashes is about the whole path, from the root of the file system. These
patterns are a source of their own. So they also hold in a workspace that is a part of what they exclude.

Git's ignore files are ``.gitignore`` (in the file's folder and its parents, up to the repository's root), and, where
these say nothing, the user's: ``info/exclude`` of the repository, and then ``core.excludesFile``. A file in a
repository within another one is excluded if one of them would ignore it. Where a workspace folder ignores the case of
names, patterns ignore it too, as git's do there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path, PurePath

from midfill.common.file_identity import ignores_case, resolve, resolve_entry
from midfill.common.file_system import is_within, repository_of
from midfill.common.file_uri import MAX_PATH_CHARACTERS
from midfill.common.folder_names import loosely
from midfill.privacy.ignore_files import GIT_FILE, OWN_FILE, Chain, IgnoreFiles
from midfill.privacy.ignore_patterns import PatternList, to_bytes

IGNORE_FILES = (GIT_FILE, OWN_FILE)
BUILT_IN_PATTERNS = (
    # Folders of tools
    ".git", ".hg/", ".svn/", "node_modules/", "__pycache__/", ".venv/", "venv/", ".tox/", ".nox/", ".mypy_cache/",
    ".ruff_cache/", ".pytest_cache/", ".hypothesis/", ".gradle/", ".idea/", ".cache/", "site-packages/", ".terraform/",
    # Files with secrets
    ".env", ".env.*", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx", "id_rsa*", "id_dsa*",
    "id_ecdsa*", "id_ed25519*", ".netrc", "_netrc", ".npmrc", ".pypirc", ".htpasswd", "*.tfstate", "*.tfvars",
    "credentials.json", "secrets.y*ml", "secrets.json", "secrets.toml", ".envrc", "*.ppk", "*.ovpn", "*.keytab",
    ".git-credentials", ".pgpass", ".my.cnf", ".mylogin.cnf", ".dockercfg", ".s3cfg", ".boto", ".vault-token",
    "*.kubeconfig", "rclone.conf", ".terraformrc", ".*_history", "application_default_credentials.json",
    "service-account*.json", "service_account*.json", "client_secret*.json",
    # Generated files
    "*.min.js", "*.min.css", "*.map", "*.lock", "package-lock.json", "pnpm-lock.yaml", "go.sum", "*_pb2.py",
    "*_pb2.pyi", "*_pb2_grpc.py", "*.pb.go", "*.pb.cc", "*.pb.h", "*.g.dart", "*.designer.cs",
)  # fmt: skip
SECRET_PLACES = (
    ".aws/", ".ssh/", ".gnupg/", ".kube/", ".azure/", ".password-store/", ".terraform.d/", "**/.docker/config.json",
    "**/.config/gcloud/", "**/.config/gh/", "**/.cargo/credentials*", "**/.gem/credentials", "**/.m2/settings*.xml",
)  # fmt: skip
"""Places of secrets, also above a workspace: one file of them may be opened alone, or their folder as a workspace."""
ABSOLUTE = "//"
"""The beginning of a pattern that is about the whole path. The pattern follows, such as ``secret/`` or ``/srv/a``."""
_MAX_DECISIONS = 4096
"""Maximum number of remembered decisions. A decision is valid while the ignore files behind it are unchanged."""

_MAX_WORK = 500_000_000
"""Maximum product of the bytes of all wildcards, the length of a path, and the number of its folders: about half a
second. Only a path that is made for it has more, and it is excluded."""


class IgnoreRules:
    """Answers whether a file may contribute. A repeated question only reads the ignore files' modification times."""

    def __init__(self, folders: Sequence[Path], patterns: Sequence[str] = ()) -> None:
        """Use the workspace ``folders`` and the settings' ``patterns``, in gitignore's syntax or :data:`ABSOLUTE`."""
        self.folders = tuple(dict.fromkeys(resolve(folder) for folder in folders))
        self._roots = {folder: repository_of(folder) or folder for folder in self.folders}
        self._fold: Callable[[str], str] = loosely if any(map(ignores_case, self.folders)) else str
        self._patterns = tuple(
            map(self._list, (BUILT_IN_PATTERNS, [each for each in patterns if not each.startswith(ABSOLUTE)]))
        )
        absolute = (each.removeprefix(ABSOLUTE) for each in patterns if each.startswith(ABSOLUTE))
        self._absolute = self._list((*SECRET_PLACES, *absolute))
        self._closed = frozenset(
            folder
            for folder in self.folders
            if any(self._absolute.decide(self._whole(each), is_folder=True) for each in (folder, *folder.parents))
        )
        """The folders that are within what the absolute patterns exclude."""
        self._files = IgnoreFiles(self._fold)
        self._decisions: dict[Path, tuple[Chain, bool]] = {}

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

    def allows_name(self, path: PurePath) -> bool:
        """Return whether a document may contribute that is in no folder: only settings and built-in patterns decide."""
        name = path.as_posix().lstrip("/")
        if len(name) > MAX_PATH_CHARACTERS:
            return False
        ends = [place for place, character in enumerate(name) if character == "/"]
        return not any(
            patterns.decide(self._bytes(name[:end]), is_folder=end is not None)
            for patterns in (*self._patterns, self._absolute)
            for end in (*ends, None)
        )

    def walk(self) -> Iterator[Path]:
        """Yield every file that may contribute, without links; a folder that cannot be read is skipped."""
        for folder in self.folders:
            if folder not in self._closed and not any(
                folder != other and is_within(folder, other) for other in self.folders
            ):
                yield from self._walk(folder)

    def _walk(self, folder: Path) -> Iterator[Path]:
        top = self._files.chain(self._roots[folder], folder)
        pending = [(folder, top)]
        while pending:
            here, chain = pending.pop()
            try:
                with os.scandir(here) as scan:
                    entries = sorted(scan, key=lambda entry: entry.name)
            except (OSError, ValueError):
                continue
            if here != folder:
                chain = self._files.extended(chain, str(here))
            for entry in entries:
                path, is_folder = Path(entry.path), _is(entry, "is_dir")
                if self._excludes(chain, folder, path, is_folder=is_folder):
                    continue
                if is_folder:
                    pending.append((path, chain))
                elif _is(entry, "is_file"):
                    yield path

    def _containing(self, path: Path) -> Path | None:
        containing = [folder for folder in self.folders if is_within(path, folder)]
        return max(containing, key=lambda folder: len(folder.parts), default=None)

    def _allows(self, path: Path) -> bool:
        folder = self._containing(path)
        if folder is None or folder in self._closed or path == folder or len(str(path)) > MAX_PATH_CHARACTERS:
            return False
        chain = self._files.chain(self._roots[folder], path.parent)
        known = self._decisions.get(path)
        if known is None or known[0] != chain:
            steps = list(_from(folder, path))
            wildcards = sum(patterns.wildcard_bytes for patterns in self._lists(chain))
            excluded = wildcards * len(str(path)) * len(steps) > _MAX_WORK or any(
                self._excludes(chain, folder, step, is_folder=step is not steps[-1]) for step in steps
            )
            if len(self._decisions) >= _MAX_DECISIONS:
                self._decisions.clear()
            known = self._decisions[path] = (chain, not excluded)
        return known[1]

    def _excludes(self, chain: Chain, folder: Path, path: Path, *, is_folder: bool) -> bool:
        """Return whether a rule excludes ``path`` itself; the caller has checked its parents."""
        within = self._relative(path, str(folder))
        if any(patterns.decide(within, is_folder=is_folder) for patterns in self._patterns):
            return True
        if self._absolute.decide(self._whole(path), is_folder=is_folder):
            return True
        above = [(rules, self._relative(path, rules.folder)) for rules in chain if len(rules.folder) < len(str(path))]
        above.reverse()
        if _first(rules.own.decide(relative, is_folder=is_folder) for rules, relative in above if rules.own):
            return True
        for rules, relative in above:
            decision = rules.git.decide(relative, is_folder=is_folder) if rules.git else None
            if decision is not None:
                return decision
            if _first(patterns.decide(relative, is_folder=is_folder) for patterns in rules.repository):
                return True
        return False

    def _lists(self, chain: Chain) -> Iterator[PatternList]:
        yield from (*self._patterns, self._absolute)
        for rules in chain:
            yield from rules.lists

    def _list(self, patterns: Iterable[str]) -> PatternList:
        return PatternList(map(self._bytes, patterns), ignore_case=self._fold is not str)

    def _whole(self, path: Path) -> bytes:
        return self._bytes(path.as_posix().lstrip("/"))

    def _relative(self, path: Path, folder: str) -> bytes:
        return self._bytes(str(path)[len(folder.rstrip(os.sep)) + 1 :].replace(os.sep, "/"))

    def _bytes(self, text: str) -> bytes:
        return to_bytes(self._fold(text))


def _first(decisions: Iterable[bool | None]) -> bool:
    """Return the first decision; False if there is none."""
    return next((decision for decision in decisions if decision is not None), False)


def _from(folder: Path, path: Path) -> Iterator[Path]:
    """Yield each path from ``folder``, which is left out, down to ``path``."""
    for name in path.parts[len(folder.parts) :]:
        folder /= name
        yield folder


def _is(entry: os.DirEntry[str], kind: str) -> bool:
    try:
        return bool(getattr(entry, kind)(follow_symlinks=False))
    except OSError:
        return False
