"""FIM prompts: their order, their token budget, and what does not move while the user types."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midfill.inference.bundle import FimFormat
from midfill.inference.kv_cache import common_prefix
from midfill.prompt.context import Context, gather
from midfill.prompt.fim import (
    Prompt,
    build_prompt,
    other_files,
)
from midfill.prompt.snippets import Snippet, WorkspaceSnippets
from unit.helpers import encode

PREFIX, SUFFIX, MIDDLE = 1000, 1001, 1002
FORMAT = FimFormat(order="suffix-first", prefix=PREFIX, suffix=SUFFIX, middle=MIDDLE)
ORDERS = ("suffix-first", "prefix-first", "prefix-only")

Order = Literal["suffix-first", "prefix-first", "prefix-only"]


def letters(text: str) -> list[int]:
    """Encode each character as one token."""
    return [ord(character) for character in text]


def prompt(before: str, after: str, order: Order = "suffix-first", budget: int = 64, take_back: bool = False) -> Prompt:
    """Build a prompt with one token for each character."""
    around = gather(before + after, len(before))
    return build_prompt(around, replace(FORMAT, order=order), letters, budget, lambda _token: take_back)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("suffix-first", [PREFIX, SUFFIX, *b"after", MIDDLE, *b"before"]),
        ("prefix-first", [PREFIX, *b"before", SUFFIX, *b"after", MIDDLE]),
        ("prefix-only", [*b"before"]),
    ],
)
def test_order(order: Order, expected: list[int]) -> None:
    """Each order puts the two sides at their places, and each side's tokens are counted."""
    built = prompt("before", "after", order)
    assert built.ids == expected
    assert (built.tokens_of("prefix"), built.tokens_of("suffix")) == (6, 0 if order == "prefix-only" else 5)


@pytest.mark.parametrize("order", ["suffix-first", "prefix-first"])
def test_empty_document_is_three_control_tokens(order: Order) -> None:
    """The prompt of an empty document is the three control tokens, so the model has something to continue."""
    assert sorted(prompt("", "", order).ids) == [PREFIX, SUFFIX, MIDDLE]


def test_model_without_control_tokens_has_nothing_to_continue_in_an_empty_document() -> None:
    """Without FIM tokens, the prompt is only the prefix, which may be empty."""
    assert prompt("", "after", "prefix-only").ids == []


def test_token_taken_back_is_left_out_of_the_prompt() -> None:
    """The prompt names the token separately, for token healing."""
    built = prompt("ab", "", take_back=True)
    assert (built.ids[-1], built.taken_back, built.tokens_of("prefix")) == (ord("a"), ord("b"), 1)


def test_token_that_may_not_be_taken_back_stays() -> None:
    """If the last token may not be taken back, it stays in the prompt."""
    asked: list[int] = []

    def refuse(token: int) -> bool:
        asked.append(token)
        return False

    built = build_prompt(gather("ab", 2), FORMAT, letters, 64, refuse)
    assert (asked, built.taken_back, built.ids[-1]) == ([ord("b")], None, ord("b"))


def test_last_token_of_a_prompt_without_control_tokens_stays() -> None:
    """Without FIM tokens, the only token is never taken back, because the prompt would be empty."""
    assert prompt("a", "", "prefix-only", take_back=True).ids == [ord("a")]
    assert prompt("ab", "", "prefix-only", take_back=True).taken_back == ord("b")


def test_long_prefix_keeps_its_end_from_a_line_start() -> None:
    """Text far above the cursor is cut off at the start of a line."""
    before = "".join(f"line {number}\n" for number in range(100)) + "cursor"
    kept = bytes(prompt(before, "", budget=203).ids[3:]).decode()
    assert before.endswith(kept)
    assert len(kept) <= 200


def test_prefix_of_long_tokens_is_not_cut() -> None:
    """A prefix that fits the token budget is not cut, however many characters it has."""
    around = gather("".join(f"line {number:03}\n" for number in range(50)), 50 * 9)
    built = build_prompt(around, FORMAT, lambda text: text.split("\n")[:-1], 64, lambda _: False)  # type: ignore[arg-type, return-value]
    assert built.tokens_of("prefix") == 50


def test_long_line_is_cut_within() -> None:
    """If there is no start of a line to cut at, the line is cut within."""
    kept = prompt("x" * 5000, "", budget=103).ids[3:]
    assert 75 <= len(kept) <= 100


def test_long_suffix_keeps_whole_lines_within_a_quarter_of_the_budget() -> None:
    """Text far below the cursor is cut off at the end of a line, within the token budget."""

    def lines(text: str) -> Any:
        return text.split("\n")[:-1]  # a token is a line, so that what is kept can be read

    around = gather("".join(f"line {number:03}\n" for number in range(100)), 0)
    built = build_prompt(around, FORMAT, lines, 64, lambda _: False)
    assert list[Any](built.ids[2:-1]) == [f"line {number:03}" for number in range(7)]
    assert prompt("", "y" * 100, budget=64).tokens_of("suffix") == 16


def test_prefix_gets_the_tokens_that_the_suffix_does_not_need() -> None:
    """If nothing is below the cursor, the prefix has the whole budget."""
    assert prompt("x" * 61, "", budget=64).tokens_of("prefix") == 61
    assert prompt("x" * 61, "y", budget=64).tokens_of("prefix") < 61


