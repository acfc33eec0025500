"""Explains to a person why there was a suggestion or none: the verdict, and the prompt part by part."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from typing import Any

from midfill.common.printable import printable
from midfill.common.reasons import Reason
from midfill.common.safe_markdown import safe_markdown
from midfill.outcomes import journal
from midfill.outcomes.journal import Entry, PartEntry, Verdict

Spell = Callable[[Sequence[int]], str]
"""Takes token ids, and returns their text, control tokens included."""


def to_lines(verdict: Verdict) -> list[str]:
    """Return a verdict in a few lines: the place, the result, the reason, what was read, and the times."""
    trigger = "automatic" if verdict.automatic else "invoked"
    if verdict.edit:
        trigger = f"next edit, {verdict.edit}"
    when = time.strftime("%H:%M:%S", time.localtime(verdict.at))
    place = f"{verdict.path or 'a document without a path'}:{verdict.line}:{verdict.column}"
    if verdict.reason:
        outcome = f"nothing shown: {verdict.reason} ({_sentence(verdict.reason)})"
    else:
        outcome = f"shown: {verdict.characters} characters in {verdict.lines} lines"
    lines = [f"{when}  {place}  ({trigger})", f"  {outcome}"]
    if verdict.model:
        lines.append(f"  model: {verdict.model}")
    if verdict.prompt_tokens:
        confidence = "" if verdict.confidence is None else f", confidence {verdict.confidence:.2f}"
        lines.append(
            f"  {verdict.tokens} tokens generated after {verdict.prompt_tokens} tokens of prompt"
            f" ({verdict.reused_tokens} from the KV cache){confidence}"
        )
    if verdict.budget:
        lines.append(f"  read: {verdict.budget}")
    if verdict.stopped_by:
        lines.append(f"  ended by: {verdict.stopped_by}")
    if verdict.changes:
        lines.append("  filters: " + ", ".join(f"{code} {change:+d}" for code, change in verdict.changes))
    if verdict.milliseconds:
        lines.append("  ms: " + ", ".join(f"{stage} {value:.1f}" for stage, value in verdict.milliseconds.items()))
    if verdict.parts and not verdict.edit and not any(part.kind == "control" for part in verdict.parts):
        lines.append("  the model has no fill-in-the-middle: it sees only the text before the cursor")
    lines += [f"  {part.tokens:6} tokens  {_origin(part)}" for part in verdict.parts if part.kind != "control"]
    return [printable(line) for line in lines]  # the name of a file, or a damaged journal, may have any characters


def to_markdown(entry: Entry, spell: Spell) -> str:
    """Return a Markdown page with the verdict and the parts of the prompt. Joined, the parts are the exact prompt."""
    verdict, completion = entry.verdict, entry.completion
    page = ["# Why", "", "```text", *to_lines(verdict), "```", ""]
    if completion.text:
        page += ["## Suggestion", "", _fenced(completion.text), ""]
    if completion.parts:
        page += ["## Prompt", ""]
    for part, described in zip(completion.parts, verdict.parts, strict=True):
        origin = safe_markdown(printable(_origin(described)))  # a file's name may be Markdown
        page += [f"{origin}, {described.tokens} tokens:", "", _fenced(part.text or spell(part.ids)), ""]
    return "\n".join(page)


def to_json(entry: Entry, spell: Spell) -> dict[str, Any]:
    """Return the verdict as a JSON object, with the text of each part of the prompt."""
    verdict = journal.to_json(entry.verdict)
    for described, part in zip(verdict["parts"], entry.completion.parts, strict=True):
        described["text"] = part.text or spell(part.ids)
    return verdict


def _sentence(reason: str) -> str:
    """Return the sentence of a reason code. A newer version of Midfill may have written an unknown code."""
    try:
        return Reason(reason).sentence
    except ValueError:
        return "see the documentation"


def _origin(part: PartEntry) -> str:
    where = f" {part.path}:{part.first_line}-{part.last_line}" if part.first_line else ""
    return f"{part.kind}{where}"


def _fenced(text: str) -> str:
    longest = max((len(run) for run in re.findall("`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}text\n{text}\n{fence}"
