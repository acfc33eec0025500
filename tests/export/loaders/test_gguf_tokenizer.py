"""The tokenizer that a GGUF describes is the one that transformers makes of it."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from export.conftest import CONTROL_TOKENS
from lengths import only_at_length
from midfill.inference.bundle import load_bundle
from midfill.settings.schema import default_bundle
from midfill_export.loaders.checkpoint import open_checkpoint
from midfill_export.loaders.gguf_file import GgufFile, open_gguf
from midfill_export.loaders.gguf_tokenizer import read_tokenizer
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