@given(
    st.text(alphabet="ab \n(é漢", max_size=300),
    st.text(alphabet="ab \n)é漢", max_size=300),
    st.sampled_from(ORDERS),
    st.integers(3, 120),
    st.booleans(),
)
def test_prompt_fits_its_budget(before: str, after: str, order: Order, budget: int, take_back: bool) -> None:
    """The prompt never has more tokens than its budget."""
    around = Context(before, after, len(before))
    for encoder in (letters, encode):
        built = build_prompt(around, replace(FORMAT, order=order), encoder, budget, lambda _: take_back)
        assert len(built.ids) <= budget
        assert len(built.ids) == built.tokens_of("prefix") + built.tokens_of("suffix") + (
            0 if order == "prefix-only" else 3
        )


@pytest.mark.parametrize("budget", [128, 256, 1024])
def test_keystroke_keeps_nearly_all_of_the_prompt(budget: int) -> None:
    """While a line is typed, each prompt begins like the one before, unless the start of the prefix moves."""
    before = "".join(f"value_{number} = compute({number}, left + right)\n" for number in range(60))
    typed = "    return left + right * compute(value_12)"
    prompts = [
        build_prompt(gather(before + typed[:end] + "\nprint(1)\n", len(before) + end), FORMAT, encode, budget, bool).ids
        for end in range(len(typed) + 1)
    ]
    kept = [common_prefix(left, right) / len(right) for left, right in pairwise(prompts)]
    assert sum(share < 0.95 for share in kept) <= 2


@given(st.integers(1, 4000), st.integers(16, 200), st.sampled_from([1, 6]))
def test_start_of_the_prefix_seldom_moves(length: int, budget: int, characters: int) -> None:
    """While a quarter of the budget is typed, the start moves at most twice: once by characters, once by tokens."""
    text = "".join(chr(0x4E00 + place) for place in range(length + budget * characters))

    def encode_places(window: str) -> list[int]:
        return [ord(window[place]) for place in range(0, len(window), characters)]

    starts = set()
    for end in range(length, length + budget * characters // 4):
        built = build_prompt(gather(text[:end], end), FORMAT, encode_places, budget + 3, lambda _: False)
        starts.add(built.ids[3])
    assert len(starts) <= 3


REPOSITORY, FILE = 1003, 1004
SEVERAL_FILES = replace(FORMAT, repository=REPOSITORY, file=FILE)
AROUND = WorkspaceSnippets(
    repository="shop",
    path="a.py",
    comment="//",
    snippets=(Snippet("b.py", 4, 5, "bb\nb", "similar", 1.0), Snippet("c.py", 7, 7, "c", "definition", 2.0)),
)


def around_letters(around: WorkspaceSnippets, fim: FimFormat, budget: int = 100) -> list[tuple[str, str]]:
    """Return the kind and the text of each part, with one token for each character."""
    parts = other_files(around, fim, letters, budget)
    return [(p.kind, "".join("^" if t >= PREFIX else chr(t) for t in p.ids)) for p in parts]


def test_several_files_in_the_format_of_a_repository() -> None:
    """The repository's name comes first, then the other files in order, then the document's path and its FIM prompt."""
    assert around_letters(AROUND, SEVERAL_FILES) == [
        ("repository", "^shop\n"),
        ("similar", "^b.py\nbb\nb\n"),
        ("definition", "^c.py\nc\n"),
        ("path", "^a.py\n"),
    ]
    built = build_prompt(
        gather("xy", 1), SEVERAL_FILES, letters, 9, lambda _: False, other_files(AROUND, SEVERAL_FILES, letters, 99)
    )
    assert built.ids[-8:] == [*b"py\n", PREFIX, SUFFIX, ord("y"), MIDDLE, ord("x")]


@pytest.mark.parametrize("order", ORDERS)
def test_model_of_single_files_gets_comments_right_before_the_prefix(order: Order) -> None:
    """A model without tokens for other files gets them as comments at the start of the prefix."""
    fim = replace(FORMAT, order=order)
    text = "// Path: b.py\n// bb\n// b\n// Path: c.py\n// c\n"
    assert "".join(text for _, text in around_letters(AROUND, fim)) == text
    built = build_prompt(gather("xy", 1), fim, letters, 9, lambda _: False, other_files(AROUND, fim, letters, 99))
    assert text + "x" in "".join(chr(token) for token in built.ids)


@pytest.mark.parametrize(("budget", "kept"), [(100, ["b.py", "c.py"]), (25, ["c.py"]), (13, []), (0, [])])
def test_best_snippets_that_fit(budget: int, kept: list[str]) -> None:
    """All parts together stay within the budget; if no snippet fits, there are no parts."""
    parts = other_files(AROUND, SEVERAL_FILES, letters, budget)
    assert [part.path for part in parts if part.path] == kept
    assert sum(len(part.ids) for part in parts) <= budget
    assert bool(parts) == bool(kept)


def test_snippets_of_one_file_are_named_once() -> None:
    """Only the first of several snippets of one file has the path above it."""
    same = replace(AROUND, snippets=(*AROUND.snippets, Snippet("c.py", 9, 9, "cc", "definition", 1.5)))
    assert [text for kind, text in around_letters(same, SEVERAL_FILES) if kind == "definition"] == [
        "^c.py\nc\n",
        "cc\n",
    ]


def test_format_in_words() -> None:
    """The description says when a model ignores the text after the cursor."""
    assert str(FimFormat(order="suffix-first", prefix=1, suffix=2, middle=3)) == "FIM suffix-first"
    assert str(FimFormat(order="prefix-only")) == "no FIM: it sees only the text before the cursor"
