"""What an action sees of the rest of its file and of other files, in what order, and that it can be told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from midfill.actions import ACTIONS, ActionTask, perform
from midfill.actions.conventions import conventions_around
from midfill.actions.from_project import FromProject, Look, look_into, no_project
from midfill.actions.provenance import to_lines
from midfill.actions.selection import Selection
from midfill.actions.surroundings import surroundings_of
from midfill.code.languages import language_of
from midfill.common.cancel import CancelFlag
from midfill.prompt.snippets import Snippet
from midfill.retrieval.service import Workspace
from unit.replies import Replies, conversation_with

SHOP = '''\
import csv
from dataclasses import dataclass


@dataclass
class Order:
    customer: str
    country: str
    total: float


def read_orders(path):
    """Read orders from a CSV file."""
    with open(path, newline="") as file:
        return [Order(row["customer"], row["country"], float(row["total"])) for row in csv.DictReader(file)]


def top_customers(orders, count):
    totals = {}
    for order in orders:
        totals[order.customer] += order.total
    return sorted(totals, key=totals.get, reverse=True)[:count]


# a bar chart of the total per country
'''
CUSTOMERS, COMMENT = 20, 25
"""Lines of the function and of the comment, as people count them."""
TOKEN = "ghp_" + "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5"
PRICES = f'''\
from shop.money import Money

KEY = "{TOKEN}"


def price_of(order) -> Money:
    """Return what an order costs."""
    return Money(order.total)
'''
MONEY = '''\
class Money:
    """An amount."""

    def __init__(self, amount, currency="EUR"):
        self.amount = amount
'''
REPORT = """\
from shop.prices import price_of


def report(orders):
    return [price_of(order) for order in orders]
