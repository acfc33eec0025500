"""What a client asks and what it gets: plain values, without protocol and model."""

from __future__ import annotations

from dataclasses import dataclass, field

from midfill.common.reasons import Reason
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
    """The document's identity (:mod:`midfill.common.file_identity`), or its URI if it is no file; "" if it has none."""
    opened_as: str = ""
    """The path by which the client knows the document, if that is another one. It may be excluded by that name, too."""
    language: str = ""
    """The LSP language id; "" if it is unknown."""
    automatic: bool = False
    """Whether typing triggered the request. If not, a person invoked it. An automatic suggestion ends with the
    statement at the cursor."""
    max_lines: int | None = None
    """Maximum number of lines. None takes the setting, and one line where code stands right of the cursor."""
    max_tokens: int | None = None
    """Maximum number of tokens; None takes the setting."""
    alternatives: int = 1
    """Number of suggestions wanted, the first one included."""
    unfiltered: bool = False
    """Whether to skip the filters, to measure what they are worth. A blank text is dropped all the same."""
    sampling: Sampling | None = None
    """How to draw tokens at random; None takes the most likely token each time."""
    ahead: bool = field(default=False, compare=False)
    """Whether nobody waits for the suggestion yet; the suggestion is the same."""


@dataclass(frozen=True, kw_only=True)
class Alternative:
    """Another text for the same place."""

    text: str
    logprobs: tuple[float, ...] = ()
    """See :attr:`Completion.logprobs`."""


@dataclass(frozen=True, kw_only=True)
class Completion:
    """One suggestion, or the reason why there is none."""

    text: str
    """What to insert between ``start`` and ``end``; "" if there is no suggestion."""
    start: int
    end: int
    """Offsets of the characters that the text replaces; equal for a plain insertion."""
    reason: Reason = Reason.NONE
    """Why there is no suggestion; ``Reason.NONE`` if there is one."""
    model: str = ""
    prompt_tokens: int = 0
    reused_tokens: int = 0
    """Tokens of the prompt that were found in the KV cache."""
    parts: tuple[Part, ...] = ()
    """The prompt in parts. Joined, they are the exact prompt."""
    budget: str = ""
    """How much of the document and of other files was read at most, and why, in words."""
    stopped_by: str = ""
    """What ended the text: the code of a stop, "stop-token", "max-tokens", "deadline" or "unsure"."""
    changes: tuple[tuple[str, int], ...] = ()
    """What the filters changed: a code, and the number of characters added (negative: removed)."""
    tokens: int = 0
    """Tokens decoded for this text, also those that were cut off; 0 if the text came from the completion cache."""
    logprobs: tuple[float, ...] = ()
    """Natural logarithms of the probabilities (softmax at temperature 1) of the tokens up to the end of the text.

    The first tokens may spell text before the cursor again (:mod:`midfill.inference.token_healing`). Their probability
    is the one among the tokens that do so.
    """
    alternatives: tuple[Alternative, ...] = ()
    """Other suggestions, if more than one was asked for. The one that was nearest to being chosen comes first."""
    milliseconds: dict[str, float] = field(default_factory=dict)
    """Time of each stage, in the order in which the stages ran."""


def no_suggestion(request: Request, reason: Reason) -> Completion:
    """Return an answer without a suggestion."""
    return Completion(text="", start=request.offset, end=request.offset, reason=reason)
