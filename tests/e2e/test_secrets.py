"""Secrets stay where they are: planted in everything a server reads, they come up in nothing it thinks or writes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from e2e.raw_client import MIDFILL, RawClient
from e2e.workbench import CURSOR, Workbench, mentions
from lengths import cases
from midfill.privacy.secrets import redact
from own_files import another_cache
from unit.privacy.test_secrets import SECRETS, VALUES

KINDS = [kind for kind, value in VALUES.items() if "\n" not in value]
PLANTED = cases(KINDS, KINDS[::3])
_AT_ONCE = 2
"""Kinds of secrets in one prompt."""
_TELLING = 12
"""Characters in a row that tell of a secret; whole ones may be shorter."""


def function(name: str, line: str) -> str:
    """Return a function that has a line in its documentation."""
    return f"def {name}(argument):\n    '''\n    {line}\n    '''\n    return argument\n"


def placeholder(kind: str) -> str:
    """Return what stands for the secret of a kind."""
    return redact(SECRETS[kind].format(VALUES[kind])).spans[0].placeholder


def told(text: str) -> list[str]:
    """Return the kinds of secret that a text gives away."""
    pieces = {
        kind: [value, *(value[n : n + _TELLING] for n in range(len(value) - _TELLING + 1))]
        for kind, value in VALUES.items()
    }
    return [kind for kind in KINDS if any(piece in text for piece in pieces[kind])]


@pytest.mark.bundle
def test_planted_secrets_are_nowhere(bundle: Path, tmp_path: Path) -> None:
    """In the open document, in a file that is read for it and in ignored ones: in no prompt, no file, no log."""
    assert len(KINDS) >= 20
    folder, cache = tmp_path / "shop", tmp_path / "cache"
    environment = {**os.environ, "MIDFILL_CACHE": another_cache(cache)}
    lines = {kind: SECRETS[kind].format(VALUES[kind]) for kind in PLANTED}
    calls = {kind: f"planted_{number}" for number, kind in enumerate(PLANTED)}
    with RawClient([*MIDFILL, "--log-level", "DEBUG"], tmp_path / "stderr", environment) as client:
        bench = Workbench(client, folder)
        bench.write(".gitignore", "ignored.py\n")
        bench.write("keys.py", "\n\n".join(function(calls[kind], lines[kind]) for kind in PLANTED))
        hidden = "\n\n".join(function(f"ignored_{calls[kind]}", lines[kind]) for kind in PLANTED)
        bench.write("ignored.py", hidden)
        bench.write(".env", "\n".join(lines.values()))
        bench.start({"contextTokens": 160, "workspaceTokens": 192})
        bench.open("app.py", f"from keys import *\nfrom ignored import *\n{CURSOR}")
        pages: dict[str, str] = {}
        for first in range(0, len(PLANTED), _AT_ONCE):
            group = PLANTED[first : first + _AT_ONCE]
            for kind in group:
                before, _, after = SECRETS[kind].partition("{}")
                bench.type("app.py", f"\n\ndef use_{calls[kind]}(argument):\n    '''\n    {before.format()}")
                bench.type("app.py", VALUES[kind])
                bench.type("app.py", f"{after.format()}\n    '''\n    ignored_{calls[kind]}({calls[kind]}(")
            bench.wait_for_prompt(mentions(*(f"def {calls[kind]}(argument):" for kind in group)), "app.py")
            bench.ask("app.py", invoked=False)
            pages |= dict.fromkeys(group, bench.why())
            bench.type("app.py", "argument)\n")
        bench.why(last=50)
        bench.leave()
        stderr = client.stderr()
    for kind, page in pages.items():
        assert page.count(placeholder(kind)) >= 2, f"{kind} must be in the document and in a snippet, as its name"
    assert "def ignored_" not in "".join(bench.seen)
    assert told("".join(bench.seen)) == []
    assert "pygls.protocol.json_rpc" in stderr
    assert told(stderr) == []
    files = [path for path in cache.rglob("*") if path.is_file()]
    assert "journal.jsonl" in {path.name for path in files}
    assert {path.name: kinds for path in files if (kinds := told(path.read_bytes().decode("latin-1")))} == {}


@pytest.mark.bundle
def test_nothing_is_written_within_a_secret(bundle: Path, tmp_path: Path) -> None:
    """With the cursor in the middle of one, nothing is read and nothing shown, invoked or automatic."""
    kind = "github"
    half = len(VALUES[kind]) // 2
    with RawClient(MIDFILL, tmp_path / "stderr") as client:
        bench = Workbench(client, tmp_path)
        bench.start({"workspaceTokens": 0})
        bench.open("app.py", f"token = '{VALUES[kind][:half]}{CURSOR}{VALUES[kind][half:]}'\n")
        for invoked in (True, False):
            assert bench.ask("app.py", invoked=invoked) == []
            page = bench.why()
            assert "in-secret" in page
            assert "## Prompt" not in page
