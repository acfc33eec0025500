"""The HTTP client, and its failures in words. This module alone imports httpx, and is imported only for a server.

Where the environment names a proxy, it is used as all programs do; never for a server on this machine. Certificates
are those that the system trusts, or those of a file.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncGenerator, Callable, Iterator
from urllib.request import getproxies, proxy_bypass

import httpx
import truststore

from midfill import __version__
from midfill.common.errors import RemoteUnavailable
from midfill.common.os_errors import explain
from midfill.common.printable import printable
from midfill.remote.address import Address, parse
from midfill.remote.failure import Failed, explain_status
from midfill.remote.key import Key

_LIMITS = httpx.Limits(max_connections=8, max_keepalive_connections=4, keepalive_expiry=60.0)
_MAX_CAUSES = 20
_MAX_WORDS = 200
_NEW_CONNECTION_HELPS = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)
"""What a request meets on a connection that the server has closed meanwhile."""
_CAUSES: dict[type[BaseException], str] = {
    httpx.ProxyError: "the proxy that the environment names refuses the connection",
    ConnectionRefusedError: "nothing listens there: is it running?",
    socket.gaierror: "its name is not known: is it right, and is this machine in its network?",
}
_FAILURES = (httpx.HTTPError, httpx.InvalidURL, OSError)
"""What a request may raise because of the server, or of the way to it."""


class HttpClient:
    """Sends requests to one server: a :class:`midfill.remote.connection.Client`. Its caller limits their time."""

    def __init__(self, address: Address, key: Key | None, ca_file: str, certificate: str) -> None:
        """Send requests to the server at ``address``.

        Raises:
            RemoteUnavailable: a file with certificates cannot be used.
        """
        headers = {"User-Agent": f"midfill/{__version__}", "Accept-Encoding": "identity"}
        if key is not None:
            headers["Authorization"] = f"Bearer {key.value}"
        self._client = httpx.AsyncClient(
            base_url=address.base,
            headers=headers,
            verify=_trust(address, ca_file, certificate) if address.scheme == "https" else False,
            proxy=proxy_url(address) or None,
            trust_env=False,
            follow_redirects=False,
            timeout=None,  # noqa: S113 -- httpx limits each read, and a server may send a byte at a time
            limits=_LIMITS,
        )

    async def parts(self, method: str, path: str, sent: bytes | None) -> AsyncGenerator[bytes]:
        """Yield the bytes of an answer, as they are sent.

        Raises:
            Failed: there is none, or its status says that the request failed.
        """
        headers = {} if sent is None else {"Content-Type": "application/json"}
        for is_last_try in (False, True):
            has_answered = False
            try:
                async with self._client.stream(method, path, content=sent, headers=headers) as response:
                    has_answered = True
                    if response.status_code != httpx.codes.OK:
                        raise Failed(explain_status(response.status_code), status=response.status_code)
                    async for part in response.aiter_raw():
                        yield part
                    return
            except _FAILURES as error:
                has_said_something = has_answered or _is_no_http(error)
                if is_last_try or has_said_something or not isinstance(error, _NEW_CONNECTION_HELPS):
                    raise Failed(explain_failure(error)) from error

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()


def proxy_url(address: Address) -> str:
    """Return the URL of the proxy that the system names for the server at ``address``; "" for none."""
    if address.is_on_this_machine or proxy_bypass(address.host):
        return ""
    proxies = getproxies()
    found = proxies.get(address.scheme) or proxies.get("all") or ""
    return found if "://" in found or not found else f"http://{found}"


def proxy_address(address: Address) -> Address | None:
    """Return the address of that proxy, without its password."""
    found = proxy_url(address)
    if not found:
        return None
    url = httpx.URL(found)
    return parse(f"http://{url.host}:{url.port or (443 if url.scheme == 'https' else 80)}")


def ip_addresses(address: Address) -> list[str]:
    """Return the IP addresses of a server, as this machine's resolver knows them.

    Raises:
        RemoteUnavailable: it knows none.
    """
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise RemoteUnavailable(str(address), explain_failure(error)) from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _trust(address: Address, ca_file: str, certificate: str) -> ssl.SSLContext:
    if ca_file:
        context = ssl.create_default_context()
        _use(address, "engineCaFile", ca_file, lambda: context.load_verify_locations(cafile=ca_file))
    else:
        context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if certificate:
        _use(address, "engineCertificate", certificate, lambda: context.load_cert_chain(certificate))
    return context


def _use(address: Address, setting: str, file: str, load: Callable[[], None]) -> None:
    try:
        load()
    except OSError as error:  # ssl's errors are among them
        why = "it has no such certificate" if isinstance(error, ssl.SSLError) else explain(error)
        raise RemoteUnavailable(str(address), f"the file {file} of the setting '{setting}': {why}") from None


def explain_failure(error: BaseException) -> str:
    """Return what a request met, in a clause. What the server has written is not in it."""
    for cause in _causes(error):
        if words := _explain_cause(cause):
            return words
    if isinstance(error, httpx.ConnectError):
        return "it cannot be reached from this machine"
    return "it has ended the connection"


def _explain_cause(cause: BaseException) -> str:
    """Return what one of the causes of a failure means; "" if it says nothing."""
    if isinstance(cause, ssl.SSLCertVerificationError):
        why = printable(cause.verify_message)[:_MAX_WORDS]
        return f"its certificate is not trusted ({why}): set 'engineCaFile' to the certificate of its authority"
    if isinstance(cause, ssl.SSLError):
        return _explain_tls(cause)
    if _is_no_http(cause):
        return "it does not speak HTTP: does its address begin with https?"
    return next((words for kind, words in _CAUSES.items() if isinstance(cause, kind)), "")


def _is_no_http(error: BaseException) -> bool:
    return isinstance(error, httpx.RemoteProtocolError) and "illegal" in str(error)


def _explain_tls(error: ssl.SSLError) -> str:
    reason = (error.reason or "").upper()
    if "CERTIFICATE_REQUIRED" in reason or "HANDSHAKE_FAILURE" in reason or "UNKNOWN_CA" in reason:
        return "it does not accept this client's certificate: set 'engineCertificate'"
    if "WRONG_VERSION" in reason or "RECORD_LAYER" in reason or "HTTP_REQUEST" in reason:
        return "it does not speak TLS: does its address begin with http?"
    # A server that misses the client's certificate may close the connection before its reason is read.
    return "it ends the encrypted connection: if it asks for a client's certificate, set 'engineCertificate'"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those that led to it."""
    waiting: list[BaseException | None] = [error]
    for _ in range(_MAX_CAUSES):
        if not waiting:
            return
        now = waiting.pop()
        if now is not None:
            yield now
            waiting += [now.__context__, now.__cause__, *getattr(now, "exceptions", ())]
