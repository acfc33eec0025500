"""The signals by which a system asks a process to end."""

from __future__ import annotations

import signal

ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGBREAK") if hasattr(signal, name))
"""Beside Ctrl-C (``SIGINT``). Windows sends ``SIGBREAK`` when the console is closed, or the user leaves."""
