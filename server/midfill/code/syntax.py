"""What tree-sitter knows of a text: its definitions, its imports, the block a cursor is in.

Everything degrades: text of no known language, or too long to parse while somebody types, has no definitions. Lines
count from 0 and end at a newline only; offsets are in characters.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import cast

from tree_sitter import Language as TreeSitterLanguage
from tree_sitter import Node, Parser, Query, QueryCursor, Tree
from tree_sitter_language_pack import SupportedLanguage, get_language

from midfill.code.identifiers import IDENTIFIER
from midfill.code.languages import Language
from midfill.code.queries import QUERIES

MOST_CHARACTERS = 400_000
"""Longer text is not parsed: it would take some 100 milliseconds, and is hardly written by hand."""
_LONGEST_SIGNATURE = 600
_LONGEST_DOC = 120
_KINDS = ("function", "class", "constant", "section")


@dataclass(frozen=True)
class Definition:
    """Something with a name, and where it stands."""

    name: str
    kind: str
    """``function`` (a method or a macro, too), ``class`` (any named type), ``constant`` or ``section`` (of prose)."""
    first_line: int
    last_line: int
    """The last line that belongs to it."""
    signature: str
    """The text up to the body with the documentation's first line, indented as in the file."""


@dataclass(frozen=True)
class Import:
    """What a file takes from another."""

    module: str
    """As written, without quotes and brackets."""
    names: tuple[str, ...]
    """The names it takes from there, () for the module itself."""


@dataclass(frozen=True)
class Block:
    """A definition round a cursor."""

    name: str
    kind: str
    first_line: int
    last_line: int


class Syntax:
    """A parsed text."""

    def __init__(self, text: str, language: Language) -> None:
        """Parse ``text``, if it is short enough and there is a grammar for it."""
        self._data = text.encode("utf-8", "replace")
        self._language = language
        known = bool(language.grammar) and len(text) <= MOST_CHARACTERS
        # Not through a callback: py-tree-sitter 0.26 never lets go of one, nor of the text it refers to.
        self._tree = Parser(_language(language.grammar)).parse(self._data) if known else None

    def definitions(self) -> list[Definition]:
        """Return the definitions, outer ones first, by their first line."""
        found = {(kind, node.start_byte): self._definition(kind, node, name) for kind, node, name in self._named()}
        # What one query calls a constant and another a function (`const f = () => 1`) is a function.
        functions = {(d.name, d.first_line) for d in found.values() if d.kind == "function"}
        kept = (d for d in found.values() if d.kind != "constant" or (d.name, d.first_line) not in functions)
        return sorted(kept, key=lambda definition: (definition.first_line, -definition.last_line))

    def imports(self) -> list[Import]:
        """Return what the text imports, in its order, names of one module together."""
        names: dict[str, dict[str, None]] = {}
        for captures in self._matches:
            if "module" in captures:
                module = _text(captures["module"][0]).strip("\"'<>`; \n")
                taken = names.setdefault(module, {})
                taken.update(dict.fromkeys(_text(node) for node in captures.get("imported", ())))
        return [Import(module, tuple(taken)) for module, taken in names.items()]

    def block_at(self, line: int) -> Block | None:
        """Return the innermost function round ``line``, else the innermost class or section, else None."""
        around = [(k, n, name) for k, n, name in self._named() if n.start_point.row <= line <= _last_line(n)]
        around = [entry for entry in around if entry[0] != "constant"]
        if not around:
            return None
        functions = [entry for entry in around if entry[0] == "function"]
        kind, node, name = min(functions or around, key=lambda entry: entry[1].end_byte - entry[1].start_byte)
        return Block(_name(name, kind), kind, node.start_point.row, _last_line(node))

    def errors(self) -> int:
        """Return how many places do not fit the grammar."""
        return sum(1 for _ in _error_nodes(self._tree)) if self._tree else 0

    @cached_property
    def _matches(self) -> list[dict[str, list[Node]]]:
        if self._tree is None:
            return []
        matches = QueryCursor(_query(self._language.grammar)).matches(self._tree.root_node)
        return [captures for _, captures in matches]

    def _named(self) -> Iterator[tuple[str, Node, Node]]:
        for captures in self._matches:
            kind = next((kind for kind in _KINDS if kind in captures), None)
            if kind:
                yield kind, captures[kind][0], captures["name"][0]

    def _definition(self, kind: str, node: Node, name: Node) -> Definition:
        whole = _with_prefix(node)
        body = _body(node)
        end = body.start_byte if body and kind != "constant" else self._line_end(node)
        start = self._data.rfind(b"\n", 0, whole.start_byte) + 1
        if self._data[start : whole.start_byte].strip():  # something else stands left of it on its line
            start = whole.start_byte
        signature = self._data[start:end].decode("utf-8", "replace").rstrip(" \t\r\n{")[:_LONGEST_SIGNATURE]
        signature = _documented(signature, self._docstring(body), self._comment_above(start))
        return Definition(_name(name, kind), kind, whole.start_point.row, _last_line(whole), signature)

    def _line_end(self, node: Node) -> int:
        end = self._data.find(b"\n", node.start_byte)
        return node.end_byte if end < 0 else min(end, node.end_byte)

    def _docstring(self, body: Node | None) -> str:
        """Return the first line of a Python docstring, quotes and all, "" when there is none."""
        literal = _first(body) if body and self._language.grammar == "python" else None
        if literal is not None and literal.type == "expression_statement":
            literal = _first(literal)
        if literal is None or literal.type != "string":
            return ""
        head = _text(literal).lstrip("rRuUbBfF").strip("\"' \t\r\n").partition("\n")[0].strip()
        return f'"""{head[:_LONGEST_DOC]}"""' if head else ""

    def _comment_above(self, start: int) -> str:
        """Return the line above as the file has it, when it is a comment that says something."""
        end = max(start - 1, 0)
        line = self._data[self._data.rfind(b"\n", 0, end) + 1 : end].decode("utf-8", "replace").rstrip()
        marks = (self._language.line_comment, "/*", "*") if self._language.line_comment == "//" else ()
        is_comment = line.lstrip().startswith(marks or self._language.line_comment or "\n")
        return line[:_LONGEST_DOC] if is_comment and IDENTIFIER.search(line) and "#!" not in line else ""


