"""A fill-in-the-middle prompt that a client has spelt with the model's control tokens, taken apart again.

Zed and Continue send such texts. Midfill writes the prompt itself, so that secrets are replaced and a control token in
the code stays text.
"""

from __future__ import annotations

from collections.abc import Mapping


def split_fim_text(prompt: str, tokens: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the text before and after the gap; None if the prompt is no such text.

    The prefix may come first, or the suffix. If the code has control tokens as well, the first suffix token and the
    last middle token are taken to be the prompt's own.

    Args:
        prompt: what the client has sent.
        tokens: the texts of the model's control tokens, as its manifest has them.
    """
    before, after, middle = (tokens.get(name, "") for name in ("prefix", "suffix", "middle"))
    if not (before and after and middle and prompt.startswith(before)):
        return None
    head, found_middle, tail = prompt[len(before) :].rpartition(middle)
    prefix, found_suffix, suffix = head.partition(after)
    return (prefix + tail, suffix) if found_middle and found_suffix else None
