"""Somebody's code -> fill-in-the-middle samples, of which some are kept apart to judge by.

The same files count as for the workspace's index: ignore rules apply, secrets are redacted before anything else sees a
text, and what is minified or generated is no example. Files are kept apart whole, by a hash of their paths: another
line of a file that was learnt would be no test.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from midfill.code.languages import PLAIN_TEXT, language_of
from midfill.code.source_files import read_source
from midfill.common.errors import UsageError
from midfill.inference.kv_cache import common_prefix
from midfill.privacy.ignore import Ignore
from midfill.prompt.context import Context, gather
from midfill.prompt.fim import FimFormat, build_prompt
from midfill_export.build.verify import Sample

LEAST_CHARACTERS = 20_000
"""Of code to learn from; less is soon known by heart."""
HELD_OUT_SAMPLES = 96
_CHARACTERS = 1_200
"""Around a gap; a third of them behind it."""
_NO_LIMIT = 1 << 30
"""Tokens of a prompt: its characters are limited already."""
_MOST_LINES = 6
_ANSWER_TOKENS = 64
_ONE_IN = 8
"""Files are kept apart."""
_PROSE = frozenset({PLAIN_TEXT.name, "Markdown"})


@dataclass(frozen=True)
class File:
    """A file of code, as the server would read it: without secrets, with plain newlines."""

    path: str
    """Within the folder, with forward slashes."""
    text: str


@dataclass(frozen=True)
class Corpus:
    """What is learnt from, and what is judged by."""

    training: tuple[File, ...]
    held_out: tuple[File, ...]

    @property
    def fingerprint(self) -> str:
        """A hash of all paths and texts."""
        digest = hashlib.sha256()
        for file in (*self.training, *self.held_out):
            for part in (file.path, file.text):
                digest.update(hashlib.sha256(part.encode("utf-8", "surrogatepass")).digest())
        return digest.hexdigest()

    def __str__(self) -> str:
        characters = sum(len(file.text) for file in self.training)
        return f"{len(self.training)} files, {characters:,} characters; {len(self.held_out)} others to judge by"


def read_corpus(folder: Path) -> Corpus:
    """Read the code of a folder.

    Raises:
        UsageError: there is none, or too little.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder: name one with code to learn from.")
    ignore = Ignore([folder])
    top = ignore.folders[0]
    files = []
    for path in sorted(ignore.walk()):
        if language_of(path).name not in _PROSE and (text := read_source(path)) is not None:
            files.append(File(path.relative_to(top).as_posix(), gather(text, 0).suffix))
    if not files:
        raise UsageError(f"{folder} has no code that may be learnt from: all is ignored, generated, or of no language.")
    by_hash = sorted(files, key=lambda file: hashlib.sha256(file.path.encode("utf-8", "surrogatepass")).digest())
    count = -(-len(files) // _ONE_IN)
    corpus = Corpus(tuple(by_hash[count:]), tuple(by_hash[:count]))
    if len(files) < 2 or sum(len(file.text) for file in corpus.training) < LEAST_CHARACTERS:
        raise UsageError(
            f"{folder} has too little code: {corpus}. It takes {LEAST_CHARACTERS:,} characters, in more than one file."
        )
    return corpus


class Cutter:
    """Cuts gaps out of files, as the server would be asked for them."""

    def __init__(self, encode: Callable[[str], list[int]], fim: FimFormat, end: int | None, room: int) -> None:
        """Cut for a model with room for so many tokens.

        ``end`` is the token that ends what fills a gap; None for a model that knows of no gaps.
        """
        self._encode = encode
        self._fim = fim
        self._end = end
        self._room = room
        characters = min(_CHARACTERS, room - _ANSWER_TOKENS)
        self._suffix_characters = characters // 3
        self._prefix_characters = characters - self._suffix_characters

    def held_out(self, files: Sequence[File], count: int = HELD_OUT_SAMPLES) -> list[Sample]:
        """Return gaps of files in turn, always the same ones, of a line each: what an editor asks for most.

        Whether a gap is ended, too, is not judged: the server ends it.
        """
        dice = random.Random("held out")  # noqa: S311 (a sample keeps no secret)
        found: list[Sample] = []
        for number in range(4 * count):  # some cuts come to nothing
            sample = self._cut(files[number % len(files)].text, dice, most_lines=1)
            if sample is not None:
                found.append(replace(sample, answer=sample.answer[:_ANSWER_TOKENS]))
            if len(found) == count:
                break
        return found

    def training(self, files: Sequence[File], number: int) -> Sample:
        """Return sample ``number`` of a row without end; the same for the same files and number.

        Longer files are drawn more often: a line of any file is as likely.
        """
        dice = random.Random(f"sample {number}")  # noqa: S311
        weights = [len(file.text) for file in files]
        while True:
            [file] = dice.choices(files, weights)
            sample = self._cut(file.text, dice, most_lines=1 if dice.random() < 0.5 else _MOST_LINES)
            if sample is None:
                continue
            if self._end is None or len(sample.answer) > _ANSWER_TOKENS:
                return replace(sample, answer=sample.answer[:_ANSWER_TOKENS])
            return replace(sample, answer=[*sample.answer, self._end])

    def _cut(self, text: str, dice: random.Random, most_lines: int) -> Sample | None:
        """Cut out the rest of a line, or of several, from a random place of the first one on.

        Text is no row of characters to a model. A gap is to be written in the tokens that its text has where it stands,
        line end included; those begin at the last token that the text before the cursor has there, too, to which the
        server goes back as well (:mod:`midfill.inference.token_healing`).
        """
        lines = [f"{line}\n" for line in text.split("\n")]
        first = dice.randrange(len(lines))
        line = lines[first]
        if not line.strip():
            return None
        indent = len(line) - len(line.lstrip())
        column = indent if dice.random() < 0.5 else dice.randrange(indent, len(line.rstrip()))
        last = first + dice.randint(1, most_lines)
        gap = "".join(lines[first:last])[column:]
        before = _from_line_start("".join(lines[:first]) + line[:column], self._prefix_characters)
        after = "\n" + "".join(lines[last:])  # the line end is still there when the rest of a line is asked for
        context = Context(before, after[: self._suffix_characters], offset=len(before))
        prompt = build_prompt(context, self._fim, self._encode, _NO_LIMIT, lambda _token: False)
        whole = self._encode(before + gap)
        kept = next(common_prefix(whole, part.ids) for part in prompt.parts if part.kind == "prefix")
        parts = [part.ids[:kept] if part.kind == "prefix" else part.ids for part in prompt.parts]
        ids = [token for part in parts for token in part]
        return Sample(ids, whole[kept:]) if 0 < len(ids) <= self._room - _ANSWER_TOKENS - 1 else None


def _from_line_start(text: str, most: int) -> str:
    """Return the end of a text, in up to ``most`` characters."""
    return text if len(text) <= most else text[text.find("\n", len(text) - most) + 1 :]
