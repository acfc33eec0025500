"""Hundreds of random edits with suggestions over real pipes: not one character is lost or there twice.

Typing (along a suggestion and otherwise), accepting all, a line or a word, leafing through, backspacing, moving,
pasting, requests cancelled and overtaken: each step is held against a plain string.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from e2e.continuing_server import suggestions
from e2e.editor import CAPTURED
from e2e.raw_client import MIDFILL, RawClient
from e2e.typist import Typist
from lengths import length, only_at_length

CONTINUING = [sys.executable, str(Path(__file__).with_name("continuing_server.py"))]
DOCUMENTS = (
    "def average(numbers):\n    total = sum(numbers)\n    ",
    "größe = '😀 hello'\r\nif größe:\r\n\tprint(gr",
    "",
    "class Stack:\n\tdef __init__(self):\n\t\tself.items = []\n\n\tdef push(self, item):\n\t\t",
    "# 漢字 🚀\r\nnames = ['a', 'b']\r\n\r\n\r\nfor name in ",
)
EDITS, EDITS_OF_MODEL = length(200, 1000), 1000
ROUND = 100
"""Edits of one document."""
ALL = {
    *("typed", "typed along", "accepted", "accepted a word", "accepted a line", "cycled", "backspace", "newline"),
    *("moved", "pasted", "deleted a selection", "sent whole", "cancelled"),
}
RARE = {"accepted a line", "deleted a selection", "sent whole"}
"""What a hundred edits may not have: suggestions of 6 tokens seldom have another line."""


def run(typist: Typist, edits: int) -> None:
    """Make so many edits, in several documents."""
    for number in range(edits // ROUND):
        typist.open(DOCUMENTS[number % len(DOCUMENTS)], f"file:///work/edited_{number}.py")
        for _ in range(ROUND):
            typist.edit()
        typist.close()


def must_be_said(before: str, after: str, text: str, replaces: int) -> None:
    """See that an answer is what the stand-in says here, or the rest of what it said before the last characters."""
    here = suggestions(before, after)
    if (text, replaces) == (here.texts[0] if here.texts else "", here.replaces):
        return
    assert text, f"nothing came of {here} at {before!r} | {after!r}"
    assert not replaces, f"{text!r} is for another place than {before!r} | {after!r}"
    for typed in range(1, len(before) + 1):
        earlier = suggestions(before[:-typed], after)
        if earlier.texts and not earlier.replaces and earlier.texts[0] == before[-typed:] + text:
            return
    pytest.fail(f"{text!r} was never said at {before!r} | {after!r}")


@pytest.mark.parametrize("captured", CAPTURED, ids=lambda path: path.stem)
def test_random_edits_without_a_model(captured: Path, tmp_path: Path) -> None:
    """As each editor counts, with a stand-in for the model that says something else at each place."""
    with RawClient([*CONTINUING, "WARNING"], tmp_path / "stderr") as client:
        capabilities = json.loads(captured.read_text())["capabilities"]
        encoding = client.initialize(capabilities)["result"]["capabilities"]["positionEncoding"]
        typist = Typist(client, encoding, seed=20, check=must_be_said)
        run(typist, EDITS)
        assert client.stderr() == ""
    assert typist.counts.keys() >= ALL
    assert typist.counts["the rest of what was shown"] > EDITS // 20


@only_at_length
@pytest.mark.bundle
@pytest.mark.timeout(1800)
def test_random_edits_with_the_real_model(bundle: Path, tmp_path: Path) -> None:
    """What is shown, typed into and accepted stays true to the letter with real suggestions, too."""
    with RawClient(MIDFILL, tmp_path / "stderr") as client:
        options = {"maxTokens": 6, "contextTokens": 4096, "workspaceTokens": 0}
        client.initialize(options={**options, "minConfidence": 0, "deadlineMs": 0})
        client.wait_until_loaded()
        typist = Typist(client, "utf-16", seed=21)
        run(typist, EDITS_OF_MODEL)
        assert client.stderr() == ""
    assert typist.counts.keys() >= ALL - RARE
    assert typist.counts["the rest of what was shown"] > EDITS_OF_MODEL // 40
