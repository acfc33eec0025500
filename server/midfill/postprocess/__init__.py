"""Turns the model's text into a suggestion: text filters between the model and the editor, each with a reason code.

- A *stop* looks at the text while it is generated, and returns where it should end
  (:mod:`~midfill.postprocess.stops`, :mod:`~midfill.postprocess.statement`).
- A *trim* cuts from the start or the end of the text what the document already has
  (:mod:`~midfill.postprocess.trims`).
- A *mend* adapts the text to the document: indentation, blank lines, and the rest of the cursor's line
  (:mod:`~midfill.postprocess.mends`).
- A *drop* looks at the whole suggestion, and returns why it should not be shown (:mod:`~midfill.postprocess.drops`).

:mod:`~midfill.postprocess.pipeline` applies them in order. No filter changes anything but the text it returns.
"""

from __future__ import annotations

from midfill.postprocess.drops import DROPS
from midfill.postprocess.lines import nearby
from midfill.postprocess.mends import indentation_of
from midfill.postprocess.pipeline import Finished, begin, changes_at_begin, finish
from midfill.postprocess.place import place_of
from midfill.postprocess.stops import Ending, find_stop

__all__ = [
    "DROPS", "Ending", "Finished", "begin", "changes_at_begin", "find_stop", "finish", "indentation_of", "nearby",
    "place_of",
]  # fmt: skip
