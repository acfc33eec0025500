"""The seam: from changes and a place to an edit, or the reason for silence."""

from __future__ import annotations

import pytest

from midfill.common.cancel import CancelFlag, Cancelled
from midfill.common.reasons import Reason
from midfill.next_edit.predictor import EditPredictor
from midfill.next_edit.search import Situation, search
from midfill.next_edit.types import Document, NextEdit, Place, Why
from unit.next_edit.rewriter import PATH, Rewriter, edited, model_of

BEFORE = "def f(left):\n    x = left\n    return left\n\n\nprint(f(1))\n"
NOW = BEFORE.replace("f(left)", "f(right)")
RENAMED = NOW.replace("= left", "= right").replace("return left", "return right")
KEY = "ghp_" + "0aB1" * 9


def predict(
    model: Rewriter, *, before: str = BEFORE, now: str = NOW, line: int = 1, without: str = "", confidence: float = 0.8
) -> NextEdit:
    """Return what comes of a window after one change."""
    predictor = EditPredictor(model_of(model), min_confidence=confidence, ablations=frozenset(without.split()))
    return predictor.predict(
        Document(path=PATH, text=now), Place(path=PATH, line=line), edited(before, now), CancelFlag()
    )


def test_a_guess_that_the_model_likes_needs_no_generation() -> None:
    """The rename is made in the whole function; the model is asked once, for all its tokens."""
    model = Rewriter(NOW, second=RENAMED)
    edit = predict(model)
    assert edit.apply(NOW) == RENAMED
    assert [part.text for part in edit.edits] == ["right", "right"]
    assert (edit.reason, edit.tokens) == (Reason.NONE, 0)
    assert edit.confidence == pytest.approx(0.135, abs=0.01)


def test_a_guess_that_the_model_does_not_like_is_no_edit() -> None:
    """Then the model writes what it likes: here, the window as it is."""
    edit = predict(Rewriter(NOW))
    assert (edit.reason, edit.edits, edit.apply(NOW)) == (Reason.UNCHANGED, (), NOW)


def test_the_model_writes_the_window() -> None:
    """With drafts, what stays takes few steps; what differs becomes the smallest edit."""
    text = NOW.replace("print(f(1))", "print(f(0.5))")
    model = Rewriter(text)
    edit = predict(model, without="guesses")
    assert edit.reason == Reason.NONE
    assert edit.apply(NOW) == text
    assert edit.confidence == pytest.approx(1.0, abs=0.01)
    assert edit.tokens > 2 * edit.steps


def test_without_drafts_each_token_is_a_step() -> None:
    """So drafts are worth what they save."""
    edit = predict(Rewriter(NOW), without="guesses drafts history")
    again = predict(Rewriter(NOW), without="guesses")
    assert again.steps < edit.steps


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (NOW, Reason.UNCHANGED),
        (NOW.replace("return left", "return"), Reason.NONE),
        (NOW.replace("return left", "return (left"), Reason.SYNTAX),
        (NOW.replace("x = left", "x  =  left"), Reason.UNCHANGED),
        (NOW.replace("print(f(1))", "print(\n    f(1))"), Reason.WHITE_SPACE),
        (NOW.removesuffix("\n\n\nprint(f(1))\n"), Reason.CUT_OFF),
        (NOW.replace("    return left", "    x = left\n    return left"), Reason.REPETITION),
        (NOW.replace("x = left", "x = left" * 300), Reason.CUT_OFF),
    ],
)
def test_reasons(text: str, reason: Reason) -> None:
    """Silence has a reason. A line that differs only in white space is the old one."""
    assert predict(Rewriter(text), without="guesses").reason == reason


def test_an_unsure_edit_is_not_shown() -> None:
    """The probability of the changed lines counts; without the gate, all is shown."""
    text, other = NOW.replace("return left", "return x"), NOW.replace("return left", "return y")
    model = Rewriter(text, second=other)
    edit = predict(model, without="guesses", confidence=0.95)
    assert (edit.reason, edit.edits) == (Reason.UNSURE, ())
    assert edit.confidence is not None
    assert 0.5 < edit.confidence < 0.95
    assert predict(model, without="guesses gate", confidence=0.95).apply(NOW) == text


