"""The benchmark's language client, when the server fails. Typing needs a model and is tested in tests/export."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from midfill.bench.lsp_client import LspClient
from midfill.common.errors import BenchError, ServerEnded
from midfill.settings.schema import Settings


def test_model_that_does_not_load_is_told(tmp_path: Path) -> None:
    """The error is the server's own message."""
    with pytest.raises(BenchError, match="There is no model bundle in"):
        LspClient(Settings(bundle=tmp_path / "none"))


def test_server_that_ends_is_told(tmp_path: Path) -> None:
    """The error has the last line that the server logged."""
    program = "import sys; sys.stdin.buffer.readline(); sys.exit('so it ends')"
    with pytest.raises(ServerEnded, match="the language server ended early: so it ends"):
        LspClient(Settings(bundle=tmp_path), [sys.executable, "-c", program])
