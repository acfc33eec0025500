"""The settings of actions: which model does them, and whether code may be run to check them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from midfill.common.paths import bundles_dir
from midfill.settings import kinds
from midfill.settings.kinds import about

LARGER_BUNDLE = "qwen2.5-coder-1.5b-instruct"
NEVER, ASK, ALWAYS = "never", "ask", "always"
"""The values of ``runCode``."""


def default_actions_bundle() -> Path:
    """Return the folder of the default bundle for actions, which has a larger model. It need not exist."""
    return bundles_dir() / LARGER_BUNDLE


@dataclass(frozen=True, kw_only=True)
class ActionSettings:
    """Which model does actions, and what they may run."""

    actions_bundle: Path = field(
        default_factory=default_actions_bundle,
        metadata=about(
            kinds.folder(),
            "folder of the bundle of a larger model for code actions; if there is none, the model of `bundle` is used",
        ),
    )
    run_code: str = field(
        default=NEVER,
        metadata=about(
            kinds.choice(NEVER, ASK, ALWAYS),
            "whether actions may run your project's tests and functions in a sandbox, on a copy and without a network,"
            " to check what the model wrote; `ask` asks you each time",
        ),
    )
