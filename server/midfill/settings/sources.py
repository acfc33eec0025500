"""The sources of settings, and how they are merged.

From the weakest to the strongest, the sources are: the defaults, the user's ``midfill.toml``, the workspace's
``midfill.toml``, the editor's ``initializationOptions``, and later changes in the editor. Lists are joined, and so are
the settings of a language. Any other value replaces that of a weaker source. Above all of them is the administrators'
policy (:mod:`midfill.settings.policy_file`).

A workspace may be a stranger's repository. So its file may set the length of suggestions, but otherwise it may only
make Midfill show less, do less, or read less (:data:`midfill.settings.kinds.Trust`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import platformdirs

from midfill.common.file_identity import resolve, resolve_entry
from midfill.common.os_errors import explain
from midfill.common.printable import printable
from midfill.common.regular_file import read_regular
from midfill.settings import toml_file
from midfill.settings.engine_settings import OF_ENGINES
from midfill.settings.kinds import Trust, in_line, nearest, shorten
from midfill.settings.overruling import overruled, ruled
from midfill.settings.policy_file import read_policy
from midfill.settings.schema import ABOUT, ATTRIBUTES, Settings, read

FILE_NAME = "midfill.toml"
_Values = dict[str, Any]
"""The values from one source, by attribute of :class:`Settings`."""


def user_file() -> Path:
    """Return the path of the user's settings file, which need not exist.

    The environment variable ``MIDFILL_CONFIG`` overrides it.
    """
    override = os.environ.get("MIDFILL_CONFIG")
    if override:
        return Path(override)
    return Path(platformdirs.user_config_dir("midfill", appauthor=False, roaming=True)) / FILE_NAME


class SettingsSources:
    """The sources of one client's settings.

    Each method that may change the settings returns them, with one line for each problem that the last call did not
    return. So every problem is shown once; one that is solved and comes back is shown again.
    """

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        """Use the ``midfill.toml`` of the first of the workspace's ``folders`` that has one."""
        self.folders = tuple(folders)
        self._initial: object = None
        self._changed: object = None
        self._reported: frozenset[str] = frozenset()

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that settings are read from. They need not exist."""
        return (user_file(), *(folder / FILE_NAME for folder in self.folders))

    def has_any_of(self, paths: Iterable[str]) -> bool:
        """Return whether settings are read from one of some files, whose paths are identities."""
        ours = {str(path) for file in self.files for path in (resolve_entry(file), resolve(file))}
        return not ours.isdisjoint(paths)

    def options(self, initialization_options: object) -> tuple[Settings, list[str]]:
        """Take the client's ``initializationOptions``: an object of settings, or an object that has it at "midfill"."""
        self._initial = _section(initialization_options)
        return self.reload()

    def changed(self, settings: object) -> tuple[Settings, list[str]]:
        """Take the ``settings`` of ``workspace/didChangeConfiguration``; they replace those of an earlier call.

        They are an object of settings, or an object that has it at "midfill", beside the sections of other servers. A
        setting of null removes the value of ``initializationOptions``. If everything is null, nothing changes.
        """
        section = _section(settings)
        if section is settings and isinstance(section, dict):  # it may contain the sections of other servers
            section = {name: value for name, value in section.items() if not _is_section_of_another(name, value)}
        if section is not None:
            self._changed = section
        return self.reload()

    def reload(self) -> tuple[Settings, list[str]]:
        """Read the files again, and merge all sources."""
        user, problems = _read_file(user_file())
        editor, wrong = self._read_editor()
        problems += wrong
        trusted = _over(_over(Settings(), user), editor)
        workspace, wrong = self._read_workspace(trusted)
        problems += wrong
        policy = read_policy()
        problems += overruled(policy, (user, workspace, editor))
        reported, self._reported = self._reported, frozenset(problems)
        settings = _over(_over(_over(Settings(), user), workspace, lists_first=True), editor)
        return ruled(policy, settings), [problem for problem in dict.fromkeys(problems) if problem not in reported]

    def _read_editor(self) -> tuple[_Values, list[str]]:
        problems: list[str] = []
        options: dict[str, object] = {}
        changed, refused = self._permitted_change()
        problems += refused
        for source in (self._initial, changed):
            if isinstance(source, dict):
                options |= source
            else:
                problems += read(source)[1]
        if isinstance(changed, dict):
            removed = {name for name, value in changed.items() if value is None}
            options = {name: value for name, value in options.items() if name not in removed}
        values, wrong = read(options)
        return values, [*problems, *wrong]

    def _permitted_change(self) -> tuple[object, list[str]]:
        """Return what the editor's change may change, and one line for each setting that it may not.

        Where code goes is not among that: in Emacs, a project's ``.dir-locals.el`` makes such a change.
        """
        if not isinstance(self._changed, dict):
            return self._changed, []
        initial = self._initial if isinstance(self._initial, dict) else {}
        kept, problems = {}, []
        for name, value in self._changed.items():
            if ATTRIBUTES.get(name) not in OF_ENGINES or value in (None, initial.get(name)):
                kept[name] = value
            else:
                problems.append(
                    f"Midfill setting '{name}' is ignored: it says where code goes, so it is read only from your own"
                    f" {FILE_NAME} and when the editor starts the server; restart the server."
                )
        return kept, problems

    def _read_workspace(self, trusted: Settings) -> tuple[_Values, list[str]]:
        """Return the allowed values of the workspace's file. ``trusted`` are the settings of all other sources."""
        for folder in self.folders:
            file = folder / FILE_NAME
            if os.path.lexists(file) and resolve(file) != resolve(user_file()):
                values, problems = _read_file(file)
                allowed, refused = _restricted(values, trusted, _in(file))
                return allowed, [*problems, *refused]
        return {}, []


