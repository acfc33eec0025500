"""Documentation in each language: where it belongs, how it is marked, and how it is taken from an answer."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from itertools import takewhile

from midfill.actions.checked_edit import code_in
from midfill.actions.reasons import ActionReason, Faulty
from midfill.actions.selection import Selection, margin_of
from midfill.code.identifiers import IDENTIFIER
from midfill.code.syntax import Definition

_MAX_WIDTH = 100
_MAX_LINES = 60
_TRIPLE = re.compile(r"(\"\"\"|''')(?P<text>.*?)(?:\1|\Z)", re.DOTALL)
_BLOCK = re.compile(r"/\*[*!]?(?P<text>.*?)(?:\*/|\Z)", re.DOTALL)
_MARKS = re.compile(r"^[ \t]*(?:///?!?|--+|#'|#|\*(?!\*))[ \t]?", re.MULTILINE)
_CHATTER = re.compile(r"(?:sure|certainly|of course|here (?:is|are|'s)|below is)\b", re.IGNORECASE)
_CODE = re.compile(
    r"^[ \t]*(?:def|async def|class|function|func|fn|public|private|export|return|const|let|var)\b.*[:{;]?$"
)


@dataclass(frozen=True)
class Convention:
    """How one language writes documentation."""

    name: str
    """Its name in the prompt."""
    first: str
    """The beginning of the first line."""
    middle: str
    """The beginning of each further line."""
    last: str = ""
    """The last line; "" for none."""


_BLOCK_COMMENT = {
    "javascript": "JSDoc comment", "typescript": "TSDoc comment", "tsx": "TSDoc comment", "java": "Javadoc comment",
    "kotlin": "KDoc comment", "php": "PHPDoc comment", "c": "Doxygen comment", "cpp": "Doxygen comment",
}  # fmt: skip
CONVENTIONS = {
    "python": Convention("docstring", '"""', "", '"""'),
    **{grammar: Convention(name, "/**", " * ", " */") for grammar, name in _BLOCK_COMMENT.items()},
    "go": Convention("Go doc comment, beginning with the name", "// ", "// "),
    "rust": Convention("rustdoc comment", "/// ", "/// "),
    "swift": Convention("Swift documentation comment", "/// ", "/// "),
    "csharp": Convention("XML documentation comment", "/// ", "/// "),
    "ruby": Convention("YARD comment", "# ", "# "),
    "bash": Convention("comment", "# ", "# "),
    "lua": Convention("LDoc comment", "--- ", "-- "),
    "r": Convention("roxygen2 comment", "#' ", "#' "),
    "sql": Convention("comment", "-- ", "-- "),
}
"""The conventions, by grammar."""
_WITHOUT_GENERICS = frozenset({"python", "javascript", "ruby", "lua", "r"})
"""Grammars in which < is not a bracket."""
_NO_PARAMETER = frozenset({"self", "cls", "this", "void"})
_NAME_ENDS = re.compile(r"[:=]")


def parameters(definition: Definition, grammar: str) -> list[str]:
    """Return the names of a function's parameters that are plain names in its declaration."""
    declared = definition.signature
    start = declared.find("(", declared.find(definition.name) + 1)
    if definition.kind != "function" or start < 0 or grammar == "bash":
        return []
    opening, closing = ("([{", ")]}") if grammar in _WITHOUT_GENERICS else ("([{<", ")]}>")
    parts, depth = [""], 0
    for character in declared[start + 1 :].replace("=>", "").replace("->", ""):
        depth -= character in closing
        if depth < 0:
            break
        if character == "," and depth == 0:
            parts.append("")
        elif depth == 0 or character == "(":
            parts[-1] += character if character not in closing else " "
        depth += character in opening
    return [name for part in parts if (name := _name_in(part, grammar)) and name not in _NO_PARAMETER]


def _name_in(parameter: str, grammar: str) -> str:
    """Return the name of one parameter; "" if it has no name, or several, as a pattern has."""
    before = _NAME_ENDS.split(parameter)[0]
    words = IDENTIFIER.findall(before)
    if not words or any(bracket in before for bracket in "([{"):
        return ""
    return str(words[0 if grammar == "go" else -1])


