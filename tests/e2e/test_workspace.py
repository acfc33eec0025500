"""What the server makes of the folder that somebody works in: in real prompts, by real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tokenizers import Tokenizer

from e2e.plain_text import prompt_parts
from e2e.raw_client import MIDFILL, PATIENCE, RawClient
from e2e.workbench import CURSOR, Workbench, mentions
from midfill.inference.bundle import load_bundle

pytestmark = pytest.mark.bundle

PRICING = '''\
RATE = 0.2


def discounted_price(amount, rate=RATE):
    """Return what is left of an amount."""
    return amount * (1 - rate)
'''
CHECKOUT = f"from pricing import discounted_price\n\n\ndef checkout(cart):\n    return discounted_price({CURSOR}\n"
INDEX = "midfill.retrieval.worker"


@pytest.fixture
def environment(bundle: Path) -> dict[str, str]:
    """Return the environment of the server, and of commands that ask for its journal."""
    return dict(os.environ)


@pytest.fixture
def bench(tmp_path: Path, environment: dict[str, str]) -> Iterator[Workbench]:
    """Return an editor at a small shop's repository, whose server is not yet spoken to."""
    with RawClient(MIDFILL, tmp_path / "stderr", environment) as client:
        bench = Workbench(client, tmp_path / "shop")
        (bench.folder / ".git").mkdir(parents=True)
        bench.write("pricing.py", PRICING)
        yield bench


