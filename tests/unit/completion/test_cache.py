"""The completion cache: which earlier suggestions serve a request, and which do not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midfill.common.reasons import Reason
from midfill.completion.cache import CompletionCache, Unfinished, rest_of, typed_since
from midfill.completion.types import Alternative, Completion, Request
from midfill.inference.sampling import Sampling
from midfill.prompt.context import gather
from midfill.prompt.fim import Prompt
from unit.helpers import split

TEXT = st.text(alphabet="ab\n(", max_size=8)


def asking(marked: str, path: str = "/a.py") -> Request:
    """Return a request at the marked cursor."""
    text, offset = split(marked)
    return Request(text=text, offset=offset, path=path)


def suggesting(request: Request, text: str, *others: str) -> Completion:
    """Return a completion at the cursor of ``request``, with the ``others`` as alternatives."""
    return Completion(
        text=text,
        start=request.offset,
        end=request.offset,
        tokens=3,
        alternatives=tuple(Alternative(text=other) for other in others),
    )


def cache_of(marked: str, text: str, *others: str) -> CompletionCache:
    """Return a cache with one suggestion."""
    cache = CompletionCache()
    cache.add(asking(marked), suggesting(asking(marked), text, *others))
    return cache


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
def test_text_typed_between_two_requests(earlier: str, now: str, typed: str | None) -> None:
    """Only an insertion at the cursor counts as typing; the rest of the document must be the same."""
    assert typed_since(asking(earlier), asking(now)) == typed


@pytest.mark.parametrize("change", [{"path": "/b.py"}, {"alternatives": 3}, {"automatic": True}, {"max_lines": 2}])
def test_different_request_is_not_typing(change: dict[str, Any]) -> None:
    """A request for another document, or for another kind of suggestion, does not continue an earlier one."""
    assert typed_since(asking("a▮"), replace(asking("ab▮"), **change)) is None


def test_rest_of_a_suggestion_is_at_the_cursor() -> None:
    """The rest is inserted at the cursor, with the alternatives that begin with the typed text."""
    rest = cache_of("x▮", " = 1", " = 2", " + 1").find(asking("x =▮"))
    assert rest is not None
    assert (rest.text, rest.start, rest.end) == (" 1", 3, 3)
    assert [other.text for other in rest.alternatives] == [" 2"]
    assert rest.tokens == 0, "nothing was decoded for it"


@pytest.mark.parametrize(
    ("now", "rest"),
    [
        ("def f():\n▮", "    return 1"),
        ("def f():\n  ▮", None),
        ("def f():\n   ▮", None),
        ("def f():\n    ▮", "return 1"),
        ("def f():\n    return▮", " 1"),
    ],
)
def test_rest_of_a_suggestion_adds_nothing_to_the_indentation_that_was_typed(now: str, rest: str | None) -> None:
    """Two blanks typed along a line with four may be all that the user wants: the suggestion is made anew."""
    found = cache_of("def f():▮", "\n    return 1").find(asking(now))
    assert (found.text if found else None) == rest


@pytest.mark.parametrize(
    ("now", "typed"),
    [("def f():▮", ""), ("def f():\n▮", "\n"), ("def f():\n  ▮", None), ("def f():\n    ▮", "\n    ")],
)
def test_interrupted_suggestion_adds_nothing_to_the_indentation_that_was_typed(now: str, typed: str | None) -> None:
    """It is not generated to its end in vain."""
    cache, begun = CompletionCache(), asking("def f():▮")
    cache.interrupt(Unfinished(begun, gather(begun.text, begun.offset), Prompt((), None), text="\n    return"), 0)
    found = cache.take_unfinished(asking(now))
    assert (found[1] if found else None) == typed


@pytest.mark.parametrize("now", ["x = 1▮", "x = 12▮", "x -▮", "y▮"])
def test_suggestion_that_is_used_up_or_contradicted_does_not_serve(now: str) -> None:
    """A suggestion does not serve after it was typed to its end, or after something else was typed."""
    assert cache_of("x▮", " = 1").find(asking(now)) is None


def test_backspace_finds_the_earlier_suggestion() -> None:
    """Each place keeps its own suggestion."""
    cache = cache_of("x▮", " = 1")
    cache.add(asking("xy▮"), suggesting(asking("xy▮"), "z"))
    assert [done.text if (done := cache.find(asking(now))) else None for now in ("xy▮", "x▮")] == ["z", " = 1"]


def test_latest_suggestion_is_found_first() -> None:
    """Of two suggestions that serve a request, the latest is found."""
    cache = cache_of("x▮", " = 1 + 2")
    cache.add(asking("x =▮"), suggesting(asking("x =▮"), " 1 + 3"))
    found = [done.text if (done := cache.find(asking(now))) else None for now in ("x = ▮", "x ▮")]
    assert found == ["1 + 3", "= 1 + 2"]


def test_only_plain_suggestions_are_remembered() -> None:
    """An empty answer, a suggestion that replaces text, and one drawn at random are not remembered."""
    cache, request = CompletionCache(), asking("x▮")
    cache.add(request, Completion(text="", start=1, end=1, reason=Reason.CANCELLED))
    cache.add(request, Completion(text="y", start=0, end=1))
    drawn = replace(request, sampling=Sampling(temperature=1.0))
    cache.add(drawn, suggesting(drawn, "y"))
    assert cache.find(request) is None
    assert cache.find(drawn) is None


def test_closed_document_is_forgotten() -> None:
    """Suggestions in a closed document are forgotten, and those in other documents are not."""
    cache = cache_of("x▮", "y")
    other = asking("x▮", "/b.py")
    cache.add(other, suggesting(other, "z"))
    cache.forget("/a.py")
    assert cache.find(asking("x▮")) is None
    assert cache.find(other) is not None


def test_size_of_the_cache_is_limited() -> None:
    """If the remembered documents are too long together, the oldest are dropped."""
    cache = CompletionCache(max_characters=25)
    for text in ("a" * 10, "b" * 10, "c" * 10):
        cache.add(asking(f"{text}▮"), suggesting(asking(f"{text}▮"), "!"))
    found = [cache.find(asking(f"{text}▮")) is not None for text in ("a" * 10, "b" * 10, "c" * 10)]
    assert found == [False, True, True]


@given(TEXT, TEXT, TEXT.filter(bool), st.integers(0, 8))
def test_type_through_neither_doubles_nor_loses_a_character(before: str, after: str, text: str, count: int) -> None:
    """The typed text and the rest that is still suggested make up the suggestion."""
    request = Request(text=before + after, offset=len(before))
    cache = CompletionCache()
    cache.add(request, suggesting(request, text))
    typed = text[:count]
    rest = cache.find(Request(text=before + typed + after, offset=len(before + typed)))
    assert (rest.text if rest else "") == text[len(typed) :]


@given(TEXT, TEXT)
def test_typed_text_and_rest_make_up_the_suggestion(text: str, typed: str) -> None:
    """If nothing was typed, the rest is the whole suggestion."""
    done = suggesting(asking("x▮"), text)
    rest = rest_of(done, typed)
    assert rest is None or typed + rest.text == text
    assert rest_of(done, "") is done
