"""Why an edit is not shown, one filter after the other."""

from __future__ import annotations

import pytest

from midfill.common.reasons import Reason
from midfill.next_edit.filters import Candidate, reason_for_silence
from midfill.next_edit.types import Document, Hunk
from midfill.next_edit.window import window_at
from unit.next_edit.rewriter import PATH, edited

CODE = "def area(r):\n    side = r * r\n    return side\n\n\nprint(area(2))\n"
KEY = "ghp_" + "0aB1" * 9


def reason(
    new: str, text: str = CODE, *, before: str = "", undone: tuple[Hunk, ...] = (), is_whole: bool = True
) -> Reason:
    """Return why the whole text ``new`` is not shown in place of ``text``, which was ``before``."""
    window = window_at(text, 0, 0, 99)
    assert window is not None
    return reason_for_silence(
        Candidate(
            document=Document(path=PATH, text=text),
            window=window,
            new=new,
            is_whole=is_whole,
            history=edited(before or text, text),
            undone=undone,
        )
    )


def test_a_good_edit_passes() -> None:
    """The change of one name."""
    assert reason(CODE.replace("side", "square")) == Reason.NONE


def test_what_a_limit_ended_is_cut_off() -> None:
    """Nobody knows what else would have come."""
    assert reason(CODE.replace("side", "square"), is_whole=False) == Reason.CUT_OFF


def test_missing_lines_at_the_end_are_cut_off() -> None:
    """The model has stopped, which does not mean that they are to be removed."""
    assert reason("def area(r):\n    side = r * r\n    return side") == Reason.CUT_OFF


def test_white_space_alone_is_no_edit() -> None:
    """Formatters do that."""
    assert reason(CODE.replace("r * r", "r*r")) == Reason.WHITE_SPACE


@pytest.mark.parametrize(
    ("before", "new"),
    [
        (CODE.replace("return side", "return side * 1"), CODE.replace("return side", "return side * 1")),
        (
            CODE.replace("    return side\n", "    return side\n    log(side)\n"),
            CODE.replace("side\n\n", "side\n    log(side)\n\n"),
        ),
        (CODE.replace("area", "size"), CODE.replace("print(area(2))", "print(size(2))")),
    ],
    ids=["line", "removed line", "name"],
)
def test_what_was_just_changed_is_not_changed_back(before: str, new: str) -> None:
    """Neither a line, nor a line that was removed, nor a name at another place."""
    assert reason(new, before=before) == Reason.REVERSAL


def test_what_was_undone_is_not_done_again() -> None:
    """The user did not want it."""
    new = CODE.replace("return side", "return side * 1")
    assert reason(new, undone=tuple(edited(CODE, new))) == Reason.REVERSAL
    assert reason(CODE.replace("return side", "return side * 2"), undone=tuple(edited(CODE, new))) == Reason.NONE


def test_a_line_that_stands_beside_is_not_inserted_again() -> None:
    """Small models repeat themselves."""
    assert reason(CODE.replace("    return side\n", "    return side\n    return side\n")) == Reason.REPETITION


@pytest.mark.parametrize("text", [CODE, CODE + "\nx = (\n"], ids=["valid", "with an error"])
def test_a_new_syntax_error_is_not_shown(text: str) -> None:
    """Also in a document that has one already."""
    assert reason(text.replace("def area(r):", "def area(r:"), text) == Reason.SYNTAX


def test_a_secret_is_not_touched() -> None:
    """Neither is its placeholder written anywhere, nor the secret replaced."""
    text = f'{CODE}token = "{KEY}"\nname = 1\n'
    shown = f'{CODE}token = "<github-token>"\nname = 1\n'
    assert reason(shown.replace("name = 1", 'name = "<github-token>"'), text) == Reason.PLACEHOLDER
    assert reason(shown.replace('"<github-token>"', "None"), text) == Reason.PLACEHOLDER
    assert reason(shown.replace("name = 1", "name = 2"), text) == Reason.NONE