def test_without_changes_there_is_no_edit() -> None:
    """The model is not even asked."""
    model = Rewriter(RENAMED)
    assert predict(model, before=NOW).reason == Reason.NO_EDITS
    assert model.steps == 0


def test_the_model_sees_no_secret_and_the_edit_leaves_it() -> None:
    """The placeholder stands in the prompt, and the document keeps what it has."""
    now = f'token = "{KEY}"\n{NOW}'
    shown = f'token = "<github-token>"\n{RENAMED}'
    model = Rewriter(shown, second=shown)
    edit = predict(model, before=f'token = "{KEY}"\n{BEFORE}', now=now, line=2)
    assert edit.apply(now) == f'token = "{KEY}"\n{RENAMED}'
    assert not any(KEY in prompt for prompt in model.prompts)


def test_a_model_trained_for_edits_gets_its_format() -> None:
    """The manifest names it: the model sees the window before the change, and the cursor."""
    text = NOW.replace("return left", "return right")
    model = Rewriter(text)
    predictor = EditPredictor(model_of(model, edit_format="sweep"), ablations=frozenset({"guesses"}))
    edit = predictor.predict(
        Document(path=PATH, text=NOW),
        Place(path=PATH, line=0, column=6, why=Why.CURSOR),
        edited(BEFORE, NOW),
        CancelFlag(),
        name_of=lambda _: "a.py",
    )
    assert edit.apply(NOW) == text
    assert f"<|file_sep|>original/a.py:1:7\n{BEFORE}" in model.prompts[0]
    assert f"<|file_sep|>current/a.py:1:7\n{NOW.replace('f(right', 'f(<|cursor|>right')}" in model.prompts[0]


def test_cancelled() -> None:
    """The work ends at the next step."""
    predictor = EditPredictor(model_of(Rewriter(NOW)))
    flag = CancelFlag()
    flag.set("superseded")
    with pytest.raises(Cancelled, match="superseded"):
        predictor.predict(Document(path=PATH, text=NOW), Place(path=PATH, line=1), edited(BEFORE, NOW), flag)


def test_text_that_is_not_finished_in_time_is_no_edit() -> None:
    """What the model has not written yet would be removed."""
    model = Rewriter(NOW.replace("return left", "return"))
    predictor = EditPredictor(model_of(model), ablations=frozenset({"guesses"}))
    asked = Document(path=PATH, text=NOW), Place(path=PATH, line=1), edited(BEFORE, NOW), CancelFlag()
    assert predictor.predict(*asked, seconds=0.0).reason == Reason.CUT_OFF


def test_window_that_does_not_fit_the_context() -> None:
    """It is not asked about."""
    predictor = EditPredictor(model_of(Rewriter(NOW), context_length=300))
    edit = predictor.predict(Document(path=PATH, text=NOW), Place(path=PATH, line=1), edited(BEFORE, NOW), CancelFlag())
    assert edit.reason == Reason.CUT_OFF


def situation(now: str, before: str) -> Situation:
    """Return what is known when the cursor is at the first line."""
    return Situation(
        documents={PATH: Document(path=PATH, text=now)},
        cursor=Place(path=PATH, line=0, why=Why.CURSOR),
        history=edited(before, now),
    )


def test_search_goes_on_to_the_next_place() -> None:
    """Nothing changes at the cursor, and the like line far below gets its change."""
    filling = "".join(f"name_{number} = {number}\n" for number in range(20))
    before = f'a["x"] = get("X")\n{filling}a["y"] = get("Y")\n'
    now = before.replace('get("X")', 'get("X", "")')
    window = now.split("\n", 17)[-1]
    model = Rewriter(window.replace('get("Y")', 'get("Y", "")'))
    edit = search(EditPredictor(model_of(model)), situation(now, before), CancelFlag())
    assert edit.apply(now) == now.replace('get("Y")', 'get("Y", "")')
    assert (edit.place.line, edit.place.why) == (21, Why.SAME_SHAPE)


def test_search_without_an_edit_says_why_there_is_none_at_the_cursor() -> None:
    """The user is there."""
    edit = search(EditPredictor(model_of(Rewriter(NOW))), situation(NOW, BEFORE), CancelFlag())
    assert (edit.place.why, edit.reason) == (Why.CURSOR, Reason.UNCHANGED)
