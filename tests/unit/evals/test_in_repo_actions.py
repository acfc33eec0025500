"""The suite of functions that use another file: which ones qualify, and what an answer must have."""

from __future__ import annotations

from pathlib import Path

import pytest

from midfill.evals import actions, in_repo_actions
from midfill.retrieval.service import Workspace
from unit.actions.test_perform import conversation, fenced

ORDERS = 'class Order:\n    """An order."""\n\n    def total_of(self, rate):\n        return rate\n'
SHOP = '''\
from shop.orders import Order


def price(order: Order):
    """Return the price."""
    first = order.total_of(2)
    return first


def other(order: Order):
    """Return nothing of the other file."""
    first = order
    return first
'''
HEAD = 'def price(order: Order):\n    """Return the price."""\n'


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a package of two files."""
    folder = tmp_path / "shop"
    folder.mkdir()
    for name, text in (("__init__.py", ""), ("orders.py", ORDERS), ("prices.py", SHOP)):
        (folder / name).write_text(text)
    monkeypatch.setattr("midfill.evals.in_repo_actions.package_folder", lambda _: folder)
    return folder


def test_functions_need_what_only_another_file_tells(package: Path) -> None:
    """Their bodies are cut out."""
    [task] = in_repo_actions.functions_of("shop", package)
    assert (task.name, sorted(task.needed)) == ("shop/prices.py:4", ["total_of"])
    assert task.text == SHOP.replace("    first = order.total_of(2)\n    return first\n", "")


def test_each_function_is_written_alone_and_in_its_package(package: Path) -> None:
    """Only in the package is the model shown the other file; an answer without its names fails."""
    tasks = in_repo_actions.functions_of("shop", package)
    wrong, right = (fenced(f"{HEAD}    return order.{call}\n") for call in ("total", "total_of(2)"))
    talk, model = conversation(wrong, right)
    do = actions.performed_by(talk)
    report = in_repo_actions.run(
        do, lambda folder: Workspace([folder]), "tiny", tasks, "all", lambda *_: None, max_tokens=512
    )
    assert [(row.action, row.passed, row.reason) for row in report.rows] == [
        ("alone", False, "name-missing"),
        ("in repo", True, ""),
    ]
    assert [("total_of" in prompt) for prompt in model.asked] == [False, True]
    assert "functions of packages" in report.to_text()
