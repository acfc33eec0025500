"""What the administrators' policy changes in the settings, and one line for each setting that it overrules."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from midfill.common.errors import PolicyRefused
from midfill.settings.kinds import in_line
from midfill.settings.policy import Policy
from midfill.settings.schema import ATTRIBUTES, Settings

_Values = Mapping[str, Any]
_ENGINES = ("engine", "actions_engine")
"""The settings that name a server, by attribute."""


def ruled(policy: Policy, settings: Settings) -> Settings:
    """Return the settings as the policy wants them.

    Its patterns come last, so that none before them undoes one. They are about the whole path, so that nobody undoes
    one by opening a folder further down as the workspace.
    """
    languages = {
        language: {name: value for name, value in own.items() if ATTRIBUTES[name] not in policy.settings}
        for language, own in settings.languages.items()
    }
    engines = {name: getattr(settings, name) for name in _ENGINES}
    allowed = {name: url if not _refusal(policy, url) else "" for name, url in engines.items()}
    exclude = (*settings.exclude, *map(_absolute, policy.exclude))
    return replace(settings, **{**policy.settings, **allowed, "languages": languages, "exclude": exclude})


def overruled(policy: Policy, sources: Sequence[_Values]) -> list[str]:
    """Return a line for each setting to which one of the sources gives a value that the policy does not allow."""
    found = {}
    for values in sources:
        for name, value, attribute in _flat(values):
            locked = policy.settings.get(attribute, value)
            if value != locked:
                found[name] = (
                    f"Midfill setting '{in_line(name)}' is {json.dumps(locked)}, not {json.dumps(value)}, because the"
                    f" policy{policy.where} says so."
                )
            elif attribute in _ENGINES and (refusal := _refusal(policy, value)):
                found[name] = f"Midfill setting '{name}' is ignored. {refusal}"
    return list(found.values())


def _refusal(policy: Policy, url: str) -> str:
    """Return why an engine is not allowed; "" if it is, if there is none, or if the policy allows nothing at all."""
    if not url or policy.problem:
        return ""
    try:
        policy.require_engine(url)
    except PolicyRefused as refused:
        return str(refused)
    return ""


def _absolute(pattern: str) -> str:
    """Return a pattern about the whole path. One without a slash at its beginning may begin at any folder."""
    inside = "/" in pattern.rstrip("/ ") and not pattern.startswith("/")
    return f"//{'**/' if inside else ''}{pattern}"


def _flat(values: _Values) -> Iterator[tuple[str, Any, str]]:
    """Yield the name of each setting as messages have it, its value, and its attribute; also those of languages."""
    for name, attribute in ATTRIBUTES.items():
        if attribute in values and attribute != "languages":
            yield name, values[attribute], attribute
    for language, own in values.get("languages", {}).items():
        for name, value in own.items():
            yield f"languages.{language}.{name}", value, ATTRIBUTES[name]
