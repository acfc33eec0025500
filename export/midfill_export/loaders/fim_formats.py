"""Prompt formats by control token, as data; a tokenizer that has a format's tokens is taken to follow it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tokenizers import Tokenizer

from midfill.common.errors import SourceError
from midfill.prompt.fim import FimFormat


@dataclass(frozen=True, kw_only=True)
class KnownFormat:
    """One family's control tokens, and the order its models complete best in."""

    family: str
    prefix: str
    suffix: str
    middle: str
    order: Literal["suffix-first", "prefix-first"]
    repository: str = ""
    file: str = ""
    """What precedes a repository's name, and a file's path; a model of the family may lack them."""
    mark: str = ""
    """A token that tells the family from others with the same names for the three."""


# The order is measured where real weights could be had (Qwen2.5-Coder: suffix first, 66% against 51% of single lines
# exact) and the papers' own elsewhere. Where several fit a tokenizer, the first one does whose files are marked, too.
KNOWN_FORMATS = (
    KnownFormat(
        family="codegemma",
        prefix="<|fim_prefix|>",
        suffix="<|fim_suffix|>",
        middle="<|fim_middle|>",
        order="prefix-first",
        mark="<|file_separator|>",
    ),
    KnownFormat(
        family="qwen2.5-coder",
        prefix="<|fim_prefix|>",
        suffix="<|fim_suffix|>",
        middle="<|fim_middle|>",
        order="suffix-first",
        repository="<|repo_name|>",
        file="<|file_sep|>",
    ),
    KnownFormat(
        family="starcoder2",
        prefix="<fim_prefix>",
        suffix="<fim_suffix>",
        middle="<fim_middle>",
        order="prefix-first",
        repository="<repo_name>",
        file="<file_sep>",
    ),
    KnownFormat(  # Stable Code and Granite, too
        family="starcoder",
        prefix="<fim_prefix>",
        suffix="<fim_suffix>",
        middle="<fim_middle>",
        order="prefix-first",
        repository="<reponame>",
        file="<filename>",
    ),
    KnownFormat(
        family="santacoder",
        prefix="<fim-prefix>",
        suffix="<fim-suffix>",
        middle="<fim-middle>",
        order="prefix-first",
    ),
    KnownFormat(
        family="deepseek-coder",
        prefix="<｜fim▁begin｜>",
        suffix="<｜fim▁hole｜>",
        middle="<｜fim▁end｜>",
        order="prefix-first",
    ),
    KnownFormat(
        family="codellama",
        prefix="▁<PRE>",
        suffix="▁<SUF>",
        middle="▁<MID>",
        order="prefix-first",
    ),
)

STOP_TOKENS = (
    "<|endoftext|>",
    "<|im_end|>",
    "<|fim_pad|>",
    "<|repo_name|>",
    "<|file_sep|>",
    "<|file_separator|>",
    "<fim_pad>",
    "<fim-pad>",
    "<file_sep>",
    "<repo_name>",
    "<filename>",
    "<reponame>",
    "▁<EOT>",
    "<|EOT|>",
    "<｜end▁of▁sentence｜>",
    "<end_of_turn>",
    "</s>",
    "<eos>",
)
"""Texts that end a suggestion in any model that has them as one token."""


def find_format(tokenizer: Tokenizer) -> tuple[FimFormat, dict[str, str]]:
    """Return the format whose FIM tokens ``tokenizer`` has, and their texts; prefix only when it has none at all.

    The tokens for several files are part of it if there are both.

    Raises:
        SourceError: it has some of a format's tokens, but not all.
    """
    found = [fitting for known in KNOWN_FORMATS if (fitting := _ids(known, tokenizer)) is not None]
    if not found:
        _refuse_half_a_format(tokenizer)
        return FimFormat(order="prefix-only"), {}
    known, ids = max(found, key=lambda each: len(each[1]))  # the first of those that are the fullest
    return FimFormat(order=known.order, **ids), {part: getattr(known, part) for part in ids}


def _ids(known: KnownFormat, tokenizer: Tokenizer) -> tuple[KnownFormat, dict[str, int]] | None:
    """Return what a tokenizer has of a format, by the parts' names; None if it is not the tokenizer's."""
    ids = {part: tokenizer.token_to_id(getattr(known, part)) for part in ("prefix", "suffix", "middle")}
    if None in ids.values() or (known.mark and tokenizer.token_to_id(known.mark) is None):
        return None
    files = {part: tokenizer.token_to_id(getattr(known, part)) for part in ("repository", "file")}
    return known, ids if None in files.values() else ids | files


def _refuse_half_a_format(tokenizer: Tokenizer) -> None:
    for known in KNOWN_FORMATS:
        missing = [text for text in (known.prefix, known.suffix, known.middle) if tokenizer.token_to_id(text) is None]
        if 0 < len(missing) < 3:
            raise SourceError(
                f"the tokenizer has fill-in-the-middle tokens of {known.family}, but no {' and no '.join(missing)}:"
                " it is incomplete; get the checkpoint's own tokenizer.json."
            )


def find_stop_tokens(tokenizer: Tokenizer, fim: FimFormat, declared: list[int]) -> list[int]:
    """Return the ids that end a suggestion: those declared by the checkpoint, known texts, and FIM's own."""
    # Only what was added as a token of its own: "</s>" is ordinary text to Qwen, and ends a strikethrough in HTML.
    added = {token.content: number for number, token in tokenizer.get_added_tokens_decoder().items()}
    control = (token for token in (fim.prefix, fim.suffix, fim.middle) if token >= 0)
    return sorted({*declared, *(added[text] for text in STOP_TOKENS if text in added), *control})