"""


def words(text: str) -> int:
    """Count tokens roughly."""
    return len(text.split())


def asked(name: str, line: int, document: str = SHOP, path: str = "shop.py", look: Look = no_project) -> str:
    """Return the prompt of an action at a line."""
    model = Replies("none")
    selection = Selection(document, language_of(path), line - 1, line, path)
    task = ActionTask(selection, message="KeyError: 'Ann'", look=look)
    perform(ACTIONS[name], task, conversation_with(model), CancelFlag())
    return model.asked[0]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Workspace]]:
    """Make an indexed workspace: a package, its tests, its conventions, and what is excluded."""
    files = {
        ".git/HEAD": "",
        ".gitignore": "hidden.py\n",
        "shop/__init__.py": "",
        "shop/prices.py": PRICES,
        "shop/money.py": MONEY,
        "shop/report.py": REPORT,
        "shop/hidden.py": "def hidden(order):\n    return price_of(order)\n",
        "tests/test_prices.py": "def test_price(order):\n    assert price_of(order).amount == 3\n",
        "tests/conftest.py": "import pytest\n\n\n@pytest.fixture\ndef order():\n    return None\n",
        "pyproject.toml": '[tool.ruff]\nline-length = 100\n[tool.ruff.lint.pydocstyle]\nconvention = "google"\n',
    }
    folder = tmp_path_factory.mktemp("project")
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    workspace = Workspace([folder])
    assert workspace.wait_until_built(30)
    yield folder, workspace
    workspace.close()


@pytest.mark.parametrize(
    ("name", "line", "needed"),
    [
        ("tests", CUSTOMERS, ["customer: str", "total: float", "import Order, top_customers"]),
        ("fix", CUSTOMERS, ["customer: str", "total: float"]),
        ("write", COMMENT, ["country: str", "total: float", "def read_orders(path)", "a bar chart"]),
    ],
)
def test_actions_see_the_types_that_they_work_on(name: str, line: int, needed: list[str]) -> None:
    """The class whose attributes are read; for new code, all that the file has that may matter."""
    prompt = asked(name, line)
    assert [text for text in needed if text not in prompt] == []


def test_parts_are_ranked_and_fit() -> None:
    """What is used comes before callers; what does not fit is shown by its declaration, or left out and told."""
    document = (
        'def used(a):\n    """Doc."""\n    return a\n\n\ndef work(x):\n    return used(x)\n\n\n'
        "def caller(y):\n    z = y\n    return work(z)\n"
    )
    selection = Selection(document, language_of("a.py"), 5, 7, "a.py")
    found = surroundings_of(selection, FromProject(), words, 100)
    assert [(part.kind, part.first_line) for part in found.seen] == [("used", 0), ("caller", 9)]
    short = surroundings_of(selection, FromProject(), words, 4)
    assert (short.here, short.left_out) == ('def used(a):\n    """Doc."""', ())
    assert surroundings_of(selection, FromProject(), words, 1).left_out == ("used",)


def test_other_files_have_a_budget_of_their_own() -> None:
    """The best come first, and what the prompt shows already is not repeated."""
    snippets = tuple(
        Snippet(f"{n}.py", n, n, text, "definition", 5.0 - n) for n, text in enumerate(("return 1", "b = 2", "c = 3"))
    )
    selection = Selection("def f():\n    return 1\n", language_of("a.py"), 0, 2, "a.py")
    found = surroundings_of(selection, FromProject(snippets=snippets, max_tokens=6), words, 100)
    assert found.elsewhere == "# 1.py\nb = 2"
    assert [(part.path, part.kind, part.tokens) for part in found.seen] == [("1.py", "definition", 6)]


def test_project_is_seen_without_secrets_and_exclusions(project: tuple[Path, Workspace]) -> None:
    """Types of other files, tests and callers, conventions and fixtures; all of it can be told."""
    folder, workspace = project
    look = look_into(workspace, 512, lambda _: None)
    path = str(folder / "shop" / "prices.py")
    prompt = asked("tests", 6, PRICES, path, look)
    needed = ["# shop/money.py", "currency", "# tests/test_prices.py", "fixtures `order`", "at most 100 characters"]
    assert [text for text in needed if text not in prompt] == []
    assert TOKEN not in prompt
    assert "def hidden" not in prompt
    assert "[price_of(order) for order in orders]" in asked("fix", 6, PRICES, path, look)
    documented = asked("document", 4, REPORT, str(folder / "shop" / "report.py"), look)
    assert "docstrings in Google style" in documented
    assert "return Money(order.total)" in documented
    told = perform(
        ACTIONS["fix"],
        ActionTask(Selection(PRICES, language_of(path), 5, 6, path), message="!", look=look),
        conversation_with(Replies("none")),
        CancelFlag(),
    )
    assert any("shop/money.py:1-" in line and "definition" in line for line in to_lines(told))


def test_open_files_count_and_excluded_ones_do_not(tmp_path: Path) -> None:
    """Also for conventions: an editor's text is newer than the disk's."""
    (tmp_path / "pyproject.toml").write_text("[tool.black]\nline-length = 88\n")
    opened = {str(tmp_path / "pyproject.toml"): "[tool.black]\nline-length = 79\n"}.get
    selection = Selection(PRICES, language_of("a.py"), 5, 6, str(tmp_path / "prices.py"))

    def line_length(exclude: tuple[str, ...]) -> int:
        return look_into(Workspace([tmp_path], exclude, indexed=False), 512, opened)(selection).conventions.line_length

    assert [line_length(()), line_length(("*.toml",))] == [79, 0]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("package.json", '{"devDependencies": {"vitest": "1"}, "prettier": {"printWidth": 80}}', (80, "Vitest")),
        ("build.gradle", "testImplementation 'junit:junit:4.13'", (0, "JUnit 4")),
        (".editorconfig", "[*]\nmax_line_length = 90\n", (90, "")),
        ("setup.cfg", "[flake8]\nmax-line-length = 88\n[tool:pytest]\n", (88, "pytest")),
    ],
)
def test_conventions_are_found_in_configurations(
    name: str, text: str, expected: tuple[int, str], tmp_path: Path
) -> None:
    """Of the document's own language."""
    path = {"package.json": "a.ts", "build.gradle": "A.java"}.get(name, "a.py")
    selection = Selection("", language_of(path), 0, 0, str(tmp_path / path))
    found = conventions_around(selection, {tmp_path / name: text}.get)
    assert (found.line_length, found.framework) == expected


def test_style_is_that_of_the_rest_of_the_file() -> None:
    """The selected lines tell nothing: they may be what is to be changed."""
    styled = 'def f(a) -> int:\n    """Do.\n\n    :param a: it\n    """\n' * 3
    selection = Selection(styled, language_of("a.py"), 0, 5, "a.py")
    assert conventions_around(selection, lambda _: None).docstrings == "Sphinx"
    assert conventions_around(selection.of_document(), lambda _: None).docstrings == ""
    bare = Selection("def f(a):\n    pass\n" * 4, language_of("a.py"), 0, 1, "a.py")
    assert conventions_around(bare, lambda _: None).annotated is False
