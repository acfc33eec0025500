"""A request without its secrets, and the way back from its answer.

While a session is recorded, the engine gets the redacted document. So what the file does not have, the model has not
seen either, and the file is all that it takes to answer again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from midfill.completion.types import Completion, Request
from midfill.privacy.secrets import Redacted, redact


@dataclass(frozen=True)
class HiddenRequest:
    """A request whose document is redacted."""

    request: Request
    """The request, with the cursor's place in the redacted document."""
    redacted: Redacted
    in_secret: bool
    """Whether the cursor is within a secret."""

    @classmethod
    def of(cls, request: Request) -> HiddenRequest:
        """Redact the document of a request."""
        offset = min(max(request.offset, 0), len(request.text))
        redacted = redact(request.text)
        in_secret = any(span.start < offset < span.end for span in redacted.spans)
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
