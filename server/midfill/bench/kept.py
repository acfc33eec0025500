"""Which characters of suggestions are kept: suggested, accepted, and still there at the end of the text.

An acceptance rate hides what is deleted afterwards. Here an author accepts a suggestion if its first line is what comes
next up to the end of the line. All its lines are then in the document. The author deletes it from its first wrong
character on, and goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from midfill.next_edit.changed_lines import common_start


@dataclass(frozen=True)
class Offer:
    """A suggestion at one place of a text that is typed."""

    following: str
    """All that was still to be typed."""
    text: str
    """The suggestion."""

    @property
    def is_accepted(self) -> bool:
        """Whether the first line is the rest of the line, and something of the line is left."""
        suggested, typed = (text.partition("\n")[0].rstrip() for text in (self.text, self.following))
        return suggested == typed != ""

    @property
    def kept(self) -> int:
        """Number of first characters that the author would have typed, too."""
        return common_start(self.text, self.following)


@dataclass(frozen=True)
class KeptCharacters:
    """Numbers of characters of a text, or of several."""

    suggested: int = 0
    accepted: int = 0
    kept: int = 0

    def __add__(self, other: KeptCharacters) -> KeptCharacters:
        return KeptCharacters(self.suggested + other.suggested, self.accepted + other.accepted, self.kept + other.kept)

    @property
    def of_suggested(self) -> float | None:
        """The share of the suggested characters that are kept, 0 to 1; None if nothing was suggested."""
        return self.kept / self.suggested if self.suggested else None

    @property
    def of_accepted(self) -> float | None:
        """The share of the accepted characters that are kept, 0 to 1; None if nothing was accepted."""
        return self.kept / self.accepted if self.accepted else None


def count_kept(offers: Iterable[Offer]) -> KeptCharacters:
    """Count the characters of suggestions, in the order in which they were shown, for one text after the other.

    A suggestion that is the rest of the one before is not counted again. While the author goes along text that was
    accepted, nothing is suggested.
    """
    total = KeptCharacters()
    shown, before, left = Offer("", ""), "", ""
    for offer in offers:
        if not before.endswith(offer.following):  # another text
            left = offer.following
        before = offer.following
        if not offer.text or len(offer.following) > len(left):
            continue
        if not _is_rest(offer, shown):
            total += KeptCharacters(suggested=len(offer.text))
        if offer.is_accepted:
            total += KeptCharacters(accepted=len(offer.text), kept=offer.kept)
            left = offer.following[offer.kept :]
        shown = offer
    return total


def _is_rest(offer: Offer, shown: Offer) -> bool:
    """Return whether a suggestion is what is left of the one before, of which the author has typed the beginning."""
    typed = len(shown.following) - len(offer.following)
    return 0 <= typed <= shown.kept and shown.text[typed:] == offer.text
