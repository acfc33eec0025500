"""The user's code -> fill-in-the-middle samples, to train on and to score on.

The files are those of the workspace's index: ignore rules apply, secrets are redacted first, and
minified and generated files are left out. Whole files are held out for the score, chosen by a hash of their paths,
because another line of a file that was trained on would be no test.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from midfill.code.languages import language_of
from midfill.code.source_files import read_source
from midfill.common.errors import UsageError
from midfill.inference.bundle import FimFormat
from midfill.inference.kv_cache import common_prefix
from midfill.privacy.ignore_rules import IgnoreRules
from midfill.prompt.context import Context, gather
from midfill.prompt.fim import build_prompt
from midfill.settings.sources import SettingsSources
from midfill_export.build.verify import Sample

MIN_CHARACTERS = 20_000
"""Minimum number of characters to train on; with less the model would only memorize them."""
HELD_OUT_SAMPLES = 96
"""Number of gaps that a model is scored on."""
_CONTEXT_CHARACTERS = 1_200
"""Maximum number of characters around a gap; a third of them are after it."""
_NO_LIMIT = 1 << 30
"""Tokens of a prompt; its characters are limited already."""
_MAX_LINES = 6
"""Maximum number of lines of a gap."""
_MAX_ANSWER_TOKENS = 64
_HELD_OUT_EVERY = 8
"""One file in this many is held out."""
_PROSE = frozenset({"", "markdown"})
"""Grammars that are not of code; configuration has none."""


@dataclass(frozen=True)
class File:
    """A file of code as the server reads it: without secrets, with plain newlines."""

    path: str
    """Relative to the folder, with forward slashes."""
    text: str


@dataclass(frozen=True)
class Corpus:
    """The files to train on, and the files held out for the score."""

    training: tuple[File, ...]
    held_out: tuple[File, ...]

    @property
    def fingerprint(self) -> str:
        """Hash of all paths and texts."""
        digest = hashlib.sha256()
        for file in (*self.training, *self.held_out):
            for part in (file.path, file.text):
                digest.update(hashlib.sha256(part.encode("utf-8", "surrogatepass")).digest())
        return digest.hexdigest()

    def __str__(self) -> str:
        characters = sum(len(file.text) for file in self.training)
        return f"{len(self.training)} files, {characters:,} characters; {len(self.held_out)} other files held out"


def read_corpus(folder: Path) -> Corpus:
    """Read the code of a folder.

    Raises:
        UsageError: there is no code, or too little.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder: name a folder of code to train on.")
    settings, _ = SettingsSources([folder]).reload()  # what it is trained on comes out of the bundle again
    ignore = IgnoreRules([folder], settings.exclude)
    top = ignore.folders[0]
    files = []
    for path in sorted(ignore.walk()):
        if language_of(path).grammar not in _PROSE and (text := read_source(path)) is not None:
            files.append(File(path.relative_to(top).as_posix(), gather(text, 0).suffix))
    if not files:
        raise UsageError(
            f"{folder} has no code to train on: all files are ignored, generated, or of no known language."
        )
    by_hash = sorted(files, key=lambda file: hashlib.sha256(file.path.encode("utf-8", "surrogatepass")).digest())
    count = -(-len(files) // _HELD_OUT_EVERY)
    corpus = Corpus(tuple(by_hash[count:]), tuple(by_hash[:count]))
    if len(files) < 2 or sum(len(file.text) for file in corpus.training) < MIN_CHARACTERS:
        raise UsageError(
            f"{folder} has too little code ({corpus}): {MIN_CHARACTERS:,} characters in at least two files are needed."
        )
    return corpus


class Cutter:
    """Cuts gaps out of files, with the prompts that the server would build for them."""

    def __init__(self, encode: Callable[[str], list[int]], fim: FimFormat, end: int | None, room: int) -> None:
        """Set up the cutter for one model.

        Args:
            encode: Text -> tokens.
            fim: The model's prompt format.
            end: The token that ends the text of a gap; None for a model without a fill-in-the-middle format.
            room: The model's context length in tokens.
        """
        self._encode = encode
        self._fim = fim
        self._end = end
        self._room = room
        characters = min(_CONTEXT_CHARACTERS, room - _MAX_ANSWER_TOKENS)
        self._suffix_characters = characters // 3
        self._prefix_characters = characters - self._suffix_characters

    def held_out(self, files: Sequence[File], count: int = HELD_OUT_SAMPLES) -> list[Sample]:
        """Return gaps of one line each from the files in turn; they are the same on each call.

        The answers do not contain the token that ends a gap, because the server ends suggestions itself.
        """
        dice = random.Random("held out")  # noqa: S311 (a sample keeps no secret)
        found: list[Sample] = []
        for number in range(4 * count):  # some cuts give no sample
            sample = self._cut(files[number % len(files)].text, dice, most_lines=1)
            if sample is not None:
                found.append(replace(sample, answer=sample.answer[:_MAX_ANSWER_TOKENS]))
            if len(found) == count:
                break
        return found

    def training(self, files: Sequence[File], number: int) -> Sample:
        """Return sample ``number``; it is the same for the same files and number.

        Longer files are drawn more often, so that each line of all files has about the same chance.
        """
        dice = random.Random(f"sample {number}")  # noqa: S311
        weights = [len(file.text) for file in files]
        while True:
            [file] = dice.choices(files, weights)
            sample = self._cut(file.text, dice, most_lines=1 if dice.random() < 0.5 else _MAX_LINES)
            if sample is None:
                continue
            if self._end is None or len(sample.answer) > _MAX_ANSWER_TOKENS:
                return replace(sample, answer=sample.answer[:_MAX_ANSWER_TOKENS])
            return replace(sample, answer=[*sample.answer, self._end])

    def _cut(self, text: str, dice: random.Random, most_lines: int) -> Sample | None:
        """Cut out the text from a random place in a line to its end, or to that of a later line; None if that fails.

        The answer is the tokens of the gap, line end included, as they are in the whole text. A token may begin before
        the cursor and end after it. Then the prompt ends before that token, as in the server
        (:mod:`midfill.inference.token_healing`).
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
        return Sample(ids, whole[kept:]) if 0 < len(ids) <= self._room - _MAX_ANSWER_TOKENS - 1 else None


def _from_line_start(text: str, most: int) -> str:
    """Return the end of a text from the start of a line, in at most ``most`` characters."""
    return text if len(text) <= most else text[text.find("\n", len(text) - most) + 1 :]
