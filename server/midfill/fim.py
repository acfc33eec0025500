"""A document around the cursor -> token ids, in the order and within the budget its model wants.

Cuts are chosen so that typing moves them rarely: the prefix then grows at its end only, and the KV cache of the last
keystroke serves the next one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from midfill.context import Context

_CHARACTERS_PER_TOKEN = 4
"""An upper guess for code, so that only a little more than the budget is ever tokenised."""
_STEPS = 4
"""The prefix is cut at quarters of its budget: its start moves once every quarter budget of typing."""


@dataclass(frozen=True, kw_only=True)
class FimFormat:
    """How one model marks up a fill-in-the-middle prompt; part of the bundle's manifest."""

    order: Literal["suffix-first", "prefix-first", "prefix-only"]
    """``suffix-first`` puts what typing changes last; ``prefix-only`` is for a model without FIM tokens."""
    prefix: int = -1
    suffix: int = -1
    middle: int = -1
    """Ids of the three control tokens; -1 for a model without them."""


Encode = Callable[[str], list[int]]
"""Text -> token ids, in which control tokens written in the text are plain text."""


@dataclass(frozen=True)
class Prompt:
    """Token ids to continue, and how many of them came from each side of the cursor."""

    ids: list[int]
    prefix_tokens: int
    suffix_tokens: int
    taken_back: int | None
    """The prefix's last token, left out of ``ids`` for :mod:`midfill.healing` to choose again."""


def build_prompt(
    context: Context, fim: FimFormat, encode: Encode, budget: int, may_take_back: Callable[[int], bool]
) -> Prompt:
    """Mark up ``context`` as ``fim`` says, in at most ``budget`` tokens (3 or more); a quarter is for the suffix."""
    suffix_ids = [] if fim.order == "prefix-only" else _head(encode, context.suffix, budget // 4)
    prefix_ids = _tail(encode, context.prefix, budget - len(suffix_ids) - 3)
    needed = 1 if fim.order == "prefix-only" else 0  # without control tokens, the prefix is all there is to continue
    taken_back = prefix_ids.pop() if len(prefix_ids) > needed and may_take_back(prefix_ids[-1]) else None
    if fim.order == "suffix-first":
        ids = [fim.prefix, fim.suffix, *suffix_ids, fim.middle, *prefix_ids]
    elif fim.order == "prefix-first":
        ids = [fim.prefix, *prefix_ids, fim.suffix, *suffix_ids, fim.middle]
    else:
        ids = prefix_ids
    return Prompt(ids, len(prefix_ids), len(suffix_ids), taken_back)


def _head(encode: Encode, text: str, budget: int) -> list[int]:
    """Encode the start of ``text``: whole lines where they fit."""
    window = text[: budget * _CHARACTERS_PER_TOKEN]
    if len(window) < len(text) and "\n" in window:
        window = window[: window.rindex("\n") + 1]
    return encode(window)[:budget]


def _tail(encode: Encode, text: str, budget: int) -> list[int]:
    """Encode the end of ``text``, from a line start that stays put while the text grows."""
    if budget <= 0:
        return []
    start = _step_up(len(text) - budget * _CHARACTERS_PER_TOKEN, budget * _CHARACTERS_PER_TOKEN // _STEPS)
    if start:
        newline = text.find("\n", start, start + budget)
        start = start if newline < 0 else newline + 1
    ids = encode(text[start:])
    return ids[_step_up(len(ids) - budget, max(budget // _STEPS, 1)) :]


def _step_up(amount: int, step: int) -> int:
    """Round ``amount`` up to a multiple of ``step``; 0 when it is negative."""
    return max(-(-amount // step) * step, 0)
