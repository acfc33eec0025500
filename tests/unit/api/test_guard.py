"""Who may ask: over a real server, for each way in that is closed."""

from __future__ import annotations

import httpx
import pytest

from midfill.api.guard import is_loopback_name
from unit.api.serving import BEARER, KEY

PATHS = ["/v1/models", "/models", "/props", "/v1/completions", "/completion", "/infill", "/tokenize", "/nowhere"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer wrong", f"Basic {KEY}", KEY, f"Bearer {KEY}x", "Bearer \xff\xfe"],
)
async def test_key_is_needed(client: httpx.AsyncClient, path: str, authorization: str) -> None:
    """Without it, nothing is told: not even whether there is such a path."""
    headers = {b"Authorization": authorization.encode("latin-1")}
    answer = await client.request("POST", path, headers=headers, content=b"{}")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "key" in answer.json()["error"]["message"]
    assert KEY not in answer.text


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_key_opens(client: httpx.AsyncClient, scheme: str) -> None:
    """The scheme's case does not matter."""
    assert (await client.get("/v1/models", headers={"Authorization": f"{scheme} {KEY}"})).status_code == 200


async def test_health_needs_no_key(client: httpx.AsyncClient) -> None:
    """As in llama-server and vLLM."""
    answer = await client.get("/health", headers={"Authorization": ""})
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("path", ["/health", "/v1/models"])
@pytest.mark.parametrize("origin", ["https://example.com", "null", "http://127.0.0.1:8012"])
async def test_web_pages_are_refused(client: httpx.AsyncClient, path: str, origin: str) -> None:
    """Whatever they come from; and no header invites one."""
    answer = await client.get(path, headers={**BEARER, "Origin": origin})
    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("host", ["example.com", "example.com:8012", "127.0.0.1.example.com", "10.0.0.1", "0", ""])
async def test_other_hosts_are_refused(client: httpx.AsyncClient, host: str) -> None:
    """A name on the web may be made to lead to this machine."""
    assert (await client.get("/health", headers={"Host": host})).status_code in (400, 403)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.0.0.1:80", True),
        ("localhost:1", True),
        ("LocalHost", True),
        ("[::1]:80", True),
        ("[::1]", True),
        ("[::1", False),
        ("[::1]x", False),
        ("[fe80::1]", False),
        ("localhost.example.com", False),
        ("", False),
    ],
)
def test_names_of_this_machine(host: str, expected: bool) -> None:
    """In a Host header."""
    assert is_loopback_name(host) is expected
