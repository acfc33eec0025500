"""The settings: a frozen dataclass with a default for every field. A wrong value is reported and ignored.

Each field contains everything that is known about its setting. The table in the documentation, VS Code's list of
settings and the messages about wrong values are made from it.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from midfill.common.paths import bundles_dir
from midfill.settings import kinds
from midfill.settings.action_settings import ActionSettings
from midfill.settings.edit_settings import EditSettings
from midfill.settings.engine_settings import EngineSettings
from midfill.settings.kinds import About, about

DEFAULT_BUNDLE = "qwen2.5-coder-0.5b-instruct"
MEASURED_CONTEXT = 1024
"""Tokens of the document in measurements that must not depend on the machine's speed."""


def default_bundle() -> Path:
    """Return the folder of the default bundle. The environment variable ``MIDFILL_BUNDLE`` overrides it."""
    override = os.environ.get("MIDFILL_BUNDLE")
    return Path(override) if override else bundles_dir() / DEFAULT_BUNDLE


@dataclass(frozen=True, kw_only=True)
class Settings(EditSettings, EngineSettings, ActionSettings):
    """All settings. Users write their names in camelCase (``maxTokens``)."""

    bundle: Path = field(
        default_factory=default_bundle,
        metadata=about(kinds.folder(), "folder of the model bundle", needs_reload=True),
    )
    use: str = field(
        default="personal",
        metadata=about(
            kinds.choice("personal", "commercial"),
            "what you use Midfill for; with commercial, a model is refused if its licence forbids commercial use or is"
            " unknown",
            needs_reload=True,
        ),
    )
    threads: int = field(
        default=0,
        metadata=about(
            kinds.whole(0, 256),
            "number of threads for the model; 0 uses the number that `midfill doctor` found to be the fastest here, or"
            " one for each performance core that Midfill may use",
            needs_reload=True,
        ),
    )
    share_engine: bool = field(
        default=True,
        metadata=about(
            kinds.flag(),
            "whether all servers of yours on this machine that use the same model share one process that has it, and"
            " those of the same workspace one index, which saves memory in each further window; on Windows they cannot"
            " share them yet",
            needs_reload=True,
        ),
    )
    enabled: bool = field(
        default=True,
        metadata=about(
            kinds.flag(),
            "whether suggestions appear while you type; you can invoke one by hand in any case",
            workspace_may="turn it off",
            by_language=True,
        ),
    )
    context_tokens: int = field(
        default=0,
        metadata=about(
            kinds.whole(64, 131_072, or_zero=True),
            "maximum number of tokens of the document in a prompt; 0 chooses it at each request, by the measured speed"
            " of this machine and `latencyMs`; that is never less than 512",
            needs_reload=True,
        ),
    )
    workspace_tokens: int = field(
        default=512,
        metadata=about(
            kinds.whole(0, 32_768),
            "maximum number of tokens of other files in a prompt; 0 uses no other files",
            workspace_may="lower it",
            needs_reload=True,
        ),
    )
    latency_ms: int = field(
        default=3000,
        metadata=about(
            kinds.whole(100, 60_000),
            "milliseconds that the prompt of a new document should take to compute when no other program needs the"
            " processor; used only if `contextTokens` is 0",
            needs_reload=True,
        ),
    )
    max_tokens: int = field(
        default=64,
        metadata=about(
            kinds.whole(1, 1024),
            "maximum number of tokens of one suggestion",
            workspace_may="set it",
            by_language=True,
            needs_reload=True,
        ),
    )
    max_lines: int = field(
        default=12,
        metadata=about(
            kinds.whole(1, 1000), "maximum number of lines of one suggestion", workspace_may="set it", by_language=True
        ),
    )
    min_confidence: float = field(
        default=0.35,
        metadata=about(
            kinds.number(0, 1),
            "minimum probability that the whole suggestion is correct; a less likely suggestion while you type is cut"
            " at the last line that reaches it, or hidden; 0 shows all",
            workspace_may="raise it",
            by_language=True,
        ),
    )
    calibrate_confidence: bool = field(
        default=True,
        metadata=about(
            kinds.flag(),
            "whether `minConfidence` is adjusted at each start to what you accepted, so that it means the probability"
            " that you accept the suggestion",
            workspace_may="turn it off",
        ),
    )
    languages: Mapping[str, Mapping[str, Any]] = field(
        default_factory=dict,
        metadata=about(
            kinds.table(),
            "other values of `enabled`, `maxTokens`, `maxLines` and `minConfidence` for single languages, by LSP"
            " language id",
            workspace_may="add to it",
        ),
    )
    exclude: tuple[str, ...] = field(
        default=(),
        metadata=about(
            kinds.texts(),
            "patterns of files, as in `.gitignore`, that are never in a prompt and get no suggestions",
            workspace_may="add to it",
        ),
    )
    quiet_languages: tuple[str, ...] = field(
        default=(),
        metadata=about(
            kinds.texts(), "languages without suggestions while you type, by LSP language id", workspace_may="add to it"
        ),
    )
    quiet_folders: tuple[str, ...] = field(
        default=(),
        metadata=about(
            kinds.texts(),
            "patterns of folders, as in `.gitignore`, without suggestions while you type",
            workspace_may="add to it",
        ),
    )
    quiet_in_comments: bool = field(
        default=False,
        metadata=about(kinds.flag(), "whether comments get no suggestions while you type", workspace_may="turn it on"),
    )
    quiet_in_strings: bool = field(
        default=False,
        metadata=about(kinds.flag(), "whether strings get no suggestions while you type", workspace_may="turn it on"),
    )
    debounce_ms: int = field(
        default=0,
        metadata=about(
            kinds.whole(0, 5000),
            "maximum number of milliseconds to wait for the next key before a suggestion is made while you type; your"
            " typing speed decides the actual wait; 0 never waits",
            workspace_may="raise it",
        ),
    )
    prefetch: bool = field(
        default=True,
        metadata=about(
            kinds.flag(),
            "whether the next suggestion is computed ahead, in case you accept the one shown",
            workspace_may="turn it off",
        ),
    )
    draft_tokens: int = field(
        default=16,
        metadata=about(
            kinds.whole(0, 64),
            "maximum number of draft tokens checked in one step (speculative decoding); 0 turns this off; it changes"
            " the speed, never the suggestion",
            needs_reload=True,
        ),
    )
    deadline_ms: int = field(
        default=5000,
        metadata=about(
            kinds.whole(0, 600_000),
            "maximum number of milliseconds from the first token of a suggestion to its end; then it ends with the"
            " tokens so far; 0 sets no limit",
        ),
    )
    cache_megabytes: int = field(
        default=256,
        metadata=about(
            kinds.whole(1, 1_048_576),
            "maximum memory for computed prompts (KV caches), in megabytes; one document needs about 40 MB with the"
            " default model and settings; at least one document is kept",
            needs_reload=True,
        ),
    )
    warm_up_ms: int = field(
        default=300,
        metadata=about(
            kinds.whole(0, 60_000),
            "milliseconds after an edit without a request, after which the prompt is computed ahead; 0 turns this off",
        ),
    )
    unload_minutes: int = field(
        default=30,
        metadata=about(
            kinds.whole(0, 10_080),
            "minutes without an edit or a request, after which the model is unloaded from memory; the next edit or"
            " request loads it again; 0 never unloads it",
        ),
    )
    journal: bool = field(
        default=True,
        metadata=about(
            kinds.flag(),
            "whether the results of the latest requests, without any text, are kept in the cache folder for"
            " `midfill why`",
        ),
    )

    def for_language(self, language: str) -> Settings:
        """Return the settings for documents of ``language``, an LSP language id."""
        own = self.languages.get(language, {})
        return dataclasses.replace(self, **{ATTRIBUTES[name]: value for name, value in own.items()}) if own else self

    @property
    def max_tokens_of_all_languages(self) -> int:
        """The largest ``max_tokens`` of all languages. Each KV cache must have room for it."""
        return max(own.max_tokens for own in (self, *map(self.for_language, self.languages)))