def place_for(selection: Selection, definition: Definition) -> Selection:
    """Return the lines that the documentation of ``definition`` replaces: an old docstring, or none.

    Raises:
        Faulty: the definition cannot be documented, or already is.
    """
    grammar = selection.language.grammar
    if grammar == "python":
        return _docstring_place(selection, definition)
    above = selection.redacted_lines[definition.first_line - 1].strip() if definition.first_line else ""
    if above.endswith("*/") or above.startswith(CONVENTIONS[grammar].first.strip()):
        raise Faulty(ActionReason.DOCUMENTED, f"'{definition.name}' has a comment already")
    indent = margin_of([selection.redacted_lines[definition.first_line]])
    return selection.of_lines(definition.first_line, definition.first_line, indent)


def head_of(selection: Selection, definition: Definition) -> list[str]:
    """Return the first lines of ``definition``: its declaration and docstring; none if there is no code below them."""
    lines = selection.redacted_lines[definition.first_line : definition.last_line + 1]
    if selection.language.grammar == "python":
        try:
            return lines[: _docstring_place(selection, definition).end_line - definition.first_line]
        except Faulty:
            return []
    declared = definition.signature.split("\n")
    if not lines[0].startswith(declared[0]):  # a comment above the definition
        del declared[0]
    pairs = zip(lines, declared, strict=False)
    head = [line for line, _ in takewhile(lambda pair: pair[1] and pair[0].startswith(pair[1]), pairs)]
    return head if len(head) < len(lines) else []


def text_of(answer: str) -> str:
    """Return the documentation in an answer, without its marks.

    Raises:
        Faulty: there is none, or it contains more than prose.
    """
    code = code_in(answer)
    if "`" * 3 not in answer and _CHATTER.match(code):
        raise Faulty(ActionReason.PROSE, "there is more than documentation in the answer")
    found = _TRIPLE.search(code) or _BLOCK.search(code)
    text = found["text"] if found else code
    text = _MARKS.sub("", text) if not found or found.re is _BLOCK else text
    first, _, rest = text.strip().partition("\n")
    lines = [first, *textwrap.dedent(rest).split("\n")] if rest else [first]
    if not found and any(_CODE.match(line) for line in lines):
        raise Faulty(ActionReason.NO_DOCUMENTATION, "there is code in the answer, but no documentation")
    lines = [part for line in lines for part in _wrapped(line.rstrip())][:_MAX_LINES]
    text = "\n".join(lines).strip()
    if not text or "```" in text or '"""' in text or "*/" in text:
        raise Faulty(ActionReason.NO_DOCUMENTATION)
    return text


def marked(text: str, convention: Convention) -> str:
    """Return ``text`` with the marks of documentation, at the left margin."""
    lines = text.split("\n")
    if convention.first == '"""':
        opening = 'r"""' if "\\" in text else '"""'
        end = " " if text.endswith('"') else ""
        return f'{opening}{text}{end}"""' if len(lines) == 1 else f'{opening}{text}\n"""'
    if convention.last:
        body = [f"{convention.middle}{line}".rstrip() for line in lines]
        return "\n".join((convention.first, *body, convention.last))
    marks = [convention.first, *[convention.middle] * (len(lines) - 1)]
    return "\n".join(f"{mark}{line}".rstrip() for mark, line in zip(marks, lines, strict=True))


def _wrapped(line: str) -> list[str]:
    if len(line) <= _MAX_WIDTH:
        return [line]
    margin = line[: len(line) - len(line.lstrip())]
    return textwrap.wrap(line, _MAX_WIDTH, subsequent_indent=margin, break_long_words=False)


def _docstring_place(selection: Selection, definition: Definition) -> Selection:
    body = selection.syntax.body_of(definition)
    if body is None or not body.named_children:
        raise Faulty(ActionReason.NO_BODY, f"'{definition.name}' has no body to document")
    first = body.named_children[0]
    inner = first.named_children[0] if first.type == "expression_statement" and first.named_children else first
    line = first.start_point.row
    if selection.redacted_lines[line].encode("utf-8", "replace")[: first.start_point.column].strip():
        raise Faulty(ActionReason.ONE_LINE, f"the body of '{definition.name}' stands on the line of its declaration")
    indent = margin_of([selection.redacted_lines[line]])
    end = inner.end_point.row + 1 if inner.type == "string" else line
    return selection.of_lines(line, end, indent)
