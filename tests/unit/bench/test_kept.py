"""Characters that are kept: suggested, accepted, and still there at the end."""

from __future__ import annotations

import pytest

from midfill.bench.kept import KeptCharacters, Offer, count_kept

TEXT = "total = 1\n    return total"


def offers(*suggestions: tuple[int, str], text: str = TEXT) -> list[Offer]:
    """Return suggestions, each after a number of typed characters."""
    return [Offer(text[typed:], suggestion) for typed, suggestion in suggestions]


@pytest.mark.parametrize(
    ("suggestion", "accepted", "kept"),
    [
        (TEXT, len(TEXT), len(TEXT)),
        ("total = 1", 9, 9),
        ("total = 1\n    return 2", 22, 21),  # the second line is mended
        ("total = 1\n\n\n\n", 13, 10),
        ("total = 2", 0, 0),
        ("total = 1 + 2", 0, 0),
        ("", 0, 0),
    ],
)
def test_suggestion_is_accepted_by_its_first_line(suggestion: str, accepted: int, kept: int) -> None:
    """What is wrong below it is deleted, which an acceptance rate hides."""
    assert count_kept(offers((0, suggestion))) == KeptCharacters(len(suggestion), accepted, kept)


def test_suggestion_that_is_typed_through_counts_once() -> None:
    """It counts again if it was another one between."""
    assert count_kept(offers((0, "total = 2"), (1, "otal = 2"), (2, "tal = 2"))).suggested == 9
    assert count_kept(offers((0, "total = 2"), (1, ""), (2, "tal = 2"))).suggested == 9
    assert count_kept(offers((0, "total = 2"), (1, "other"), (2, "tal = 2"))).suggested == 21


def test_accepted_text_is_not_suggested_again() -> None:
    """The author goes on behind what is kept of it."""
    found = count_kept(offers((0, "total = 1\n    return 2"), (4, "l = 1"), (14, "return 2"), (21, "total")))
    assert found == KeptCharacters(suggested=22 + 5, accepted=22 + 5, kept=21 + 5)


def test_one_text_after_the_other() -> None:
    """Each begins anew."""
    both = [*offers((0, TEXT)), *offers((0, "x = 1"), text="x = 1\n"), *offers((0, TEXT))]
    assert count_kept(both).kept == 2 * len(TEXT) + 5


def test_shares() -> None:
    """There is none of nothing."""
    assert KeptCharacters(10, 5, 4).of_suggested == 0.4
    assert KeptCharacters(10, 5, 4).of_accepted == 0.8
    assert KeptCharacters().of_suggested is KeptCharacters().of_accepted is None
