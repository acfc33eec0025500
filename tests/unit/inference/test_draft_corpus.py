"""The draft corpus: other documents and earlier suggestions, in which drafts are looked up."""

from __future__ import annotations

from midfill.inference.draft_corpus import DraftCorpus
from midfill.inference.prompt_lookup import SEPARATOR

FIM = [90, 91, 92]


def test_the_documents_own_prompt_is_excluded() -> None:
    """The corpus for a document excludes its earlier prompt, because the new prompt is searched anyway."""
    corpus = DraftCorpus(FIM)
    corpus.add_document("a", [1, 2])
    corpus.add_document("b", [3, 4])
    assert corpus.excluding("a").tolist() == [3, 4, SEPARATOR]
    assert corpus.excluding("").tolist() == [1, 2, SEPARATOR, 3, 4, SEPARATOR]


def test_control_tokens_separate() -> None:
    """The text after the cursor and the text before it are separate sequences."""
    corpus = DraftCorpus(FIM)
    corpus.add_document("a", [90, 91, 1, 2, 92, 3])
    assert corpus.excluding("b").tolist() == [SEPARATOR, SEPARATOR, 1, 2, SEPARATOR, 3, SEPARATOR]


def test_latest_prompt_of_a_document_replaces_the_earlier_one() -> None:
    """A document has one prompt in the corpus, and adding it again makes it the most recent."""
    corpus = DraftCorpus(FIM)
    corpus.add_document("a", [1])
    corpus.add_document("b", [2])
    corpus.add_document("a", [3])
    assert corpus.excluding("").tolist() == [2, SEPARATOR, 3, SEPARATOR]


def test_oldest_documents_are_dropped() -> None:
    """The number of tokens is limited, but the latest document stays even if it alone is too long."""
    corpus = DraftCorpus(FIM, max_tokens=6)
    corpus.add_document("a", [1, 1])
    corpus.add_document("b", [2, 2])
    corpus.add_document("c", [3, 3])
    assert corpus.excluding("").tolist() == [2, 2, SEPARATOR, 3, 3, SEPARATOR]
    corpus.add_document("d", [4] * 9)
    assert corpus.excluding("").tolist() == [*[4] * 9, SEPARATOR]


def test_closed_document_is_forgotten() -> None:
    """A closed document is not in the corpus any more, and forgetting it twice does no harm."""
    corpus = DraftCorpus(FIM)
    corpus.add_document("a", [1, 2])
    corpus.forget("a")
    corpus.forget("a")
    assert corpus.excluding("b").tolist() == []


def test_suggestions_come_last_after_the_end_of_their_prompt() -> None:
    """Suggestions are in the corpus of every document, also of their own, and the latest one is last."""
    corpus = DraftCorpus(FIM)
    corpus.add_suggestion([92, *range(1, 9)], [50])
    corpus.add_suggestion([92, 9], [51])
    corpus.add_document("b", [3])
    lead = list(range(1, 9))
    assert corpus.excluding("a").tolist() == [3, SEPARATOR, *lead, 50, SEPARATOR, SEPARATOR, 9, 51, SEPARATOR]


def test_suggestions_are_limited() -> None:
    """Only the latest suggestions are kept."""
    corpus = DraftCorpus(FIM)
    for _ in range(1000):
        corpus.add_suggestion([1], [2])
    assert len(corpus.excluding("")) < 200