@lru_cache
def _query(grammar: str) -> Query:
    query: Query = Query(_language(grammar), QUERIES[grammar])
    return query


def _language(grammar: str) -> TreeSitterLanguage:
    return get_language(cast("SupportedLanguage", grammar))


def _with_prefix(node: Node) -> Node:
    """Return the node with what belongs to it in front: decorators, ``export``, ``template<...>``, ``const``."""
    wrappers = {
        "decorated_definition", "export_statement", "template_declaration", "lexical_declaration",
        "const_declaration", "var_declaration", "type_declaration",
    }  # fmt: skip
    parent = node.parent
    while parent is not None and parent.type in wrappers and parent.start_point.row <= node.start_point.row:
        node, parent = parent, parent.parent
    return node


def _last_line(node: Node) -> int:
    """Return the last line of a node, which may end at the start of the line below."""
    row, column = node.end_point
    return max(row - 1, node.start_point.row) if column == 0 else row


def _body(node: Node) -> Node | None:
    """Return the node of a definition's body, None when it has none."""
    inner = node.child_by_field_name("value") or node.child_by_field_name("rhs") or node
    body = inner.child_by_field_name("body") or node.child_by_field_name("body")
    return body or next((child for child in node.named_children if child.type.endswith(("body", "block"))), None)


def _first(node: Node) -> Node | None:
    return next(iter(node.named_children), None)


def _documented(signature: str, docstring: str, comment: str) -> str:
    if docstring:
        first = signature.partition("\n")[0]
        indent = first[: len(first) - len(first.lstrip())]
        return f"{signature}\n{indent}    {docstring}"
    return f"{comment}\n{signature}" if comment else signature


def _name(node: Node, kind: str) -> str:
    """Return a definition's plain name: without the class or table it is put into, or its type parameters."""
    text = _text(node)
    if kind == "section":
        return text.strip().partition("\n")[0]
    words = IDENTIFIER.findall(text.partition("<")[0])
    return str(words[-1]) if words else text


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")


def _error_nodes(tree: Tree) -> Iterator[Node]:
    stack = [tree.root_node]
    while stack:
        node = stack.pop()
        if node.is_error or node.is_missing:
            yield node
        if node.has_error:
            stack.extend(node.children)
