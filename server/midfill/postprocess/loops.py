"""Whether a text repeats a few characters again and again, as a model does that has lost the thread."""

from __future__ import annotations

import re
from typing import NamedTuple

_MAX_SEARCHED_CHARACTERS = 2_000
"""Number of characters at the start of a text that are searched."""
_WORDS = re.compile(r"(?P<short>.{3,9}?)(?P=short){4}|(?P<long>.{10,200}?)(?P=long){2}", re.DOTALL)
_LETTER = re.compile(r"[^\W\d_]")
_SIGNS = re.compile(r"(?P<unit>[^a-zA-Z]{1,60}?)(?P=unit){4,}")
_NUMBER = re.compile(
    r"(?<![\w.])(?!0[bBoOxX])(?!(?P<same>[0-9])(?P=same)*(?![0-9.]))[0-9.]{1,20}(?P<digit>[0-9])(?P=digit){24}"
)
"""A decimal number that ends with more equal digits than are of use; masks and hashes may consist of one digit."""
_ANY = 1_000_000


class _Row(NamedTuple):
    """What may stand in a row without a letter: a part that is repeated, as a regular expression, and the limits."""

    part: str
    max_times: int = _ANY
    max_characters: int = _ANY


_ROWS = (
    _Row(r"\s*"),
    _Row(
        r"(?s).*[\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff].*", max_times=5
    ),  # pictures: five stars are a rating
    _Row(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+", max_times=4),  # what nobody sees
    _Row(r"[()\[\]{}]", max_times=16),  # the end of a nest
    _Row(r"(?s).*[0-9]{5}.*|[0-9]{3,}", max_times=4),  # large numbers
    _Row(r"[0-9]", max_times=64),  # a hash of zeros
    _Row(r"(?s).*\|.*", max_characters=200),  # a table
    _Row(r"\S", max_characters=120),  # a rule
    _Row(r"\s*[^\w\s,]{1,2}\s*", max_times=6),  # signs between blanks: cron has up to six stars
    _Row(r"(?s).*", max_characters=60),  # `0, 0, 0`
)
"""The first that a row's part matches decides."""


def is_loop(text: str) -> bool:
    """Return whether ``text`` has 3 to 9 characters five times in a row, or 10 or more three times in a row.

    Without a letter, a row may be longer: rules, tables, and rows of numbers are ordinary.
    """
    text = text[:_MAX_SEARCHED_CHARACTERS]
    return (
        any(_LETTER.search(found[0]) for found in _WORDS.finditer(text))
        or any(_is_too_long(found["unit"], found[0]) for found in _SIGNS.finditer(text))
        or bool(_NUMBER.search(text))
    )


def _is_too_long(part: str, row: str) -> bool:
    limits = next(limits for limits in _ROWS if re.fullmatch(limits.part, part))
    return len(row) > limits.max_characters or len(row) > limits.max_times * len(part)
