"""What the model can be asked to do with code, besides suggesting it: a file each, and this table."""

from __future__ import annotations

from midfill.actions.action import Action, Task
from midfill.actions.ask import ASK
from midfill.actions.document import DOCUMENT
from midfill.actions.document_all import DOCUMENT_ALL
from midfill.actions.explain import EXPLAIN
from midfill.actions.extract import EXTRACT
from midfill.actions.faster import FASTER
from midfill.actions.fix import FIX
from midfill.actions.perform import Outcome, perform
from midfill.actions.review import REVIEW, Finding, findings
from midfill.actions.simplify import SIMPLIFY
from midfill.actions.tests import TESTS
from midfill.actions.types import TYPES
from midfill.actions.write import WRITE

ACTIONS = {
    action.name: action
    for action in (
        FIX,
        WRITE,
        DOCUMENT,
        TYPES,
        SIMPLIFY,
        FASTER,
        EXTRACT,
        TESTS,
        EXPLAIN,
        ASK,
        DOCUMENT_ALL,
        REVIEW,
    )
}
"""By name, in a menu's order."""

__all__ = ["ACTIONS", "Action", "Finding", "Outcome", "Task", "findings", "perform"]
