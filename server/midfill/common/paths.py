"""The folders where Midfill keeps its own files: weights and bundles, in the user's cache folder."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def cache_dir() -> Path:
    """Return the user's cache folder for Midfill; ``MIDFILL_CACHE`` overrides it."""
    override = os.environ.get("MIDFILL_CACHE")
    return Path(override) if override else Path(platformdirs.user_cache_dir("midfill", appauthor=False))


def weights_dir() -> Path:
    """Return the folder of downloaded weights."""
    return cache_dir() / "weights"


def bundles_dir() -> Path:
    """Return the folder of exported bundles; each bundle has its own folder in it."""
    return cache_dir() / "bundles"
