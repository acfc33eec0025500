"""A document around the cursor, and what matters of other files -> token ids, as its model wants them.

Cuts are chosen so that typing moves them rarely: the prefix then grows at its end only, and the KV cache of the last
keystroke serves the next one. For the same reason other files come first.
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
"""The prefix is cut at quarters of its budget: its start moves once every quarter budget of typing."""


Encode = Callable[[str], list[int]]
"""Text -> token ids, in which control tokens written in the text are plain text."""


@dataclass(frozen=True)
class Part:
    """A piece of a prompt, and where it comes from."""

    kind: str
    """``control``, ``repository``, ``path``, ``suffix``, ``prefix``, or the kind of a snippet."""
    ids: list[int]
    path: str = ""
    """The file's; "" for the document itself and for what stands in no file."""
    first_line: int = -1
    last_line: int = -1
    """Counted from 0, both included; -1 for what stands in no file."""


@dataclass(frozen=True)
class Prompt:
    """Token ids to continue, in parts."""

    parts: tuple[Part, ...]
    taken_back: int | None
    """The prefix's last token, left out of the parts for :mod:`midfill.inference.token_healing` to choose again."""

    @cached_property
    def ids(self) -> list[int]:
        """All tokens; every keystroke asks for them several times."""
        return [token for part in self.parts for token in part.ids]

    def tokens_of(self, kind: str) -> int:
        """Return how many tokens all parts of one kind have."""
        return sum(len(part.ids) for part in self.parts if part.kind == kind)


def build_prompt(
    context: Context,
    fim: FimFormat,
    encode: Encode,
    budget: int,
    may_take_back: Callable[[int], bool],
    around: Sequence[Part] = (),
) -> Prompt:
    """Mark up ``context`` as ``fim`` says, in at most ``budget`` tokens (3 or more); a quarter is for the suffix.

    ``around`` comes first and is not counted; see :func:`other_files`.
    """
    suffix_ids = [] if fim.order == "prefix-only" else _head(encode, context.suffix, budget // 4)
    prefix_ids = _tail(encode, context.prefix, budget - len(suffix_ids) - 3)
    needed = 1 if fim.order == "prefix-only" else 0  # without control tokens, the prefix is all there is to continue
    taken_back = prefix_ids.pop() if len(prefix_ids) > needed and may_take_back(prefix_ids[-1]) else None
    suffix, prefix = Part("suffix", suffix_ids), Part("prefix", prefix_ids)
    # Comments for a model that does not know of several files are part of what stands before the cursor.
    marked, commented = (around, ()) if fim.file >= 0 else ((), around)
    if fim.order == "suffix-first":
        parts = (*marked, _control(fim.prefix, fim.suffix), suffix, _control(fim.middle), *commented, prefix)
    elif fim.order == "prefix-first":
        parts = (*marked, _control(fim.prefix), *commented, prefix, _control(fim.suffix), suffix, _control(fim.middle))
    else:
        parts = (*commented, prefix)
    return Prompt(parts, taken_back)


def other_files(workspace: WorkspaceSnippets, fim: FimFormat, encode: Encode, budget: int) -> list[Part]:
    """Mark up what other files say, in at most ``budget`` tokens: the best snippets that fit, in the order given.

    Repository-level FIM as in Qwen2.5-Coder's technical report (arXiv:2409.12186); no parts without a snippet.
    """
    marked = fim.file >= 0
    head: list[Part] = []
    if marked:
        head.append(Part("repository", [fim.repository, *encode(f"{workspace.repository}\n")]))
        head.append(Part("path", [fim.file, *encode(f"{workspace.path}\n")]))
    fitting = _fitting(workspace, fim, encode, budget - sum(len(part.ids) for part in head))
    return [*head[:1], *fitting, *head[1:]] if fitting else []


def _fitting(workspace: WorkspaceSnippets, fim: FimFormat, encode: Encode, room: int) -> list[Part]:
    """Return the best snippets that fit, each below its file's name, unless that stands above the one before."""
    marked, mark = fim.file >= 0, workspace.comment
    texts = [(f"{s.text}\n" if marked else _commented(s.text, mark)) for s in workspace.snippets]
    bodies = [encode(text) for text in texts]
    names = [
        [fim.file, *encode(f"{s.path}\n")] if marked else encode(_commented(f"Path: {s.path}", mark))
        for s in workspace.snippets
    ]
    taken: set[int] = set()
    for number in sorted(range(len(names)), key=lambda number: -workspace.snippets[number].score):
        cost = len(bodies[number]) + len(names[number])  # at most
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
    """Encode the start of ``text``: whole lines where they fit."""
    window = text[: budget * MAX_CHARACTERS_PER_TOKEN]
    if len(window) < len(text) and "\n" in window:
        window = window[: window.rindex("\n") + 1]
    return encode(window)[:budget]


def _tail(encode: Encode, text: str, budget: int) -> list[int]:
    """Encode the end of ``text``, from a line start that stays put while the text grows."""
    if budget <= 0:
        return []
    window = budget * MAX_CHARACTERS_PER_TOKEN
    if len(text) > 2 * window:  # what may fit is encoded whole: some tokens are long
        start = _step_up(len(text) - window, window // _STEPS)
        newline = text.find("\n", start, start + budget)
        text = text[start if newline < 0 else newline + 1 :]
    ids = encode(text)
    return ids[_step_up(len(ids) - budget, max(budget // _STEPS, 1)) :]


def _step_up(amount: int, step: int) -> int:
    """Round ``amount`` up to a multiple of ``step``; 0 when it is negative."""
    return max(-(-amount // step) * step, 0)
