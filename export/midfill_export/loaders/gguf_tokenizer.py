"""Make a tokenizer from a GGUF, which holds its tokens, its merges and the name of the rule that splits text first."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from midfill.common.errors import SourceError
from midfill_export.loaders.gguf_file import GgufFile

SPLITS: Mapping[str, str] = MappingProxyType(
    {
        "qwen2": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
        r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    }
)
"""The regular expression of a piece of text, by the name of the rule in a GGUF; taken from the models' tokenizers."""


def read_tokenizer(gguf: GgufFile) -> Tokenizer:
    """Make the tokenizer of a GGUF.

    Raises:
        SourceError: the kind of tokenizer, or the rule that splits text, is unknown here; or it is damaged.
    """
    kind, split = (gguf.text(f"tokenizer.ggml.{name}") for name in ("model", "pre"))
    pieces = SPLITS.get(split or "")
    if kind != "gpt2" or pieces is None:
        raise SourceError(f"{gguf.path.name} has a tokenizer that only `midfill export` can read ({kind}, {split}).")
    tokens, merges = gguf.texts("tokenizer.ggml.tokens"), gguf.texts("tokenizer.ggml.merges")
    vocabulary = {token: number for number, token in enumerate(tokens)}
    pairs = [tuple(merge.split(" ", 1)) for merge in merges]
    try:
        model = models.BPE(
            vocab=vocabulary, merges=pairs, continuing_subword_prefix="", end_of_word_suffix="", fuse_unk=False
        )
    except Exception as error:  # the library raises plain Exception if a merge makes no token
        raise SourceError(f"{gguf.path.name} has a damaged tokenizer: get the file again.") from error
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pieces), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in gguf.control_tokens()])
    return tokenizer
