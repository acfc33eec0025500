"""The tokenizer that a GGUF describes is the one that transformers makes of it."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest
from gguf import TokenType
from tokenizers import Tokenizer

from export.conftest import CONTROL_TOKENS
from lengths import only_at_length
from midfill.common.errors import SourceError
from midfill.inference.bundle import load_bundle
from midfill.settings.schema import default_bundle
from midfill_export.loaders.checkpoint import open_checkpoint
from midfill_export.loaders.gguf_file import GgufFile, open_gguf
from midfill_export.loaders.gguf_tokenizer import read_tokenizer
from midfill_export.loaders.text_splits import text_split
from midfill_export.weights.known_models import WEIGHTS
from own_files import USERS_WEIGHTS

ODD = (
    "é e\u0301 ﬁ \u00a0\u3000x = '日本語' # Ω don't I'LL\r\n\r\n\t\t \n  1234567890 ÷ — 🙂 שלום\n\n\n   ",
    "".join(f"a{token}b {token[:-2]} {token} " for token in CONTROL_TOKENS),
    'fn main() {\r\n\tprintln!("{:?}", Vec::<u8>::new());\r\n}\n',
    "<?php echo $a->b['c'] ?? 'd'; ?>\n#include <stdio.h>\nint main(void){return 0x1F;}\n",
    "SELECT * FROM t WHERE a='b';--\n(defun f (x) (* x x))\n\\documentclass{article}\n{ \"a\": [1e-9, null] }",
)


def _texts() -> list[str]:
    library = Path(sysconfig.get_path("stdlib"))
    names = ("argparse", "locale", "tokenize", "turtle", "html/entities", "encodings/punycode", "test/__init__")
    files = [path for name in names if (path := library / f"{name}.py").is_file()]
    return [*ODD, *(path.read_text(encoding="utf-8") for path in files)]


def _ids(tokenizer: Tokenizer) -> list[list[int]]:
    return [tokenizer.encode(text, add_special_tokens=False).ids for text in _texts()]


def test_same_ids_as_by_transformers(gguf_file: Path) -> None:
    """Source files, odd spaces, composed characters and control tokens give the same ids, and the texts come back."""
    ours = read_tokenizer(open_gguf(gguf_file))
    theirs, _ = open_checkpoint(str(gguf_file)).load_tokenizer()
    assert _ids(ours) == _ids(theirs)
    for ids in _ids(ours):
        assert ours.decode(ids, skip_special_tokens=False) == theirs.decode(ids, skip_special_tokens=False)
    assert ours.encode("<|fim_middle|>").ids == [ours.token_to_id("<|fim_middle|>")]


@pytest.mark.bundle
@only_at_length
def test_same_ids_as_the_bundle() -> None:
    """The default model's tokenizer, as transformers makes it of the weights, gives the bundle's ids."""
    weights = USERS_WEIGHTS / WEIGHTS["0.5b"].file
    theirs, template = open_checkpoint(str(weights)).load_tokenizer()
    assert _ids(Tokenizer.from_file(str(load_bundle(default_bundle()).tokenizer))) == _ids(theirs)
    assert open_gguf(weights).text("tokenizer.chat_template") == template


def test_merges_that_make_no_token_are_damage(gguf_file: Path) -> None:
    """An error of the library becomes one line."""
    whole = open_gguf(gguf_file)
    broken = GgufFile(whole.path, {**whole.fields, "tokenizer.ggml.merges": ["no token"]}, whole.tensors)
    with pytest.raises(Exception, match="has a damaged tokenizer") as caught:
        read_tokenizer(broken)
    assert "\n" not in str(caught.value)


def of_characters(whole: GgufFile, **changes: object) -> GgufFile:
    """Return a GGUF with a tokenizer of SentencePiece's kind, for some words."""
    bytes_ = [f"<0x{number:02X}>" for number in range(256)]
    tokens = [
        "<unk>",
        "<s>",
        "</s>",
        *bytes_,
        *"▁abdefrtun",
        "de",
        "def",
        "re",
        "▁re",
        "▁ret",
        "ur",
        "urn",
        "\n\n",
        "    ",
    ]
    kinds = {"<unk>": TokenType.UNKNOWN, "<s>": TokenType.CONTROL, "</s>": TokenType.CONTROL}
    kinds |= dict.fromkeys(("\n\n", "    "), TokenType.USER_DEFINED) | dict.fromkeys(bytes_, TokenType.BYTE)
    fields = {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.pre": "default",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.scores": [-float(number) for number in range(len(tokens))],
        "tokenizer.ggml.token_type": [kinds.get(token, TokenType.NORMAL) for token in tokens],
        "tokenizer.ggml.unknown_token_id": 0,
        **changes,
    }
    return GgufFile(whole.path, {**whole.fields, **fields}, whole.tensors)


def test_characters_are_merged_as_their_order_says(gguf_file: Path) -> None:
    """No blank is put before a text; other characters are bytes; runs of blanks are text, control tokens are not."""
    tokenizer = read_tokenizer(of_characters(open_gguf(gguf_file)))
    text = "def return\n\n    é</s>"
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    spelled = ["def", "▁ret", "urn", "\n\n", "    ", "<0xC3>", "<0xA9>", "</s>"]
    assert [tokenizer.id_to_token(number) for number in ids] == spelled
    assert tokenizer.decode(ids) == "def return\n\n    é"
    assert tokenizer.decode(ids, skip_special_tokens=False) == text


@pytest.mark.parametrize(
    "changes",
    [
        {"tokenizer.ggml.scores": [1.0]},
        {"tokenizer.ggml.unknown_token_id": 1 << 40},
        {"tokenizer.ggml.unknown_token_id": "first"},
    ],
)
def test_damaged_order_of_characters_is_refused(changes: dict[str, object], gguf_file: Path) -> None:
    """In one line."""
    with pytest.raises(SourceError, match="get the file again"):
        read_tokenizer(of_characters(open_gguf(gguf_file), **changes))


@pytest.mark.parametrize(
    ("rule", "pieces"),
    [
        ("gpt-2", ["def", "Ġf", "123", "(", "x", "):", "ĊĠĠĠ", "Ġreturn"]),
        ("starcoder", ["def", "Ġf", "1", "2", "3", "(", "x", "):", "ĊĠĠĠ", "Ġreturn"]),
        ("dbrx", ["def", "Ġf", "123", "(x", "):Ċ", "ĠĠĠ", "Ġreturn"]),
        ("seed-coder", ["def", "Ġf", "1", "2", "3", "(x", "):", "Ċ", "ĠĠĠ", "Ġreturn"]),
        ("deepseek-coder", ["def", "Ġf", "1", "2", "3", "(", "x", "):", "Ċ", "ĠĠĠ", "Ġreturn"]),
    ],
)
def test_rules_that_split_text(rule: str, pieces: list[str]) -> None:
    """Each family has its own rule for digits, brackets and line ends."""
    split = text_split(rule, None)
    assert split is not None
    assert [piece for piece, _ in split.pre_tokenizer().pre_tokenize_str("def f123(x):\n    return")] == pieces


def test_files_older_than_the_names_have_the_rule_of_their_architecture() -> None:
    """Stable Code's is known; a llama's may be any."""
    assert text_split(None, "stablelm") == text_split("default", "stablelm") is not None
    assert text_split(None, "llama") is None
