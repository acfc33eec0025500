"""The installed wheel does what it is for, outside the checkout and with a cache of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.raw_client import RawClient
from midfill import __version__
from release.conftest import COLUMN, LINE, Installed

pytestmark = pytest.mark.timeout(3600)  # the first test waits for the installed program to make the whole bundle

_INSTALLERS = ["by_pip", "by_pipx", "by_uv"]


@pytest.fixture(params=_INSTALLERS)
def installed(request: pytest.FixtureRequest) -> Installed:
    """Return Midfill as each installer has put it."""
    found: Installed = request.getfixturevalue(request.param)
    return found


def test_it_is_the_version_that_was_built(installed: Installed) -> None:
    """The program that users get says which version it is."""
    assert installed.run("--version").strip() == f"midfill {__version__}"


def test_it_completes_a_file(installed: Installed, bundle: Path, example: Path) -> None:
    """A copied example is completed by the real model: the body adds up what the items are worth."""
    ghost_text = installed.run("complete", f"{example}:{LINE}:{COLUMN}", "--bundle", bundle)
    assert "inventory.items" in ghost_text
    assert "price" in ghost_text
    assert "quantity" in ghost_text


def test_it_serves_an_editor(by_pip: Installed, bundle: Path, example: Path, tmp_path: Path) -> None:
    """A whole session over standard input and output ends in good order, with a completion of the real model."""
    env = {**by_pip.env, "MIDFILL_BUNDLE": str(bundle)}
    with RawClient([str(by_pip.program), "serve"], tmp_path / "stderr.txt", env) as client:
        # How fast the machine is, and how sure the model, must not decide what this test sees.
        offered = client.initialize(options={"deadlineMs": 0, "minConfidence": 0})
        client.wait_until_loaded()
        client.open(example.read_text(encoding="utf-8"), example.as_uri())
        client.ask(1, LINE - 1, COLUMN - 1, example.as_uri())
        completed = client.answer_to(1)
        client.request(2, "shutdown", None)
        client.notify("exit", None)
        code = client.wait()
    assert offered["result"]["serverInfo"]["version"] == __version__
    assert "quantity" in completed["result"]["items"][0]["insertText"]
    assert code == 0
