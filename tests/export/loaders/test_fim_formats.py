"""Which prompt format a tokenizer follows, and what ends a suggestion."""

from __future__ import annotations

import pytest
from tokenizers import AddedToken, Tokenizer, models

from midfill.common.errors import SourceError
from midfill.inference.bundle import FimFormat
from midfill_export.loaders.fim_formats import KNOWN_FORMATS, find_format, find_stop_tokens


def tokenizer_with(*tokens: str) -> Tokenizer:
    """Return a tokenizer that has these control tokens, from id 2 on."""
    tokenizer = Tokenizer(models.WordLevel({"a": 0, "[UNK]": 1}, unk_token="[UNK]"))  # noqa: S106 - not a password
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in tokens])
    return tokenizer


FIM = ("<fim_prefix>", "<fim_middle>", "<fim_suffix>", "<fim_pad>")
QWEN = ("<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|fim_pad|>")


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ((*QWEN, "<|repo_name|>", "<|file_sep|>"), ("suffix-first", 2, 4, 3, 6, 7)),
        (QWEN, ("suffix-first", 2, 4, 3, -1, -1)),
        ((*QWEN, "<|file_separator|>"), ("prefix-first", 2, 4, 3, -1, -1)),
        ((*FIM, "<repo_name>", "<file_sep>"), ("prefix-first", 2, 4, 3, 6, 7)),
        ((*FIM, "<reponame>", "<filename>", "<gh_stars>"), ("prefix-first", 2, 4, 3, 6, 7)),
        (FIM, ("prefix-first", 2, 4, 3, -1, -1)),
        (("<｜fim▁hole｜>", "<｜fim▁begin｜>", "<｜fim▁end｜>"), ("prefix-first", 3, 2, 4, -1, -1)),
        (("▁<PRE>", "▁<MID>", "▁<SUF>", "▁<EOT>"), ("prefix-first", 2, 4, 3, -1, -1)),
        (("<[fim-suffix]>", "<[fim-prefix]>", "<[fim-middle]>"), ("suffix-first", 3, 2, 4, -1, -1)),
    ],
    ids=[
        "qwen",
        "qwen, files",
        "codegemma",
        "starcoder2",
        "stable code",
        "granite",
        "deepseek",
        "codellama",
        "seed-coder",
    ],
)
def test_format_by_its_tokens(tokens: tuple[str, ...], expected: tuple[object, ...]) -> None:
    """Order, prefix, suffix and middle, and what precedes repositories and files where there are both."""
    tokenizer = tokenizer_with(*tokens)
    fim, texts = find_format(tokenizer)
    assert (fim.order, fim.prefix, fim.suffix, fim.middle, fim.repository, fim.file) == expected
    assert {part: tokenizer.token_to_id(text) for part, text in texts.items()} == {
        part: number for part, number in vars(fim).items() if part != "order" and number >= 0
    }


@pytest.mark.parametrize(
    ("tokens", "rule", "order"),
    [
        (FIM, "mellum", "suffix-first"),
        (FIM, "refact", "prefix-first"),
        (QWEN, "dbrx", "prefix-first"),
        ((*QWEN, "<|repo_name|>", "<|file_sep|>"), "qwen2", "suffix-first"),
    ],
    ids=["mellum", "granite code", "granite 4", "qwen"],
)
def test_format_by_the_rule_that_splits_text(tokens: tuple[str, ...], rule: str, order: str) -> None:
    """Families with the same tokens differ in it."""
    assert find_format(tokenizer_with(*tokens), rule)[0].order == order


def test_tokenizer_without_control_tokens_completes_from_the_prefix() -> None:
    """Without a known triplet of control tokens the format is prefix only, and the declared stops are all there is."""
    tokenizer = tokenizer_with()
    fim, texts = find_format(tokenizer)
    assert (fim, texts) == (FimFormat(order="prefix-only"), {})
    assert find_stop_tokens(tokenizer, fim, [1]) == [1]


@pytest.mark.parametrize("known", KNOWN_FORMATS, ids=lambda known: known.family)
def test_half_a_format_is_refused_by_name(known: object) -> None:
    """What is missing is named: completing without it would look like a bad model."""
    tokenizer = tokenizer_with(known.prefix, known.suffix)  # type: ignore[attr-defined]
    with pytest.raises(SourceError, match=r"no .*: it is incomplete") as caught:
        find_format(tokenizer)
    assert known.middle in str(caught.value)  # type: ignore[attr-defined]


def test_control_tokens_end_a_suggestion_and_text_does_not() -> None:
    """Only where "</s>" is a token of its own does it end anything: it ends a strikethrough in HTML, too."""
    tokenizer = tokenizer_with(*FIM, "<|endoftext|>", "<filename>")
    fim, _ = find_format(tokenizer)
    assert find_stop_tokens(tokenizer, fim, [0]) == [0, 2, 3, 4, 5, 6, 7]
    words = Tokenizer(models.WordLevel({"</s>": 0}, unk_token="</s>"))  # noqa: S106 - not a password
    assert find_stop_tokens(words, FimFormat(order="prefix-only"), []) == []
