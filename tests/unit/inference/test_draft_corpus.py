"""What guesses are looked up in besides the prompt: other documents, and what was suggested before."""

from __future__ import annotations

from midfill.inference.draft_corpus import DraftCorpus
from midfill.inference.prompt_lookup import SEPARATOR

FIM = [90, 91, 92]


def test_other_documents_but_not_ones_own() -> None:
    """The document that is completed is left out: its prompt has all of it that is new."""
    sources = DraftCorpus(FIM)
    sources.read("a", [1, 2])
    sources.read("b", [3, 4])
    assert sources.besides("a").tolist() == [3, 4, SEPARATOR]
    assert sources.besides("").tolist() == [1, 2, SEPARATOR, 3, 4, SEPARATOR]


def test_control_tokens_separate() -> None:
    """What stands behind the cursor does not follow what stands before it."""
    sources = DraftCorpus(FIM)
    sources.read("a", [90, 91, 1, 2, 92, 3])
    assert sources.besides("b").tolist() == [SEPARATOR, SEPARATOR, 1, 2, SEPARATOR, 3, SEPARATOR]


def test_document_read_again_replaces_what_was_read() -> None:
    """One window of a document is kept, the latest, and it counts as the most recent."""
    sources = DraftCorpus(FIM)
    sources.read("a", [1])
    sources.read("b", [2])
    sources.read("a", [3])
    assert sources.besides("").tolist() == [2, SEPARATOR, 3, SEPARATOR]


def test_oldest_documents_make_room() -> None:
    """Memory is bounded by tokens, and the document just read stays even when it alone is too long."""
    sources = DraftCorpus(FIM, most_tokens=6)
    sources.read("a", [1, 1])
    sources.read("b", [2, 2])
    sources.read("c", [3, 3])
    assert sources.besides("").tolist() == [2, 2, SEPARATOR, 3, 3, SEPARATOR]
    sources.read("d", [4] * 9)
    assert sources.besides("").tolist() == [*[4] * 9, SEPARATOR]


def test_closed_document_is_forgotten() -> None:
    """A document that is not open any more is not looked at; forgetting it twice does no harm."""
    sources = DraftCorpus(FIM)
    sources.read("a", [1, 2])
    sources.forget("a")
    sources.forget("a")
    assert sources.besides("b").tolist() == []


def test_suggestions_come_last_with_what_they_followed() -> None:
    """They are looked up in every document, also the one they were made for, and the latest counts most."""
    sources = DraftCorpus(FIM)
    sources.suggested([92, *range(1, 9)], [50])
    sources.suggested([92, 9], [51])
    sources.read("b", [3])
    lead = list(range(1, 9))
    assert sources.besides("a").tolist() == [3, SEPARATOR, *lead, 50, SEPARATOR, SEPARATOR, 9, 51, SEPARATOR]


def test_suggestions_are_bounded() -> None:
    """Of thousands, the last few are kept."""
    sources = DraftCorpus(FIM)
    for _ in range(1000):
        sources.suggested([1], [2])
    assert len(sources.besides("")) < 200
