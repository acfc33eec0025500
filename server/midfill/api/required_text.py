"""The text that an answer must begin with, in the two forms in which vLLM's clients ask for one.

Midfill's generator takes such a text (token healing). A client that heals tokens itself names the tokens with which the
spelling of the text may begin (``allowed_token_ids``), or a regular expression (``structured_outputs``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from midfill.api.fields import Fields
from midfill.inference.token_healing import Vocabulary

_ANYTHING = r"[\s\S]*"
_MAX_CHARACTERS = 200
_SPECIAL = frozenset(".^$*+?{}[]|()")


def required_text(fields: Fields, vocabulary: Vocabulary, tokens: int, max_tokens: int) -> str:
    """Return the text that an answer of at most ``max_tokens`` must begin with; "" if any may come.

    Args:
        fields: the request's.
        vocabulary: the model's.
        tokens: number of token ids that the model has.
        max_tokens: how long the answer may be.

    Raises:
        RequestError: a field is wrong, or asks for what is no such text.
    """
    if fields.get("allowed_token_ids") is not None:
        allowed = fields.ids("allowed_token_ids", tokens, tokens)
        text = text_spelt_by(allowed, vocabulary) if max_tokens == 1 else None
        if text is None:
            raise fields.refuse(
                "allowed_token_ids",
                "must be all tokens with which one text can begin, in a request whose `max_tokens` is 1.",
            )
        return text
    structured = fields.nested("structured_outputs")
    if structured is None or structured.get("regex") is None:
        return ""
    literal = literal_before_anything(structured.text("regex"))
    if not literal or not len(vocabulary.spelling(literal)):
        raise structured.refuse("regex", f"must be a text that tokens can spell, followed by {_ANYTHING}")
    return literal


def text_spelt_by(allowed: Sequence[int], vocabulary: Vocabulary) -> str | None:
    """Return the text whose spelling can begin with exactly the tokens ``allowed``; None if there is no such text."""
    wanted = set(allowed)
    # The longest one has the whole text at its start; the others may be parts of the text.
    longest = max((vocabulary.text(token) for token in wanted), key=len, default="")[:_MAX_CHARACTERS]
    starts = (longest[:length] for length in range(len(longest), 0, -1))
    return next((text for text in starts if wanted == set(map(int, vocabulary.spelling(text)))), None)


def literal_before_anything(pattern: str) -> str | None:
    r"""Return the text of a regular expression that is a text and then ``[\s\S]*``; None for any other one."""
    if not pattern.endswith(_ANYTHING) or len(pattern) > 2 * _MAX_CHARACTERS:
        return None
    escaped = pattern[: -len(_ANYTHING)]
    plain = re.sub(r"\\(\W)", r"\1", escaped, flags=re.ASCII)
    unescaped = re.sub(r"\\\W", "", escaped, flags=re.ASCII)
    return None if "\\" in unescaped or _SPECIAL & set(unescaped) else plain
