"""Documentation as a language has it: where it stands, how it is marked, and how it is read out of an answer."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from itertools import takewhile

from tree_sitter import Node, Parser
from tree_sitter_language_pack import get_language

from midfill.actions.checked_edit import Faulty, code_in
from midfill.actions.selection import Selection, margin_of
from midfill.code.identifiers import IDENTIFIER
from midfill.code.syntax import Definition

_WIDTH = 100
_MOST_LINES = 60
_TRIPLE = re.compile(r"(\"\"\"|''')(?P<text>.*?)(?:\1|\Z)", re.DOTALL)
_BLOCK = re.compile(r"/\*[*!]?(?P<text>.*?)(?:\*/|\Z)", re.DOTALL)
_MARKS = re.compile(r"^[ \t]*(?:///?!?|--+|#'|#|\*(?!\*))[ \t]?", re.MULTILINE)
_CHATTER = re.compile(r"(?:sure|certainly|of course|here (?:is|are|'s)|below is)\b", re.IGNORECASE)
_CODE = re.compile(
    r"^[ \t]*(?:def|async def|class|function|func|fn|public|private|export|return|const|let|var)\b.*[:{;]?$"
)


@dataclass(frozen=True)
class Convention:
    """How one kind of documentation is written."""

    name: str
    """What a model is asked for."""
    first: str
    """What the first line begins with."""
    middle: str
    """What each further line begins with."""
    last: str = ""
    """What ends it, on a line of its own."""


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
"""By grammar."""
_WITHOUT_GENERICS = frozenset({"python", "javascript", "ruby", "lua", "r"})
"""Grammars of languages in which < is no bracket."""
_NO_PARAMETER = frozenset({"self", "cls", "this", "void"})
_NAME_ENDS = re.compile(r"[:=]")


def parameters(definition: Definition, grammar: str) -> list[str]:
    """Return the names of a function's parameters, as far as they can be read off its declaration."""
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
    """Return the name of one parameter; "" of what has none or several, such as a pattern."""
    before = _NAME_ENDS.split(parameter)[0]
    words = IDENTIFIER.findall(before)
    if not words or any(bracket in before for bracket in "([{"):
        return ""
    return str(words[0 if grammar == "go" else -1])


def place_for(selection: Selection, definition: Definition) -> Selection:
    """Return the lines that the documentation of ``definition`` takes the place of: none, or an old docstring's.

    Raises:
        Faulty: it cannot be documented, or is already.
    """
    grammar = selection.language.grammar
    if grammar == "python":
        return _docstring_place(selection, definition)
    above = selection.redacted_lines[definition.first_line - 1].strip() if definition.first_line else ""
    if above.endswith("*/") or above.startswith(CONVENTIONS[grammar].first.strip()):
        raise Faulty("documented", f"'{definition.name}' has a comment already")
    indent = margin_of([selection.redacted_lines[definition.first_line]])
    return selection.of_lines(definition.first_line, definition.first_line, indent)


def head_of(selection: Selection, definition: Definition) -> list[str]:
    """Return the lines of ``definition`` before its code: its declaration, and a docstring; none of a single line."""
    lines = selection.redacted_lines[definition.first_line : definition.last_line + 1]
    if selection.language.grammar == "python":
        try:
            return lines[: _docstring_place(selection, definition).end_line - definition.first_line]
        except Faulty:
            return []
    wanted = definition.signature.split("\n")
    if not lines[0].startswith(wanted[0]):  # a comment that stands above
        del wanted[0]
    pairs = zip(lines, wanted, strict=False)
    head = [line for line, _ in takewhile(lambda pair: pair[1] and pair[0].startswith(pair[1]), pairs)]
    return head if len(head) < len(lines) else []


def text_of(answer: str) -> str:
    """Return the documentation that an answer gives, without any marks.

    Raises:
        Faulty: there is none, or it holds more than prose.
    """
    code = code_in(answer)
    if "`" * 3 not in answer and _CHATTER.match(code):
        raise Faulty("prose", "there is more than documentation in the answer")
    found = _TRIPLE.search(code) or _BLOCK.search(code)
    text = found["text"] if found else code
    text = _MARKS.sub("", text) if not found or found.re is _BLOCK else text
    first, _, rest = text.strip().partition("\n")
    lines = [first, *textwrap.dedent(rest).split("\n")] if rest else [first]
    if not found and any(_CODE.match(line) for line in lines):
        raise Faulty("no-documentation", "there is code in the answer, but no documentation")
    lines = [part for line in lines for part in _wrapped(line.rstrip())][:_MOST_LINES]
    text = "\n".join(lines).strip()
    if not text or "```" in text or '"""' in text or "*/" in text:
        raise Faulty("no-documentation", "there is no documentation in the answer")
    return text


def marked(text: str, convention: Convention) -> str:
    """Write ``text`` as documentation, at the left margin."""
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
    if len(line) <= _WIDTH:
        return [line]
    margin = line[: len(line) - len(line.lstrip())]
    return textwrap.wrap(line, _WIDTH, subsequent_indent=margin, break_long_words=False)


def _docstring_place(selection: Selection, definition: Definition) -> Selection:
    data = selection.redacted.encode("utf-8", "replace")
    tree = Parser(get_language("python")).parse(data)
    body = _body_of(tree.root_node, definition)
    if body is None or not body.named_children:
        raise Faulty("no-body", f"'{definition.name}' has no body to document")
    first = body.named_children[0]
    inner = first.named_children[0] if first.type == "expression_statement" and first.named_children else first
    line = first.start_point.row
    if selection.redacted_lines[line].encode("utf-8", "replace")[: first.start_point.column].strip():
        raise Faulty("one-line", f"the body of '{definition.name}' stands on the line of its declaration")
    indent = margin_of([selection.redacted_lines[line]])
    end = inner.end_point.row + 1 if inner.type == "string" else line
    return selection.of_lines(line, end, indent)


def _body_of(root: Node, definition: Definition) -> Node | None:
    """Return the body of a definition, by its name and where it begins, which decorators may stand before."""
    stack = [root]
    while stack:
        node = stack.pop()
        name = node.child_by_field_name("name") if node.type.endswith("_definition") else None
        is_it = name is not None and name.text == definition.name.encode("utf-8", "replace")
        if is_it and definition.first_line <= node.start_point.row <= definition.last_line:
            return node.child_by_field_name("body")
        children = (child for child in node.named_children if child.end_point.row >= definition.first_line)
        stack.extend(reversed(list(children)))
    return None
