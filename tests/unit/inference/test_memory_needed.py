"""What a model will take is told from its manifest."""

from __future__ import annotations

from typing import Any

import psutil
import pytest

from midfill.common.errors import ModelTooLarge
from midfill.inference.bundle import KvLayout
from midfill.inference.bundle_files import FileEntry
from midfill.inference.memory_needed import has_room_for_drafts, memory_needed, require_memory
from unit.helpers import manifest

MADE = manifest(
    files={
        "model.onnx": FileEntry(size=1_000_000, sha256=""),
        "model.onnx.data": FileEntry(size=499_000_000, sha256=""),
    },
    kv=KvLayout(layers=24, heads=2, head_size=64),
)


def free(size: int) -> Any:
    """Return the memory of a machine that has so many bytes free."""
    return type("Memory", (), {"available": size})


def test_files_and_cache_are_counted() -> None:
    """Each token has a key and a value in each layer, in FP32."""
    assert memory_needed(MADE, 4096) == 500_000_000 + 4096 * 24 * 2 * 2 * 64 * 4


def test_model_that_drafts_is_loaded_where_memory_is_plentiful() -> None:
    """It counts apart: a machine without room for it runs the model as before."""
    drafts = {
        "draft.onnx": FileEntry(size=1_000_000, sha256=""),
        "draft.onnx.data": FileEntry(size=249_000_000, sha256=""),
    }
    made = manifest(files={**MADE.files, **drafts}, kv=MADE.kv)
    assert memory_needed(made, 4096) == memory_needed(MADE, 4096)
    assert has_room_for_drafts(made, 1_000_000_000)
    assert not has_room_for_drafts(made, 999_999_999)
    assert not has_room_for_drafts(MADE, 10**12)


def test_model_beyond_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line has what it needs, and the setting."""
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free(10**10))
    with pytest.raises(ModelTooLarge) as raised:
        require_memory(MADE, 1000, 500_000_000, "nextEditMegabytes")
    assert str(raised.value) == (
        "tiny needs about 525 MB, and 'nextEditMegabytes' allows 500 MB: raise it, or choose a smaller model."
    )


def test_model_beyond_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line has what is free. With more free memory it is not refused."""
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free(600_000_000))
    require_memory(MADE, 1000, 600_000_000, "nextEditMegabytes")
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free(100_000_000))
    with pytest.raises(ModelTooLarge, match="tiny needs about 525 MB, and 100 MB are free: close other programs"):
        require_memory(MADE, 1000, 600_000_000, "nextEditMegabytes")
