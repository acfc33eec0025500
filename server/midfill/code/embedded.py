"""The language of a script or a style sheet within a page, as in HTML, Vue, Svelte and Astro."""

from __future__ import annotations

import re
from collections import deque

from midfill.code.languages import Language, language_of

_PAGES = frozenset({"HTML", "Vue", "Svelte", "Astro", "Handlebars", "Jinja", "Twig", "ERB", "HEEx", "Razor"})
_START = re.compile(
    r"<(?P<element>script|style)\b(?P<attributes>(?:[^<>\"']|\"[^\"]{0,200}\"|'[^']{0,200}'){0,200})>", re.IGNORECASE
)
_LANGUAGE = re.compile(r"\b(?:lang|type)\s*=\s*[\"']?(?:text/|application/)?(?P<id>[\w-]+)", re.IGNORECASE)
_IDS = {"js": "javascript", "ts": "typescript", "tsx": "typescriptreact", "jsx": "javascriptreact"}
_DEFAULTS = {"script": "javascript", "style": "css"}
_FENCE = "---\n"
"""The mark before and after the script at the start of an Astro component."""


def embedded_at(before: str, after: str, language: Language) -> tuple[str, str, Language]:
    """Return the part of the text on both sides of a place that is in one language, and that language.

    Within a script or a style sheet of a page, that is its content. Elsewhere it is all.
    """
    if language.name not in _PAGES:
        return before, after, language
    if language.name == "Astro" and before.startswith(_FENCE) and f"\n{_FENCE}" not in before[len(_FENCE) :]:
        return before[len(_FENCE) :], after.partition(f"\n{_FENCE}")[0], language_of("", "typescript")
    start = next(iter(deque(_START.finditer(before), maxlen=1)), None)
    if start is None or f"</{start['element'].lower()}" in before[start.end() :].lower():
        return before, after, language
    element = start["element"].lower()
    named = _LANGUAGE.search(start["attributes"])
    name = named["id"].lower() if named else ""
    inner = language_of("", _IDS.get(name, name))
    if not (inner.grammar or inner.line_comment):
        inner = language_of("", _DEFAULTS[element])
    return before[start.end() :], after.partition(f"</{element}")[0], inner