# These come after the settings above.
_GROUPS = {
    name: place
    for place, group in enumerate((ActionSettings, EditSettings, EngineSettings), 1)
    for name in vars(group())
}
_FIELDS = sorted(dataclasses.fields(Settings), key=lambda field: _GROUPS.get(field.name, 0))
ABOUT: dict[str, About] = {f.name: f.metadata["about"] for f in _FIELDS}
"""What is known about each setting, by attribute of :class:`Settings`."""
ATTRIBUTES = {kinds.camel(name): name for name in ABOUT}
"""The attribute of each setting, by the name that users write."""
_DEFAULTS: dict[str, Any] = {
    **{name: list(value) if isinstance(value, tuple) else value for name, value in vars(Settings()).items()},
    "bundle": None,
    "actions_bundle": None,
}


def read(options: object, where: str = "") -> tuple[dict[str, Any], list[str]]:
    """Read the values of settings, by the names that users write.

    Args:
        options: an object of settings; None for nothing.
        where: the source as messages name it, such as " in FILE"; "" for the editor.

    Returns:
        The correct values by attribute, and one line for each setting that is unknown or wrong.
    """
    if options is None:
        return {}, []
    if not isinstance(options, dict):
        return {}, [f"Midfill settings{where} must be an object, not {type(options).__name__}; they are ignored."]
    known = {name: ABOUT[attribute].kind for name, attribute in ATTRIBUTES.items()}
    named, problems = kinds.read_named(known, options, where)
    if "languages" in named:
        by_language = {name: kind for name, kind in known.items() if _by_language(name)}
        languages = {}
        for language, own in named["languages"].items():
            languages[language], wrong = kinds.read_named(by_language, own, where, f"languages.{language}.")
            problems += wrong
        named["languages"] = languages
    return {ATTRIBUTES[name]: value for name, value in named.items()}, kinds.shorten(problems, where)


