"""The completion cache: suggestions made or begun lately, for places that typing leads to.

A finished suggestion serves every place that typing its own text leads to. There, the rest of it is the suggestion
(type-through, as llama.vscode and the Copilot language server have it). An interrupted one is continued if its user
types what was being generated: editors cancel at each keystroke, and a suggestion takes longer than a keystroke.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

from midfill.completion.types import Alternative, Completion, Request
from midfill.inference.sampling import Choice
from midfill.prompt.context import Context
from midfill.prompt.fim import Prompt

_MAX_CHARACTERS = 4_000_000
"""Characters of all remembered documents together. Each keystroke makes another version of its document."""


@dataclass(frozen=True)
class Unfinished:
    """A suggestion that is being generated, or was interrupted."""

    request: Request
    context: Context
    prompt: Prompt
    budget: str = ""
    """How much was read, and why, in words."""
    choices: Sequence[Choice] = ()
    """The tokens generated before the interruption."""
    text: str = ""
    """Their text."""


@dataclass(frozen=True)
class _Finished:
    request: Request
    completion: Completion


class CompletionCache:
    """The latest suggestions and what each one was for. It may be used from several threads."""

    def __init__(self, max_characters: int = _MAX_CHARACTERS) -> None:
        """Remember suggestions for documents of up to ``max_characters`` together."""
        self._max_characters = max_characters
        self._lock = threading.Lock()
        self._finished: deque[_Finished] = deque()  # the latest last
        self._unfinished: Unfinished | None = None
        self._version = 0

    @property
    def version(self) -> int:
        """Changes with each :meth:`clear`. A suggestion that was begun before that is out of date."""
        return self._version

    def find(self, request: Request) -> Completion | None:
        """Return what the latest finished suggestion that fits says at ``request``; None if none fits."""
        with self._lock:
            finished = list(self._finished)
        for entry in reversed(finished):
            # The next character rules out most suggestions. Only for the others, whole documents are compared.
            if not entry.completion.text.startswith(request.text[entry.request.offset : request.offset]):
                continue
            typed = typed_since(entry.request, request)
            if typed is not None and (rest := rest_of(entry.completion, typed)) is not None:
                return replace(rest, tokens=0, prompt_tokens=0, reused_tokens=0, milliseconds={})
        return None

    def add(self, request: Request, completion: Completion, version: int | None = None) -> None:
        """Remember a suggestion if it is a plain insertion at the cursor, and was begun at this ``version``."""
        with self._lock:
            plain = completion.text and completion.start == completion.end == request.offset
            if not plain or request.sampling or version not in (None, self._version):
                return
            self._finished.append(_Finished(request, completion))
            while sum(len(entry.request.text) for entry in self._finished) > self._max_characters:
                self._finished.popleft()

    def interrupt(self, unfinished: Unfinished, version: int) -> None:
        """Remember a suggestion that was begun at ``version`` and interrupted; only the latest is kept."""
        with self._lock:
            if version == self._version:
                self._unfinished = unfinished

    def take_unfinished(self, request: Request) -> tuple[Unfinished, str] | None:
        """Return the interrupted suggestion and what was typed of it, if ``request`` is on its way, else None.

        Either way, forget it.
        """
        with self._lock:
            unfinished, self._unfinished = self._unfinished, None
        typed = typed_since(unfinished.request, request) if unfinished else None
        if unfinished is None or typed is None or not unfinished.text.startswith(typed):
            return None
        return None if _is_indented_more(unfinished.text, typed) else (unfinished, typed)

    def forget(self, path: str) -> None:
        """Forget all suggestions in a document, because it was closed."""
        with self._lock:
            self._finished = deque(entry for entry in self._finished if entry.request.path != path)
            if self._unfinished is not None and self._unfinished.request.path == path:
                self._unfinished = None

    def clear(self) -> None:
        """Forget everything, because settings or other files have changed."""
        with self._lock:
            self._finished.clear()
            self._unfinished = None
            self._version += 1


def typed_since(earlier: Request, now: Request) -> str | None:
    """Return the text typed at the cursor of ``earlier`` that leads to ``now``; None if anything else differs."""
    length = now.offset - earlier.offset
    if length < 0 or len(now.text) - len(earlier.text) != length:
        return None
    before, after = earlier.text[: earlier.offset], earlier.text[earlier.offset :]
    if not (now.text.startswith(before) and now.text.endswith(after)):
        return None
    same_question = replace(now, text=earlier.text, offset=earlier.offset) == earlier
    return now.text[earlier.offset : now.offset] if same_question else None


def rest_of(completion: Completion, typed: str) -> Completion | None:
    """Return the rest of a suggestion after ``typed``, with the alternatives that also begin with it.

    None if the suggestion does not begin with it, or has nothing after it, or if it would add to the indentation that
    was typed: the user decides how far a line is indented.
    """
    if not typed:
        return completion
    if not _continues(completion.text, typed):
        return None
    return replace(
        completion,
        text=completion.text[len(typed) :],
        start=completion.start + len(typed),
        end=completion.end + len(typed),
        alternatives=tuple(
            Alternative(text=other.text[len(typed) :], logprobs=other.logprobs)
            for other in completion.alternatives
            if _continues(other.text, typed)
        ),
    )


def _continues(text: str, typed: str) -> bool:
    return len(text) > len(typed) and text.startswith(typed) and not _is_indented_more(text, typed)


def _is_indented_more(text: str, typed: str) -> bool:
    """Return whether ``text`` goes on with white space where only white space was typed on the line."""
    return typed[typed.rfind("\n") + 1 :].isspace() and text[len(typed) : len(typed) + 1] in (" ", "\t")
