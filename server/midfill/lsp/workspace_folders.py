"""The folders of a client's workspace: where they are on disk, and by which URIs the client knows them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lsprotocol import types

from midfill.common.file_identity import resolve
from midfill.common.file_system import is_within
from midfill.common.file_uri import file_in


class WorkspaceFolders:
    """The folders that are on this machine's disk. Two spellings of one folder are one.

    pygls keeps them by their decoded URIs: there, `%23` and `#` are the same, and `c:` and `C:` are not.
    """

    def __init__(self) -> None:
        self._uris: dict[Path, str] = {}

    @property
    def paths(self) -> list[Path]:
        """The identities of the folders, in the client's order."""
        return list(self._uris)

    def open(self, params: types.InitializeParams) -> None:
        """Take the folders of `initialize`, or the one root that older clients have."""
        uris = [folder.uri for folder in params.workspace_folders or ()]
        self._add(uris or [params.root_uri or _uri_of_root(params.root_path or "")])

    def change(self, event: types.WorkspaceFoldersChangeEvent) -> None:
        """Remove and add folders."""
        for folder in event.removed:
            if (file := file_in(folder.uri)) is not None:
                self._uris.pop(resolve(file), None)
        self._add(folder.uri for folder in event.added)

    def uri_of(self, path: str) -> str:
        """Return the URI of a file as the client would spell it: a workspace opened by a link has it in its URIs."""
        file = Path(path)
        folder = max((f for f in self._uris if is_within(file, f)), key=lambda f: len(f.parts), default=None)
        if folder is None or file == folder:
            return file.as_uri()
        # The path of the file below the folder, with its escapes: what its URI has after that of the folder
        return self._uris[folder].rstrip("/") + file.as_uri().removeprefix(folder.as_uri().rstrip("/"))

    def _add(self, uris: Iterable[str]) -> None:
        for uri in uris:
            if (file := file_in(uri)) is not None:
                self._uris.setdefault(resolve(file), uri)


def _uri_of_root(path: str) -> str:
    """Return the URI of a folder; "" if its path is relative, or no path at all."""
    try:
        return Path(path).as_uri()
    except ValueError:
        return ""
