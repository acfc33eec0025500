"""Which JSON is a message, and with which ids a wrong one is answered."""

from __future__ import annotations

from typing import Any

import pytest
from pygls.exceptions import JsonRpcInvalidRequest

from midfill.lsp import json_rpc

MESSAGES: list[dict[str, Any]] = [
    {"id": 1, "method": "m"},
    {"id": "a", "method": "m", "params": 3},
    {"method": "m"},
    {"id": 1, "result": None},
    {"id": 1, "error": {}},
]


@pytest.mark.parametrize("message", MESSAGES)
def test_messages(message: dict[str, Any]) -> None:
    """A request, a notification and a response have what JSON-RPC demands, and need its version."""
    json_rpc.check({"jsonrpc": "2.0", **message})
    for version in ({}, {"jsonrpc": "1.0"}, {"jsonrpc": 2}):
        with pytest.raises(JsonRpcInvalidRequest, match=r"A message must have 'jsonrpc': '2\.0'"):
            json_rpc.check({**version, **message})


@pytest.mark.parametrize(
    ("message", "ids"),
    [
        ([], [None]),
        ([{"id": 1, "method": "m"}, {"method": "m"}, 5, {"id": "a", "method": "m"}], [1, "a"]),
        ([1] * 1_000, [None]),
        (None, [None]),
        ("text", [None]),
        ({}, [None]),
        ({"id": 1}, [1]),
        ({"id": 2.5, "method": "m"}, [2.5]),
        ({"id": None, "method": "m"}, [None]),
        ({"id": True, "method": "m"}, [None]),
        ({"id": {}, "method": "m"}, [None]),
        ({"id": float("inf"), "method": "m"}, [None]),
        ({"id": 1, "method": 5}, [1]),
        ({"method": 5}, []),
        ({"id": [], "result": 1}, []),
        ({"result": 1}, [None]),
    ],
)
def test_wrong_messages(message: object, ids: list[object]) -> None:
    """What may be a request is answered, by its id if it has a valid one; nothing else is."""
    message = message if not isinstance(message, dict) else {"jsonrpc": "2.0", **message}
    assert json_rpc.ids_to_refuse(message) == ids
    with pytest.raises(JsonRpcInvalidRequest):
        json_rpc.check(message)
