"""The replay, with a suggester that answers at once or never."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Future

import pytest

from midfill.bench.replay import Keystroke, answer_percentile, play, share_right_within, simulate_acceptance
from midfill.bench.scenes import Scene
from midfill.common.errors import BenchError

SCENE = Scene("a.py", "def f():\n    ", "ab\n    c", "\n\nx\n")


class Told:
    """Suggests what ``says`` returns for the text before the cursor; None means that no answer comes."""

    def __init__(self, says: Callable[[str], str | None]) -> None:
        self._says = says
        self._text = ""
        self._open: Future[str] | None = None
        self.prefixes: list[str] = []
        self.withdrawn = 0
        self.closed = 0
        self.tokens_computed: int | None = 0

    def open(self, scene: Scene) -> None:
        self._text = scene.text

    def type(self, offset: int, text: str) -> Future[str]:
        self._text = self._text[:offset] + text + self._text[offset:]
        prefix = self._text[: offset + len(text)]
        self.prefixes.append(prefix)
        if self.tokens_computed is not None:
            self.tokens_computed += 10
        self._open = Future()
        if (said := self._says(prefix)) is not None:
            self._open.set_result(said)
        return self._open

    def withdraw(self) -> None:
        if self._open is not None and not self._open.done():
            self.withdrawn += 1
            self._open = None

    def close(self) -> None:
        self.closed += 1


def strokes_of(suggester: Told, pause: float = 0.01) -> list[Keystroke]:
    """Type the whole scene."""
    keys = SCENE.keys(100)
    return play(SCENE, keys, [pause] * len(keys), suggester)


def stroke(rest: str, suggestion: str = "", seconds: float = 0.05, tokens: int | None = 10) -> Keystroke:
    """Return a recorded keystroke."""
    return Keystroke(rest, seconds if suggestion else math.inf, suggestion, tokens)


def test_document_grows_key_by_key() -> None:
    """Each request is for the document as it is after the keystroke."""
    suggester = Told(lambda _: "")
    strokes_of(suggester)
    typed = [prefix.removeprefix(SCENE.before) for prefix in suggester.prefixes]
    assert typed == ["a", "ab", "ab\n    ", "ab\n    c"]
    assert suggester.closed == 1


def test_all_that_is_still_to_be_typed_is_known() -> None:
    """Also the lines below; the rest of the line is its beginning."""
    strokes = strokes_of(Told(lambda _: ""))
    assert [each.following for each in strokes] == ["b\n    c", "\n    c", "c", ""]
    assert [each.rest for each in strokes] == ["b", "", "c", ""]


def test_right_is_the_rest_of_the_line() -> None:
    """A part of the line is wrong, and so is a longer line; more lines and trailing spaces do not matter."""
    assert stroke("b", "b").is_right
    assert stroke("b", "b  \n    c").is_right
    assert not stroke("bc", "b").is_right
    assert not stroke("b", "bc").is_right
    assert not stroke("b").is_right


def test_end_of_a_line_does_not_count() -> None:
    """No suggestion can be right if nothing of the line is left."""
    done = stroke("", "\n    c")
    assert not done.counts
    assert not done.is_right
    assert share_right_within([done, stroke("b", "b")], 0.1) == 1.0


def test_question_is_withdrawn_at_the_next_key() -> None:
    """An answer that has not come by then counts as never."""
    suggester = Told(lambda prefix: None if prefix.endswith("a") else "x")
    strokes = strokes_of(suggester)
    assert [math.isinf(each.seconds) for each in strokes] == [True, False, False, False]
    assert suggester.withdrawn == 1


def test_last_question_is_withdrawn_too() -> None:
    """No request is left that would slow down the next measurement."""
    suggester = Told(lambda _: None)
    assert all(math.isinf(each.seconds) for each in strokes_of(suggester))
    assert suggester.withdrawn == 4


def test_tokens_are_counted_from_key_to_key() -> None:
    """They are None if they cannot be known."""
    suggester = Told(lambda _: "")
    assert [each.tokens_computed for each in strokes_of(suggester)] == [10] * 4
    suggester.tokens_computed = None
    assert [each.tokens_computed for each in strokes_of(suggester)] == [None] * 4


def test_failure_of_the_suggester_ends_the_replay() -> None:
    """A server that ended did not give a slow answer."""
    failed: Future[str] = Future()
    failed.set_exception(BenchError("it is gone"))

    class Dead(Told):
        def type(self, offset: int, text: str) -> Future[str]:
            super().type(offset, text)
            return failed

    with pytest.raises(BenchError, match="it is gone"):
        strokes_of(Dead(lambda _: ""))


def test_share_within_a_time() -> None:
    """A late right suggestion does not count, and neither does an early wrong one."""
    strokes = [stroke("b", "b", 0.05), stroke("c", "c", 0.2), stroke("d", "x", 0.05), stroke("e")]
    assert share_right_within(strokes, 0.1) == 0.25
    assert share_right_within(strokes, 0.3) == 0.5
    assert share_right_within([], 0.1) == 0.0


def test_percentile_of_answers() -> None:
    """Every answer counts, right or not; without answers there is no time."""
    strokes = [stroke("b", "b", 0.05), stroke("c", "x", 0.2), stroke("d")]
    assert answer_percentile(strokes, 50) == 0.2
    assert answer_percentile(strokes, 95) is None


def test_acceptance_spares_the_rest_of_the_line() -> None:
    """The first right suggestion is accepted; the line's other keystrokes and their tokens are not counted."""
    strokes = [
        stroke("bcd", "x", tokens=1),
        stroke("cd", "cd", tokens=20),
        stroke("d", "d", tokens=300),  # spared
        stroke("", tokens=4000),  # spared
        stroke("ef", "ef", tokens=50000),  # the next line
        stroke("f", "f", tokens=600000),  # spared
    ]
    accepted = simulate_acceptance(strokes)
    assert (accepted.typed, accepted.accepted, accepted.tokens_computed) == (3, 4, 50021)
    assert accepted.tokens_per_character == 50021 / 4


def test_nothing_accepted_is_no_number() -> None:
    """There is no number either if the tokens are unknown."""
    assert simulate_acceptance([stroke("b", "x")]).tokens_per_character is None
    assert simulate_acceptance([stroke("b", "b", tokens=None)]).tokens_per_character is None
