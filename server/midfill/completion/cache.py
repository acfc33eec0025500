"""What was suggested lately, to be shown again: typing along a suggestion costs nothing.

A suggestion for one place holds for every place that typing its own text leads to; there it is what is left of it
(type-through, as llama.vscode and the Copilot language server have it).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

from midfill.completion.types import Alternative, Completion, Request

_MOST_CHARACTERS = 4_000_000
"""Of all documents remembered; each keystroke's is another one."""


def typed_since(earlier: Request, now: Request) -> str | None:
    """Return what was typed at the cursor of ``earlier`` to get to ``now``; None if anything else is different."""
    length = now.offset - earlier.offset
    if length < 0 or len(now.text) - len(earlier.text) != length:
        return None
    before, after = earlier.text[: earlier.offset], earlier.text[earlier.offset :]
    if not (now.text.startswith(before) and now.text.endswith(after)):
        return None
    same_question = replace(now, text=earlier.text, offset=earlier.offset) == earlier
    return now.text[earlier.offset : now.offset] if same_question else None


def rest_of(completion: Completion, typed: str) -> Completion | None:
    """Return what is left of a suggestion after ``typed``, with the alternatives that go on so too.

    None if the suggestion has not begun so, or has nothing left.
    """
    if not typed:
        return completion
    if not _goes_on(completion.text, typed):
        return None
    place = completion.start + len(typed)
    return replace(
        completion,
        text=completion.text[len(typed) :],
        start=place,
        end=completion.end + len(typed),
        alternatives=tuple(
            Alternative(text=other.text[len(typed) :], logprobs=other.logprobs)
            for other in completion.alternatives
            if _goes_on(other.text, typed)
        ),
    )


@dataclass(frozen=True)
class _Entry:
    request: Request
    completion: Completion


class CompletionCache:
    """The last suggestions, and what each was for; not for several threads at once."""

    def __init__(self, most_characters: int = _MOST_CHARACTERS) -> None:
        """Remember as many as have up to ``most_characters`` of documents in all."""
        self._most_characters = most_characters
        self._entries: deque[_Entry] = deque()  # the latest last

    def find(self, request: Request) -> Completion | None:
        """Return what a suggestion made before says at ``request``, the latest that says anything; None for none."""
        for entry in reversed(self._entries):
            # Most suggestions are ruled out by the next character; only for the others are documents compared.
            if not entry.completion.text.startswith(request.text[entry.request.offset : request.offset]):
                continue
            typed = typed_since(entry.request, request)
            if typed is not None and (rest := rest_of(entry.completion, typed)) is not None:
                return replace(rest, tokens=0, prompt_tokens=0, reused_tokens=0, milliseconds={})
        return None

    def add(self, request: Request, completion: Completion) -> None:
        """Remember what was suggested, if it was and is a plain insertion at the cursor."""
        if completion.text and completion.start == completion.end == request.offset and not request.sampling:
            self._entries.append(_Entry(request, completion))
            while sum(len(entry.request.text) for entry in self._entries) > self._most_characters:
                self._entries.popleft()

    def forget(self, path: str) -> None:
        """Forget what was suggested in a document, which is closed."""
        self._entries = deque(entry for entry in self._entries if entry.request.path != path)


def _goes_on(text: str, typed: str) -> bool:
    return len(text) > len(typed) and text.startswith(typed)
