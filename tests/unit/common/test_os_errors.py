"""What went wrong with a file, in the same words on every system."""

from __future__ import annotations

import errno

import pytest

from midfill.common.os_errors import explain, is_disk_full


def of_windows(code: int, number: int = errno.EINVAL) -> OSError:
    """Return an error as Windows gives it: with a code of its own, and words in the user's language."""
    error = OSError(number, "Der Vorgang ist fehlgeschlagen", "a.txt")
    error.winerror = code  # type: ignore[attr-defined]
    return error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "the disk is full"),
        (of_windows(112, errno.ENOSPC), "the disk is full"),
        (of_windows(39), "the disk is full"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "your share of the disk is used up"),
        (of_windows(1295), "your share of the disk is used up"),
        (of_windows(32, errno.EACCES), "another program uses it"),
        (of_windows(33, errno.EACCES), "another program uses it"),
        (of_windows(1224), "another program uses it"),
        (of_windows(5, errno.EACCES), "Windows refuses access: it is protected, or another program uses it"),
        (PermissionError(errno.EACCES, "Permission denied"), "you have no permission"),
        (PermissionError(errno.EPERM, "Operation not permitted"), "you have no permission"),
        (OSError(errno.EROFS, "Read-only file system"), "the disk cannot be written to"),
        (OSError(errno.ENAMETOOLONG, "File name too long"), "the path is too long"),
        (of_windows(206, errno.ENOENT), "the path is too long"),
        (of_windows(3, errno.ENOENT), "Der Vorgang ist fehlgeschlagen"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory"), "No such file or directory"),
        (OSError("only words"), "only words"),
        (OSError(), "OSError"),
    ],
    ids=repr,
)
def test_words(error: OSError, said: str) -> None:
    """What is common has our words; for anything else the system's are the best there are."""
    assert explain(error) == said


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (OSError(errno.ENOSPC, ""), True),
        (OSError(errno.EDQUOT, ""), True),
        (of_windows(39), True),
        (of_windows(112), True),
        (of_windows(1295), True),
        (of_windows(32), False),
        (OSError(errno.EACCES, ""), False),
    ],
    ids=repr,
)
def test_full_disk(error: OSError, full: bool) -> None:
    """A share of the disk that is used up counts too."""
    assert is_disk_full(error) == full
