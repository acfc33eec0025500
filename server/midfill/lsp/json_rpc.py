"""Which JSON is a message, by JSON-RPC 2.0 and the restrictions of the language server protocol."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pygls.exceptions import JsonRpcInvalidRequest

VERSION = "2.0"


def check(message: object) -> None:
    """Do nothing if JSON is a request, a notification or a response; only its params or result may still be wrong.

    Raises:
        JsonRpcInvalidRequest: it is none of these. The error quotes none of it.
    """
    if isinstance(message, list):
        raise JsonRpcInvalidRequest("The language server protocol has no batches")
    if not isinstance(message, dict):
        raise JsonRpcInvalidRequest("A message must be a JSON object")
    if message.get("jsonrpc") != VERSION:
        raise JsonRpcInvalidRequest(f"A message must have 'jsonrpc': '{VERSION}'")
    if "id" in message and not is_id(message["id"]):
        raise JsonRpcInvalidRequest("'id' must be a whole number or a text")
    if not isinstance(message.get("method", ""), str):
        raise JsonRpcInvalidRequest("'method' must be a text")
    if "method" not in message and not is_response(message):
        raise JsonRpcInvalidRequest("A message must have a method, or an id and a result")


def is_id(value: object) -> bool:
    """Return whether a request may have this id."""
    return isinstance(value, (int, str)) and not isinstance(value, bool)


def is_response(message: Mapping[str, Any]) -> bool:
    """Return whether a message answers a request of the server."""
    return "method" not in message and "id" in message and ("result" in message or "error" in message)


def ids_to_refuse(message: object) -> list[float | str | None]:
    """Return the ids with which a wrong message must be answered; none if it is a notification or a response.

    What may be a request without a valid id is answered with the id null.
    """
    if isinstance(message, list):
        ids = [number for each in message if isinstance(each, dict) for number in ids_to_refuse(each)]
        return ids or [None]
    if not isinstance(message, dict):
        return [None]
    if "id" not in message:
        return [] if "method" in message else [None]
    if is_response(message):
        return []
    number = message["id"]
    is_number = isinstance(number, (int, float)) and not isinstance(number, bool) and math.isfinite(number)
    return [number if is_number or isinstance(number, str) else None]
