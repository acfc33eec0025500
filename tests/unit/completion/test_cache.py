"""What was suggested lately: typing along it, and what it does not hold for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midfill.common.reasons import Reason
from midfill.completion.cache import CompletionCache, rest_of, typed_since
from midfill.completion.types import Alternative, Completion, Request
from midfill.inference.sampling import Sampling
from unit.helpers import split

TEXT = st.text(alphabet="ab\n(", max_size=8)


def asking(marked: str, path: str = "/a.py") -> Request:
    """Ask at the cursor's mark."""
    text, offset = split(marked)
    return Request(text=text, offset=offset, path=path)


def suggesting(request: Request, text: str, *others: str) -> Completion:
    """Suggest texts at the cursor of ``request``."""
    return Completion(
        text=text,
        start=request.offset,
        end=request.offset,
        tokens=3,
        alternatives=tuple(Alternative(text=other) for other in others),
    )


def memo_of(marked: str, text: str, *others: str) -> CompletionCache:
    """Remember one suggestion."""
    memo = CompletionCache()
    memo.add(asking(marked), suggesting(asking(marked), text, *others))
    return memo


@pytest.mark.parametrize(
    ("earlier", "now", "typed"),
    [
        ("a▮z", "ab▮z", "b"),
        ("a▮z", "a▮z", ""),
        ("a▮", "a\n    b▮", "\n    b"),
        ("ab▮z", "a▮z", None),
        ("a▮z", "ab▮y", None),
        ("a▮z", "x▮z", None),
        ("a▮z", "ab▮", None),
        ("a▮a", "aa▮a", "a"),
        ("▮aa", "aa▮aa", "aa"),
    ],
)
def test_what_was_typed_between_two_requests(earlier: str, now: str, typed: str | None) -> None:
    """Only what was put in at the cursor, with all else as it was, counts as typing."""
    assert typed_since(asking(earlier), asking(now)) == typed


@pytest.mark.parametrize("change", [{"path": "/b.py"}, {"alternatives": 3}, {"automatic": True}, {"max_lines": 2}])
def test_other_question_is_not_typing(change: dict[str, Any]) -> None:
    """Another document, or another kind of suggestion."""
    assert typed_since(asking("a▮"), replace(asking("ab▮"), **change)) is None


def test_rest_of_a_suggestion_stands_where_the_cursor_is() -> None:
    """It is inserted at the cursor, and alternatives that went another way are gone."""
    rest = memo_of("x▮", " = 1", " = 2", " + 1").find(asking("x =▮"))
    assert rest is not None
    assert (rest.text, rest.start, rest.end) == (" 1", 3, 3)
    assert [other.text for other in rest.alternatives] == [" 2"]
    assert rest.tokens == 0, "nothing was decoded for it"


@pytest.mark.parametrize("now", ["x = 1▮", "x = 12▮", "x -▮", "y▮"])
def test_suggestion_typed_to_its_end_or_not_agreed_with_says_nothing(now: str) -> None:
    """Then the model is asked again."""
    assert memo_of("x▮", " = 1").find(asking(now)) is None


def test_backspace_leads_back_to_what_was_suggested_there() -> None:
    """Each place keeps its own suggestion."""
    memo = memo_of("x▮", " = 1")
    memo.add(asking("xy▮"), suggesting(asking("xy▮"), "z"))
    assert [done.text if (done := memo.find(asking(now))) else None for now in ("xy▮", "x▮")] == ["z", " = 1"]


def test_latest_suggestion_is_found_first() -> None:
    """Of two that hold."""
    memo = memo_of("x▮", " = 1 + 2")
    memo.add(asking("x =▮"), suggesting(asking("x =▮"), " 1 + 3"))
    assert [done.text if (done := memo.find(asking(now))) else None for now in ("x = ▮", "x ▮")] == ["1 + 3", "= 1 + 2"]


def test_nothing_is_remembered_of_no_suggestion() -> None:
    """Nor of one drawn at random, which should be another one each time, or of one that replaces text."""
    memo, request = CompletionCache(), asking("x▮")
    memo.add(request, Completion(text="", start=1, end=1, reason=Reason.CANCELLED))
    memo.add(request, Completion(text="y", start=0, end=1))
    drawn = replace(request, sampling=Sampling(temperature=1.0))
    memo.add(drawn, suggesting(drawn, "y"))
    assert memo.find(request) is None
    assert memo.find(drawn) is None


def test_closed_document_is_forgotten() -> None:
    """The others stay."""
    memo = memo_of("x▮", "y")
    other = asking("x▮", "/b.py")
    memo.add(other, suggesting(other, "z"))
    memo.forget("/a.py")
    assert memo.find(asking("x▮")) is None
    assert memo.find(other) is not None


def test_documents_remembered_are_bounded() -> None:
    """The oldest go first."""
    memo = CompletionCache(max_characters=25)
    for text in ("a" * 10, "b" * 10, "c" * 10):
        memo.add(asking(f"{text}▮"), suggesting(asking(f"{text}▮"), "!"))
    found = [memo.find(asking(f"{text}▮")) is not None for text in ("a" * 10, "b" * 10, "c" * 10)]
    assert found == [False, True, True]


@given(TEXT, TEXT, TEXT.filter(bool), st.integers(0, 8))
def test_typing_along_neither_doubles_nor_loses_a_character(before: str, after: str, text: str, count: int) -> None:
    """What is typed and what is then still suggested are the suggestion."""
    request = Request(text=before + after, offset=len(before))
    memo = CompletionCache()
    memo.add(request, suggesting(request, text))
    typed = text[:count]
    rest = memo.find(Request(text=before + typed + after, offset=len(before + typed)))
    assert (rest.text if rest else "") == text[len(typed) :]


@given(TEXT, TEXT)
def test_nothing_typed_leaves_all(text: str, typed: str) -> None:
    """And the rest is never empty text."""
    done = suggesting(asking("x▮"), text)
    rest = rest_of(done, typed)
    assert rest is None or typed + rest.text == text
    assert rest_of(done, "") is done
