"""From the document around the cursor, and snippets of other files, to token ids in the model's FIM format.

A long document is cut at places that typing seldom moves. So the prompt of the next keystroke mostly begins like the
last one, and the KV cache serves it. For the same reason, other files come first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from midfill.inference.bundle import FimFormat
from midfill.prompt.context import Context
from midfill.prompt.snippets import WorkspaceSnippets
from midfill.prompt.token_budget import MAX_CHARACTERS_PER_TOKEN

_STEPS = 4
"""The start of a long prefix moves in steps of its budget divided by this number."""


Encode = Callable[[str], list[int]]
"""Takes text and returns token ids. A control token that the text spells is encoded as plain text."""


@dataclass(frozen=True)
class Part:
    """A part of a prompt, and where it comes from."""

    kind: str
    """``control``, ``repository``, ``path``, ``suffix``, ``prefix``, or the kind of a snippet."""
    ids: list[int]
    """Token ids."""
    path: str = ""
    """The path of the file; "" for the document itself, and for a part that is not from a file."""
    first_line: int = -1
    last_line: int = -1
    """First and last line in the file, from 0, both included; -1 for a part that is not from a file."""
    text: str = ""
    """The tokens' text, if they are another model's than the one that suggests."""


@dataclass(frozen=True)
class Prompt:
    """The token ids that the model continues, in parts."""

    parts: tuple[Part, ...]
    taken_back: int | None
    """The last token of the prefix, if it is not in the parts: token healing makes the model choose it again
    (:mod:`midfill.inference.token_healing`)."""

    @cached_property
    def ids(self) -> list[int]:
        """The token ids of all parts. They are cached, because each request needs them several times."""
        return [token for part in self.parts for token in part.ids]

    def tokens_of(self, kind: str) -> int:
        """Return the number of tokens of all parts of one kind."""
        return sum(len(part.ids) for part in self.parts if part.kind == kind)


def build_prompt(
    context: Context,
    fim: FimFormat,
    encode: Encode,
    budget: int,
    may_take_back: Callable[[int], bool],
    around: Sequence[Part] = (),
) -> Prompt:
    """Build the prompt of ``context`` in the format ``fim``.

    Args:
        context: the document around the cursor.
        fim: the model's format.
        encode: encodes text.
        budget: maximum number of tokens, 3 or more, without those of ``around``. The suffix gets a quarter at most.
        may_take_back: says whether token healing may take back a token; asked about the last token of the prefix.
        around: parts from other files, which come first; see :func:`other_files`.
    """
    suffix_ids = [] if fim.order == "prefix-only" else _head(encode, context.suffix, budget // 4)
    prefix_ids = _tail(encode, context.prefix, budget - len(suffix_ids) - 3)
    min_tokens = 1 if fim.order == "prefix-only" else 0  # without control tokens, an empty prompt cannot be continued
    taken_back = prefix_ids.pop() if len(prefix_ids) > min_tokens and may_take_back(prefix_ids[-1]) else None
    suffix, prefix = Part("suffix", suffix_ids), Part("prefix", prefix_ids)
    # A model without tokens for other files gets them as comments at the start of the prefix.
    marked, commented = (around, ()) if fim.file >= 0 else ((), around)
    if fim.order == "suffix-first":
        parts = (*marked, _control(fim.prefix, fim.suffix), suffix, _control(fim.middle), *commented, prefix)
    elif fim.order == "prefix-first":
        parts = (*marked, _control(fim.prefix), *commented, prefix, _control(fim.suffix), suffix, _control(fim.middle))
    else:
        parts = (*commented, prefix)
    return Prompt(parts, taken_back)


def other_files(workspace: WorkspaceSnippets, fim: FimFormat, encode: Encode, budget: int) -> list[Part]:
    """Return the parts of a prompt from other files: the best snippets that fit, in their given order.

    The format is repository-level FIM as in Qwen2.5-Coder's technical report (arXiv:2409.12186), or comments for a
    model without it. The parts have at most ``budget`` tokens. If no snippet fits, there are no parts.
    """
    marked = fim.file >= 0
    head: list[Part] = []
    if marked:
        head.append(Part("repository", [fim.repository, *encode(f"{workspace.repository}\n")]))
        head.append(Part("path", [fim.file, *encode(f"{workspace.path}\n")]))
    fitting = _fitting(workspace, fim, encode, budget - sum(len(part.ids) for part in head))
    return [*head[:1], *fitting, *head[1:]] if fitting else []


def _fitting(workspace: WorkspaceSnippets, fim: FimFormat, encode: Encode, room: int) -> list[Part]:
    """Return the best snippets that fit into ``room`` tokens. Snippets of one file in a row get its path once."""
    marked, mark = fim.file >= 0, workspace.comment
    texts = [(f"{s.text}\n" if marked else _commented(s.text, mark)) for s in workspace.snippets]
    bodies = [encode(text) for text in texts]
    names = [
        [fim.file, *encode(f"{s.path}\n")] if marked else encode(_commented(f"Path: {s.path}", mark))
        for s in workspace.snippets
    ]
    taken: set[int] = set()
    for number in sorted(range(len(names)), key=lambda number: -workspace.snippets[number].score):
        cost = len(bodies[number]) + len(names[number])  # an upper bound: the path may not be needed again
        if cost <= room:
            taken.add(number)
            room -= cost
    parts: list[Part] = []
    for number in sorted(taken):
        snippet = workspace.snippets[number]
        name = [] if parts and parts[-1].path == snippet.path else names[number]
        ids = [*name, *bodies[number]]
        parts.append(Part(snippet.kind, ids, snippet.path, snippet.first_line, snippet.last_line))
    return parts


def _commented(text: str, mark: str) -> str:
    return "".join(f"{mark} {line}".rstrip() + "\n" for line in text.split("\n"))


def _control(*ids: int) -> Part:
    return Part("control", list(ids))


def _head(encode: Encode, text: str, budget: int) -> list[int]:
    """Encode the start of ``text`` in at most ``budget`` tokens; whole lines if possible."""
    window = text[: budget * MAX_CHARACTERS_PER_TOKEN]
    if len(window) < len(text) and "\n" in window:
        window = window[: window.rindex("\n") + 1]
    return encode(window)[:budget]


def _tail(encode: Encode, text: str, budget: int) -> list[int]:
    """Encode the end of ``text`` in at most ``budget`` tokens. Its start seldom moves as the text grows."""
    if budget <= 0:
        return []
    window = budget * MAX_CHARACTERS_PER_TOKEN
    if len(text) > 2 * window:  # a shorter text is encoded whole: it may have long tokens, and so fit
        start = _step_up(len(text) - window, window // _STEPS)
        newline = text.find("\n", start, start + budget)
        text = text[start if newline < 0 else newline + 1 :]
    ids = encode(text)
    return ids[_step_up(len(ids) - budget, max(budget // _STEPS, 1)) :]


def _step_up(amount: int, step: int) -> int:
    """Round ``amount`` up to a multiple of ``step``; 0 if it is negative."""
    return max(-(-amount // step) * step, 0)
