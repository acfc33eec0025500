"""The address of a server: its parts, and how people are told where code goes."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

_PARTS = re.compile(r"(https?)://(\[[^\]]+\]|[^:/]+)(?::(\d+))?(/.*)?")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Address:
    """Where a server is."""

    scheme: str
    """Either "http" or "https"."""
    host: str
    """A name or an IP address, the latter without brackets."""
    port: int
    path: str
    """What stands before ``/v1``; "" for nothing."""

    def __str__(self) -> str:
        """Return the host and the port, as messages name the server."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def base(self) -> str:
        """The beginning of the URL of each request."""
        return f"{self.scheme}://{self}{self.path}"

    @property
    def is_on_this_machine(self) -> bool:
        """Whether what is sent there stays on this machine."""
        if self.host.lower() == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def is_readable_on_the_way(self) -> bool:
        """Whether others on the network can read what is sent there."""
        return self.scheme == "http" and not self.is_on_this_machine


def parse(url: str) -> Address:
    """Return the address that a URL names, as the setting ``engine`` has it.

    Raises:
        ValueError: it is no such URL.
    """
    found = _PARTS.fullmatch(url)
    if not found:
        raise ValueError(url)
    scheme, host, port, path = found.groups(default="")
    number = int(port) if port else _PORTS[scheme]
    return Address(scheme, host.strip("[]"), number, path.rstrip("/").removesuffix("/v1"))
