"""Generation: from tokens to a suggestion, with the facts that are known about it."""

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
    """A model that is confident of its first tokens, and not of the later ones."""

    def __init__(self, confident: str, doubtful: str, vocabulary: int) -> None:
        super().__init__([*encode(confident), *encode(doubtful)], END, vocabulary)
        self._confident_until = 1 + len(encode(confident))

    def step(self, ids: Sequence[int], cache: KvCache, rows: int, cancel: CancelFlag) -> NDArray[np.float32]:
        logits = super().step(ids, cache, rows, cancel)
        places = len(cache) - rows + 1 + np.arange(rows)
        return logits * np.where(places < self._confident_until, 50, 1)[:, np.newaxis].astype(np.float32)


def generate(
    marked: str,
    script: str,
    *,
    doubtful: str | None = None,
    max_tokens: int = 64,
    max_lines: int = 12,
    min_confidence: float = 0.0,
    path: str = "",
    placeholders: Collection[str] = (),
    **style: Any,
) -> Generated:
    """Generate at the marked cursor, with a model that generates ``script`` and then, less confident, ``doubtful``."""
    vocabulary = manifest().vocabulary
    confident = ScriptedModel(encode(script), END, vocabulary)
    model = loaded_model(confident if doubtful is None else Doubtful(script, doubtful, vocabulary))
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
    ("marked", "script", "limits", "text", "stopped_by"),
    [
        ("▮", "left + right", {}, "left + right", "stop-token"),
        ("▮", "left + right", {"max_tokens": 2}, "left +", "max-tokens"),
        ("▮", "left\nright\n", {"max_lines": 1}, "left", "lines"),
        ("print(▮)", "left)\nright", {}, "left", "closer"),
        ("x = ▮", "left\nright\n", {"automatic": True}, "left", "statement"),
    ],
)
def test_stop_of_a_suggestion_is_recorded(
    marked: str, script: str, limits: dict[str, Any], text: str, stopped_by: str
) -> None:
    """The end of the text is caused by a stop, by a limit, or by the model's stop token."""
    generated = generate(marked, script, **limits)
    assert (generated.text, generated.stopped_by, generated.reason) == (text, stopped_by, "")


def test_changes_by_filters_are_recorded() -> None:
    """Each change has the filter's code and the number of characters added or removed."""
    assert generate("print(▮)", "left + right)").stopped_by == "closer"
    assert generate("    ▮", "left \n").changes == (("end-space", -2),)


def test_rest_of_the_line_may_be_replaced() -> None:
    """The result has the number of replaced characters."""
    generated = generate("left = 1\nright = 2\nreturn ▮left", "right + 1", path="a.py")
    assert (generated.text, generated.replaces) == ("right + 1", 4)


def test_indentation_is_the_documents_while_the_text_streams() -> None:
    """The text gets the document's indentation before the stops compare it with the document's lines."""
    generated = generate("def f():\n\tif x:▮\n\treturn x\n", "\n        left = 1\n    return x\n")
    assert (generated.text, generated.stopped_by) == ("\n\t\tleft = 1", "suffix-line")
    assert generated.changes == (("indentation", -9),)


def test_suggestion_begins_at_the_cursor_and_its_lines_follow() -> None:
    """Two spaces are enough in a block, also if the model writes four."""
    generated = generate("def f():\n  ▮\n", "  left = 1\n    return left\n", path="a.py")
    assert generated.text == "left = 1\n  return left"
    assert generated.changes == (("cursor", -4), ("end-space", -1))


def test_tab_of_a_recipe_stays_a_tab() -> None:
    """The language decides whether white space may be changed."""
    document = "A = \\\n    b \\\n    c\n\n▮"
    assert generate(document, "all:\n\tleft", path="Makefile").text == "all:\n\tleft"
    assert generate(document, "all:\n\tleft", path="a.py").text == "all:\n    left"


def test_choices_end_where_the_text_does() -> None:
    """Tokens that were cut off are not among the choices, so they do not count for the confidence."""
    generated = generate("▮", "left\n\n\n")
    assert len(generated.choices) == len(encode("left")) < generated.tokens


def test_some_filters_apply_only_while_typing() -> None:
    """A text that is too short is dropped while typing, and shown if it was invoked or is unfiltered."""
    assert generate("▮", "):", automatic=True).reason == "too-short"
    assert generate("▮", "):", automatic=True, unfiltered=True).text == "):"
    assert generate("▮", "):").text == "):"
    assert generate("▮", " \n", unfiltered=True).reason == "blank"
    assert generate("x = ▮", "'<password>'", placeholders={"<password>"}).reason == "placeholder"


def test_syntax_of_a_text_cut_by_a_limit_is_not_checked() -> None:
    """A text that ends within a statement because of a limit is shown, although it does not fit the grammar."""
    prose = "left right left right"
    assert generate("def f():\n    ▮\n", prose, path="a.py").reason == "syntax"
    assert generate("def f():\n    ▮\n", prose, path="a.py", max_tokens=3).reason == ""


@pytest.mark.parametrize(
    ("confident", "doubtful", "text", "reason"),
    [
        ("left\nright\n", "left", "left\nright", ""),
        ("left\nright", "\nleft", "left\nright", ""),
        ("left\nri", "ght", "left", ""),
        ("left", " + right", "", "unsure"),
        ("", "left", "", "unsure"),
        ("left + right", "", "left + right", ""),
    ],
)
def test_low_confidence_ends_a_suggestion_with_the_line_before(
    confident: str, doubtful: str, text: str, reason: str
) -> None:
    """The text is cut to whole lines and no more tokens are generated; without a minimum it is not cut."""
    generated = generate("▮", confident, doubtful=doubtful, min_confidence=0.5)
    assert (generated.text, generated.reason) == (text, reason)
    assert generated.tokens <= len(encode(confident)) + 1
    assert generate("▮", confident, doubtful=doubtful).text == (confident + doubtful).strip()


def test_tokens_after_a_stop_do_not_lower_the_confidence() -> None:
    """A stop before the first unlikely token ends the text as usual."""
    generated = generate("x = ▮", "left\n", doubtful="right\nleft", min_confidence=0.5, automatic=True)
    assert (generated.text, generated.stopped_by) == ("left", "statement")
