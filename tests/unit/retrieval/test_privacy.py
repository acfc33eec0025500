"""No snippet contains a secret, or text of an excluded file."""

from __future__ import annotations

import random
import string
from pathlib import Path

import pytest

from midfill.privacy.ignore_rules import IgnoreRules
from midfill.prompt.snippets import Snippet
from midfill.retrieval.index import WorkspaceIndex
from midfill.retrieval.inverted_index import InvertedIndex
from midfill.retrieval.lookup import LookupRequest, candidates
from midfill.retrieval.ranking import SnippetRanking
from midfill.retrieval.recent_edits import RecentEdits
from unit.privacy.test_secrets import SECRETS, VALUES
from waiting import LIMIT, wait_until


def _all_snippets(folder: Path, text: str, visit: dict[str, str]) -> list[Snippet]:
    """Return all snippets for a cursor at the end of ``text``, with an unlimited budget."""
    index = WorkspaceIndex([folder])
    try:
        wait_until(lambda: index.state.done, "the index")
        ranking = SnippetRanking(IgnoreRules([folder]), index)
        for name, content in visit.items():
            ranking.visited(folder / name, content, 0)
        return ranking.snippets(folder / "asking.py", text, len(text), budget=1_000_000, wait=LIMIT)
    finally:
        index.close()


@pytest.mark.parametrize("kinds", [list(SECRETS)[start : start + 8] for start in range(0, len(SECRETS), 8)], ids=str)
def test_planted_secrets_are_in_no_snippet(tmp_path: Path, kinds: list[str]) -> None:
    """Each secret is in an imported function, in a similar chunk, in the test file, and in a recent chunk."""
    secrets = {kind: VALUES.get(kind, "4aX9mQ2pL7vR8sT1wZ5kB3nC") for kind in kinds}
    planted = ""
    for number, (kind, secret) in enumerate(secrets.items()):
        lines = SECRETS[kind].format(secret).replace("\n", "\n    ")
        planted += f"def planted_{number}(argument):\n    '''\n    {lines}\n    '''\n    return argument\n\n\n"
    (tmp_path / "keys.py").write_text(planted)
    (tmp_path / "test_asking.py").write_text(planted.replace("planted", "test_planted"))
    names = [f"planted_{number}" for number in range(len(kinds))]
    calls = "".join(f"    {name}(argument)\n" for name in names)
    text = f"from keys import {', '.join(names)}\n\n\ndef use(argument):\n{calls}"
    snippets = _all_snippets(tmp_path, text, {"other.py": planted.replace("planted", "visited")})
    shown = "\n".join(snippet.text for snippet in snippets)
    assert {"definition", "recent"} <= {snippet.kind for snippet in snippets}
    assert all(f"def {name}(argument):" in shown for name in names)
    for secret in secrets.values():
        for part in secret.split("\n"):
            assert not [part[n : n + 7] for n in range(len(part) - 6) if part[n : n + 7] in shown]


LONG = {
    name: "".join(random.Random(name).choices(string.ascii_letters + string.digits, k=200))  # noqa: S311
    for name in ("API_KEY", "CLIENT_SECRET", "ACCESS_TOKEN", "DB_PASSWORD", "SIGNING_KEY")
}
KEY_LINES = ["".join(random.Random(n).choices(string.ascii_letters, k=40)) for n in range(120)]  # noqa: S311


def test_cut_constants_show_nothing(tmp_path: Path) -> None:
    """A module's contents show 60 characters of each constant: none of them belongs to a secret."""
    constants = [f'{name} = "4a{secret}"' for name, secret in LONG.items()]
    constants += [
        f'name_of_a_constant_that_is_long_{n} = "ghp_{secret[:36]}"' for n, secret in enumerate(LONG.values())
    ]
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "keys.py").write_text("\n".join(constants))
    asking = "from shop import keys\n\n\ndef use():\n    keys.API_KEY\n    keys.name_of_a_constant\n"
    snippets = _all_snippets(tmp_path, asking, {})
    shown = "\n".join(snippet.text for snippet in snippets)
    assert all(f"{name} = " in shown for name in LONG)
    assert [secret for secret in LONG.values() for n in range(36) if secret[n : n + 6] in shown] == []


def test_pieces_of_a_key_are_in_no_chunk(tmp_path: Path) -> None:
    """The lines of a key are hidden in a similar chunk and in recent lines that have neither its BEGIN nor its END."""
    words = "def price_of(article, quantity, discount):\n    return article.price * quantity - discount\n"
    text = "\n".join(["KEY = '''", "-----BEGIN RSA PRIVATE KEY-----", *KEY_LINES, "'''", words])
    (tmp_path / "keys.py").write_text(text)
    index = InvertedIndex()
    index.update(str(tmp_path / "keys.py"))
    index.rank()
    asked = words.replace("price_of", "cost_of")
    similar = candidates(LookupRequest(str(tmp_path / "asking.py"), "python", asked, 2, (0, 4)), index)
    recent = RecentEdits()
    recent.add("keys.py", text, text.count("\n"))
    shown = [*(candidate.text for candidate in similar), *(chunk.text for chunk in recent.besides(""))]
    assert [candidate.kind for candidate in similar] == ["similar"]
    assert all("<private-key>\n'''\ndef price_of" in text for text in shown)
    assert [line for line in KEY_LINES for text in shown if line[:8] in text] == []


def test_document_is_searched_before_its_line_is_taken_out() -> None:
    """A secret may begin in the cursor's line, which the text of a request does not have."""
    begin, *key = "-----BEGIN RSA PRIVATE KEY-----", *KEY_LINES[:8]
    text = "\n".join(["def use():", "    return keys()", "", "", "def keys():", "    return '''", "", *key, "'''", ""])
    request = LookupRequest("/a.py", "python", text, 6, (0, 1), ("keys",), begin)
    found = [candidate.text for candidate in candidates(request, InvertedIndex())]
    assert [text.count("<private-key>") for text in found] == [8]
    assert [line for line in KEY_LINES if line[:8] in found[0]] == []


def test_ignored_files_never_contribute(tmp_path: Path) -> None:
    """No kind of snippet comes from an excluded file, whatever rule excludes it."""
    (tmp_path / ".gitignore").write_text("by_git.py\nfolder/\n")
    (tmp_path / ".midfillignore").write_text("by_midfill.py\n")
    names = ["by_git", "folder/inside", "by_midfill", ".venv/library", "node_modules/module", "made_pb2", "good"]
    planted = {}
    for name in names:
        path = tmp_path / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        planted[f"{name}.py"] = f"def helper_of_{path.stem}(argument):\n    return 'PLANTED in {name}', argument\n"
        path.write_text(planted[f"{name}.py"])
    for name in [name for name in names if "/" in name]:
        (tmp_path / name).with_name("test_asking.py").write_text(planted[f"{name}.py"])
    calls = "".join(f"    helper_of_{Path(name).stem}(argument)\n" for name in names)
    imports = "".join(f"from {name.replace('/', '.')} import helper_of_{Path(name).stem}\n" for name in names)
    snippets = _all_snippets(tmp_path, f"{imports}\ndef use(argument):\n{calls}", planted)
    assert {snippet.path for snippet in snippets} == {"good.py"}
