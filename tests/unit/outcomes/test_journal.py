"""The journal: what is recorded about each request, and what is never written to disk."""

from __future__ import annotations

import json
import stat
import time
from dataclasses import replace
from pathlib import Path

import pytest

from midfill.common.reasons import Reason
from midfill.completion.types import Completion, Request
from midfill.outcomes.explain import to_json, to_lines, to_markdown
from midfill.outcomes.journal import Journal, read_verdicts, verdict_on
from midfill.prompt.fim import Part

REQUEST = Request(text="a = 1\nsentinel = ", offset=17, path="/shop/a.py", automatic=True)
SHOWN = Completion(
    text="left\nright", start=17, end=17, model="tiny", prompt_tokens=9, reused_tokens=4, tokens=5,
    logprobs=(-0.1, -0.2), stopped_by="statement", changes=(("end-space", -2),), milliseconds={"prefill": 3.25},
    budget="at most 64 tokens of the document: `contextTokens` is 64",
    parts=(
        Part("control", [1]), Part("definition", [2, 3], "shop/tax.py", 3, 4), Part("prefix", [4, 5, 6], "", 0, 1),
    ),
)  # fmt: skip
DROPPED = Completion(text="", start=17, end=17, reason=Reason.UNSURE)


def test_verdict_has_place_result_reason_and_parts() -> None:
    """Lines and columns count from 1."""
    text = "\n".join(to_lines(verdict_on(REQUEST, SHOWN, 1)))
    for words in (
        "/shop/a.py:2:12  (automatic)", "10 characters in 2 lines",
        "5 tokens generated after 9 tokens of prompt (4 from the KV cache)",
        "read: at most 64 tokens of the document: `contextTokens` is 64",
        "confidence 0.74", "ended by: statement", "end-space -2", "prefill 3.2", "definition shop/tax.py:4-5",
        "3 tokens  prefix /shop/a.py:1-2",
    ):  # fmt: skip
        assert words in text
    assert "unsure (the model's confidence is too low" in "\n".join(to_lines(verdict_on(REQUEST, DROPPED, 1)))


def test_line_of_an_older_version_is_read(tmp_path: Path) -> None:
    """A verdict that does not say how much was read is a verdict all the same."""
    file = tmp_path / "journal.jsonl"
    Journal(file).add(REQUEST, SHOWN)
    line = json.loads(file.read_text())
    assert line.pop("budget") == SHOWN.budget
    file.write_text(json.dumps(line))
    assert [verdict.budget for verdict in read_verdicts(file, 5)] == [""]


def test_parts_of_a_page_are_the_prompt() -> None:
    """The parts stand in order, and a fence inside a part does not end its block."""
    page = to_markdown(Journal().add(REQUEST, SHOWN), lambda ids: f"```{ids}")
    assert [page.index(f"```{part.ids}") for part in SHOWN.parts] == sorted(
        page.index(f"```{part.ids}") for part in SHOWN.parts
    )
    assert "````text\n```[1]\n````" in page
    explained = to_json(Journal().add(REQUEST, SHOWN), str)
    assert [part["text"] for part in explained["parts"]] == ["[1]", "[2, 3]", "[4, 5, 6]"]


def test_page_says_that_a_model_has_no_fim() -> None:
    """The page has this note only if the prompt has no control tokens."""
    note = "no fill-in-the-middle: it sees only the text before the cursor"
    alone = replace(SHOWN, parts=tuple(part for part in SHOWN.parts if part.kind == "prefix"))
    assert note in to_markdown(Journal().add(REQUEST, alone), str)
    assert note not in to_markdown(Journal().add(REQUEST, SHOWN), str)


def test_name_of_a_file_cannot_do_anything() -> None:
    """Neither to the terminal of `midfill why`, nor to an editor that renders the page."""
    name = "\x1b[31m\n```\n![a](http://example.org/a.png)"
    entry = Journal().add(replace(REQUEST, path=name), replace(SHOWN, parts=(Part("definition", [2], name, 3, 4),)))
    shown = "\\x1b[31m\\n```\\n![a](http://example.org/a.png)"
    lines = to_lines(entry.verdict)
    assert lines[0].endswith(f"  {shown}:2:12  (automatic)")
    assert lines[-1].endswith(f"  definition {shown}:4-5")
    page = to_markdown(entry, str)
    assert "\n```\n!" not in page
    assert page.count("![a](") == 2, "both in the block of the verdict"


def test_page_has_the_time_of_the_request() -> None:
    """The time is that of the request, and not that of the page."""
    entry = Journal().add(REQUEST, SHOWN)
    long_ago = replace(entry, verdict=replace(entry.verdict, at=1.0))
    assert time.strftime("%H:%M:%S", time.localtime(1.0)) in to_markdown(long_ago, str)


def test_file_has_the_last_verdicts_and_no_text(tmp_path: Path) -> None:
    """Only the owner may read the file, and damaged lines are skipped."""
    file = tmp_path / "cache" / "journal.jsonl"
    journal = Journal(file)
    journal.add(REQUEST, DROPPED)
    with file.open("a") as opened:
        opened.write("{not json\n[]\n")
    journal.add(REQUEST, SHOWN)
    assert [verdict.reason for verdict in read_verdicts(file, 5)] == ["unsure", ""]
    assert [verdict.number for verdict in read_verdicts(file, 1)] == [2]
    assert "sentinel" not in file.read_text()
    assert "left" not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_size_of_the_file_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is too large is cut to its last verdicts."""
    monkeypatch.setattr("midfill.outcomes.journal._MAX_BYTES", 60_000)
    file = tmp_path / "journal.jsonl"
    journal = Journal(file)
    for _ in range(300):
        journal.add(REQUEST, SHOWN)
    assert file.stat().st_size <= 60_000
    assert json.loads(file.read_text().splitlines()[-1])["number"] == 300
    assert len(journal.entries) == 50


@pytest.mark.parametrize("place", ["missing/journal.jsonl", "folder"])
def test_file_that_cannot_be_written_is_ignored(tmp_path: Path, place: str) -> None:
    """There is no error, and the entries are still kept in memory."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "missing").write_text("no folder")
    journal = Journal(tmp_path / place)
    assert journal.add(REQUEST, SHOWN).verdict.characters == 10
    assert read_verdicts(tmp_path / place, 3) == []


def test_documents_are_not_kept() -> None:
    """The journal remembers 50 answers. Their documents may be of any length."""
    journal = Journal()
    journal.add(REQUEST, SHOWN)
    assert "sentinel" not in repr(journal.entries)
