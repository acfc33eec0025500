"""The snippets for a cursor, with a real index of real files."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midfill.privacy.ignore_rules import IgnoreRules
from midfill.prompt.snippets import Snippet
from midfill.retrieval.index import WorkspaceIndex
from midfill.retrieval.lookup import Candidate, LookupRequest
from midfill.retrieval.ranking import SnippetRanking
from unit.hostile import UNITS, hostile
from waiting import LIMIT, wait_until

FILES = {
    ".gitignore": "private/\n",
    "shop/__init__.py": "",
    "shop/prices.py": '''"""Prices."""

DEFAULT_RATE = 0.19


def with_tax(amount: float, *, rate: float = DEFAULT_RATE, rounding: int = 2) -> float:
    """Add the tax of a country."""
    return round(amount * (1 + rate), rounding)


class Discount:
    """What a customer need not pay."""

    def __init__(self, percent: float, reason: str) -> None:
        self.percent = percent
        self.reason = reason

    def apply(self, amount: float, *, minimum: float = 0.0) -> float:
        """Return the amount less the discount."""
        reduced = amount * (1 - self.percent / 100)
        if reduced < minimum:
            reduced = minimum
        return reduced
''',
    "shop/stock.py": "class Warehouse:\n    def reserve(self, article: str, count: int, *, until: float) -> bool:\n"
    "        return count > 0\n",
    "shop/orders.py": "from .prices import Discount, with_tax\n\n\ndef total(order):\n    amount = sum(order.amounts)\n"
    "    \n    return amount\n\n\ndef after():\n    pass\n",
    "tests/test_orders.py": "from shop.orders import total\n\n\ndef test_total(order):\n    assert total(order) == 3\n",
    "private/secret_prices.py": "def with_tax_private(amount):\n    return 'PLANTED'\n",
    "web/cart.ts": "import { format } from './lib/money';\n\nexport function show(cart: Cart): string {\n\n"
    "  return ''\n}\n",
    "web/lib/money.ts": "export function format(cents: number, currency = 'EUR'): string {\n  return `${cents}`\n}\n",
    "c/list.h": "struct list { int length; };\nint list_push(struct list *list, int value);\n",
    "c/list.c": '#include "list.h"\n\nstatic void unused(void) {\n\n}\n',
    "keys/config.py": 'SERVICE_PASSWORD = "hunter2hunter2"\n\n\n'
    'def connect_service(password=SERVICE_PASSWORD):\n    pass\n',
}  # fmt: skip


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace of a few files."""
    folder = tmp_path_factory.mktemp("workspace").resolve()
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="module")
def index(workspace: Path) -> Iterator[WorkspaceIndex]:
    """Yield the workspace's index when it is built."""
    index = WorkspaceIndex([workspace])
    wait_until(lambda: index.state.done, "the index")
    yield index
    index.close()


@pytest.fixture
def ranking(workspace: Path, index: WorkspaceIndex) -> SnippetRanking:
    """Return a ranking that has no last list yet."""
    return SnippetRanking(IgnoreRules([workspace]), index)


def _ask(ranking: SnippetRanking, path: Path, text: str, before: str, **options: Any) -> list[Snippet]:
    return ranking.snippets(path, text, text.index(before), wait=LIMIT, window=200, **options)


def _of(snippets: list[Snippet], kind: str) -> dict[str, str]:
    return {snippet.path: snippet.text for snippet in snippets if snippet.kind == kind}


def test_definitions_of_what_is_imported(workspace: Path, ranking: SnippetRanking) -> None:
    """A short function is shown whole, a longer class by its signatures."""
    path = workspace / "shop/orders.py"
    snippets = _ask(ranking, path, path.read_text(), "\n    return amount")
    texts = [snippet.text for snippet in snippets if snippet.kind == "definition"]
    assert any("rate: float = DEFAULT_RATE, rounding: int = 2" in text and "return round" in text for text in texts)
    discount = next(text for text in texts if "class Discount" in text)
    assert "def apply(self, amount: float, *, minimum: float = 0.0) -> float:" in discount
    assert '"""Return the amount less the discount."""' in discount
    assert {s.path for s in snippets if s.kind == "definition"} == {"shop/prices.py"}


def test_typescript_imports_and_c_headers(workspace: Path, ranking: SnippetRanking) -> None:
    """A relative import leads to its module, and an include to the header's declarations."""
    cart = workspace / "web/cart.ts"
    found = _ask(ranking, cart, cart.read_text(), "\n  return ''")
    assert (
        "export function format(cents: number, currency = 'EUR'): string"
        in _of(found, "definition")["web/lib/money.ts"]
    )
    source = workspace / "c/list.c"
    found = _ask(ranking, source, source.read_text(), "\n}")
    assert any("int list_push(struct list *list, int value);" in snippet.text for snippet in found)


