"""Limits that more than one layer must agree on."""

from __future__ import annotations

MAX_LINE_CHARACTERS = 4_000
"""Maximum number of characters of a line. Nobody writes longer lines by hand, and they make patterns slow."""
MAX_FILE_BYTES = 50_000_000
"""Maximum size of a file that is named on the command line or in a script."""
