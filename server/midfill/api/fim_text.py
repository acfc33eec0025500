"""A fill-in-the-middle prompt that a client has spelt with the model's control tokens, taken apart again.

Zed, llama.vscode and Continue send such texts. Midfill writes the prompt itself, so that secrets are replaced and a
control token in the code stays text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from midfill.api.given_files import GivenFile


@dataclass(frozen=True)
class FimText:
    """What such a prompt says."""

    prefix: str
    suffix: str
    path: str = ""
    """The document's path, as far as the client tells it."""
    files: tuple[GivenFile, ...] = ()
    """What stands before the prefix token: other files."""


def split_fim_text(prompt: str, tokens: Mapping[str, str]) -> FimText | None:
    """Take a prompt apart; None if it is no such text.

    The prefix may come first, or the suffix. Other files may stand before both; then the prompt must end with the
    middle token, so that code which only mentions these tokens is not taken for a prompt. If the code has control
    tokens as well, the first prefix and suffix tokens and the last middle token are taken to be the prompt's own.

    Args:
        prompt: what the client has sent.
        tokens: the texts of the model's control tokens, as its manifest has them.
    """
    before, after, middle = (tokens.get(name, "") for name in ("prefix", "suffix", "middle"))
    if not (before and after and middle):
        return None
    head, found_prefix, rest = prompt.partition(before)
    sides, found_middle, tail = rest.rpartition(middle)
    prefix, found_suffix, suffix = sides.partition(after)
    if not (found_prefix and found_middle and found_suffix) or (head and tail):
        return None
    path, files = _files(head, tokens.get("repository", ""), tokens.get("file", ""))
    return FimText(prefix + tail, suffix, path, files)


def _files(head: str, repository: str, file: str) -> tuple[str, tuple[GivenFile, ...]]:
    """Return the document's path, and the other files, from what stands before the prefix token."""
    start, *parts = head.split(file) if file else [head]
    if repository and start.startswith(repository):
        start = ""  # the repository's name
    named = [part.partition("\n") for part in parts]
    path = named.pop()[0].strip() if named and not named[-1][2].strip() else ""
    files = [GivenFile("", start), *(GivenFile(name.strip(), text) for name, _, text in named)]
    return path, tuple(each for each in files if each.text.strip())
