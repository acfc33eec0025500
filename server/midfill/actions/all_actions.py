"""The table of all actions."""

from __future__ import annotations

from midfill.actions.ask import ASK
from midfill.actions.document import DOCUMENT
from midfill.actions.document_all import DOCUMENT_ALL
from midfill.actions.explain import EXPLAIN
from midfill.actions.extract import EXTRACT
from midfill.actions.faster import FASTER
from midfill.actions.fix import FIX
from midfill.actions.review import REVIEW
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
"""All actions by their names, in the order of a menu."""
