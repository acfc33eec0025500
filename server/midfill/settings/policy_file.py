"""The file with the administrators' policy: where it is, whether only they can have written it, and what it says.

A file that cannot be used forbids everything, for nobody knows what it was to forbid. No environment variable and no
setting moves it, because those belong to the user.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from midfill.common.os_errors import explain
from midfill.common.regular_file import open_regular
from midfill.settings import toml_file
from midfill.settings.action_settings import NEVER
from midfill.settings.hosts import read_host
from midfill.settings.kinds import Kind, flag, in_line, texts
from midfill.settings.policy import Policy
from midfill.settings.schema import ABOUT, ATTRIBUTES, read
from midfill.settings.windows_owner import ADMINISTRATORS

if sys.platform == "win32":
    import winreg

    from midfill.settings.windows_owner import owner_of

_NAME = "policy.toml"
_OWNER = 0
"""The user, by number, to whom the file must belong: root."""
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_LOCKED = "settings"
"""The table of locked settings."""


def policy_file() -> Path:
    """Return the path of the policy file, which need not exist."""
    if sys.platform == "win32":
        return _program_data() / "Midfill" / _NAME
    if sys.platform == "darwin":
        return Path("/Library/Application Support/Midfill") / _NAME
    return Path("/etc/midfill") / _NAME


def read_policy() -> Policy:
    """Read the policy in force. One that cannot be used forbids everything; :attr:`Policy.problem` says why."""
    file = policy_file()
    try:
        data = _read_trusted(file)
        return Policy(file=file) if data is None else Policy(file=file, exists=True, **_rules(toml_file.parse(data)))
    except PermissionError:
        return Policy.unusable(file, "you may not read it; an administrator must let all users read it")
    except OSError as error:
        return Policy.unusable(file, explain(error))
    except ValueError as error:
        return Policy.unusable(file, str(error))


if sys.platform == "win32":

    def _program_data() -> Path:
        """Return the folder for all users' data. The variable ProgramData would be the user's to set."""
        key = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Explorer\Shell Folders"
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, key) as folders:
            return Path(winreg.QueryValueEx(folders, "Common AppData")[0])


def _read_trusted(file: Path) -> bytes | None:
    """Return what is in a file that only administrators can have written; None if there is no file.

    Raises:
        OSError: it cannot be read.
        ValueError: somebody else may have written it, or removed it.
    """
    try:
        _require_trusted(file.parent.stat(), file.parent)
        with open_regular(file) as opened:
            _require_trusted(os.fstat(opened.fileno()), file)
            data = opened.read(toml_file.MAX_BYTES + 1)
    except FileNotFoundError:
        if os.path.lexists(file) or (os.path.lexists(file.parent) and not file.parent.exists()):
            raise ValueError("it is a link that leads nowhere; remove it, or mend it") from None
        return None
    if len(data) > toml_file.MAX_BYTES:
        raise ValueError(f"it has more than {toml_file.MAX_BYTES} bytes; shorten it")
    return data


def _require_trusted(status: os.stat_result, path: Path) -> None:
    """Check that only administrators can have made a file or folder.

    Raises:
        OSError: its owner cannot be asked.
        ValueError: somebody else may have.
    """
    if sys.platform == "win32":
        _check_owner(owner_of(path), path)
        return
    if status.st_uid != _OWNER:
        raise ValueError(f"{path} does not belong to root; an administrator can run `chown root '{path}'`")
    if status.st_mode & _WRITABLE_BY_OTHERS:
        raise ValueError(f"others than root can write {path}; an administrator can run `chmod go-w '{path}'`")


def _check_owner(owner: str, path: Path) -> None:
    if owner not in ADMINISTRATORS:
        raise ValueError(f'{path} does not belong to the administrators; one of them can run `takeown /a /f "{path}"`')


def _rules(values: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a policy.

    Raises:
        ValueError: a name is unknown or a value is wrong. A rule that is misspelt must not be a rule less.
    """
    locked = values.pop(_LOCKED, {})
    rules = {}
    for name, value in values.items():
        if name not in _KINDS:
            raise ValueError(f"it has no rule '{in_line(name)}'; the rules are {', '.join((*_KINDS, _LOCKED))}")
        kind, convert = _KINDS[name]
        try:
            rules[name] = convert(kind.read(value))
        except ValueError:
            raise ValueError(f"'{name}' must be {kind.words}") from None
    return {**rules, _LOCKED: _read_locked(locked)}


def _read_locked(locked: object) -> dict[str, Any]:
    values, problems = read(locked, " in its table 'settings'")
    if problems:
        raise ValueError(problems[0].rstrip("."))
    for name, attribute in ATTRIBUTES.items():
        if attribute in values and not _can_be_locked(ABOUT[attribute].kind):
            raise ValueError(
                f"the setting '{name}' cannot be locked; only numbers, true or false, and words from a choice can"
            )
    if values.get("run_code", NEVER) != NEVER:
        raise ValueError(f"the setting 'runCode' can only be locked to \"{NEVER}\": a policy forbids, and runs nothing")
    return values


def _can_be_locked(kind: Kind) -> bool:
    """Return whether no value of a setting names a place on the disk or in the network, or is a list to add to."""
    return kind.schema["type"] in ("boolean", "integer", "number") or "enum" in kind.schema


def _lower(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(value.lower() for value in values)


def _excluding(patterns: tuple[str, ...]) -> tuple[str, ...]:
    if any(pattern.startswith("!") for pattern in patterns):
        raise ValueError
    return patterns


_KINDS: dict[str, tuple[Kind, Callable[[Any], Any]]] = {
    "engines": (
        Kind("a list of hosts: HOST, HOST:PORT or *.DOMAIN", {}, texts().read),
        lambda hosts: tuple(map(read_host, hosts)),
    ),
    "models": (texts(), _lower),
    "licences": (texts(), _lower),
    "exclude": (Kind("a list of patterns, none with '!'", {}, texts().read), _excluding),
    "record": (flag(), bool),
}
"""The kinds of all rules, with what makes the field of :class:`Policy` of a value."""
