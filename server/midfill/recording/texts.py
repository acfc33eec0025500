"""The documents of a recorded session, each as its difference from the one before: a key changes one character."""

from __future__ import annotations

from bisect import bisect_left

from midfill.recording.events import Question, Replacement


class TextWriter:
    """Makes the edits of questions, by the document of the question before."""

    def __init__(self) -> None:
        self._path = self._text = ""

    def edit_to(self, path: str, text: str) -> Replacement:
        """Return what makes the next document, whose path may be another one."""
        before = self._text if path == self._path else ""
        self._path, self._text = path, text
        same = _same_start(before, text)
        rest, new = before[same:], text[same:]
        tail = _same_start(rest[::-1], new[::-1])
        return Replacement(start=same, end=len(before) - tail, text=new[: len(new) - tail])


class TextReader:
    """Makes the documents of questions, by their edits."""

    def __init__(self) -> None:
        self._path = self._text = ""

    def edited(self, path: str, edit: Replacement) -> str:
        """Return the next document.

        Raises:
            ValueError: the edit is beyond the one before.
        """
        before = self._text if path == self._path else ""
        if not 0 <= edit.start <= edit.end <= len(before):
            raise ValueError
        self._path, self._text = path, before[: edit.start] + edit.text + before[edit.end :]
        return self._text

    def text_of(self, question: Question) -> str:
        """Return the document of the next question.

        Raises:
            ValueError: the edit or the cursor is beyond it.
        """
        text = self.edited(question.path, question.edit)
        if not 0 <= question.offset <= len(text):
            raise ValueError
        return text


def _same_start(one: str, other: str) -> int:
    """Return how many characters two texts have in common at their starts."""
    longest = min(len(one), len(other))
    return bisect_left(range(1, longest + 1), True, key=lambda length: one[:length] != other[:length])