def needs_reload(old: Settings, new: Settings) -> bool:
    """Return whether a model that was loaded with the settings ``old`` must be loaded again for ``new``."""
    changed = (name for name, known in ABOUT.items() if known.needs_reload and getattr(old, name) != getattr(new, name))
    return any(changed) or old.max_tokens_of_all_languages != new.max_tokens_of_all_languages


def describe() -> list[dict[str, Any]]:
    """Return what is known about each setting: names of JSON Schema, and some of Midfill's own.

    A default of None stands for a folder that is different on each machine.
    """
    of_language = {name: ABOUT[attribute].kind.schema for name, attribute in ATTRIBUTES.items() if _by_language(name)}
    table = {"type": "object", "properties": of_language, "additionalProperties": False}
    return [
        {
            "name": name,
            **ABOUT[attribute].kind.schema,
            **({"additionalProperties": table} if attribute == "languages" else {}),
            "default": _DEFAULTS[attribute],
            "description": ABOUT[attribute].description,
            "workspaceMay": ABOUT[attribute].workspace_may,
            "byLanguage": ABOUT[attribute].by_language,
            "needsReload": ABOUT[attribute].needs_reload,
        }
        for name, attribute in ATTRIBUTES.items()
    ]


def table() -> str:
    """Return the table of all settings, in Markdown."""
    rows = ["| name | value | default | meaning | a workspace may |", "|---|---|---|---|---|"]
    for name, attribute in ATTRIBUTES.items():
        known, default = ABOUT[attribute], _DEFAULTS[attribute]
        shown = "in the cache folder" if default is None else f"`{json.dumps(default)}`"
        rows.append(f"| `{name}` | {known.kind.words} | {shown} | {known.description} | {known.workspace_may} |")
    return "\n".join(rows)


def _by_language(name: str) -> bool:
    return ABOUT[ATTRIBUTES[name]].by_language
