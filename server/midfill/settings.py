"""Settings as frozen dataclasses with a default for everything; a bad value is reported and its default used."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from midfill.paths import bundles_dir

DEFAULT_BUNDLE = "qwen2.5-coder-0.5b-instruct"


def default_bundle() -> Path:
    """Return the bundle used when no setting names one; ``MIDFILL_BUNDLE`` overrides it."""
    override = os.environ.get("MIDFILL_BUNDLE")
    return Path(override) if override else bundles_dir() / DEFAULT_BUNDLE


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All that a user can set, by the camelCase name editors use (``maxTokens``)."""

    bundle: Path = field(default_factory=default_bundle)
    """Folder of the model bundle."""
    threads: int = 0
    """Threads for the model; 0 takes one per core that the process may use."""
    context_tokens: int = 1024
    """Most tokens a prompt may have."""
    max_tokens: int = 64
    """Most tokens one suggestion may have."""
    max_lines: int = 12
    """Most lines one suggestion may have."""
    draft_tokens: int = 16
    """Most tokens guessed ahead and checked in one step; 0 for none. It changes the speed, never the suggestion."""
    deadline_ms: int = 5000
    """Milliseconds after which a suggestion, with all alternatives, ends with what it has; 0 for none.

    They count from the first token's logits: reading a prompt anew, which a slow machine takes long for, is not
    part of it.
    """
    cache_megabytes: int = 256
    """Most memory (10^6 bytes) for computed prompts; as many documents are kept as fit, at least one."""
    warm_up_ms: int = 300
    """Milliseconds after an edit, without a request, after which the prompt is computed ahead; 0 for never."""
    unload_minutes: int = 30
    """Minutes without an edit or a request after which the model leaves memory, to be loaded again; 0 for never."""


LIMITS: dict[str, tuple[int, int]] = {
    "threads": (0, 256),
    "context_tokens": (64, 131_072),
    "max_tokens": (1, 1024),
    "max_lines": (1, 1000),
    "draft_tokens": (0, 64),
    "deadline_ms": (0, 600_000),
    "cache_megabytes": (1, 1_048_576),
    "warm_up_ms": (0, 60_000),
    "unload_minutes": (0, 10_080),
}


def parse_settings(options: object) -> tuple[Settings, list[str]]:
    """Read settings from a client's initialization options.

    Returns:
        The settings, and one line for each option that is unknown or wrong (its default is used).
    """
    if options is None:
        return Settings(), []
    if not isinstance(options, dict):
        return Settings(), [f"Midfill settings must be an object, not {type(options).__name__}; using the defaults."]
    known = {_camel(f.name): f.name for f in dataclasses.fields(Settings)}
    values: dict[str, Any] = {}
    problems: list[str] = []
    for name, value in options.items():
        attribute = known.get(name)
        if attribute is None:
            problems.append(f"Midfill has no setting '{name}'; it is ignored. Known: {', '.join(sorted(known))}.")
        elif attribute == "bundle":
            folder = _folder(value)
            if folder is not None:
                values[attribute] = folder
            else:
                problems.append("Midfill setting 'bundle' must be the path of a folder; using the default.")
        else:
            low, high = LIMITS[attribute]
            if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
                values[attribute] = value
            else:
                problems.append(
                    f"Midfill setting '{name}' must be a whole number from {low} to {high}; using the default."
                )
    return Settings(**values), problems


def _folder(value: object) -> Path | None:
    if not isinstance(value, str) or not value:
        return None
    try:
        return Path(value).expanduser()
    except RuntimeError:  # the home of a user whom this system does not know
        return None


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(word.capitalize() for word in tail)
