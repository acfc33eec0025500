"""Where an edit may go besides the document that it was asked for.

A repository may be a stranger's. A link in it could lead an edit to the user's own files, or to a hook that git runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from midfill.common.file_identity import resolve
from midfill.common.file_system import repository_of
from midfill.privacy.ignore_rules import IgnoreRules


def may_change(file: Path, document: Path, folders: Sequence[Path] = (), patterns: Sequence[str] = ()) -> bool:
    """Return whether an edit that was asked for in a document may change or create another file.

    Links are followed as they are now. The file must be in the folder around the document, and no ignore rule may
    exclude it.

    Args:
        file: the file, which need not exist.
        document: the document's absolute path, as the client spells it. Another one is the name of a document that is
            no file, which has no folder.
        folders: the folders of the workspace.
        patterns: the patterns of the setting ``exclude``.
    """
    return document.is_absolute() and IgnoreRules([folder_around(document, folders)], patterns).allows(file)


def folder_around(document: Path, folders: Sequence[Path] = ()) -> Path:
    """Return the innermost workspace folder that a document is in; its repository or its folder if it is in none.

    The document's path counts as the client spells it: a link out of a folder does not lead out of that folder here.
    """
    known = set(map(resolve, folders))
    around = (folder for parent in document.parents if (folder := resolve(parent)) in known)
    return next(around, None) or resolve(repository_of(document.parent) or document.parent)
