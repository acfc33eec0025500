"""Midfill: private, offline code completion as a language server."""

import os

# onnxruntime reports usage by default from 1.29 on, and decides at import: this comes before any.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

__version__ = "0.2.0"
