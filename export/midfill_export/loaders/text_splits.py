"""How tokenizers split a text before they merge its pieces, by the name of the rule in a GGUF.

The rules are those of the models' own tokenizers, and the names are those that llama.cpp's converter gives them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tokenizers import Regex, pre_tokenizers

_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_CONTRACTED = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+"


@dataclass(frozen=True)
class TextSplit:
    """One rule."""

    patterns: tuple[str, ...]
    """Regular expressions of a piece, one applied after the other."""
    composes: bool = False
    """Whether the text is normalized to composed characters (NFC) first."""
    keeps_whole_tokens: bool = False
    """Whether a piece that is a token needs no merges."""

    def pre_tokenizer(self) -> pre_tokenizers.PreTokenizer:
        """Return the rule as a part of a tokenizer."""
        splits = [pre_tokenizers.Split(Regex(pattern), behavior="isolated") for pattern in self.patterns]
        return pre_tokenizers.Sequence([*splits, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


_QWEN = TextSplit((rf"{_CONTRACTED}|\p{{N}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",), composes=True)
_PLAIN = TextSplit((_GPT2,))
_SINGLE_DIGITS = TextSplit((r"\p{N}", _GPT2))
_LLAMA3 = TextSplit(
    (rf"{_CONTRACTED}|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",),
    keeps_whole_tokens=True,
)
TEXT_SPLITS: Mapping[str, TextSplit] = MappingProxyType(
    {
        "qwen2": _QWEN,
        "gpt-2": _PLAIN,
        "mellum": _PLAIN,
        "starcoder": _SINGLE_DIGITS,
        "refact": _SINGLE_DIGITS,  # Granite Code, Granite 3
        "smollm": _SINGLE_DIGITS,
        "dbrx": TextSplit(_LLAMA3.patterns),  # Granite 4
        "llama-bpe": _LLAMA3,
        "seed-coder": TextSplit((rf"{_CONTRACTED}|\p{{N}}| ?[^\s\p{{L}}\p{{N}}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+",)),
        "deepseek-coder": TextSplit((r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[一-龥ࠀ-一가-퟿]+", r"\p{N}")),
    }
)
SPLITS_OF_ARCHITECTURES: Mapping[str, TextSplit] = MappingProxyType(
    {"stablelm": TextSplit((_GPT2,), composes=True), "gptneox": _PLAIN, "starcoder2": _SINGLE_DIGITS}
)
"""The rules of architectures whose files, if they are older than the names, name none."""


def text_split(name: str | None, architecture: str | None) -> TextSplit | None:
    """Return the rule of a name, or that of the architecture if there is no name; None if it is unknown here."""
    if name in (None, "default"):
        return SPLITS_OF_ARCHITECTURES.get(architecture or "")
    return TEXT_SPLITS.get(name or "")
