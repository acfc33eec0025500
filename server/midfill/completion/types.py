"""What the editor asks and what it gets: plain values, free of protocol and model."""

from __future__ import annotations

from dataclasses import dataclass, field

from midfill.inference.sampling import Sampling
from midfill.prompt.fim import Part


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to complete: a document and a place in it."""

    text: str
    """The whole document."""
    offset: int
    """The cursor, in characters (code points) from the start; clamped to the document."""
    path: str = ""
    """The document's path or URI, for its name and language; "" when it has none."""
    language: str = ""
    """The LSP language id; "" when unknown."""
    automatic: bool = False
    """Whether typing asks, not a person: then the suggestion ends with the statement that is being typed."""
    max_lines: int | None = None
    """Most lines of the suggestion; None for the setting, and for one line where code stands right of the cursor."""
    max_tokens: int | None = None
    """Most tokens of the suggestion; None for the setting."""
    alternatives: int = 1
    """How many suggestions are wanted, the first among them."""
    unfiltered: bool = False
    """Whether to show whatever the model says, but nothing blank: to measure what the filters are worth."""
    sampling: Sampling | None = None
    """How to draw tokens at random; None for the likeliest at each place."""


@dataclass(frozen=True, kw_only=True)
class Alternative:
    """Another text for the same place."""

    text: str
    logprobs: tuple[float, ...] = ()
    """As :attr:`Completion.logprobs`."""


@dataclass(frozen=True, kw_only=True)
class Completion:
    """One suggestion, or the reason why there is none."""

    text: str
    """What to put between ``start`` and ``end``; "" when there is nothing to suggest."""
    start: int
    end: int
    """The characters of the document that the text replaces; equal for a plain insertion."""
    reason: str = ""
    """The reason code of an empty suggestion, such as "loading", "cancelled", "superseded"; else ""."""
    model: str = ""
    prompt_tokens: int = 0
    reused_tokens: int = 0
    """Tokens of the prompt that were found in the KV cache."""
    parts: tuple[Part, ...] = ()
    """The prompt, piece by piece."""
    stopped_by: str = ""
    """What ended the text: the code of a stop, "stop-token", "max-tokens", "deadline" or "unsure"."""
    changes: tuple[tuple[str, int], ...] = ()
    """What the filters changed: code, and characters added (below 0: cut)."""
    tokens: int = 0
    """Tokens decoded for the text, with those that were cut off again; none for what was suggested before."""
    logprobs: tuple[float, ...] = ()
    """Natural logarithms of the probabilities (softmax at temperature 1) of the tokens up to the text's end.

    The first may spell what stands before the cursor once more (:mod:`midfill.inference.token_healing`); its
    probability is that among the tokens that do.
    """
    alternatives: tuple[Alternative, ...] = ()
    """Other suggestions, all different, when more than one was asked for; the closest call first."""
    milliseconds: dict[str, float] = field(default_factory=dict)
    """Time by stage, in the order the stages ran."""


def nothing(request: Request, reason: str) -> Completion:
    """Return an answer without a suggestion, and the reason code."""
    return Completion(text="", start=request.offset, end=request.offset, reason=reason)
