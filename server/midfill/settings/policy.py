"""What the administrators of this computer allow: engines, models, licences, recordings, and locked settings.

A policy only forbids. It names no engine and no folder to use, so nobody can send code anywhere by means of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from midfill.common.errors import PolicyRefused
from midfill.common.printable import printable
from midfill.settings.hosts import Host, host_of
from midfill.settings.schema import ATTRIBUTES


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The rules of one policy file. The defaults forbid nothing, as without a file."""

    file: Path
    """Where the file is, or would be."""
    exists: bool = False
    engines: tuple[Host, ...] | None = None
    """The hosts of other machines' engines that may be used; None for any."""
    models: tuple[str, ...] | None = None
    """Patterns of the names of models that may be used, as a shell has them, in lower case; None for any."""
    licences: tuple[str, ...] | None = None
    """The licences, in lower case, that a model may have; None for any."""
    exclude: tuple[str, ...] = ()
    """Patterns of files, as in ``.gitignore``, that are excluded whatever any other rule says."""
    record: bool = True
    """Whether sessions may be recorded."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The values of locked settings, by attribute of :class:`midfill.settings.schema.Settings`."""
    problem: str = ""
    """Why the file cannot be used, and what to do, as a clause; "" if it can."""

    @classmethod
    def unusable(cls, file: Path, problem: str) -> Policy:
        """Return the policy in place of one that cannot be used: it allows nothing."""
        return cls(
            file=file, exists=True, engines=(), models=(), licences=(), exclude=("*",), record=False, problem=problem
        )

    def require_usable(self) -> None:
        """Check that the file can be used.

        Raises:
            PolicyRefused: it cannot.
        """
        if self.problem:
            raise PolicyRefused(f"Nothing is completed, because the policy{self.where} cannot be used: {self.problem}.")

    def require_model(self, name: str, licence: str) -> None:
        """Check that a model may be used.

        Raises:
            PolicyRefused: its name or its licence is not allowed.
        """
        self.require_usable()
        if self.models is not None and not any(fnmatchcase(name.lower(), pattern) for pattern in self.models):
            raise self._refused(f"the model {printable(name)}", f"the models {_listed(self.models)}")
        if self.licences is not None and licence.strip().lower() not in self.licences:
            what = f"the model {printable(name)} under the licence {printable(licence) or 'unknown'}"
            raise self._refused(what, f"the licences {_listed(self.licences)}")

    def require_engine(self, url: str) -> None:
        """Check that an engine on another machine, or on another port of this one, may be used.

        Raises:
            PolicyRefused: its host is not allowed, or the URL could be read in two ways.
        """
        self.require_usable()
        if self.engines is None:
            return
        host = host_of(url)
        if host is None or not any(allowed.covers(host) for allowed in self.engines):
            shown = host or re.sub(r"//.*@", "//", printable(url))
            raise self._refused(f"the engine {shown}", f"engines on {_listed(map(str, self.engines))}")

    def require_recording(self) -> None:
        """Check that sessions may be recorded.

        Raises:
            PolicyRefused: they may not.
        """
        self.require_usable()
        if not self.record:
            raise PolicyRefused(f"The policy{self.where} forbids recordings: start the server without --record.")

    @property
    def where(self) -> str:
        """The file as messages name it."""
        return f" in {printable(str(self.file))}"

    def _refused(self, what: str, allowed: str) -> PolicyRefused:
        return PolicyRefused(f"The policy{self.where} does not allow {what}, only {allowed}: ask your administrators.")

    def __str__(self) -> str:
        """Return what the policy rules, in words."""
        return "; ".join(self._rules()) or "it has no rules"

    def _rules(self) -> Iterator[str]:
        for name, allowed in (("engines", self.engines), ("models", self.models), ("licences", self.licences)):
            if allowed is not None:
                yield f"{name}: {_listed(map(str, allowed))}"
        if self.exclude:
            yield f"excluded: {_listed(self.exclude)}"
        if not self.record:
            yield "no recordings"
        for name, attribute in ATTRIBUTES.items():
            if attribute in self.settings:
                yield f"{name} = {json.dumps(self.settings[attribute])}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(printable(name) for name in names) or "none"
