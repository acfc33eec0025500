"""What every answer to a request for text can do, in each dialect."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any, Protocol

Json = dict[str, Any]


class Answer(Protocol):
    """An answer. Nothing is generated before it is read."""

    @property
    def streamed(self) -> bool:
        """Whether the client wants it in parts."""

    @property
    def last_event(self) -> str:
        """What ends a stream; "" for nothing."""

    async def whole(self) -> Json:
        """Return the whole answer.

        Raises:
            MidfillError: the model fails.
        """

    def events(self) -> AsyncGenerator[Json, None]:
        """Yield the answer in parts. Close the iterator to stop generating within a step.

        Raises:
            MidfillError: the model fails.
        """
