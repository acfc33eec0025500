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
        in_secret = redacted.hides(offset) or _may_begin_secret(request.text[:offset])
        hidden = replace(request, text=redacted.text, offset=redacted.offset(offset))
        return cls(hidden, redacted, in_secret)

    def shown(self, completion: Completion) -> Completion:
        """Return an answer to the redacted request with the offsets of the original document."""
        start, end = self.redacted.original(completion.start), self.redacted.original(completion.end)
        return replace(completion, start=start, end=end)


def _may_begin_secret(before: str) -> bool:
    """Return whether the end of a text would be the beginning of a secret, if more were typed."""
    line = before[before.rfind("\n") + 1 :][-_MAX_TYPED:]
    return any(redact(line + more).hides(len(line)) for more in _CONTINUATIONS)
