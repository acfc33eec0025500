"""Settings as frozen dataclasses with a default for everything; a bad value is reported and left out.

What is known of a setting stands in its field: the README's table, VS Code's list of settings and the messages about
wrong values all come of that.
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
from midfill.settings.kinds import About, about

DEFAULT_BUNDLE = "qwen2.5-coder-0.5b-instruct"
LARGER_BUNDLE = "qwen2.5-coder-1.5b-instruct"
MEASURED_CONTEXT = 1024
"""Tokens of the document where something is measured that must not depend on the machine's speed."""


def default_bundle() -> Path:
    """Return the bundle used when no setting names one; ``MIDFILL_BUNDLE`` overrides it."""
    override = os.environ.get("MIDFILL_BUNDLE")
    return Path(override) if override else bundles_dir() / DEFAULT_BUNDLE


def default_actions_bundle() -> Path:
    """Return where the bundle would be that is better at actions than the default one."""
    return bundles_dir() / LARGER_BUNDLE


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All that a user can set, by the camelCase name editors use (``maxTokens``)."""

    bundle: Path = field(
        default_factory=default_bundle,
        metadata=about(kinds.folder(), "folder of the model bundle", needs_reload=True),
    )
    use: str = field(
        default="personal",
        metadata=about(
            kinds.choice("personal", "commercial"),
            "what you complete for; with commercial, a model is refused whose licence forbids that, or is not known",
            needs_reload=True,
        ),
    )
    threads: int = field(
        default=0,
        metadata=about(
            kinds.whole(0, 256),
            "threads for the model; 0 takes what `midfill doctor` measured best, and one per usable core before that",
            needs_reload=True,
        ),
    )
    enabled: bool = field(
        default=True,
        metadata=about(
            kinds.flag(),
            "whether there are suggestions while you type; asking outright works in any case",
            workspace_may="turn it off",
            by_language=True,
        ),
    )
    context_tokens: int = field(
        default=0,
        metadata=about(
            kinds.whole(64, 131_072, or_zero=True),
            "most tokens of the document that are read; 0 chooses by the machine's measured speed, for `latencyMs`",
            needs_reload=True,
        ),
    )
    workspace_tokens: int = field(
        default=512,
        metadata=about(
            kinds.whole(0, 32_768),
            "most tokens of other files' snippets in a prompt; 0 for no context of other files",
            workspace_may="lower it",
            needs_reload=True,
        ),
    )
    latency_ms: int = field(
        default=3000,
        metadata=about(
            kinds.whole(100, 60_000),
            "milliseconds that reading a new document should take, where Midfill chooses how much is read",
            needs_reload=True,
        ),
    )
    max_tokens: int = field(
        default=64,
        metadata=about(
            kinds.whole(1, 1024),
            "most tokens one suggestion may have",
            workspace_may="set it",
            by_language=True,
            needs_reload=True,
        ),
    )
    max_lines: int = field(
        default=12,
        metadata=about(
            kinds.whole(1, 1000), "most lines one suggestion may have", workspace_may="set it", by_language=True
        ),
    )
    min_confidence: float = field(
        default=0.35,
        metadata=about(
            kinds.number(0, 1),
            "least probability, by the model's own lights, that all of a suggestion is right; what is less likely "
            "while you type ends with the last line up to which it is, or is not shown; 0 shows all",
            workspace_may="raise it",
            by_language=True,
        ),
    )
    calibrate_confidence: bool = field(
        default=True,
        metadata=about(
            kinds.flag(),
            "whether what you accept moves `minConfidence`, at each start, towards that probability of acceptance",
            workspace_may="turn it off",
        ),
    )
    languages: Mapping[str, Mapping[str, Any]] = field(
        default_factory=dict,
        metadata=about(
            kinds.table(),
            "`enabled`, `maxTokens`, `maxLines` and `minConfidence` of their own for languages, by LSP's language ids",
            workspace_may="add to it",
        ),
    )
    exclude: tuple[str, ...] = field(
        default=(),
        metadata=about(
            kinds.texts(),
            "files, as patterns of `.gitignore`, that never contribute to a prompt, nor get suggestions",
            workspace_may="add to it",
        ),
    )
    quiet_languages: tuple[str, ...] = field(
        default=(),
        metadata=about(
            kinds.texts(), "languages without suggestions while you type, by LSP's ids", workspace_may="add to it"
        ),
    )
    quiet_folders: tuple[str, ...] = field(
        default=(),
        metadata=about(
            kinds.texts(),
            "folders, as patterns of `.gitignore`, without suggestions while you type",
            workspace_may="add to it",
        ),
    )
    quiet_in_comments: bool = field(
        default=False,
        metadata=about(kinds.flag(), "no suggestions in comments while you type", workspace_may="turn it on"),
    )
    quiet_in_strings: bool = field(
        default=False,
        metadata=about(kinds.flag(), "no suggestions in strings while you type", workspace_may="turn it on"),
    )
    debounce_ms: int = field(
        default=0,
        metadata=about(
            kinds.whole(0, 5000),
            "most milliseconds to wait for the next key before a suggestion is made while you type; how long within"
            " that, your rhythm says; 0 for never",
            workspace_may="raise it",
        ),
    )
    prefetch: bool = field(
        default=True,
        metadata=about(
            kinds.flag(), "whether what comes after the suggestion shown is computed ahead", workspace_may="turn it off"
        ),
    )
    draft_tokens: int = field(
        default=16,
        metadata=about(
            kinds.whole(0, 64),
            "most tokens guessed ahead and checked in one step; 0 for none (changes the speed, never the suggestion)",
            needs_reload=True,
        ),
    )
    # Reading a prompt anew, which a slow machine takes long for, is not part of the deadline.
    deadline_ms: int = field(
        default=5000,
        metadata=about(
            kinds.whole(0, 600_000),
            "milliseconds from the first token on, after which a suggestion ends with what it has; 0 for none",
        ),
    )
    cache_megabytes: int = field(
        default=256,
        metadata=about(
            kinds.whole(1, 1_048_576),
            "most memory for computed prompts, about 40 MB a document with the default model and contexts;"
            " at least one is kept",
            needs_reload=True,
        ),
    )
    warm_up_ms: int = field(
        default=300,
        metadata=about(
            kinds.whole(0, 60_000),
            "milliseconds after an edit, without a request, after which the prompt is computed ahead; 0 for never",
        ),
    )
    unload_minutes: int = field(
        default=30,
        metadata=about(
            kinds.whole(0, 10_080),
            "minutes without an edit or a request after which the model leaves memory (it comes back at the next"
            " one); 0 for never",
        ),
    )
    journal: bool = field(
        default=True,
        metadata=about(
            kinds.flag(),
            "whether the verdicts on the last requests, never text, are kept in the cache folder for `midfill why`",
        ),
    )
    actions_bundle: Path = field(
        default_factory=default_actions_bundle,
        metadata=about(
            kinds.folder(),
            "folder of a larger model's bundle, which serves code actions; where there is none, `bundle` does",
        ),
    )

    def for_language(self, language: str) -> Settings:
        """Return the settings for documents of ``language``, an LSP language id."""
        own = self.languages.get(language, {})
        return dataclasses.replace(self, **{ATTRIBUTES[name]: value for name, value in own.items()}) if own else self

    @property
    def most_tokens(self) -> int:
        """The most tokens that a suggestion may have in any language: what a KV cache must have room for."""
        return max(own.max_tokens for own in (self, *map(self.for_language, self.languages)))


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(word.capitalize() for word in tail)


ABOUT: dict[str, About] = {f.name: f.metadata["about"] for f in dataclasses.fields(Settings)}
"""What is known of each setting, by attribute."""
ATTRIBUTES = {_camel(name): name for name in ABOUT}
"""The attribute of each setting, by the name that users write."""
_DEFAULTS: dict[str, Any] = {
    **{name: list(value) if isinstance(value, tuple) else value for name, value in vars(Settings()).items()},
    "bundle": None,
    "actions_bundle": None,
}


def read(options: object, where: str = "") -> tuple[dict[str, Any], list[str]]:
    """Read what somebody has set, by the names that users write; ``where`` is said of each problem (" in FILE").

    Returns:
        The values of what is right, by attribute, and one line for each option that is unknown or wrong.
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
    """Say whether a model that was loaded for ``old`` has to be loaded again for ``new``."""
    changed = (name for name, known in ABOUT.items() if known.needs_reload and getattr(old, name) != getattr(new, name))
    return any(changed) or old.most_tokens != new.most_tokens


def describe() -> list[dict[str, Any]]:
    """Return what is known of each setting, in the terms of JSON Schema and Midfill's own.

    A default of None is not the same on every machine.
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
