"""The repository of a file as a workspace, for the length of a command."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from midfill.common.file_identity import resolve
from midfill.common.file_system import repository_of
from midfill.retrieval.service import Workspace
from midfill.settings.schema import Settings

_INDEX_SECONDS = 20.0
"""Maximum time to wait for the index of the repository."""


@contextmanager
def open_repository(path: Path, settings: Settings) -> Iterator[Workspace]:
    """Begin to index a file's repository; an empty workspace if the file is in none. It is closed at the end."""
    repository = repository_of(resolve(path).parent)
    workspace = Workspace([repository] if repository else [], settings.exclude, indexed=settings.workspace_tokens > 0)
    try:
        yield workspace
    finally:
        workspace.close()


def wait_for_index(workspace: Workspace) -> None:
    """Wait until all files are indexed; say so if that takes too long."""
    if not workspace.wait_until_built(_INDEX_SECONDS):
        sys.stderr.write("midfill: the repository is large; only a part of it is indexed yet.\n")
