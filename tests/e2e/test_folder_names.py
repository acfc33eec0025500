"""Folders whose names mean something else in a URI: their own files count, and those of no other folder."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.plain_text import Json
from e2e.raw_client import MIDFILL, RawClient
from e2e.workbench import CURSOR, Workbench, mentions
from lengths import cases

pytestmark = [
    pytest.mark.bundle,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names"),
]

CALL = f"from pricing import discounted\nfrom extra import extra\n\n\ntotal = discounted(extra({CURSOR}\n"
NAMES = {"C#": "C", "q?r": "q", "50%25": "50%", "%43": "C"}
"""Names, and those that a URI without its escapes, or decoded twice, would give."""


@pytest.fixture(params=cases(NAMES, ["50%25"]))
def bench(request: pytest.FixtureRequest, bundle: Path, tmp_path: Path) -> Iterator[Workbench]:
    """Return an editor at such a folder, beside the folder that it might be taken for."""
    with RawClient(MIDFILL, tmp_path / "stderr") as client:
        bench = Workbench(client, tmp_path / "code" / request.param)
        other = Workbench(client, tmp_path / "code" / NAMES[request.param])
        for folder, rate in ((bench, "own_rate"), (other, "other_rate")):
            (folder.folder / ".git").mkdir(parents=True)
            folder.write("pricing.py", f"def discounted(amount):\n    return amount * {rate}\n")
            folder.write("hidden.py", f"def hidden(discounted):\n    return {rate}_hidden\n")
            folder.write("by_setting.py", f"def by_setting(discounted):\n    return {rate}_set\n")
        bench.write("extra.py", "def extra(amount):\n    return amount * own_extra\n")
        bench.write(".midfillignore", "hidden.py\n")
        bench.write("midfill.toml", 'exclude = ["by_setting.py"]\n')
        other.write(".midfillignore", "*.py\n")
        other.write("midfill.toml", "enabled = false\n")
        yield bench


def other_of(bench: Workbench) -> Path:
    """Return the folder that it might be taken for."""
    return bench.folder.with_name(NAMES[bench.folder.name])


def folder_of(path: Path) -> Json:
    """Describe a folder as a client does."""
    return {"uri": path.as_uri(), "name": path.name}


def test_prompt_has_the_folder_s_own_files(bench: Workbench) -> None:
    """By its own settings and ignore rules; also what changes on disk."""
    bench.start({"workspaceTokens": 1024})
    bench.open("app.py", CALL)
    parts = bench.wait_for_prompt(mentions("own_rate"), "app.py")
    assert not mentions("other_rate")(parts)
    assert not mentions("own_rate_")(parts)
    for name in ("hidden.py", "by_setting.py"):
        bench.open(name, CALL)
        assert bench.ask(name) == []
    bench.open("app.py", CALL)
    bench.ask("app.py", invoked=False)
    assert "disabled" not in bench.why()
    bench.write("pricing.py", "def discounted(amount):\n    return amount * newer_rate\n")
    bench.changed_on_disk("pricing.py")
    bench.wait_for_prompt(mentions("newer_rate"), "app.py")


def test_folder_that_comes_and_goes(bench: Workbench) -> None:
    """It is added and removed by its name, and the other folder stays."""
    own, other = bench.folder, other_of(bench)
    (other / ".midfillignore").unlink()
    (other / "midfill.toml").unlink()
    bench.folder = other
    bench.start({"workspaceTokens": 1024})
    bench.open("app.py", CALL)
    assert not mentions("own_extra")(bench.wait_for_prompt(mentions("other_rate"), "app.py"))
    change = {"event": {"added": [folder_of(own)], "removed": []}}
    bench.client.notify("workspace/didChangeWorkspaceFolders", change)
    bench.wait_for_prompt(mentions("own_extra"), "app.py")
    change = {"event": {"added": [], "removed": [folder_of(own)]}}
    bench.client.notify("workspace/didChangeWorkspaceFolders", change)
    bench.wait_for_prompt(lambda parts: mentions("other_rate")(parts) and not mentions("own_extra")(parts), "app.py")