def test_siblings(workspace: Path, ranking: SnippetRanking) -> None:
    """A file gets the outline of its test."""
    path = workspace / "shop/orders.py"
    found = _ask(ranking, path, path.read_text(), "\n    return amount")
    assert "def test_total(order):" in _of(found, "sibling")["tests/test_orders.py"]


def test_call_that_is_being_typed(workspace: Path, ranking: SnippetRanking) -> None:
    """After the opening bracket, a method is looked up by its name, without an import."""
    path = workspace / "shop/orders.py"
    text = path.read_text().replace("    \n", "    ok = warehouse.reserve(\n")
    snippets = ranking.snippets(path, text, text.index("reserve(") + len("reserve("), wait=LIMIT)
    assert snippets[0].path == "shop/stock.py" or snippets[-1].path == "shop/stock.py"
    assert any("def reserve(self, article: str, count: int, *, until: float)" in snippet.text for snippet in snippets)


def test_contents_of_a_module_after_its_dot(workspace: Path, ranking: SnippetRanking) -> None:
    """All public definitions are shown, and they do not change while the user types the member's name."""
    path = workspace / "shop/report.py"
    text = "from shop import prices\n\n\ndef report(amount):\n    return prices.\n"
    here = text.index("prices.\n") + len("prices.")
    found = ranking.snippets(path, text, here, wait=LIMIT)
    [contents] = [snippet.text for snippet in found if snippet.path == "shop/prices.py"]
    assert "DEFAULT_RATE" in contents
    assert "class Discount" in contents
    typed = text[:here] + "DEF" + text[here:]
    assert ranking.snippets(path, typed, here + 3, wait=LIMIT) == found


def test_names_that_are_not_looked_up(workspace: Path, ranking: SnippetRanking) -> None:
    """A library's name and a local variable are not looked up, even if the workspace defines the same name."""
    text = (
        "from library import with_tax\n\n\ndef use(order):\n    reserve = with_tax(order)\n    \n    return reserve\n"
    )
    found = _ask(ranking, workspace / "other.py", text, "\n    return reserve")
    assert not [snippet for snippet in found if snippet.kind == "definition"]
    found = _ask(ranking, workspace / "other.py", text.replace("from library import", "#"), "\n    return reserve")
    assert list(_of(found, "definition")) == ["shop/prices.py"]


def test_own_file_beyond_the_window(workspace: Path, ranking: SnippetRanking) -> None:
    """A definition far above in the same file is shown, unless the prompt contains it anyway."""
    path = workspace / "long.py"
    far = "def far_away(first, second):\n    return first\n\n\n"
    filler = "".join(f"def filler_{n}(x):\n    return x\n\n\n" for n in range(60))
    text = f"{far}{filler}def near_by(x):\n    far_away(1, 2)\n    filler_59(1)\n    \n"
    snippets = ranking.snippets(path, text, len(text) - 1, wait=LIMIT, window=400)
    shown = "\n".join(snippet.text for snippet in snippets)
    assert "def far_away(first, second):" in shown
    assert "def filler_59" not in shown


def test_excluded_files_and_secrets(workspace: Path, ranking: SnippetRanking) -> None:
    """Excluded files give no snippets, and secrets are replaced by their kind."""
    path = workspace / "new.py"
    text = "from keys.config import SERVICE_PASSWORD, connect_service\nwith_tax_private(1)\n\n"
    shown = "\n".join(s.text for s in ranking.snippets(path, text, len(text), wait=LIMIT))
    assert 'SERVICE_PASSWORD = "<password>"' in shown
    assert "hunter2" not in shown
    assert "PLANTED" not in shown


def test_recent_chunks(workspace: Path, ranking: SnippetRanking) -> None:
    """Unsaved text that the user looked at is shown, except from an excluded file."""
    stock = workspace / "shop/stock.py"
    ranking.visited(stock, "class Warehouse:\n    amount = 1\n    order = amount\n    total = unsaved_here\n", 20)
    ranking.visited(workspace / "private/secret_prices.py", "amount order total PLANTED return\n", 3)
    ranking.visited(workspace.parent / "outside.py", "amount order total PLANTED return\n", 3)
    path = workspace / "shop/orders.py"
    found = _ask(ranking, path, path.read_text(), "\n    return amount")
    assert "unsaved_here" in _of(found, "recent")["shop/stock.py"]
    assert not [snippet for snippet in found if "PLANTED" in snippet.text]
    ranking.forget(stock)
    assert not _of(_ask(ranking, path, path.read_text(), "\n    return amount"), "recent")


def test_budget_and_no_repetition(workspace: Path, ranking: SnippetRanking) -> None:
    """All snippets together fit the budget, and no two have the same lines."""
    path = workspace / "shop/orders.py"
    for budget in (0, 100, 300, 1000, 10_000):
        found = _ask(ranking, path, path.read_text(), "\n    return amount", budget=budget)
        assert sum(len(snippet.text) for snippet in found) <= budget
        assert len({(s.path, s.first_line, s.last_line) for s in found}) == len(found)
    assert len(found) >= 3


