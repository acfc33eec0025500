"""A request to a server that failed, and what the status of an answer means."""

from __future__ import annotations


class Failed(Exception):
    """A request failed; the message is a clause. What the server has written is not in it."""

    def __init__(self, why: str, *, status: int = 0, is_slow: bool = False) -> None:
        super().__init__(why)
        self.status = status
        """The status of the answer; 0 if there was none."""
        self.is_slow = is_slow


def explain_status(status: int) -> str:
    """Return what the status of an answer that failed means, in a clause."""
    if status in (401, 403):
        return f"it refuses the key ({status})"
    known = {
        404: "it does not know the model, or what was asked for (404)",
        429: "it has too many requests (429)",
    }
    if status in known:
        return known[status]
    if status < 400:
        return f"it sends to another address ({status}), which Midfill does not follow: set 'engine' to that address"
    if status >= 500:
        return f"it fails ({status}): its own log says why"
    return f"it refuses the request ({status}): see 'engineProtocol'"


def late(seconds: float) -> str:
    """Return what a server did that has not answered within ``seconds``, in a clause."""
    return f"it did not answer within {seconds * 1000:,.0f} ms"
