"""Explains to a person what an action saw: each part of the project, how it was found, and what that was worth."""

from __future__ import annotations

from midfill.actions.result import ActionResult
from midfill.actions.surroundings import Seen
from midfill.common.printable import printable


def to_lines(result: ActionResult) -> list[str]:
    """Return a line for each part of the project that the model was shown, and one for what had no room."""
    lines = [f"  {seen.tokens:6} tokens  {_place(seen)}  {seen.kind}, score {seen.score:.2f}" for seen in result.seen]
    if result.left_out:
        lines.append(f"  no room for: {', '.join(result.left_out)}")
    return [printable(line) for line in lines]


def to_markdown(title: str, result: ActionResult) -> str:
    """Return a section of a Markdown page about an action."""
    selection = result.task.selection
    first = f"{title}: lines {selection.first_line + 1} to {selection.end_line}"
    outcome = f"  nothing: {result.reason} ({result.detail})" if result.reason else "  done"
    asked = [f"  {answer.prompt_tokens} tokens of prompt; {answer.model}" for answer in result.answers[:1]]
    page = [printable(first), printable(outcome), *asked, *to_lines(result)]
    return "\n".join(("## The last action", "", "```text", *page, "```", ""))


def _place(seen: Seen) -> str:
    return f"{seen.path or 'this file'}:{seen.first_line + 1}-{seen.last_line + 1}"
