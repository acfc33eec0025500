"""A request without its secrets, and the way back from its answer.

While a session is recorded, the engine gets the redacted document. So what the file does not have, the model has not
seen either, and the file is all that it takes to answer again.

A secret that is typed key by key is known as one only when it is complete. A file that others will read must not have
all but its last character. So a place where a secret may have begun counts as one within a secret.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from midfill.completion.types import Completion, Request
from midfill.privacy.secrets import Redacted, redact

_MAX_TYPED = 200
"""Maximum number of characters left of the cursor, in its line, that are looked at."""
_CONTINUATIONS = tuple(
    characters[:length] for characters in ("A1B2C3D4E5F6" * 6, "a1b2c3d4e5f6" * 6) for length in range(1, 65)
)
"""What may be typed next: some formats have upper case or lower case only, and a fixed length."""


@dataclass(frozen=True)
class HiddenRequest:
    """A request whose document is redacted."""

    request: Request
    """The request, with the cursor's place in the redacted document."""
    redacted: Redacted
    in_secret: bool
    """Whether the cursor is within a secret, or behind what may become one."""

    @classmethod
    def of(cls, request: Request) -> HiddenRequest:
        """Redact the document of a request."""
        offset = min(max(request.offset, 0), len(request.text))
        redacted = redact(request.text)
        in_secret = _is_within(redacted, offset) or _may_begin_secret(request.text[:offset])
        hidden = replace(request, text=redacted.text, offset=redacted.offset(offset))
        return cls(hidden, redacted, in_secret)

    def shown(self, completion: Completion) -> Completion:
        """Return an answer to the redacted request with the offsets of the original document."""
        return replace(completion, start=self._original(completion.start), end=self._original(completion.end))

    def _original(self, offset: int) -> int:
        """Convert an offset of the redacted text; one inside a placeholder becomes the end of its secret."""
        shift = 0  # by which the redacted text is longer, up to here
        for span in self.redacted.spans:
            start = span.start + shift
            if offset <= start:
                break
            if offset < start + len(span.placeholder):
                return span.end
            shift += len(span.placeholder) - (span.end - span.start)
        return offset - shift


def _is_within(redacted: Redacted, offset: int) -> bool:
    return any(span.start < offset < span.end for span in redacted.spans)


def _may_begin_secret(before: str) -> bool:
    """Return whether the end of a text would be the beginning of a secret, if more were typed."""
    line = before[before.rfind("\n") + 1 :][-_MAX_TYPED:]
    return any(_is_within(redact(line + more), len(line)) for more in _CONTINUATIONS)
