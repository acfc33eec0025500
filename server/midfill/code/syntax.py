"""A text parsed by tree-sitter: its definitions, its imports, the definition around a line.

Plain text, and text that takes too long to parse while the user types, has no definitions. Lines count from 0 and end
only at a newline.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from tree_sitter import Node, Query, QueryCursor

from midfill.code.grammars import can_parse, load_grammar, parse
from midfill.code.identifiers import IDENTIFIER
from midfill.code.languages import Language
from midfill.code.queries import QUERIES
from midfill.code.tree_shape import error_nodes, ordinary_end
from midfill.common.lines import without_long_ends

MAX_PARSED_CHARACTERS = 400_000
"""Maximum number of characters of a text that is parsed. Parsing a longer one would take over 100 milliseconds."""
_MAX_SIGNATURE_CHARACTERS = 600
_MAX_DOC_CHARACTERS = 120
"""Maximum number of characters of a docstring's first line, or of the comment above a definition."""
_KINDS = ("function", "class", "constant", "section")


@dataclass(frozen=True)
class Definition:
    """A named definition and its place in the text."""

    name: str
    kind: str
    """``function`` (also a method or a macro), ``class`` (any named type), ``constant`` or ``section`` (of prose)."""
    first_line: int
    last_line: int
    """The last line of the definition, included."""
    signature: str
    """The text before the body, with the first line of the documentation, indented as in the file."""


@dataclass(frozen=True)
class Import:
    """An import from another file."""

    module: str
    """The module as written in the text, without quotes and brackets."""
    names: tuple[str, ...]
    """The imported names; () when the module itself is imported."""


@dataclass(frozen=True)
class Block:
    """A definition that contains a given line."""

    name: str
    kind: str
    first_line: int
    last_line: int


