"""What a watched server may reach: the servers that the settings name, and who knows their addresses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from midfill.common.regular_file import read_regular
from midfill.egress.attempts import Attempt
from midfill.remote.address import Address

_RESOLVER_FILE = "/etc/resolv.conf"
_MAX_BYTES = 65_536
_RESOLVERS = ("/var/run/nscd/socket", "/run/systemd/resolve/io.systemd.Resolve")
_SOCKETS = ("a socket for IPv4, stream", "a socket for IPv6, stream")
_SOCKETS_OF_LOOKUPS = ("a socket for IPv4, datagram", "a socket for IPv6, datagram", "a socket for netlink, raw")
_NETLINK = "an address of netlink"
"""The kernel, which says what addresses this machine has."""


@dataclass(frozen=True)
class Permitted:
    """What a server may reach, by the words of an :class:`midfill.egress.attempts.Attempt`."""

    targets: frozenset[str] = frozenset()
    """The addresses of the servers that have models, or of the proxy to them."""
    resolvers: frozenset[str] = frozenset()
    """Who is asked for those addresses, if the settings have names."""

    def allows(self, attempt: Attempt) -> bool:
        """Whether an attempt is for those servers."""
        if attempt.call == "socket":
            lookups = _SOCKETS_OF_LOOKUPS if self.resolvers else ()
            return attempt.target in ((*_SOCKETS, *lookups) if self.targets else ())
        return attempt.target in self.targets or attempt.target in self.resolvers


NOTHING = Permitted()


def permit(servers: Iterable[tuple[Address, Iterable[str]]]) -> Permitted:
    """Permit some servers, each with its IP addresses."""
    targets, names_are_asked = set(), False
    for server, addresses in servers:
        found = list(addresses)
        names_are_asked |= found != [server.host]
        targets |= {f"[{ip}] port {server.port}" if ":" in ip else f"{ip} port {server.port}" for ip in found}
    return Permitted(frozenset(targets), frozenset(_resolvers()) if names_are_asked else frozenset())


def _resolvers() -> list[str]:
    sockets = [f"the Unix socket {path!a}" for path in _RESOLVERS]
    try:
        lines = read_regular(_RESOLVER_FILE, _MAX_BYTES).decode(errors="replace").splitlines()
    except OSError:
        lines = []
    servers = [words[1] for line in lines if len(words := line.split()) > 1 and words[0] == "nameserver"]
    ports = [f"[{server}] port 53" if ":" in server else f"{server} port 53" for server in servers or ["127.0.0.1"]]
    return [_NETLINK, *sockets, *ports]
