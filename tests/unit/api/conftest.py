"""What the tests of the API share: one server with a real graph."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from unit.api.serving import serving, settings_for
from unit.helpers import chain_graph, write_bundle

SAID = "return left"
"""What the model says where nothing stands before the cursor, and nothing else."""


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Return a bundle with a real graph."""
    return write_bundle(tmp_path / "bundle", graph=chain_graph(SAID)).path


@pytest_asyncio.fixture
async def client(bundle: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client of a server with that bundle."""
    async with serving(settings_for(bundle)) as client:
        yield client