def midfill(environment: dict[str, str], *arguments: str) -> str:
    """Run a command, as in a terminal."""
    done = subprocess.run(
        [sys.executable, "-m", "midfill", *arguments],
        env=environment, capture_output=True, text=True, encoding="utf-8", timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_definition_in_another_file(bench: Workbench) -> None:
    """What is called is shown to the model, under its file's name, and `midfill.why` says which lines."""
    bench.start({})
    bench.open("app.py", CHECKOUT)
    parts = dict(bench.wait_for_prompt(mentions("def discounted_price"), "app.py"))
    definition = parts["definition pricing.py:4-6"]
    assert definition.startswith("<|file_sep|>pricing.py\n" + PRICING[PRICING.index("def") :].rstrip())
    assert parts["repository"] == "<|repo_name|>shop\n"
    assert parts["path"] == "<|file_sep|>app.py\n"
    assert parts[f"prefix {bench.folder / 'app.py'}:1-6"].endswith("return discounted_price")


def test_what_is_excluded(bench: Workbench, environment: dict[str, str]) -> None:
    """By each kind of rule: in no prompt, and without suggestions in the file itself; the journal says why."""
    excluded = {"by_git.py": "by_git", "by_midfill.py": "by_midfill", "fixtures/by_setting.py": "by_setting"}
    bench.write(".gitignore", "by_git.py\n")
    bench.write(".midfillignore", "by_midfill.py\n")
    for name, word in excluded.items():
        bench.write(name, f"def helper_{word}(argument):\n    return argument\n")
    bench.start({"exclude": ["fixtures/"], "workspaceTokens": 1024})
    imports = "".join(f"from {name[:-3].replace('/', '.')} import helper_{word}\n" for name, word in excluded.items())
    calls = "".join(f"    helper_{word}(cart)\n" for word in excluded.values())
    bench.open("app.py", imports + CHECKOUT.replace("    return", f"{calls}    return"))
    parts = bench.wait_for_prompt(mentions("def discounted_price"), "app.py")
    assert not any(mentions(f"def helper_{word}")(parts) for word in excluded.values())
    for name in excluded:
        bench.open(name, f"def helper(argument):\n    return {CURSOR}\n")
        assert bench.ask(name) == []
        assert "## Prompt" not in bench.why()
        [verdict] = json.loads(midfill(environment, "why", "--json"))
        assert (verdict["reason"], Path(verdict["path"])) == ("excluded", bench.folder / name)
    bench.open("allowed.py", f"def double(number):\n    return {CURSOR}\n")
    assert bench.ask("allowed.py") != []


def test_what_is_excluded_in_any_scheme(bench: Workbench) -> None:
    """An unsaved file, an older version, and a cell of a notebook get no suggestion if the file would get none."""
    bench.write(".midfillignore", "secret*\n")
    bench.start({})
    folder = bench.folder.as_posix()
    excluded = [
        *(f"untitled:{folder}/.env", f"git:{folder}/secret.py?%7B%22ref%22%3A%22~%22%7D"),
        *(f"vscode-notebook-cell:{folder}/secret.ipynb#W0sZmlsZQ%3D%3D", "untitled:.env"),
    ]
    for uri in excluded:
        bench.open(uri, f"def helper(argument):\n    return {CURSOR}\n")
        assert bench.ask(uri) == []
        assert "## Prompt" not in bench.why()
    bench.open("untitled:Untitled-1", f"def double(number):\n    return {CURSOR}\n")
    assert bench.ask("untitled:Untitled-1") != []


def test_file_that_changes(bench: Workbench) -> None:
    """A file that is made, saved or deleted is in the next prompts as it is then."""
    bench.start({})
    bench.open("app.py", CHECKOUT)
    bench.wait_for_prompt(mentions("return amount * (1 - rate)"), "app.py")
    bench.write("pricing.py", PRICING.replace("(1 - rate)", "(1 - min(rate, 1))"))
    bench.changed_on_disk("pricing.py")
    bench.wait_for_prompt(mentions("return amount * (1 - min(rate, 1))"), "app.py")
    bench.open("pricing.py", CURSOR)
    bench.write("pricing.py", PRICING.replace("(1 - rate)", "(1 - rate) // 1"))
    bench.saved("pricing.py")
    bench.wait_for_prompt(mentions("return amount * (1 - rate) // 1"), "app.py")
    bench.write("taxes.py", "def with_tax(amount):\n    return amount * 1.19\n")
    bench.changed_on_disk("taxes.py")
    bench.open("later.py", f"from taxes import with_tax\n\n\ndef total(cart):\n    return with_tax({CURSOR}\n")
    bench.wait_for_prompt(mentions("def with_tax"), "later.py")
    (bench.folder / "taxes.py").unlink()
    bench.changed_on_disk("taxes.py")
    bench.wait_for_prompt(lambda parts: not mentions("def with_tax")(parts), "later.py")


def test_file_by_another_spelling(bench: Workbench, tmp_path: Path) -> None:
    """In a workspace that was opened by a link, a change is one change of one file, whatever spelling it is told by.

    The index is told by the link, by the real path and by a URI with escapes; its answer has the file once each time.
    """
    link = bench.folder.parent / "link to 100% # shop"
    link.symlink_to(bench.folder, target_is_directory=True)
    real, by_link = bench.folder.as_uri(), link.as_uri()
    bench.folder = link
    bench.start({"workspaceTokens": 1024})
    bench.open("app.py", CHECKOUT)
    bench.wait_for_prompt(mentions("return amount * (1 - rate)"), "app.py")
    spellings = (real, by_link, by_link.replace("link", "%6Cink"), real.replace("file://", "FILE://localhost"))
    for number, folder in enumerate(spellings):
        changed = f"return amount * {number}"
        bench.write("pricing.py", PRICING.replace("return amount * (1 - rate)", changed))
        changes = [{"uri": f"{folder}/pricing.py", "type": 2}]
        bench.client.notify("workspace/didChangeWatchedFiles", {"changes": changes})
        parts = bench.wait_for_prompt(mentions(changed), "app.py")
        told = [part for origin, part in parts if "pricing.py" in origin]
        assert len(told) == 1
        assert "def discounted_price" in told[0]
    (link / "pricing.py").unlink()
    bench.client.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": f"{real}/pricing.py", "type": 3}]})
    bench.wait_for_prompt(lambda parts: not mentions("def discounted_price")(parts), "app.py")


def test_document_by_another_spelling(bench: Workbench) -> None:
    """A document that was opened by a link is edited and asked about by its own name, and is not its own context."""
    link = bench.folder.parent / "link"
    link.symlink_to(bench.folder, target_is_directory=True)
    bench.write("app.py", CHECKOUT.replace(CURSOR, ""))
    bench.start({"workspaceTokens": 1024})
    real, bench.folder = bench.folder, link
    bench.open("app.py", CHECKOUT)
    bench.folder = real
    parts = bench.wait_for_prompt(mentions("def discounted_price"), "app.py")
    assert not mentions("def checkout")(parts)
    assert ("prefix", f"{real / 'app.py'}:1-6") in [tuple(origin.split(" ", 1)) for origin, _ in parts if " " in origin]


def test_links_smuggle_nothing(bench: Workbench, tmp_path: Path) -> None:
    """Through a link, no excluded file and no file from elsewhere is in a prompt or gets suggestions."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/outside.py").write_text("def helper_outside(argument):\n    return argument\n")
    bench.write(".gitignore", "hidden/\n")
    bench.write("hidden/ignored.py", "def helper_ignored(argument):\n    return argument\n")
    (bench.folder / "outside.py").symlink_to(tmp_path / "elsewhere/outside.py")
    (bench.folder / "ignored.py").symlink_to("hidden/ignored.py")
    (bench.folder / "elsewhere").symlink_to(tmp_path / "elsewhere")
    (bench.folder / "loop").symlink_to(".")
    bench.start({"workspaceTokens": 1024})
    bench.changed_on_disk("outside.py", "ignored.py", "elsewhere/outside.py", "loop/ignored.py", "loop/loop/outside.py")
    imports = "from outside import helper_outside\nfrom ignored import helper_ignored\n"
    bench.open("app.py", imports + CHECKOUT.replace("    return", "    helper_outside(helper_ignored(1))\n    return"))
    parts = bench.wait_for_prompt(mentions("def discounted_price"), "app.py")
    assert not [name for name in ("outside", "ignored") if mentions(f"def helper_{name}")(parts)]
    for name in ("outside.py", "ignored.py", "loop/ignored.py", "elsewhere/outside.py"):
        bench.open(name, f"def helper(argument):\n    return {CURSOR}\n")
        assert bench.ask(name) == []


def test_settings_changed_live(bench: Workbench) -> None:
    """What is excluded, and whether other files are read at all, may change at any time; so may how much is said."""
    bench.start({})
    bench.open("app.py", CHECKOUT)
    bench.wait_for_prompt(mentions("def discounted_price"), "app.py")
    bench.set({"exclude": ["pricing.py"]})
    bench.wait_for_prompt(lambda parts: not mentions("def discounted_price")(parts), "app.py")
    bench.set({"exclude": []})
    bench.wait_for_prompt(mentions("def discounted_price"), "app.py")
    bench.set({"workspaceTokens": 0})
    assert not mentions("def discounted_price")(bench.prompt("app.py"))
    assert _index_of(bench) == []
    bench.set({"enabled": False})
    assert bench.ask("app.py", invoked=False) == []
    assert "disabled" in bench.why()
    assert bench.ask("app.py", invoked=True) != []


def test_index_is_killed(bench: Workbench) -> None:
    """The server serves on; the first time the index comes back, and after that prompts do without it."""
    bench.start({"shareEngine": False})
    bench.open("app.py", CHECKOUT)
    bench.wait_for_prompt(mentions("def discounted_price"), "app.py")
    [first] = _index_of(bench)
    first.kill()
    assert bench.ask("app.py") != []
    bench.open("other.py", CHECKOUT.replace("checkout", "pay"))
    bench.wait_for_prompt(mentions("def discounted_price"), "other.py")
    [second] = _index_of(bench)
    assert second.pid != first.pid
    second.kill()
    second.wait(PATIENCE)
    bench.open("third.py", CHECKOUT.replace("checkout", "buy"))
    assert bench.ask("third.py") != []
    assert not mentions("def discounted_price")(bench.prompt("third.py"))
    assert _index_of(bench) == []
    assert "Traceback" not in bench.client.stderr()


def test_index_ends_with_the_server(bench: Workbench) -> None:
    """Neither a server that ends in good order nor one that is killed leaves its index behind."""
    bench.start({"shareEngine": False})
    [index] = _index_of(bench)
    bench.client.process.kill()
    index.wait(PATIENCE)


def test_journal_from_the_command_line(bench: Workbench, environment: dict[str, str]) -> None:
    """`midfill why` tells of a running server's requests, the latest last, without a word of what was written."""
    bench.start({})
    bench.open("app.py", CHECKOUT)
    bench.wait_for_prompt(mentions("def discounted_price"), "app.py")
    bench.ask("app.py", invoked=False)
    *_, asked, typed = json.loads(midfill(environment, "why", "--last", "3", "--json"))
    assert (asked["automatic"], typed["automatic"]) == (False, True)
    assert Path(typed["path"]) == bench.folder / "app.py"
    assert (typed["line"], typed["column"]) == (6, 29)
    definition = next(part for part in asked["parts"] if part["kind"] == "definition")
    assert (definition["path"], definition["first_line"], definition["last_line"]) == ("pricing.py", 4, 6)
    assert sum(part["tokens"] for part in typed["parts"]) == typed["prompt_tokens"]
    page = midfill(environment, "why")
    assert f"{bench.folder / 'app.py'}:6:29  (automatic)" in page
    journal = (Path(environment["MIDFILL_CACHE"]) / "journal.jsonl").read_text()
    assert "discounted" not in journal + page


def test_explained_parts_are_the_prompt(bench: Workbench, environment: dict[str, str], bundle: Path) -> None:
    """`midfill complete --explain` shows what an editor's prompt is, in parts that are the prompt when joined."""
    bench.start({"contextTokens": 1024, "workspaceTokens": 512, "maxTokens": 16})
    bench.open("app.py", CHECKOUT.replace("cart", "größe_🚀"))
    bench.wait_for_prompt(mentions("def discounted_price"), "app.py")
    bench.write("app.py", bench.text("app.py"))
    place = f"{bench.folder / 'app.py'}:6:29"
    found = json.loads(midfill(environment, "complete", place, "--explain", "--json"))
    parts = found["explanation"]["parts"]
    prompt = "".join(part["text"] for part in parts)
    tokenizer = Tokenizer.from_file(str(load_bundle(bundle).tokenizer))
    ids = tokenizer.encode(prompt, add_special_tokens=False).ids
    assert len(ids) == found["prompt_tokens"] == sum(part["tokens"] for part in parts)
    assert tokenizer.decode(ids, skip_special_tokens=False) == prompt
    assert bench.text("app.py").startswith(parts[-1]["text"])
    page = midfill(environment, "complete", place, "--explain")
    assert "".join(text for _, text in prompt_parts(page)) == prompt
    assert "".join(text for _, text in prompt_parts(bench.why())) == prompt


def _index_of(bench: Workbench) -> list[psutil.Process]:
    """Return the index's processes that a server has."""
    children = psutil.Process(bench.client.process.pid).children(recursive=True)
    return [child for child in children if INDEX in child.cmdline()]
