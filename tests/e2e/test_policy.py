"""A server under the administrators' policy."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from e2e.raw_client import URI, RawClient, ghost_text_at
from unit.helpers import chain_graph, write_bundle

GOVERNED = [sys.executable, str(Path(__file__).with_name("governed_server.py"))]
CODE = "def add(left, right):\n    return \n"
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the tests' file has no trusted owner there")


def governed(tmp_path: Path, policy: str) -> RawClient:
    """Start a server under a policy, with a cache and settings of its own."""
    folder = tmp_path / "policy"
    folder.mkdir(mode=0o755)
    file = folder / "policy.toml"
    file.write_text(policy)
    file.chmod(0o644)
    own = {"MIDFILL_CACHE": str(tmp_path / "cache"), "MIDFILL_CONFIG": str(tmp_path / "none.toml")}
    bundle = write_bundle(tmp_path / "bundle", graph=chain_graph("left + right", anywhere=True)).path
    client = RawClient([*GOVERNED, str(file)], tmp_path / "log", {**os.environ, **own, "MIDFILL_BUNDLE": str(bundle)})
    client.initialize(options={"minConfidence": 0, "threads": 1, "shareEngine": True})
    return client


def messages(client: RawClient) -> list[str]:
    """Return the lines that the user has seen."""
    shown = [each["params"] for each in client.notifications if each["method"] == "window/showMessage"]
    return [params["message"] for params in shown]


def reason_at(client: RawClient, number: int, uri: str) -> str:
    """Ask for ghost text in a document; return what `why` says about it."""
    client.request(number, "textDocument/inlineCompletion", ghost_text_at(1, 11, uri))
    why = {"command": "midfill.why", "arguments": []}
    return str(client.request(100 + number, "workspace/executeCommand", why)["result"])


def test_damaged_policy_stops_suggestions_and_not_the_server(tmp_path: Path) -> None:
    """One line says why. Requests are answered with nothing, and `why` has the reason."""
    with governed(tmp_path, "models = ['tiny'\n") as client:
        client.wait_for_notification("window/showMessage")
        client.open(CODE)
        assert "policy (the policy of this computer's administrators forbids it" in reason_at(client, 1, URI)
        assert messages(client) == [
            f"Nothing is completed, because the policy in {tmp_path / 'policy' / 'policy.toml'} cannot be used:"
            " line 2 is not valid TOML; write `name = value`, with text in quotes."
        ]


def test_allowed_model_completes_and_overruled_settings_are_said(tmp_path: Path) -> None:
    """A document that the policy excludes gets nothing, whatever the editor's settings say."""
    rules = "models = ['tiny']\nexclude = ['payroll/']\n[settings]\nshareEngine = false\n"
    with governed(tmp_path, rules) as client:
        client.wait_until_loaded()
        open_file, closed_file = "file:///work/sample.py", "file:///work/payroll/sample.py"
        client.open(CODE, open_file)
        client.open(CODE, closed_file)
        reasons = [reason_at(client, number, uri) for number, uri in ((1, open_file), (2, closed_file))]
        assert ["(the document is excluded" in reason for reason in reasons] == [False, True]
        assert messages(client) == [
            f"Midfill setting 'shareEngine' is false, not true, because the policy in"
            f" {tmp_path / 'policy' / 'policy.toml'} says so."
        ]
