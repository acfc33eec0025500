"""Where settings come from, and which of them counts: files, then what the editor says.

From the weakest to the strongest: the defaults, the user's ``midfill.toml``, the workspace's, the editor's
``initializationOptions``, and what the editor has changed since. Lists add up, and so does what is set for a language;
anything else takes the place of what a weaker source says.

A workspace may be a stranger's repository. So its file may say how long suggestions are, and for the rest only make
Midfill quieter or more private than it would be without (:data:`midfill.settings.kinds.Trust`).
"""

from __future__ import annotations

import json
import os
import re
import stat
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import platformdirs

from midfill.settings.kinds import Trust, in_line, nearest, shorten
from midfill.settings.schema import ABOUT, ATTRIBUTES, Settings, read

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FILE_NAME = "midfill.toml"
_MOST_BYTES = 32_768
_LONGEST_LINE = 1_000
"""Characters: a key of a few thousand parts takes tomllib long."""
_TOML_LINE = re.compile(r"at line (\d+)")
_Values = dict[str, Any]
"""What one source sets, by attribute."""


def user_file() -> Path:
    """Return the user's own file of settings, which need not exist; ``MIDFILL_CONFIG`` overrides it."""
    override = os.environ.get("MIDFILL_CONFIG")
    if override:
        return Path(override)
    return Path(platformdirs.user_config_dir("midfill", appauthor=False, roaming=True)) / FILE_NAME


class SettingsSources:
    """All that was set for one client, and the settings that come of it.

    Whatever changes them returns the settings and the problems that were not told before: one line each, to be shown
    once. A problem that has gone and comes back is told again.
    """

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        """Consider the ``midfill.toml`` of the first of the workspace's ``folders`` that has one."""
        self.folders = tuple(folders)
        self._initial: object = None
        self._changed: object = None
        self._told: frozenset[str] = frozenset()

    @property
    def files(self) -> tuple[Path, ...]:
        """The files whose change may change the settings; none of them need exist."""
        return (user_file(), *(folder / FILE_NAME for folder in self.folders))

    def options(self, initialization_options: object) -> tuple[Settings, list[str]]:
        """Take the client's ``initializationOptions``: an object of settings, or one that has it as "midfill"."""
        self._initial = _section(initialization_options)
        return self.reload()

    def changed(self, settings: object) -> tuple[Settings, list[str]]:
        """Take the ``settings`` of ``workspace/didChangeConfiguration``, in place of those that came before.

        They are an object of settings, whose null takes back what ``initializationOptions`` said, or an object that has
        it as "midfill", among the sections of other servers. Null as a whole says nothing.
        """
        section = _section(settings)
        if section is settings and isinstance(section, dict):  # other servers' sections may stand beside our settings
            section = {name: value for name, value in section.items() if not _is_section_of_another(name, value)}
        if section is not None:
            self._changed = section
        return self.reload()

    def reload(self) -> tuple[Settings, list[str]]:
        """Read the files anew."""
        user, problems = _read_file(user_file())
        editor, wrong = self._read_editor()
        problems += wrong
        trusted = _over(_over(Settings(), user), editor)
        workspace, wrong = self._read_workspace(trusted)
        problems += wrong
        told, self._told = self._told, frozenset(problems)
        settings = _over(_over(_over(Settings(), user), workspace, lists_first=True), editor)
        return settings, [problem for problem in dict.fromkeys(problems) if problem not in told]

    def _read_editor(self) -> tuple[_Values, list[str]]:
        problems: list[str] = []
        said: dict[str, object] = {}
        for source in (self._initial, self._changed):
            if isinstance(source, dict):
                said |= source
            else:
                problems += read(source)[1]
        if isinstance(self._changed, dict):
            taken_back = {name for name, value in self._changed.items() if value is None}
            said = {name: value for name, value in said.items() if name not in taken_back}
        values, wrong = read(said)
        return values, [*problems, *wrong]

    def _read_workspace(self, trusted: Settings) -> tuple[_Values, list[str]]:
        """Return what the workspace's file may change of ``trusted``, which is what all other sources say."""
        for folder in self.folders:
            file = folder / FILE_NAME
            if os.path.lexists(file) and os.path.realpath(file) != os.path.realpath(user_file()):
                values, problems = _read_file(file)
                allowed, refused = _restricted(values, trusted, _in(file))
                return allowed, [*problems, *refused]
        return {}, []


def _section(options: object) -> object:
    return options["midfill"] if isinstance(options, dict) and "midfill" in options else options


def _is_section_of_another(name: str, value: object) -> bool:
    return isinstance(value, dict) and name not in ATTRIBUTES and nearest(name, ATTRIBUTES) is None


def _over(below: Settings, values: _Values, *, lists_first: bool = False) -> Settings:
    """Return ``below`` with what another source says; its lists follow the ones there, or come first.

    The order matters to patterns: a later one can let in what an earlier one keeps out.
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
    """Return what a workspace may set of ``values``, and one line for each that it may not."""
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
    """Say why a workspace may not set ``value``; "" when it may."""
    if may == "no":
        return f"is not for a workspace to set; set it in your own {FILE_NAME} or in your editor."
    lowers, raises = may in ("lower it", "turn it off"), may in ("raise it", "turn it on")
    if (lowers and value > stays) or (raises and value < stays):
        return f"is ignored: a workspace may only {may}, and {json.dumps(stays)} stays."
    return ""


def _read_file(file: Path) -> tuple[_Values, list[str]]:
    """Read a file of settings; where there is none, none are set, and one that cannot be read is left out and said."""
    try:
        return read(_parse(_text(file)), _in(file))
    except (FileNotFoundError, NotADirectoryError):
        return {}, []
    except OSError as error:
        why = error.strerror or type(error).__name__
    except ValueError as error:
        why = str(error)
    return {}, [f"Midfill leaves out the settings{_in(file)}: {why}."]


def _text(file: Path) -> str:
    if not stat.S_ISREG(os.stat(file).st_mode):
        raise ValueError("it is no regular file")
    with file.open("rb") as opened:
        data = opened.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise ValueError(f"it has more than {_MOST_BYTES} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"line {line} is not UTF-8; save the file as UTF-8") from None


def _parse(text: str) -> dict[str, Any]:
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > _LONGEST_LINE:
            raise ValueError(f"line {number} has more than {_LONGEST_LINE} characters; a list may be broken over lines")
    try:
        values: dict[str, Any] = tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ValueError as error:  # tomllib's own is one; a number of too many digits raises a plain one
        found = _TOML_LINE.search(str(error))
        place = found[1] if found else text.count("\n") + 1  # "at end of document"
        raise ValueError(f"line {place} is no TOML; write `name = value` there, with text in quotes") from None
    return values


def _in(file: Path) -> str:
    shown = str(file)
    return f" in {shown if shown.isprintable() else ascii(shown)}"
