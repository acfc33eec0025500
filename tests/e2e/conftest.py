"""What the end-to-end tests share: the real bundle, and one server for each editor's real capabilities."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from e2e.editor import CAPTURED, Editor
from midfill.inference.bundle import MANIFEST
from midfill.settings.schema import default_bundle


@pytest.fixture(scope="session")
def bundle() -> Path:
    """Return the real bundle; without one these tests fail, for a skipped promise is not kept."""
    folder = default_bundle()
    if not (folder / MANIFEST).is_file():
        pytest.fail(f"There is no model bundle at {folder}: run `make try`, or set MIDFILL_BUNDLE.", pytrace=False)
    return folder


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=CAPTURED, ids=lambda path: path.stem)
async def editor(request: pytest.FixtureRequest, bundle: Path) -> AsyncIterator[Editor]:
    """Return an editor whose server has loaded the real model."""
    editor = Editor(request.param)
    # How fast the machine is, and how sure the model, must not decide what a test sees; a shorter prompt for speed.
    await editor.start({"deadlineMs": 0, "minConfidence": 0, "contextTokens": 512})
    await editor.wait_until_loaded()
    yield editor
    await editor.stop()
