"""The known fill-in-the-middle formats, as data; a model's format is found by the control tokens of its tokenizer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tokenizers import Tokenizer

from midfill.common.errors import SourceError
from midfill.inference.bundle import EditFormatName, FimFormat


@dataclass(frozen=True, kw_only=True)
class KnownFormat:
    """One family's control tokens, and the order of prefix and suffix in which its models complete best."""

    family: str
    prefix: str
    suffix: str
    middle: str
    order: Literal["suffix-first", "prefix-first"]
    repository: str = ""
    file: str = ""
    """Tokens before a repository's name and before a file's path; a model of the family may lack them."""
    mark: str = ""
    """A token that only this family has, where others name prefix, suffix and middle in the same way."""
    text_split: str = ""
    """The rule that splits text, by its name in a GGUF, if only this family has the rule and shares the tokens."""


# The order of Qwen2.5-Coder was measured: suffix first fills 66% of single lines exactly, prefix first 51%. The other
# orders are those of the papers and model cards. If several formats fit a tokenizer, the first one with tokens for
# files is used.
KNOWN_FORMATS = (
    KnownFormat(
        family="mellum",
        prefix="<fim_prefix>",
        suffix="<fim_suffix>",
        middle="<fim_middle>",
        order="suffix-first",
        repository="<reponame>",
        file="<filename>",
        text_split="mellum",
    ),
    KnownFormat(
        family="granite-4",
        prefix="<|fim_prefix|>",
        suffix="<|fim_suffix|>",
        middle="<|fim_middle|>",
        order="prefix-first",
        text_split="dbrx",
    ),
    KnownFormat(
        family="seed-coder",
        prefix="<[fim-prefix]>",
        suffix="<[fim-suffix]>",
        middle="<[fim-middle]>",
        order="suffix-first",
    ),
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
"""Control tokens that end a suggestion, in any model that has them."""


def find_format(tokenizer: Tokenizer, text_split: str = "") -> tuple[FimFormat, dict[str, str]]:
    """Return the format whose tokens ``tokenizer`` has, and their texts by part; prefix only if it has none at all.

    ``text_split`` names the rule that splits text, where a GGUF says which.

    The tokens for repository and file are included if the tokenizer has both.

    Raises:
        SourceError: the tokenizer has some of a format's three FIM tokens, but not all.
    """
    possible = [known for known in KNOWN_FORMATS if known.text_split in ("", text_split)]
    found = [fitting for known in possible if (fitting := _ids(known, tokenizer)) is not None]
    if not found:
        _require_whole_format(tokenizer)
        return FimFormat(order="prefix-only"), {}
    # A format of the text's rule comes first, then those with the most tokens, then the first.
    known, ids = max(found, key=lambda each: (bool(each[0].text_split), len(each[1])))
    return FimFormat(order=known.order, **ids), {part: getattr(known, part) for part in ids}


def _ids(known: KnownFormat, tokenizer: Tokenizer) -> tuple[KnownFormat, dict[str, int]] | None:
    """Return the ids of a format's tokens by part; None if the tokenizer does not follow the format."""
    ids = {part: tokenizer.token_to_id(getattr(known, part)) for part in ("prefix", "suffix", "middle")}
    if None in ids.values() or (known.mark and tokenizer.token_to_id(known.mark) is None):
        return None
    files = {part: tokenizer.token_to_id(getattr(known, part)) for part in ("repository", "file")}
    return known, ids if None in files.values() else ids | files


def _require_whole_format(tokenizer: Tokenizer) -> None:
    for known in KNOWN_FORMATS:
        missing = [text for text in (known.prefix, known.suffix, known.middle) if tokenizer.token_to_id(text) is None]
        if 0 < len(missing) < 3:
            raise SourceError(
                f"The tokenizer has fill-in-the-middle tokens of {known.family}, but no {' and no '.join(missing)}:"
                " it is incomplete. Get the checkpoint's own tokenizer.json."
            )


def require_edit_tokens(edit_format: EditFormatName, fim: FimFormat) -> None:
    """Check that a model has the control tokens of the format in which it predicts edits.

    Raises:
        SourceError: it has no token between files, with which Sweep's models begin each part of a prompt and end each
            answer.
    """
    if edit_format == "sweep" and fim.file < 0:
        raise SourceError(
            "The tokenizer has no control tokens <|repo_name|> and <|file_sep|>, so it is not of a Sweep Next-Edit"
            " model: get the model's own file."
        )


def find_stop_tokens(tokenizer: Tokenizer, fim: FimFormat, declared: list[int]) -> list[int]:
    """Return the ids that end a suggestion: those the checkpoint declares, known control tokens, and the FIM tokens."""
    # Only added tokens: to Qwen "</s>" is ordinary text, which ends a strikethrough in HTML.
    added = {token.content: number for number, token in tokenizer.get_added_tokens_decoder().items()}
    control = (token for token in (fim.prefix, fim.suffix, fim.middle) if token >= 0)
    return sorted({*declared, *(added[text] for text in STOP_TOKENS if text in added), *control})