def _section(options: object) -> object:
    return options["midfill"] if isinstance(options, dict) and "midfill" in options else options


def _is_section_of_another(name: str, value: object) -> bool:
    return isinstance(value, dict) and name not in ATTRIBUTES and nearest(name, ATTRIBUTES) is None


def _over(below: Settings, values: _Values, *, lists_first: bool = False) -> Settings:
    """Return the settings ``below`` with the ``values`` of a stronger source. Its lists are appended, or come first.

    The order matters for patterns: a later pattern can undo an earlier one.
    """
    merged = dict(values)
    for attribute, value in values.items():
        old = getattr(below, attribute)
        if isinstance(value, tuple):
            merged[attribute] = value + old if lists_first else old + value
        elif isinstance(value, dict):
            merged[attribute] = {
                **old,
                **{language: {**old.get(language, {}), **own} for language, own in value.items()},
            }
    return replace(below, **merged)


def _restricted(values: _Values, trusted: Settings, where: str) -> tuple[_Values, list[str]]:
    """Return the ``values`` that a workspace may set, and one line for each that it may not set."""
    problems: list[str] = []

    def may_set(attribute: str, value: Any, settings: Settings, name: str) -> bool:
        refusal = _refusal(ABOUT[attribute].workspace_may, value, getattr(settings, attribute))
        if refusal:
            problems.append(f"Midfill setting '{in_line(name)}'{where} {refusal}")
        return not refusal

    kept: _Values = {}
    for name, attribute in ATTRIBUTES.items():
        if attribute == "languages":
            for language, own in values.get(attribute, {}).items():
                now = trusted.for_language(language)
                allowed = {
                    key: value
                    for key, value in own.items()
                    if may_set(ATTRIBUTES[key], value, now, f"languages.{language}.{key}")
                }
                if allowed:
                    kept.setdefault(attribute, {})[language] = allowed
        elif attribute in values and may_set(attribute, values[attribute], trusted, name):
            kept[attribute] = values[attribute]
    return kept, shorten(problems, where)


def _refusal(may: Trust, value: Any, stays: Any) -> str:
    """Return the end of a message that says why a workspace may not set ``value``; "" if it may."""
    if may == "no":
        return f"is ignored: a workspace may not set it; set it in your own {FILE_NAME} or in your editor."
    lowers, raises = may in ("lower it", "turn it off"), may in ("raise it", "turn it on")
    if (lowers and value > stays) or (raises and value < stays):
        return f"is ignored: a workspace may only {may}, and {json.dumps(stays)} stays."
    return ""


def _read_file(file: Path) -> tuple[_Values, list[str]]:
    """Read a file of settings. A missing file sets nothing. A file that cannot be read is ignored, with one problem."""
    try:
        return read(toml_file.parse(read_regular(file, toml_file.MAX_BYTES)), _in(file))
    except (FileNotFoundError, NotADirectoryError):
        return {}, []
    except OSError as error:
        why = explain(error)
    except ValueError as error:
        why = str(error)
    return {}, [f"Midfill ignores the settings{_in(file)}: {why}."]


def _in(file: Path) -> str:
    return f" in {printable(str(file))}"