LINES = (
    "    price = with_tax(amount, rate=0.07)",
    "    discounted = Discount(10, 'loyal').apply(amount)",
    "    if amount > order.limit and not order.paid:",
    "    warehouse.reserve(order.article, 1, until=order.date)",
    '    log.info("sold %s for %s", order.article, amount)',
    "    values = {key: [f(x) for x in order.items()] for key in (1, 2",
)


@settings(max_examples=10)
@given(st.lists(st.sampled_from(LINES), min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_typing_changes_the_list_rarely(
    workspace: Path, index: WorkspaceIndex, lines: list[str], rng: random.Random
) -> None:
    """While a line is typed, the list changes at most twice: for the calls that begin in it.

    Snippets that stay keep their places at the front, so that the start of the prompt stays the same.
    """
    ranking = SnippetRanking(IgnoreRules([workspace]), index)
    head, tail = (workspace / "shop/orders.py").read_text().split("    \n", 1)
    for line in lines:
        changes = list(_changes_while_typing(ranking, workspace / "shop/orders.py", (head, line, tail), rng))
        assert len(changes) <= 2
        for old, new in changes:
            kept = [text for text in new if text in old]
            assert new[: len(kept)] == kept
        head += line + "\n"


def _changes_while_typing(
    ranking: SnippetRanking, path: Path, parts: tuple[str, str, str], rng: random.Random
) -> Iterator[tuple[list[str], list[str]]]:
    """Type the line between the other two parts of a document; yield each change of the list, as texts."""
    head, line, tail = parts
    last: list[Snippet] | None = None
    for end in range(len(line) + 1):
        text = head + line[:end] + "\n" + tail
        snippets = ranking.snippets(path, text, len(head) + end, wait=LIMIT)
        if last is not None and snippets != last:
            yield [snippet.text for snippet in last], [snippet.text for snippet in snippets]
        last = snippets
        if rng.random() < 0.1:  # also when the cursor was elsewhere in between
            ranking.snippets(path, text, 0, wait=LIMIT)
            last = None


class HeldIndex(WorkspaceIndex):
    """An index of no folder, whose answers are there when a test gives them."""

    def __init__(self) -> None:
        super().__init__([])
        self.asked: list[tuple[LookupRequest, Future[list[Candidate]]]] = []

    def look_up(self, request: LookupRequest) -> Future[list[Candidate]]:
        answer: Future[list[Candidate]] = Future()
        self.asked.append((request, answer))
        return answer


def test_without_waiting(workspace: Path, index: WorkspaceIndex) -> None:
    """Without waiting, the last list is returned at once ([] at first), and the new list later."""
    held = HeldIndex()
    ranking = SnippetRanking(IgnoreRules([workspace]), held)
    path = workspace / "shop/orders.py"
    text = path.read_text()
    offset = text.index("\n    return amount")
    assert ranking.snippets(path, text, offset, wait=0.0) == []
    assert ranking.snippets(path, text, offset, wait=0.0) == []
    [(request, answer)] = held.asked
    answer.set_result(index.look_up(request).result(LIMIT))
    found = ranking.snippets(path, text, offset, wait=0.0)
    assert "shop/prices.py" in {snippet.path for snippet in found}
    changed = text.replace("def total", "\ndef total")
    assert ranking.snippets(path, changed, offset + 1, wait=0.0) == found
    assert not held.asked[-1][1].done()


@given(st.text(alphabet="ab(\n .:=\"'#{", max_size=200), st.integers(0, 200))
@settings(max_examples=10)
def test_any_text(workspace: Path, index: WorkspaceIndex, text: str, offset: int) -> None:
    """Any text in any language gets an answer."""
    ranking = SnippetRanking(IgnoreRules([workspace]), index)
    for name in ("x.py", "x.ts", "x.md", "x.unknown", "x.html"):
        assert ranking.snippets(workspace / name, text, min(offset, len(text)), wait=LIMIT) is not None


def test_huge_document(workspace: Path, ranking: SnippetRanking) -> None:
    """For a document of 5 MB only the text near the cursor is used."""
    text = "from shop.prices import with_tax\n" + "x = 'some text to fill'\n" * 200_000 + "y = with_tax(\n"
    found = ranking.snippets(workspace / "huge.py", text, len(text) - 1, wait=LIMIT)
    assert any("def with_tax(amount" in snippet.text for snippet in found)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", UNITS)
def test_any_text_before_the_cursor_takes_a_bounded_time(workspace: Path, ranking: SnippetRanking, name: str) -> None:
    """No search begins anew at each character of a long word; 40,000 characters once took half a minute."""
    text = hostile(name, 400_000)
    for offset in (len(text), len(text) // 2):
        assert isinstance(ranking.snippets(workspace / "shop/orders.py", text, offset, wait=0), list)
