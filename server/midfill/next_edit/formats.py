"""The prompt formats of models that predict edits, as data. A bundle's manifest names the one its model was made for.

A format has templates. Their fields are filled with text of documents; what stands around the fields may name control
tokens, such as ``<|file_sep|>``, which the prompt has as such if the model knows them. Fields that every template may
have: ``path``, and ``start`` and ``end``, the first and the last line, from 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from midfill.inference.bundle import EditFormatName


@dataclass(frozen=True, kw_only=True)
class EditFormat:
    """How one family of models is asked for an edit."""

    head: str = ""
    """The prompt's beginning, with the field ``context``: lines around the place, as they were before the edits."""
    change: str
    """One recent change, with the fields ``old`` and ``new``. The fields ``old_within``, ``new_within``,
    ``start_within`` and ``end_within`` have the unchanged line above and below, too."""
    window: str
    """The window that is to be written anew. Fields: ``before``, as it was before the latest change; ``current``;
    ``given``, the first lines of the answer. The answer follows."""
    cursor: str = ""
    """Marks the cursor in ``current``; "" if the model has no such mark."""
    ends: tuple[str, ...]
    """Texts that end the answer, besides the model's own stop tokens. They may be control tokens."""
    lines_above: int
    lines_below: int
    """Number of lines of the window above and below the line of the place."""
    given_lines: int
    """Maximum number of lines at the start of the window that are given, because they stay."""
    changes: int = 6
    """Maximum number of recent changes in the prompt."""
    context_lines: int = 0
    """Number of lines of ``context`` above and below the place."""


# The format of Sweep Next-Edit, as its authors' server writes it. Their window has 2 lines above and 5 below; the model
# was trained with 21 lines.
_SWEEP = EditFormat(
    head="<|file_sep|>{path}\n{context}\n",
    change="<|file_sep|>{path}:{start_within}:{end_within}\noriginal:\n{old_within}\nupdated:\n{new_within}\n",
    window=(
        "<|file_sep|>original/{path}:{start}:{end}\n{before}\n"
        "<|file_sep|>current/{path}:{start}:{end}\n{current}\n"
        "<|file_sep|>updated/{path}:{start}:{end}\n{given}"
    ),
    cursor="<|cursor|>",
    ends=("<|file_sep|>",),
    lines_above=4,
    lines_below=9,
    given_lines=2,
    context_lines=60,
)
# The format of Zed's Zeta, in words: it has no tokens of its own.
_ZETA = EditFormat(
    head=(
        "### Instruction:\nYou are a code completion assistant and your task is to analyze user edits and then rewrite "
        "an excerpt that the user provides, suggesting the appropriate edits within the excerpt, taking into account "
        "the cursor location.\n\n### User Edits:\n\n"
    ),
    change='User edited "{path}":\n```diff\n@@ -{start},{old_count} +{start},{new_count} @@\n{diff}\n```\n\n',
    window=(
        "### User Excerpt:\n\n```{path}\n<|editable_region_start|>\n{current}\n<|editable_region_end|>\n```\n\n"
        "### Response:\n\n```{path}\n<|editable_region_start|>\n{given}"
    ),
    cursor="<|user_cursor_is_here|>",
    ends=("<|editable_region_end|>",),
    lines_above=6,
    lines_below=9,
    given_lines=0,
)
# For models that were not made for this: the changes made so far are the examples, each a pair of blocks.
_PLAIN = EditFormat(
    change='<edit file="{path}">\n<original>\n{old}\n</original>\n<updated>\n{new}\n</updated>\n</edit>\n',
    window='<edit file="{path}">\n<original>\n{current}\n</original>\n<updated>\n{given}',
    ends=("</updated>",),
    lines_above=4,
    lines_below=9,
    given_lines=2,
)
FORMATS: Mapping[EditFormatName, EditFormat] = {"plain": _PLAIN, "sweep": _SWEEP, "zeta": _ZETA}
