"""Prompt formats by control token, as data; a tokenizer that has a format's tokens is taken to follow it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tokenizers import Tokenizer

from midfill.fim import FimFormat


@dataclass(frozen=True, kw_only=True)
class KnownFormat:
    """One family's control tokens, and the order its models complete best in."""

    family: str
    prefix: str
    suffix: str
    middle: str
    order: Literal["suffix-first", "prefix-first"]
    repository: str
    file: str
    """What precedes a repository's name, and a file's path; a model may lack them."""


# The order is measured where real weights could be had (Qwen2.5-Coder: suffix first, 66% against 51% of single lines
# exact) and the papers' own elsewhere.
KNOWN_FORMATS = (
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
        family="starcoder",
        prefix="<fim_prefix>",
        suffix="<fim_suffix>",
        middle="<fim_middle>",
        order="prefix-first",
        repository="<repo_name>",
        file="<file_sep>",
    ),
)

STOP_TOKENS = (
    "<|endoftext|>",
    "<|im_end|>",
    "<|fim_pad|>",
    "<|repo_name|>",
    "<|file_sep|>",
    "<fim_pad>",
    "<file_sep>",
    "<repo_name>",
    "</s>",
    "<eos>",
)
"""Texts that end a suggestion in any model that has them as one token."""


def find_format(tokenizer: Tokenizer) -> tuple[FimFormat, dict[str, str]]:
    """Return the format whose FIM tokens ``tokenizer`` has, and their texts; prefix only when it has none.

    The tokens for several files are part of it if there are both.
    """
    for known in KNOWN_FORMATS:
        texts = {"prefix": known.prefix, "suffix": known.suffix, "middle": known.middle}
        files = {"repository": known.repository, "file": known.file}
        ids = {part: tokenizer.token_to_id(text) for part, text in (texts | files).items()}
        if any(ids[part] is None for part in files):
            ids = {part: ids[part] for part in texts}
        else:
            texts |= files
        if None not in ids.values():
            return FimFormat(order=known.order, **ids), texts
    return FimFormat(order="prefix-only"), {}


def find_stop_tokens(tokenizer: Tokenizer, fim: FimFormat, declared: list[int]) -> list[int]:
    """Return the ids that end a suggestion: those declared by the checkpoint, known texts, and FIM's own."""
    # Only what was added as a token of its own: "</s>" is ordinary text to Qwen, and ends a strikethrough in HTML.
    added = {token.content: number for number, token in tokenizer.get_added_tokens_decoder().items()}
    control = (token for token in (fim.prefix, fim.suffix, fim.middle) if token >= 0)
    return sorted({*declared, *(added[text] for text in STOP_TOKENS if text in added), *control})
