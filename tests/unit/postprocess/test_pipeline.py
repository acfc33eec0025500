"""The filters together, in the pipeline's order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from midfill.code.languages import LANGUAGES
from midfill.postprocess import DROPS, begin, finish, indentation_of, nearby, place_of
from midfill.postprocess.stops import STOPS
from midfill.postprocess.trims import TRIMS
from midfill.prompt.context import Context
from unit.helpers import context

CODE = st.text(alphabet="ab 1\n\t()[]{}\"'`\\,:;#_/*<é", max_size=40)


def test_codes_are_distinct() -> None:
    """Each filter has a reason code of its own."""
    assert len({*STOPS, *TRIMS, *DROPS}) == len(STOPS) + len(TRIMS) + len(DROPS)


def test_changes_are_reported() -> None:
    """A finished suggestion lists the filters that changed it."""
    finished = finish("hello)", context("print(▮)"))
    assert (finished.text, finished.reason, finished.changes, finished.kept) == (
        "hello",
        "",
        (("suffix-overlap", -1),),
        5,
    )


def test_dropped_suggestion_has_no_text_but_a_reason() -> None:
    """The drop is the last of the reported changes."""
    finished = finish("return x", context("▮\nreturn x\n"))
    assert (finished.text, finished.reason) == ("", "suffix-repeat")
    assert finished.changes == (("suffix-repeat", -8),)


def test_unfiltered_suggestion_is_shown_unless_blank() -> None:
    """Without filters every text that is not blank is shown, stopped and trimmed."""
    assert finish("return x", context("▮\nreturn x\n"), unfiltered=True).text == "return x"
    assert finish("  ", context("▮"), unfiltered=True).reason == "blank"


@given(CODE, CODE, CODE, st.sampled_from(["python", "javascript", "go", "html", "plaintext"]), st.booleans())
def test_any_text_is_finished(prefix: str, suffix: str, text: str, language: str, automatic: bool) -> None:
    """There is always a text or a reason, and only text on the cursor's line is replaced."""
    around = Context(prefix, suffix, len(prefix))
    begun = begin(text, around, indentation_of(around))
    finished = finish(begun, around, automatic=automatic, language=language)
    assert bool(finished.text) != bool(finished.reason)
    assert 0 <= finished.replaces <= len(around.line_suffix)
    assert 0 <= finished.kept <= len(begun)
    assert all(place_of(around, known) in ("", "comment", "string") for known in LANGUAGES)


def test_filters_read_only_nearby_text() -> None:
    """A line of several megabytes is cut before the filters read it."""
    around = nearby(context("f(" * 2_000_000 + "▮" + ")" * 2_000_000))
    assert len(around.prefix) + len(around.suffix) <= 40_000
    assert finish("left, right", around, language="python").text == "left, right"


def test_secret_right_of_the_cursor_is_not_replaced() -> None:
    """The placeholder has another length than the secret in the document."""
    around = context("left = 1\nf(▮left, '<password>')\n")
    replaced = finish("right, 'a')", around, language="python")
    guarded = finish("right, 'a')", around, language="python", placeholders={"<password>"})
    assert (replaced.text, replaced.replaces) == ("right, 'a'", len("left, '<password>'"))
    assert guarded.replaces == 0


def test_text_cut_short_replaces_nothing() -> None:
    """Without its end, the text cannot tell what it replaces."""
    around = context("left = 1\nreturn ▮left\n")
    assert finish("2 + 2", around, language="python").replaces == 4
    assert finish("2 + 2", around, language="python", cut_short=True).replaces == 0


def test_text_that_overlaps_the_rest_replaces_nothing() -> None:
    """A text whose end equals the start of the rest is inserted before the rest."""
    finished = finish("e_str), int(sec_str)", context("a, b = int(hour_str), int(minut▮, int(sec_str)\n"), path="a.py")
    assert (finished.text, finished.replaces) == ("e_str)", 0)
