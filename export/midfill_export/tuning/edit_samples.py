"""Next edits -> samples: the prompt that the server would write, and the window's new text as the answer."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import islice

from midfill.evals.edits.hunks import applied, end_of, shift_of
from midfill.evals.edits.tasks import EditTask, TaskSet
from midfill.next_edit.formats import FORMATS
from midfill.next_edit.prompt import PromptWriter, before_latest
from midfill.next_edit.window import Window, window_at
from midfill.privacy.secrets import redacted_lines
from midfill_export.build.verify import Sample

HELD_OUT_EACH = 48
"""Number of hunks, and of quiet windows, that a model is scored on."""
_QUIET_SHARE = 0.4
"""Share of quiet windows among the samples. Most places of a file are quiet, but they all teach the same."""
_MAX_TOKENS = 1_024
"""Maximum number of tokens of a sample. Longer ones take much memory, and are few."""
_MAX_TRIES = 1_000


class EditCutter:
    """Makes samples of tasks, in the plain format: any model can be tuned to it."""

    def __init__(self, encode: Callable[[str], list[int]], room: int) -> None:
        """Set up the cutter for one model.

        Args:
            encode: text -> tokens.
            room: the model's context length in tokens.
        """
        self._encode = encode
        self._format = FORMATS["plain"]
        self._writer = PromptWriter(self._format, encode, {})
        self._room = min(room, _MAX_TOKENS)

    def held_out(self, tasks: TaskSet, count: int = HELD_OUT_EACH) -> list[Sample]:
        """Return the samples of the first hunks and the first quiet windows, ``count`` of each at most."""
        made = [map(self._sample, group[: 4 * count]) for group in (tasks.hunks, tasks.quiet)]
        return [sample for samples in made for sample in islice(filter(None, samples), count)]

    def training(self, tasks: TaskSet, number: int) -> Sample:
        """Return sample ``number``; it is the same for the same tasks and number.

        Raises:
            ValueError: hardly any task fits the model's context.
        """
        dice = random.Random(f"edit {number}")  # noqa: S311 (a sample keeps no secret)
        for _ in range(_MAX_TRIES):
            group: Sequence[EditTask] = tasks.quiet if dice.random() < _QUIET_SHARE else tasks.hunks
            sample = self._sample(dice.choice(group))
            if sample is not None:
                return sample
        raise ValueError("no sample fits the model's context")

    def _sample(self, task: EditTask) -> Sample | None:
        """Return the sample of a task; None if it is too long, or the window has no room for all of its changes."""
        shape, history = self._format, task.history().hunks()
        window = window_at(task.text, task.line, shape.lines_above, shape.lines_below, shape.context_lines)
        if window is None or not history:
            return None
        new = _new_text(task, window)
        prompt = self._writer.write(
            window,
            task.path,
            [(hunk.path, hunk) for hunk in history],
            before=before_latest(window, task.path, history),
            line=task.line - window.first_line,
            cursor=None,
        )
        if new is None or not new.startswith(prompt.given):
            return None
        answer = self._encode(f"{new[len(prompt.given) :]}\n{shape.ends[0]}")
        return Sample(prompt.ids, answer) if len(prompt.ids) + len(answer) <= self._room else None


def _new_text(task: EditTask, window: Window) -> str | None:
    """Return what the author made of a window, without secrets; None if a change is only partly inside."""
    first, end = window.first_line, window.end_line
    near = [hunk for hunk in task.remaining if hunk.first < end and max(end_of(hunk), hunk.first + 1) > first]
    if any(hunk.first < first or end_of(hunk) > end for hunk in near):
        return None
    after = applied(task.text, near)
    last = end + shift_of(near) - 1
    return redacted_lines(after, first, last) if last >= first else None
