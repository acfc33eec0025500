"""What must be the same for an answer to be the same, in a few characters."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict

from midfill.inference import arithmetic, cpu
from midfill.inference.bundle import Manifest

_SHOWN = 16
"""Number of hexadecimal digits."""


def bundle_digest(manifest: Manifest) -> str:
    """Return a digest of all in a bundle that decides on a text: the files, the prompt's format and its length."""
    known = asdict(manifest)
    files = {name: entry["sha256"] for name, entry in known["files"].items()}
    decisive = [files, *(known[name] for name in ("fim", "stop_tokens", "chat_template", "context_length"))]
    return _digest(json.dumps(decisive, sort_keys=True).encode())


def prompt_digest(ids: Sequence[int]) -> str:
    """Return a digest of a prompt's token ids; "" for no prompt."""
    return _digest(json.dumps(list(ids)).encode()) if ids else ""


def processor() -> str:
    """Return the processor's name, and what its 8-bit products are, which decide on the last bits of a logit."""
    return f"{cpu.model_name(cpu.cpuinfo())}, {arithmetic.detect().value} 8-bit products"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:_SHOWN]
