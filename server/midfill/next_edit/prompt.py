"""From recent changes and a window to the token ids that ask for the window's new text, in the model's format.

The parts that the next keystroke does not change come first, so that the KV cache serves them.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice, takewhile
from string import Formatter

import numpy as np
from numpy.typing import NDArray

from midfill.inference.bundle import Manifest
from midfill.inference.prompt_lookup import SEPARATOR
from midfill.inference.tokenizer import ModelTokenizer
from midfill.next_edit.formats import FORMATS, EditFormat
from midfill.next_edit.types import Hunk
from midfill.next_edit.window import Window

_MAX_CHANGE_CHARACTERS = 6_000
"""Maximum number of characters of all recent changes in a prompt. The latest ones are kept."""
_LEAD_TOKENS = 8
"""Number of the prompt's last tokens that a draft follows: as many as a lookup compares."""


@dataclass(frozen=True)
class EditPrompt:
    """What the model continues."""

    ids: list[int]
    given: str
    """The first lines of the answer, which the prompt ends with; each ends with a newline."""
    drafts: NDArray[np.int32]
    """Token ids (N,) of likely answers: see :attr:`midfill.inference.token_generator.GenerationRequest.drafts`."""


class PromptWriter:
    """Writes prompts for one model."""

    def __init__(self, format_: EditFormat, encode: Callable[[str], list[int]], control: Mapping[str, int]) -> None:
        """Set up the writer.

        Args:
            format_: the model's format.
            encode: text -> tokens, none of them a control token.
            control: the model's control tokens by their texts.
        """
        self.format = format_
        self._encode_plain = encode
        self._control = control
        longest_first = sorted(filter(None, self._control), key=len, reverse=True)
        self._splitter = re.compile(f"({'|'.join(map(re.escape, longest_first)) or '(?!)'})")

    @classmethod
    def of(cls, manifest: Manifest, tokenizer: ModelTokenizer) -> PromptWriter:
        """Return a writer in the format that ``manifest`` names."""
        marks = [token for token in (manifest.fim.file, manifest.fim.repository) if token >= 0]
        control = {**tokenizer.control_token_texts(), **{tokenizer.spell([token]): token for token in marks}}
        return cls(FORMATS[manifest.edit_format], tokenizer.encode, control)

    @property
    def stop_tokens(self) -> frozenset[int]:
        """The control tokens that end an answer in this format."""
        return frozenset(self._control[text] for text in self.format.ends if text in self._control)

    @property
    def stop_texts(self) -> tuple[str, ...]:
        """The texts that end an answer, where the model has no control token for them."""
        return tuple(text for text in self.format.ends if text not in self._control)

    def write(
        self,
        window: Window,
        name: str,
        changes: Sequence[tuple[str, Hunk]],
        *,
        before: str,
        line: int,
        cursor: int | None,
        guess: str | None = None,
    ) -> EditPrompt:
        """Return the prompt for a window.

        Args:
            window: the lines to write anew.
            name: the document's path, as short as the user would say it.
            changes: recent changes with the names of their documents, the latest last.
            before: the window's text before the latest change.
            line: the line of the place, counted in the window; the lines well above it are given.
            cursor: the cursor's offset in the window, if it is there.
            guess: a likely new text of the window; None if there is none. What it changes is not given.
        """
        format_ = self.format
        place = {"path": name, "start": str(window.first_line + 1), "end": str(window.end_line)}
        likely = [window.text] if guess is None else [window.text, guess]
        given = _given(likely, min(line, format_.given_lines))
        current = window.text
        if cursor is not None:
            current = current[:cursor] + format_.cursor + current[cursor:]
        context = f"{window.above}{before}{window.below}"
        ids = self._render(format_.head, {**place, "context": context})
        for path, hunk in _latest(changes[-format_.changes :]):
            ids += self._render(format_.change, _fields(path, hunk))
        ids += self._render(format_.window, {**place, "before": before, "current": current, "given": given})
        lead = ids[-_LEAD_TOKENS:]
        drafts = [[*lead, *self._encode_plain(text[len(given) :]), SEPARATOR] for text in likely]
        return EditPrompt(ids, given, np.array([token for draft in drafts for token in draft], np.int32))

    def _render(self, template: str, fields: Mapping[str, str]) -> list[int]:
        """Fill a template. Only what stands in the template itself becomes a control token."""
        ids: list[int] = []
        plain = ""
        for literal, field, _, _ in Formatter().parse(template):
            for part in self._splitter.split(literal):
                if part in self._control:
                    ids += [*self._encode_plain(plain), self._control[part]]
                    plain = ""
                else:
                    plain += part or ""
            plain += fields[field] if field else ""
        return [*ids, *self._encode_plain(plain)]


def before_latest(window: Window, path: str, history: Sequence[Hunk]) -> str:
    """Return a window of the document ``path`` as it was before its latest change."""
    latest = next((hunk for hunk in reversed(history) if hunk.path == path), None)
    lines = window.text.split("\n")
    if latest is None:
        return window.text
    start = latest.first_line - window.first_line
    old, new = _lines(latest.old, latest.old_lines), _lines(latest.new, latest.new_lines)
    if start < 0 or lines[start : start + len(new)] != new:  # it is elsewhere, or partly outside
        return window.text
    return "\n".join([*lines[:start], *old, *lines[start + len(new) :]])


def _latest(changes: Sequence[tuple[str, Hunk]]) -> Sequence[tuple[str, Hunk]]:
    """Return the latest changes that a prompt has room for."""
    sizes = accumulate(len(hunk.old) + len(hunk.new) for _, hunk in reversed(changes))
    fitting = sum(size <= _MAX_CHANGE_CHARACTERS for size in sizes)
    return changes[len(changes) - fitting :]


def _lines(text: str, count: int) -> list[str]:
    return text.split("\n") if count else []


def _given(texts: Sequence[str], lines: int) -> str:
    """Return the first lines that all texts share, ``lines`` at most, each with its line end."""
    columns = zip(*(text.split("\n")[:-1] for text in texts), strict=False)
    shared = takewhile(lambda column: len(set(column)) == 1, islice(columns, lines))
    return "".join(f"{column[0]}\n" for column in shared)


def _fields(path: str, hunk: Hunk) -> dict[str, str]:
    old, new = _lines(hunk.old, hunk.old_lines), _lines(hunk.new, hunk.new_lines)
    lines = difflib.ndiff(old, new)
    return {
        "path": path,
        "start": str(hunk.first_line + 1),
        "end": str(hunk.end_line),
        "old": hunk.old,
        "new": hunk.new,
        "old_within": "\n".join([*hunk.above, *old, *hunk.below]),
        "new_within": "\n".join([*hunk.above, *new, *hunk.below]),
        "start_within": str(hunk.first_line + 1 - len(hunk.above)),
        "end_within": str(hunk.end_line + len(hunk.below)),
        "old_count": str(hunk.old_lines),
        "new_count": str(hunk.new_lines),
        "diff": "\n".join(line[0] + line[2:] for line in lines if not line.startswith("?")),
    }
