"""The HTTP client against real servers: certificates, keys, proxies, and what is said of failures."""

from __future__ import annotations

import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("httpx", reason="the extra 'remote' is not installed")
pytest.importorskip("trustme", reason="the group 'test' is not installed")

import trustme

from midfill.common.errors import RemoteUnavailable
from midfill.remote.address import parse
from midfill.remote.server import Access, Server
from unit.helpers import manifest, model_tokenizer
from unit.remote.model_server import ModelServer, serving


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Make an authority that no system trusts."""
    return trustme.CA()


@pytest.fixture
def served() -> ModelServer:
    """Make a server that is not started yet."""
    size = manifest().vocabulary
    return ModelServer(np.zeros((size, size), np.float32))


@pytest.fixture
def trust(authority: trustme.CA, tmp_path: Path) -> str:
    """Return the file with the authority's certificate."""
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    return str(file)


def context_of(authority: trustme.CA, name: str = "127.0.0.1", *, asks: bool = False) -> ssl.SSLContext:
    """Make what a server needs to encrypt: a certificate for ``name``; with ``asks`` it wants one of its clients."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    if asks:
        authority.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def why(url: str, **access: str) -> str:
    """Return why a server cannot be used; "" if it can."""
    server = Server(Access(address=parse(url), **access), model_tokenizer())
    try:
        server.ready(20)
    except RemoteUnavailable as error:
        return error.why
    return ""


def test_certificate_of_an_own_authority(served: ModelServer, authority: trustme.CA, trust: str) -> None:
    """It is trusted if a setting names the authority's, and else not: one line says so."""
    with serving(served, context_of(authority)):
        assert why(served.url, ca_file=trust) == ""
        refused = why(served.url)
    assert refused.startswith("its certificate is not trusted (")
    assert refused.endswith("): set 'engineCaFile' to the certificate of its authority")


def test_certificate_of_another_name(served: ModelServer, authority: trustme.CA, trust: str) -> None:
    """A server that only has some certificate is not the one that was named."""
    with serving(served, context_of(authority, "other.example.com")):
        assert why(served.url, ca_file=trust).startswith("its certificate is not trusted (")


def test_certificate_of_the_client(served: ModelServer, authority: trustme.CA, trust: str, tmp_path: Path) -> None:
    """A server may ask for one."""
    own = tmp_path / "me.pem"
    authority.issue_cert("me@example.com").private_key_and_cert_chain_pem.write_to_path(str(own))
    with serving(served, context_of(authority, asks=True)):
        assert why(served.url, ca_file=trust, certificate=str(own)) == ""
        assert "'engineCertificate'" in why(served.url, ca_file=trust)


@pytest.mark.parametrize(("setting", "name"), [("ca_file", "engineCaFile"), ("certificate", "engineCertificate")])
def test_files_that_cannot_be_used(tmp_path: Path, setting: str, name: str) -> None:
    """They are named, with the setting."""
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no certificate")
    assert f"of the setting '{name}': " in why("https://127.0.0.1:9", **{setting: str(tmp_path / "none.pem")})
    assert why("https://127.0.0.1:9", **{setting: str(wrong)}) == (
        f"the file {wrong} of the setting '{name}': it has no such certificate"
    )


def test_wrong_scheme(served: ModelServer, authority: trustme.CA) -> None:
    """The line says which one is right."""
    with serving(served):
        assert why(served.url.replace("http", "https")) == "it does not speak TLS: does its address begin with http?"


def test_what_is_no_http(served: ModelServer) -> None:
    """Another service that listens there is recognised as such."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with closing(connection):
                connection.recv(1000)
                connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        found = why(f"http://127.0.0.1:{listener.getsockname()[1]}")
        thread.join()
    assert found == "it does not speak HTTP: does its address begin with https?"


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("", "it wants a key (401): set SOME_KEY or the setting for a file with it"),
        ("wrong", "it refuses the key from the variable SOME_KEY (401)"),
        ("right", ""),
    ],
)
def test_keys(served: ModelServer, key: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong one is said to be wrong, with where it is from."""
    monkeypatch.setitem(sys.modules, "keyring", None)
    monkeypatch.setenv("SOME_KEY", key)
    served.key = "right"
    with serving(served):
        assert why(served.url, key_variable="SOME_KEY") == words


def test_wrong_model(served: ModelServer) -> None:
    """The line has the names that the server has."""
    with serving(served):
        assert why(served.url, model="large") == (
            "it has no model 'large': set 'engineModel' to one that it has (tiny)"
        )


@pytest.mark.parametrize("kind", ["vllm", "llama-server"])
def test_other_tokens(served: ModelServer, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids of another tokenizer would be other texts to the model."""
    served.kind = kind
    monkeypatch.setattr(served.tokenizer, "encode", lambda _: [1, 2, 3])
    with serving(served):
        found = why(served.url)
    assert found.startswith("the tokens of its model 'tiny' are not those of your bundle: set 'bundle'")


def test_proxy_is_that_of_the_environment(served: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named without its password; a server on this machine needs none."""
    from midfill.remote.http_client import proxy_address, proxy_url

    monkeypatch.setenv("HTTPS_PROXY", "http://me:secret@proxy.example.com:3128")
    monkeypatch.setenv("NO_PROXY", "inside.example.com")
    assert str(proxy_address(parse("https://coder.example.com"))) == "proxy.example.com:3128"
    assert proxy_url(parse("https://inside.example.com")) == ""
    assert proxy_url(parse("https://127.0.0.1")) == ""
    with serving(served):
        assert why(served.url) == ""


@pytest.fixture
def forbidden(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make the extra unavailable."""
    monkeypatch.delitem(sys.modules, "midfill.remote.http_client", raising=False)
    monkeypatch.setitem(sys.modules, "httpx", None)
    yield
    sys.modules.pop("midfill.remote.http_client", None)


@pytest.mark.usefixtures("forbidden")
def test_extra_that_is_missing_is_named() -> None:
    """With the command that installs it."""
    assert why("http://127.0.0.1:9") == (
        "Midfill's extra 'remote' is missing here: install it with `pip install 'midfill[remote]'`"
    )
