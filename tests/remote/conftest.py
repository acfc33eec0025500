"""Real servers with the model of the default bundle, which whoever runs `nox -s remote` has started."""

from __future__ import annotations

import os

import pytest

from midfill.inference.token_generator import LanguageModel

SERVERS = {"vllm": "MIDFILL_REMOTE_VLLM", "llama-server": "MIDFILL_REMOTE_LLAMA_SERVER"}
"""The environment's variables that have their URLs."""

if not any(name in os.environ for name in SERVERS.values()):  # the plain test run has no servers
    collect_ignore = ["test_real_servers.py"]


@pytest.fixture(params=SERVERS)
def url(request: pytest.FixtureRequest) -> str:
    """Return the URL of each server in turn."""
    found = os.environ.get(SERVERS[request.param])
    if not found:
        pytest.skip(f"{SERVERS[request.param]} names no server")
    return found


@pytest.fixture(scope="session")
def here() -> LanguageModel:
    """Return the model of the default bundle in this process."""
    from midfill.inference.loaded_model import load_model
    from midfill.settings.schema import Settings

    return load_model(Settings(share_engine=False))


@pytest.fixture
def served(url: str) -> LanguageModel:
    """Return the model of the server, without another one behind it."""
    from midfill.remote.open_remote import access_of, open_remote
    from midfill.settings.schema import Settings

    settings = Settings(engine=url)
    return open_remote(settings, access_of(settings), None)
