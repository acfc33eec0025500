"""What a model is tuned on, and scored on: gaps in code, or next edits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tokenizers import Tokenizer

from midfill_export.build import verify
from midfill_export.build.verify import Sample
from midfill_export.loaders.fim_formats import STOP_TOKENS, find_format
from midfill_export.tuning.edit_samples import EditCutter
from midfill_export.tuning.edit_sources import EditCorpus, read_edits
from midfill_export.tuning.samples import Corpus, Cutter, read_corpus
from midfill_export.tuning.training import SampleAt


@dataclass(frozen=True)
class Lessons:
    """Samples for one model."""

    held_out: list[Sample]
    """Samples that the model is scored on, and never trained on."""
    sample_at: SampleAt
    """The samples to train on."""
    answers_only: bool
    """Whether the prompts are not to be learnt."""


class Subject(Protocol):
    """What is read from a folder, before a model is there."""

    @property
    def fingerprint(self) -> str:
        """Hash of all that is read."""

    def lessons(self, tokenizer: Tokenizer, room: int) -> Lessons:
        """Return the samples for a model with a context of ``room`` tokens."""


@dataclass(frozen=True)
class Gaps:
    """Gaps in the code of a folder."""

    corpus: Corpus

    @property
    def fingerprint(self) -> str:
        """Hash of all files."""
        return self.corpus.fingerprint

    def lessons(self, tokenizer: Tokenizer, room: int) -> Lessons:
        """See :meth:`Subject.lessons`."""
        fim, _ = find_format(tokenizer)
        ends = [tokenizer.token_to_id(text) for text in STOP_TOKENS]
        end = next((token for token in ends if token is not None), None) if fim.middle >= 0 else None
        cutter = Cutter(verify.plain_encoder(tokenizer), fim, end, room)
        files = self.corpus.training
        return Lessons(cutter.held_out(self.corpus.held_out), lambda number: cutter.training(files, number), False)

    def __str__(self) -> str:
        return f"code: {self.corpus}"


@dataclass(frozen=True)
class Edits:
    """Next edits of a history."""

    corpus: EditCorpus

    @property
    def fingerprint(self) -> str:
        """Hash of all changes."""
        return self.corpus.fingerprint

    def lessons(self, tokenizer: Tokenizer, room: int) -> Lessons:
        """See :meth:`Subject.lessons`."""
        cutter = EditCutter(verify.plain_encoder(tokenizer), room)
        tasks = self.corpus.training
        return Lessons(cutter.held_out(self.corpus.held_out), lambda number: cutter.training(tasks, number), True)

    def __str__(self) -> str:
        return f"edits: {self.corpus}"


def read_subject(folder: Path, *, edits: bool) -> Gaps | Edits:
    """Read what a folder has to learn from.

    Raises:
        UsageError: there is too little of it.
        EvalError: a repository or a release cannot be read.
    """
    return Edits(read_edits(folder)) if edits else Gaps(read_corpus(folder))
