"""Where code goes: the servers that the settings name, or the proxies to them."""

from __future__ import annotations

from midfill.remote.address import Address, parse
from midfill.remote.server import client_module
from midfill.settings.schema import Settings


def destinations(settings: Settings) -> list[tuple[Address, list[str]]]:
    """Return where connections go for the settings ``engine`` and ``actionsEngine``, with the IP addresses.

    Raises:
        RemoteUnavailable: an address is not known, or the extra is missing.
    """
    urls = dict.fromkeys(filter(None, (settings.engine, settings.actions_engine)))
    reached = [destination(parse(url)) for url in urls]
    return [(address, ip_addresses(address)) for address in dict.fromkeys(reached)]


def destination(server: Address) -> Address:
    """Return the address that connections to a server go to: its own, or that of a proxy.

    Raises:
        RemoteUnavailable: the extra is missing.
    """
    proxy: Address | None = client_module(server).proxy_address(server)
    return proxy or server


def ip_addresses(address: Address) -> list[str]:
    """Return the IP addresses of a server, as this machine's resolver knows them.

    Raises:
        RemoteUnavailable: it knows none, or the extra is missing.
    """
    found: list[str] = client_module(address).ip_addresses(address)
    return found
