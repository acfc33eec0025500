"""A request's prompt as token ids, and how much may follow it."""

from __future__ import annotations

from midfill.api.fields import Fields, is_list_of_ids
from midfill.inference.token_generator import LanguageModel
from midfill.privacy.secrets import redact

_MAX_TOKENS = 2**31


def prompt_ids(fields: Fields, model: LanguageModel) -> list[int]:
    """Return the prompt's token ids. Secrets in a text are replaced first, and control tokens in it stay text.

    Raises:
        RequestError: it is no prompt, or has no tokens, or more than the model takes.
    """
    prompt = fields.get("prompt")
    if isinstance(prompt, list) and len(prompt) == 1 and not isinstance(prompt[0], int):
        prompt = prompt[0]  # a batch of one
    if isinstance(prompt, str):
        ids = model.tokenizer.encode(redact(fields.as_text("prompt", prompt)).text)
    elif is_list_of_ids(prompt):
        fields.check_ids("prompt", prompt, model.manifest.vocabulary)
        ids = prompt
    else:
        raise fields.refuse("prompt", "must be one text, or one list of token ids.")
    usable = model.manifest.usable_context
    if not 0 < len(ids) < usable:
        raise fields.refuse("prompt", f"has {len(ids)} tokens; it must have from 1 to {usable - 1}.")
    return ids


def max_tokens(fields: Fields, name: str, default: int, room: int) -> int:
    """Return how many tokens may be generated at most, where there is ``room`` for so many.

    Args:
        fields: the request's.
        name: the field that says it. -1 in it stands for all that there is room for.
        default: taken if the field is absent.
        room: number of tokens that fit into the model's context after the prompt.

    Raises:
        RequestError: the field is wrong.
    """
    wanted = fields.whole(name, default, -1, _MAX_TOKENS)
    if wanted == 0:
        raise fields.refuse(name, "must be at least 1.")
    return room if wanted < 0 else min(wanted, room)
