"""Items of a document that nobody writes."""

from __future__ import annotations

import pytest

from midfill.completion.types import Completion
from midfill.lsp.items import popup_item
from midfill.lsp.text_document import Document
from unit.hostile import UNITS, hostile


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", UNITS)
def test_popup_item_in_any_text_takes_a_bounded_time(name: str) -> None:
    """The word before the cursor is looked for near the cursor."""
    document = Document(hostile(name, 400_000) + " ", language="python", encoding="utf-16")
    end = len(document.text)
    assert popup_item(document, end, Completion(text="print()", start=end, end=end), 1).label == "print()"