class Syntax:
    """A parsed text."""

    def __init__(self, text: str, language: Language) -> None:
        """Parse ``text`` if it is short enough, its language has a grammar, and the grammar takes a bounded time."""
        self._language = language
        # Empty lines may stand for a part that is not read.
        parsed = language.grammar and len(text.lstrip("\n")) <= MAX_PARSED_CHARACTERS
        self._data = without_long_ends(text).encode("utf-8", "replace") if parsed else b""
        parsed = parsed and can_parse(self._data, language.grammar)
        self._tree = parse(self._data, language.grammar) if parsed else None

    def definitions(self) -> list[Definition]:
        """Return the definitions in the order of their first lines; an outer one comes before an inner one."""
        return self._definitions

    @cached_property
    def _definitions(self) -> list[Definition]:
        found = {(kind, node.start_byte): self._definition(kind, node, name) for kind, node, name in self._named()}
        # Two queries may match the same definition as a constant and as a function (`const f = () => 1`).
        functions = {(d.name, d.first_line) for d in found.values() if d.kind == "function"}
        kept = (d for d in found.values() if d.kind != "constant" or (d.name, d.first_line) not in functions)
        return sorted(kept, key=lambda definition: (definition.first_line, -definition.last_line))

    def imports(self) -> list[Import]:
        """Return the imports in the order of the text; the names of one module are in one import."""
        names: dict[str, dict[str, None]] = {}
        for captures in self._matches:
            if "module" in captures:
                module = _text(captures["module"][0]).strip("\"'<>`; \n")
                imported = names.setdefault(module, {})
                imported.update(dict.fromkeys(_text(node) for node in captures.get("imported", ())))
        return [Import(module, tuple(imported)) for module, imported in names.items()]

    def block_at(self, line: int) -> Block | None:
        """Return the innermost function that contains ``line``, else the innermost class or section, else None."""
        around = [(k, n, name) for k, n, name in self._named() if n.start_point.row <= line <= _last_line(n)]
        around = [entry for entry in around if entry[0] != "constant"]
        if not around:
            return None
        functions = [entry for entry in around if entry[0] == "function"]
        kind, node, name = min(functions or around, key=lambda entry: entry[1].end_byte - entry[1].start_byte)
        return Block(_name(name, kind), kind, node.start_point.row, _last_line(node))

    def errors(self) -> int:
        """Return the number of syntax errors; 0 for text that is not parsed."""
        return sum(1 for _ in error_nodes(self._tree)) if self._tree else 0

    def body_of(self, definition: Definition) -> Node | None:
        """Return the node of the body of a Python definition; None if it has none."""
        return self._bodies.get((definition.name, definition.first_line))

    @cached_property
    def _bodies(self) -> dict[tuple[str, int], Node | None]:
        """The bodies of definitions, by the name and the first line of each."""
        return {
            (_name(name, kind), _with_prefix(node).start_point.row): node.child_by_field_name("body")
            for kind, node, name in self._named()
        }

    @cached_property
    def _matches(self) -> list[dict[str, list[Node]]]:
        tree = self._tree
        if tree is not None and (end := ordinary_end(tree)) < len(self._data):
            before = self._data[: self._data.rfind(b"\n", 0, end) + 1]
            tree = parse(before, self._language.grammar)
            tree = tree if ordinary_end(tree) >= len(before) else None
        if tree is None:
            return []
        matches = QueryCursor(_query(self._language.grammar)).matches(tree.root_node)
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
        if self._data[start : whole.start_byte].strip():  # other code stands before it on the same line
            start = whole.start_byte
        signature = self._data[start:end].decode("utf-8", "replace").rstrip(" \t\r\n{")[:_MAX_SIGNATURE_CHARACTERS]
        signature = _documented(signature, self._docstring(body), self._comment_above(start))
        return Definition(_name(name, kind), kind, whole.start_point.row, _last_line(whole), signature)

    def _line_end(self, node: Node) -> int:
        end = self._data.find(b"\n", node.start_byte)
        return node.end_byte if end < 0 else min(end, node.end_byte)

    def _docstring(self, body: Node | None) -> str:
        """Return the first line of a Python docstring in triple quotes; "" when there is none."""
        literal = _first(body) if body and self._language.grammar == "python" else None
        if literal is not None and literal.type == "expression_statement":
            literal = _first(literal)
        if literal is None or literal.type != "string":
            return ""
        head = _text(literal).lstrip("rRuUbBfF").strip("\"' \t\r\n").partition("\n")[0].strip()
        return f'"""{head[:_MAX_DOC_CHARACTERS]}"""' if head else ""

    def _comment_above(self, start: int) -> str:
        """Return the line above, unchanged, when it is a comment with at least one word; else ""."""
        end = max(start - 1, 0)
        line = self._data[self._data.rfind(b"\n", 0, end) + 1 : end].decode("utf-8", "replace").rstrip()
        marks = (self._language.line_comment, "/*", "*") if self._language.line_comment == "//" else ()
        is_comment = line.lstrip().startswith(marks or self._language.line_comment or "\n")
        return line[:_MAX_DOC_CHARACTERS] if is_comment and IDENTIFIER.search(line) and "#!" not in line else ""


@lru_cache
def _query(grammar: str) -> Query:
    query: Query = Query(load_grammar(grammar), QUERIES[grammar])
    return query


def _with_prefix(node: Node) -> Node:
    """Return the node extended by what precedes it: decorators, ``export``, ``template<...>``, ``const``."""
    wrappers = {
        "decorated_definition", "export_statement", "template_declaration", "lexical_declaration",
        "const_declaration", "var_declaration", "type_declaration",
    }  # fmt: skip
    parent = node.parent
    while parent is not None and parent.type in wrappers and parent.start_point.row <= node.start_point.row:
        node, parent = parent, parent.parent
    return node


def _last_line(node: Node) -> int:
    """Return the last line of a node. A node that ends at the start of a line ends on the line before."""
    row, column = node.end_point
    return max(row - 1, node.start_point.row) if column == 0 else row


def _body(node: Node) -> Node | None:
    """Return the node of a definition's body; None when it has no body."""
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
    """Return a definition's plain name, without its class, schema or type parameters."""
    text = _text(node)
    if kind == "section":
        return text.strip().partition("\n")[0]
    words = IDENTIFIER.findall(text.partition("<")[0])
    return str(words[-1]) if words else text


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")
