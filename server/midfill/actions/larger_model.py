"""Says once, after an answer that could not be used, that a larger model would do better."""

from __future__ import annotations

from dataclasses import replace

from midfill.actions.result import ActionResult
from midfill.common.paths import cache_dir
from midfill.inference.bundle import MANIFEST
from midfill.settings.schema import DEFAULT_BUNDLE, Settings

_TOLD = "larger-model-told"
"""An empty file in the cache folder. It is there once the user was told."""
ADVICE = "A larger model does this better: `midfill pull 1.5b` installs it."


def with_advice(result: ActionResult, settings: Settings) -> ActionResult:
    """Return a result with the advice, if the default model failed, the larger one is not there, and nobody said so."""
    small = bool(result.answers) and result.answers[-1].model.lower() == DEFAULT_BUNDLE
    chosen = bool(settings.actions_engine) or (settings.actions_bundle / MANIFEST).is_file()
    if not result.reason or not small or chosen:
        return result
    told = cache_dir() / _TOLD
    try:
        told.parent.mkdir(parents=True, exist_ok=True)
        told.touch(exist_ok=False)
    except OSError:  # it was said, or cannot be noted: rather never than each time
        return result
    return replace(result, advice=ADVICE)
