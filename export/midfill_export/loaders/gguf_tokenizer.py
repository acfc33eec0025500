"""Make a tokenizer from a GGUF, which holds its tokens, and its merges or their order.

There are two kinds. One merges bytes, and a rule splits the text first ("gpt2"). The other merges characters of the
whole text, in which blanks are spelled "▁", and has bytes for other characters ("llama", which is SentencePiece).
"""

from __future__ import annotations

from collections.abc import Sequence

from gguf import TokenType
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, processors

from midfill.common.errors import SourceError
from midfill.common.printable import printable
from midfill_export.loaders.gguf_file import GgufFile
from midfill_export.loaders.text_splits import TextSplit, text_split

_BLANK = "▁"
_LONGEST_MERGED = 64
"""Most characters of a token that is merged of others. Longer ones of a file would take the square of their length."""


def read_tokenizer(gguf: GgufFile) -> Tokenizer:
    """Make the tokenizer of a GGUF.

    Raises:
        SourceError: the kind of tokenizer, or the rule that splits text, is unknown here; or it is damaged.
    """
    kind, split = (gguf.text(f"tokenizer.ggml.{name}") for name in ("model", "pre"))
    rule = text_split(split, gguf.text("general.architecture"))
    try:
        if kind == "llama":
            tokenizer = _of_characters(gguf)
        elif kind == "gpt2" and rule is not None:
            tokenizer = _of_bytes(gguf, rule)
        else:
            raise SourceError(
                f"{gguf.path.name} has a tokenizer that only `midfill export` can read"
                f" ({printable(str(kind)[:40])}, {printable(str(split)[:40])})."
            )
    except SourceError:
        raise
    except Exception as error:  # the library raises plain Exception if a merge makes no token
        raise SourceError(f"{gguf.path.name} has a damaged tokenizer: get the file again.") from error
    return tokenizer


def _of_bytes(gguf: GgufFile, rule: TextSplit) -> Tokenizer:
    merges = [tuple(merge.split(" ", 1)) for merge in gguf.texts("tokenizer.ggml.merges")]
    tokenizer = Tokenizer(
        models.BPE(
            vocab=_vocabulary(gguf),
            merges=merges,
            continuing_subword_prefix="",
            end_of_word_suffix="",
            fuse_unk=False,
            ignore_merges=rule.keeps_whole_tokens,
        )
    )
    if rule.composes:
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = rule.pre_tokenizer()
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.add_special_tokens(_added(gguf.control_tokens(), special=True))
    return tokenizer


def _of_characters(gguf: GgufFile) -> Tokenizer:
    """Make a tokenizer of SentencePiece's kind.

    No blank is put before a text, as SentencePiece does: a prompt has several pieces of a document, and a blank before
    each would be another document.
    """
    vocabulary, tokens = _vocabulary(gguf), gguf.texts("tokenizer.ggml.tokens")
    scores = gguf.fields.get("tokenizer.ggml.scores")
    if not isinstance(scores, list) or len(scores) != len(tokens):
        raise SourceError(f"{gguf.path.name} has no order of its tokens: get the file again.")
    unknown = gguf.fields.get("tokenizer.ggml.unknown_token_id", 0)
    tokenizer = Tokenizer(
        models.BPE(
            vocab=vocabulary,
            merges=_merges(tokens, scores, vocabulary),
            unk_token=tokens[unknown],
            fuse_unk=True,
            byte_fallback=True,
        )
    )
    tokenizer.normalizer = normalizers.Replace(" ", _BLANK)
    tokenizer.decoder = decoders.Sequence([decoders.Replace(_BLANK, " "), decoders.ByteFallback(), decoders.Fuse()])
    tokenizer.add_special_tokens(_added(gguf.tokens_of(TokenType.CONTROL), special=True))
    # Runs of blanks and of line ends, and tags: they are text.
    tokenizer.add_tokens(_added(gguf.tokens_of(TokenType.USER_DEFINED), special=False))
    return tokenizer


def _added(tokens: Sequence[str], *, special: bool) -> list[AddedToken]:
    return [AddedToken(token, special=special, normalized=False) for token in tokens]


def _merges(tokens: Sequence[str], scores: Sequence[float], vocabulary: dict[str, int]) -> list[tuple[str, str]]:
    """Return each pair of tokens that makes a token, the likeliest token first, as SentencePiece merges them."""
    pairs = [
        (-scores[vocabulary[token]], vocabulary[token[:cut]], vocabulary[token[cut:]])
        for token in vocabulary
        if len(token) <= _LONGEST_MERGED
        for cut in range(1, len(token))
        if token[:cut] in vocabulary and token[cut:] in vocabulary
    ]
    return [(tokens[left], tokens[right]) for _score, left, right in sorted(pairs)]


def _vocabulary(gguf: GgufFile) -> dict[str, int]:
    return {token: number for number, token in enumerate(gguf.texts("tokenizer.ggml.tokens"))}
