"""A model's tokenizer: text to token ids and back. A document's text never becomes a control token."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

from tokenizers import AddedToken, Tokenizer

from midfill.common.errors import BundleDamaged
from midfill.inference.bundle import Bundle, Manifest
from midfill.inference.token_healing import Vocabulary

_DECODED_AT_ONCE = 4096


class ModelTokenizer:
    """The tokenizer of one bundle. It may be used from several threads."""

    def __init__(self, tokenizer: Tokenizer, manifest: Manifest) -> None:
        """Take the library's ``tokenizer`` and the ``manifest`` that names the model's control tokens."""
        fim = manifest.fim
        self.stop_tokens = frozenset(manifest.stop_tokens)
        self.control_tokens = (
            self.stop_tokens | {fim.prefix, fim.suffix, fim.middle} | _tokens_within(manifest.chat_template, tokenizer)
        )
        """Tokens that only the prompt format may use. A document that spells one of them contains plain text."""
        _encode_control_tokens_as_text(tokenizer, self.control_tokens)
        self._tokenizer = tokenizer
        self.vocabulary = Vocabulary(_token_texts(tokenizer, manifest.vocabulary), excluded=self.stop_tokens)
        self._newlines = self.vocabulary.newlines()

    def encode(self, text: str) -> list[int]:
        """Return the token ids of ``text``. A control token that the text spells is encoded as plain text."""
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def spell(self, ids: Sequence[int]) -> str:
        """Return the text of ``ids`` as the model sees it, control tokens included."""
        text: str = self._tokenizer.decode(ids, skip_special_tokens=False)
        return text

    def text(self, ids: Sequence[int]) -> str:
        r"""Return the text of generated ``ids`` with "\n" as line end. An incomplete last character is left out."""
        return self.spell(ids).rstrip("\ufffd").replace("\r", "")

    def count_newlines(self, ids: Sequence[int]) -> int:
        """Return the number of newlines in the text of ``ids``."""
        return int(self._newlines[ids].sum())

    def control_token_texts(self) -> dict[str, int]:
        """Return the control tokens by their texts."""
        return {self.spell([token]): token for token in self.control_tokens if token >= 0}


def load_tokenizer(bundle: Bundle) -> ModelTokenizer:
    """Load the tokenizer of ``bundle``.

    Raises:
        BundleDamaged: the file is not a tokenizer, or is another model's.
    """
    try:
        tokenizer = Tokenizer.from_file(str(bundle.tokenizer))
    except Exception as error:  # the library raises plain Exception
        raise BundleDamaged(f"{bundle.tokenizer} is no tokenizer: export the bundle again.") from error
    vocabulary = bundle.manifest.vocabulary
    if tokenizer.get_vocab_size() > vocabulary or tokenizer.id_to_token(vocabulary) is not None:
        raise BundleDamaged(f"{bundle.tokenizer} has tokens that the model does not have: export the bundle again.")
    return ModelTokenizer(tokenizer, bundle.manifest)


def _encode_control_tokens_as_text(tokenizer: Tokenizer, control: Container[int]) -> None:
    """Make the library encode "<|fim_middle|>" in a document as text.

    The library can leave out special tokens only, and some checkpoints do not count their FIM tokens among those.
    """
    added = tokenizer.get_added_tokens_decoder()
    tokenizer.add_special_tokens(
        [
            AddedToken(token.content, special=True, normalized=token.normalized)
            for number, token in added.items()
            if number in control and not token.special
        ]
    )
    tokenizer.encode_special_tokens = True


def _tokens_within(template: str, tokenizer: Tokenizer) -> set[int]:
    """Return the added tokens whose text occurs in a chat template."""
    return {number for number, token in tokenizer.get_added_tokens_decoder().items() if token.content in template}


def _token_texts(tokenizer: Tokenizer, vocabulary: int) -> Iterator[str]:
    """Yield the text of each token id below ``vocabulary``; "" for an id that the tokenizer does not know."""
    for start in range(0, vocabulary, _DECODED_AT_ONCE):  # all at once take 20 MB more, which the process would keep
        ids = [[token] for token in range(start, min(start + _DECODED_AT_ONCE, vocabulary))]
        yield from tokenizer.decode_batch(ids, skip_special_tokens=False)
