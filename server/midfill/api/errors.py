"""What a client is told when its request cannot be answered, in the JSON that both dialects share."""

from __future__ import annotations

from starlette.responses import JSONResponse

_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    408: "invalid_request_error",
    413: "invalid_request_error",
    501: "not_supported_error",
    503: "unavailable_error",
}
"""The type that llama-server and OpenAI give an error of each HTTP status."""


class RequestError(Exception):
    """A request that cannot be answered: an HTTP status, and a sentence for the client's user."""

    def __init__(self, status: int, message: str, field: str | None = None) -> None:
        """Blame the request, or its ``field`` if one is to blame."""
        super().__init__(message)
        self.status = status
        self.field = field

    def to_json(self) -> dict[str, object]:
        """Return the body of the answer, as vLLM and llama-server write it."""
        kind = _KINDS.get(self.status, "server_error")
        return {"error": {"message": str(self), "type": kind, "param": self.field, "code": self.status}}

    def to_response(self) -> JSONResponse:
        """Return the answer."""
        headers = {"WWW-Authenticate": "Bearer"} if self.status == 401 else None
        return JSONResponse(self.to_json(), self.status, headers)
