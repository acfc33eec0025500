"""Hosts of engines: read out of URLs so strictly that no client could read another host out of the same URL."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

_HOST = r"(?:\[(?P<v6>[0-9a-fA-F:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::(?P<port>[0-9]{1,5}))?"
_URL = re.compile(rf"(?P<scheme>https?)://{_HOST}(?:/[!-\[\]-~]*)?", re.IGNORECASE)
"""No user, no password, no backslash, no escape in the host, nothing but ASCII: clients disagree about these."""
_ALLOWED = re.compile(rf"(?P<any>\*\.)?{_HOST}")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Host:
    """A host, or all hosts below a domain."""

    name: str
    """In lower case; an address of IPv6 without brackets."""
    port: int | None = None
    """None for any port."""
    below: bool = False
    """Whether all hosts below ``name`` are meant, and not the host ``name``."""

    def covers(self, other: Host) -> bool:
        """Return whether ``other``, a single host with a port, is among the hosts that are meant."""
        same = other.name.endswith(f".{self.name}") if self.below else other.name == self.name
        return same and self.port in (None, other.port)

    def __str__(self) -> str:
        name = f"[{self.name}]" if ":" in self.name else self.name
        return f"{'*.' if self.below else ''}{name}{'' if self.port is None else f':{self.port}'}"


def host_of(url: str) -> Host | None:
    """Return the host and the port of an ``http`` or ``https`` URL; None if it is no URL that is read in one way."""
    found = _URL.fullmatch(url)
    host = _host(found) if found else None
    return Host(host.name, host.port or _PORTS[found["scheme"].lower()]) if found and host else None


def read_host(text: str) -> Host:
    """Read a host as a policy names it: ``HOST``, ``HOST:PORT`` or ``*.DOMAIN``, with IPv6 in brackets.

    Raises:
        ValueError: it is none of these.
    """
    found = _ALLOWED.fullmatch(text)
    host = _host(found) if found else None
    if found is None or host is None:
        raise ValueError(text)
    return Host(host.name, host.port, below=found["any"] is not None)


def _host(found: re.Match[str]) -> Host | None:
    port = int(found["port"]) if found["port"] else None
    if port is not None and not 0 < port < 65_536:
        return None
    if found["v6"] is None:
        return Host(found["name"].lower().removesuffix("."), port)
    try:
        return Host(str(ipaddress.IPv6Address(found["v6"])), port)
    except ValueError:
        return None
