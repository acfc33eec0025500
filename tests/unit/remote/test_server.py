"""What is known of a server, with a connection that answers as the test wants."""

from __future__ import annotations

from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any

import pytest

from midfill.common.errors import RemoteUnavailable
from midfill.remote import server
from midfill.remote.address import parse
from midfill.remote.failure import Failed
from midfill.remote.server import Access, Server
from unit.helpers import model_tokenizer


class QuickConnection:
    """Has an answer before anybody can wait for it: nothing listens there."""

    async def answer(self, *_: object) -> dict[str, Any]:
        """Is never run."""
        raise AssertionError

    def submit(self, work: Coroutine[Any, Any, Any]) -> Future[Any]:
        """Return a request that has failed already."""
        work.close()
        failed: Future[Any] = Future()
        failed.set_exception(Failed("nothing listens there"))
        return failed


@pytest.mark.timeout(60)
def test_answer_that_is_there_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is taken in, and nobody waits for a lock that they have themselves."""
    monkeypatch.setattr(server, "connect", lambda _: QuickConnection())
    asked = Server(Access(address=parse("http://127.0.0.1:9")), model_tokenizer())
    with pytest.raises(RemoteUnavailable, match="nothing listens there"):
        asked.ready(30)
