"""One request's texts: tokens into a suggestion, and what is known about it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from midfill.common.cancel import CancelFlag
from midfill.completion.generation import Generated, Generation, Limits, Place, Style
from midfill.inference.kv_cache import KvCache
from midfill.inference.onnx_model import ScriptedModel
from midfill.inference.token_generator import Deadline
from midfill.prompt.fim import Part, Prompt
from unit.helpers import context, encode, loaded_model, manifest

END = manifest().stop_tokens[0]


class Doubtful(ScriptedModel):
    """A model that is sure of what it says, up to a place."""

    def __init__(self, sure: str, doubtful: str, vocabulary: int) -> None:
        super().__init__([*encode(sure), *encode(doubtful)], END, vocabulary)
        self._sure_until = 1 + len(encode(sure))

    def step(self, ids: Sequence[int], cache: KvCache, rows: int, cancel: CancelFlag) -> NDArray[np.float32]:
        logits = super().step(ids, cache, rows, cancel)
        places = len(cache) - rows + 1 + np.arange(rows)
        return logits * np.where(places < self._sure_until, 50, 1)[:, np.newaxis].astype(np.float32)


def write(
    marked: str,
    said: str,
    *,
    doubtful: str | None = None,
    max_tokens: int = 64,
    max_lines: int = 12,
    min_confidence: float = 0.0,
    path: str = "",
    placeholders: Collection[str] = (),
    **style: Any,
) -> Generated:
    """Generate at the cursor's mark, with a model that says ``said`` and then stops, or continues doubtfully."""
    vocabulary = manifest().vocabulary
    known = ScriptedModel(encode(said), END, vocabulary)
    model = loaded_model(known if doubtful is None else Doubtful(said, doubtful, vocabulary))
    generation = Generation(
        model.new_generator(context=200, cache_bytes=0, max_draft_tokens=16),
        model.tokenizer,
        Prompt((Part("prefix", encode("x")),), None),
        Place(context=replace(context(marked), placeholders=frozenset(placeholders)), path=path),
        Limits(max_tokens=max_tokens, max_lines=max_lines, deadline=Deadline(None), min_confidence=min_confidence),
        Style(**style),
    )
    return generation.generate(CancelFlag())


@pytest.mark.parametrize(
    ("marked", "said", "wanted", "text", "stopped_by"),
    [
        ("▮", "left + right", {}, "left + right", "stop-token"),
        ("▮", "left + right", {"max_tokens": 2}, "left +", "max-tokens"),
        ("▮", "left\nright\n", {"max_lines": 1}, "left", "lines"),
        ("print(▮)", "left)\nright", {}, "left", "closer"),
        ("x = ▮", "left\nright\n", {"automatic": True}, "left", "statement"),
    ],
)
def test_what_ended_a_suggestion_is_told(
    marked: str, said: str, wanted: dict[str, Any], text: str, stopped_by: str
) -> None:
    """A stop by its code, else the limit that was met, else the model itself."""
    written = write(marked, said, **wanted)
    assert (written.text, written.stopped_by, written.reason) == (text, stopped_by, "")


def test_what_filters_changed_is_told() -> None:
    """Each with its code and how many characters it added or cut."""
    assert write("print(▮)", "left + right)").stopped_by == "closer"
    assert write("    ▮", "left \n").changes == (("end-space", -2),)


def test_rest_of_the_line_may_be_replaced() -> None:
    """The suggestion says how much of it."""
    written = write("left = 1\nright = 2\nreturn ▮left", "right + 1", path="a.py")
    assert (written.text, written.replaces) == ("right + 1", 4)


def test_indentation_is_the_documents_while_the_text_streams() -> None:
    """So the stops find in it what the document has."""
    written = write("def f():\n\tif x:▮\n\treturn x\n", "\n        left = 1\n    return x\n")
    assert (written.text, written.stopped_by) == ("\n\t\tleft = 1", "suffix-line")
    assert written.changes == (("indentation", -9),)


def test_choices_end_where_the_text_does() -> None:
    """Tokens of what was cut off say nothing about how sure the model was of the rest."""
    written = write("▮", "left\n\n\n")
    assert len(written.choices) == len(encode("left")) < written.tokens


def test_who_types_is_spared_what_who_asks_may_see() -> None:
    """Without filters, all but nothing is shown."""
    assert write("▮", "):", automatic=True).reason == "too-short"
    assert write("▮", "):", automatic=True, unfiltered=True).text == "):"
    assert write("▮", "):").text == "):"
    assert write("▮", " \n", unfiltered=True).reason == "blank"
    assert write("x = ▮", "'<password>'", placeholders={"<password>"}).reason == "placeholder"


def test_line_cut_short_by_the_limit_is_not_judged() -> None:
    """What ends within a statement does not fit the grammar, and is welcome all the same."""
    prose = "left right left right"
    assert write("def f():\n    ▮\n", prose, path="a.py").reason == "syntax"
    assert write("def f():\n    ▮\n", prose, path="a.py", max_tokens=3).reason == ""


@pytest.mark.parametrize(
    ("sure", "doubtful", "text", "reason"),
    [
        ("left\nright\n", "left", "left\nright", ""),
        ("left\nright", "\nleft", "left\nright", ""),
        ("left\nri", "ght", "left", ""),
        ("left", " + right", "", "unsure"),
        ("", "left", "", "unsure"),
        ("left + right", "", "left + right", ""),
    ],
)
def test_doubt_ends_a_suggestion_with_the_line_before(sure: str, doubtful: str, text: str, reason: str) -> None:
    """Whole lines only; nothing is written in vain after it, and what is not asked for is not judged."""
    written = write("▮", sure, doubtful=doubtful, min_confidence=0.5)
    assert (written.text, written.reason) == (text, reason)
    assert written.tokens <= len(encode(sure)) + 1
    assert write("▮", sure, doubtful=doubtful).text == (sure + doubtful).strip()


def test_stop_before_the_doubt_counts() -> None:
    """What comes after the suggestion's end need not be likely."""
    written = write("x = ▮", "left\n", doubtful="right\nleft", min_confidence=0.5, automatic=True)
    assert (written.text, written.stopped_by) == ("left", "statement")
