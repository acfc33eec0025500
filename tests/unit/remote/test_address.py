"""Addresses of servers: their parts, and what is said of them."""

from __future__ import annotations

import pytest

from midfill.remote.address import Address, parse


@pytest.mark.parametrize(
    ("url", "address", "base"),
    [
        ("https://coder.example.com", Address("https", "coder.example.com", 443, ""), "https://coder.example.com:443"),
        ("http://gpu1:8000/v1", Address("http", "gpu1", 8000, ""), "http://gpu1:8000"),
        (
            "https://ai.example.com/team/v1",
            Address("https", "ai.example.com", 443, "/team"),
            "https://ai.example.com:443/team",
        ),
        ("http://[::1]:8080", Address("http", "::1", 8080, ""), "http://[::1]:8080"),
    ],
)
def test_parts(url: str, address: Address, base: str) -> None:
    """The port is that of the scheme if none is given; what a client adds by habit, "/v1", is no part of the path."""
    assert parse(url) == address
    assert address.base == base


@pytest.mark.parametrize(
    ("url", "readable"),
    [
        ("http://127.0.0.1:8000", False),
        ("http://localhost", False),
        ("http://[::1]", False),
        ("http://gpu1", True),
        ("http://10.0.0.5", True),
        ("https://gpu1", False),
    ],
)
def test_who_can_read_what_is_sent(url: str, readable: bool) -> None:
    """Everybody on the way, unless it is encrypted or stays on this machine."""
    assert parse(url).is_readable_on_the_way is readable
