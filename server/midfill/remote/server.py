"""One server: what it is, whether it may be asked now, and what is logged about it.

It is asked what it is in the background. So a server that is away, or slow to answer, costs a keystroke nothing when
the model on this machine can go on: the next request after a pause begins to ask again, and does not wait.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType

from midfill.common.errors import RemoteUnavailable
from midfill.common.logs import PublicText
from midfill.inference.tokenizer import ModelTokenizer
from midfill.remote.address import Address
from midfill.remote.answers import BadAnswer
from midfill.remote.breaker import Breaker
from midfill.remote.connection import Connection
from midfill.remote.failure import Failed
from midfill.remote.key import find_key
from midfill.remote.probe import Found, probe

_log = logging.getLogger(__name__)
_NEEDS_EXTRA = "Midfill's extra 'remote' is missing here: install it with `pip install 'midfill[remote]'`"


@dataclass(frozen=True, kw_only=True)
class Access:
    """How a server is reached: the settings of one engine."""

    address: Address
    model: str = ""
    protocol: str = "auto"
    key_variable: str = "MIDFILL_ENGINE_KEY"
    key_file: str = ""
    ca_file: str = ""
    certificate: str = ""


def client_module(address: Address) -> ModuleType:
    """Return the module :mod:`midfill.remote.http_client`, which needs an extra.

    Raises:
        RemoteUnavailable: the extra is missing.
    """
    try:
        return import_module("midfill.remote.http_client")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("midfill"):  # our own mistake: an extra would not help
            raise
        raise RemoteUnavailable(str(address), _NEEDS_EXTRA) from None


def connect(access: Access) -> Connection:
    """Make what sends requests to a server. Nothing is sent yet.

    Raises:
        RemoteUnavailable: the extra, the key or a certificate is missing.
    """
    module = client_module(access.address)
    key = find_key(access.address, access.key_variable, access.key_file)
    return Connection(module.HttpClient(access.address, key, access.ca_file, access.certificate))


class Server:
    """A server with a model; for any threads."""

    def __init__(
        self, access: Access, tokenizer: ModelTokenizer, meanwhile: str = "", breaker: Breaker | None = None
    ) -> None:
        """Know the server at ``access``, which is sent tokens of ``tokenizer``. :meth:`begin` begins to ask it.

        ``meanwhile`` is a sentence for the log, about what happens while the server cannot be used.
        """
        self.access = access
        self._meanwhile = meanwhile
        self._tokenizer = tokenizer
        self._breaker = breaker or Breaker()
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._found: Found | None = None
        self._is_asked = False
        self._answered = threading.Event()
        """Set unless the server is being asked what it is."""
        self._answered.set()
        self._why = "it has not answered yet"
        self._logged = ""

    def __str__(self) -> str:
        return str(self.access.address)

    @property
    def found(self) -> Found | None:
        """What is known about it; None while nothing is."""
        return self._found

    def begin(self) -> None:
        """Begin to ask what the server is, unless that is known or under way, or it failed a moment ago."""
        asked, why = None, ""
        with self._lock:
            is_well = self._found is not None and not self._breaker.is_open
            if self._is_asked or is_well or not self._breaker.may_try:
                return
            try:
                asked = self._ask()
            except RemoteUnavailable as error:
                why = error.why
        # Outside of the lock, which both of these take: an answer may be there already.
        if asked is not None:
            asked.add_done_callback(self._learn)
        else:
            self._fail(why)

    def _ask(self) -> Future[Found]:
        """Ask what the server is. The caller has the lock."""
        self._connection = self._connection or connect(self.access)
        asked = probe(self._connection.answer, self.access.protocol, self.access.model, self._tokenizer)
        self._is_asked = True
        self._answered.clear()
        return self._connection.submit(asked)

    def ready(self, seconds: float) -> tuple[Found, Connection]:
        """Return what is known about the server, after at most ``seconds``, and what sends requests to it.

        Raises:
            RemoteUnavailable: it cannot be used now.
        """
        self.begin()
        self._answered.wait(seconds)
        with self._lock:
            if self._found is None or self._connection is None or self._breaker.is_open:
                raise RemoteUnavailable(str(self), self._why)
            return self._found, self._connection

    @contextmanager
    def watched(self) -> Iterator[Callable[[], None]]:
        """Note how a request to the server ends; it calls what it gets for each token that it has received.

        Raises:
            RemoteUnavailable: the request failed.
        """
        try:
            yield self._succeed
        except (Failed, BadAnswer) as error:
            is_slow = isinstance(error, Failed) and error.is_slow
            self._fail(self._explained(error), is_slow=is_slow)
            raise RemoteUnavailable(str(self), self._explained(error), is_slow=is_slow) from error

    def _explained(self, error: Exception) -> str:
        """Return why a request failed, with where the key is from if the server refuses that."""
        if not (isinstance(error, Failed) and error.status in (401, 403)):
            return str(error)
        try:
            key = find_key(self.access.address, self.access.key_variable, self.access.key_file)
        except RemoteUnavailable as wrong:
            return wrong.why
        if key is None:
            return f"it wants a key ({error.status}): set {self.access.key_variable} or the setting for a file with it"
        return f"it refuses the key from {key.source} ({error.status})"

    def _learn(self, asked: Future[Found]) -> None:
        """In the thread of the requests: take the answer to what the server is."""
        try:
            found = asked.result()
        except Failed as error:
            with self._lock:
                self._connection = None  # a key or a certificate that is mended counts at the next try
            self._fail(self._explained(error))
        except BaseException:
            self._fail("it could not be asked what it is")
            raise
        else:
            self._found = found
            self._succeed()
        finally:
            self._is_asked = False
            self._answered.set()

    def _fail(self, why: str, *, is_slow: bool = False) -> None:
        with self._lock:
            self._breaker.failed(is_slow=is_slow)
            self._why = why
            is_news = self._breaker.is_open and why != self._logged
            if is_news:
                self._logged = why
        if is_news:
            _log.warning("%s", PublicText(f"{RemoteUnavailable(str(self), why)}{self._meanwhile}"))

    def _succeed(self) -> None:
        with self._lock:
            self._breaker.succeeded()
            is_news, self._logged = bool(self._logged), ""
        if is_news:
            _log.warning("%s", PublicText(f"The server {self} answers again."))
