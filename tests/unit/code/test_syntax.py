"""What tree-sitter finds in each language, and in text that is not code."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midfill.code.languages import LANGUAGES, PLAIN_TEXT, language_of
from midfill.code.queries import QUERIES
from midfill.code.syntax import Block, Syntax

# Each: file name, text, the definitions, the modules imported.
EXAMPLES = {
    "Python": (
        "a.py",
        "from .b import c\nK = 1\nclass A:\n  def m(self): pass\n",
        "constant K, class A, function m",
        [".b"],
    ),
    "JavaScript": (
        "a.jsx",
        "import {b} from './c';\nconst f = (x) => 1;\nexport class A { m() {} }\n",
        "function f, class A, function m",
        ["./c"],
    ),
    "TypeScript": (
        "a.ts",
        "import * as b from 'c';\ninterface I { m(): void }\ntype T = I;\nenum E {}\n",
        "class I, function m, class T, class E",
        ["c"],
    ),
    "TSX": ("a.tsx", "export const View = () => <b>{x}</b>;\n", "function View", []),
    "Java": ("A.java", "import a.b.C;\nclass A { A() {} void m() {} }\n", "class A, function m", ["a.b.C"]),
    "C": (
        "a.c",
        '#include "b.h"\n#define N 1\nstruct S { int x; };\nstatic int *f(int a) { return 0; }\n',
        "constant N, class S, function f",
        ["b.h"],
    ),
    "C++": (
        "a.hpp",
        "#include <b>\nnamespace n { class A { int m(); }; }\nint A::r() { return 1; }\n",
        "class n, class A, function m, function r",
        ["b"],
    ),
    "C#": (
        "a.cs",
        "using A.B;\nrecord R(int X);\nclass C { int P { get; set; } void M() {} }\n",
        "class R, class C, constant P, function M",
        ["A.B"],
    ),
    "Go": (
        "a.go",
        'package p\nimport "a/b"\ntype T struct{}\nfunc (t T) M() {}\nfunc F() {}\n',
        "class T, function M, function F",
        ["a/b"],
    ),
    "Rust": (
        "a.rs",
        "use crate::b::C;\nstruct S;\nimpl T for S { fn m(&self) {} }\nfn f() {}\n",
        "class S, function m, function f",
        ["crate::b::C"],
    ),
    "Ruby": (
        "a.rb",
        "require_relative 'b'\nclass A\n  def m(x)\n  end\n  def self.s\n  end\nend\n",
        "class A, function m, function s",
        ["b"],
    ),
    "PHP": (
        "a.php",
        "<?php\nuse A\\B;\ninterface I {}\nclass C { function m() {} }\nfunction f() {}\n",
        "class I, class C, function m, function f",
        ["A\\B"],
    ),
    "Shell": ("a.sh", "source ./b.sh\nK=1\nf() {\n  echo\n}\n", "constant K, function f", ["./b.sh"]),
    "SQL": ("a.sql", "CREATE TABLE shop.t (id INT);\nCREATE VIEW v AS SELECT 1;\n", "class t, class v", []),
    "R": ("a.R", "source('b.R')\nf <- function(x) x\nk <- 3\n", "function f, constant k", ["b.R"]),
    "Lua": (
        "a.lua",
        "local b = require('c.d')\nlocal function f() end\nfunction M.g() end\n",
        "function f, function g",
        ["c.d"],
    ),
    "Swift": ("a.swift", "import B\nstruct S { func m() {} }\nprotocol P {}\n", "class S, function m, class P", ["B"]),
    "Kotlin": (
        "a.kt",
        "import a.B\nclass A { fun m() = 1 }\nobject O\nfun f() = 2\n",
        "class A, function m, class O, function f",
        ["a.B"],
    ),
    "HTML": ("a.html", '<div id="top"><p>x</p></div>\n', "section top", []),
    "CSS": ("a.css", "@import 'b.css';\n.a > p { color: red }\n", "section .a > p", ["b.css"]),
    "Markdown": ("a.md", "# One\n\ntext\n\n## Two\n\nmore\n", "section One, section Two", []),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_definitions_and_imports(name: str) -> None:
    """In each language definitions and imports are found, and the example has no syntax error."""
    path, text, expected, modules = EXAMPLES[name]
    language = language_of(path)
    syntax = Syntax(text, language)
    assert language.name == name
    definitions = syntax.definitions()
    assert {f"{d.kind} {d.name}" for d in definitions if d.name != "A" or d.kind == "class"} == set(
        expected.split(", ")
    )
    assert [taken.module for taken in syntax.imports()] == modules
    assert syntax.errors() == 0
    lines = text.split("\n")
    assert all(d.signature.split("\n")[-1].strip() in text for d in definitions)
    assert all(0 <= d.first_line <= d.last_line < len(lines) for d in definitions)


def test_every_language_has_an_example_and_a_query() -> None:
    """Every listed language is tested."""
    assert {language.name for language in LANGUAGES} == set(EXAMPLES)
    assert {language.grammar for language in LANGUAGES} == set(QUERIES)


@pytest.mark.parametrize(
    ("path", "language_id", "name"),
    [("A.PY", "", "Python"), ("x", "typescriptreact", "TSX"), ("a.h", "cpp", "C++"), ("a.h", "unheard-of", "C"),
     ("Rakefile", "", "Ruby"), ("a.unknown", "", "Text"), ("", "", "Text"), ("a.py", "plaintext", "Text")],
)  # fmt: skip
def test_language_of(path: str, language_id: str, name: str) -> None:
    """The LSP language id decides, then the file's name."""
    assert language_of(path, language_id).name == name


PYTHON = '''\
@cached
async def total(
    order: Order, *, rate: float = 0.19
) -> float:
    """Add it all up.

    More.
    """
    def inner(x):
        return x
    return 1

class Shop:
    """A shop."""

    # What it sells
    def sell(self, article): return 1
'''


def test_signature_with_documentation() -> None:
    """A signature has the decorators, all lines of the arguments and the first line of the docstring."""
    signatures = {d.name: d.signature for d in Syntax(PYTHON, language_of("a.py")).definitions()}
    head = PYTHON.partition(") -> float:")[0] + ") -> float:"
    assert signatures["total"] == head + '\n    """Add it all up."""'
    assert signatures["Shop"] == 'class Shop:\n    """A shop."""'
    assert signatures["sell"] == "    # What it sells\n    def sell(self, article):"


def test_comment_above() -> None:
    """Without docstrings, the line above documents a definition if it is a comment; a preprocessor line is not."""
    text = "#define N 1\nint f(int a) {\n  return a;\n}\n// Adds.\nint g(int a, int b) {\n  return a + b;\n}\n"
    signatures = {d.name: d.signature for d in Syntax(text, language_of("a.c")).definitions()}
    assert signatures["f"] == "int f(int a)"
    assert signatures["g"] == "// Adds.\nint g(int a, int b)"


def test_imports_keep_the_original_names() -> None:
    """An import lists the names as they are defined, not their local aliases."""
    text = "import a.b as c\nfrom ..x.y import (z as w, v)\nfrom . import u\n"
    assert [(i.module, i.names) for i in Syntax(text, language_of("a.py")).imports()] == [
        ("a.b", ()), ("..x.y", ("z", "v")), (".", ("u",)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "block"),
    [
        (0, None),
        (2, Block("total", "function", 1, 10)),
        (9, Block("inner", "function", 8, 9)),
        (11, None),
        (13, Block("Shop", "class", 12, 16)),
        (16, Block("sell", "function", 16, 16)),
    ],
)
def test_block_at(line: int, block: Block | None) -> None:
    """It is the innermost function that contains the line, else the class."""
    assert Syntax(PYTHON, language_of("a.py")).block_at(line) == block


@pytest.mark.parametrize(
    ("text", "errors"), [("x = f(1)\n", 0), ("x = f(1)\ny = g((2)\n", 1), ("x = f((1)\n", 1), ("x = f((1))\n", 0)]
)
def test_errors_are_counted(text: str, errors: int) -> None:
    """An open bracket is one error; plain text has no errors."""
    assert Syntax(text, language_of("a.py")).errors() == errors
    assert Syntax(text, PLAIN_TEXT).errors() == 0


def test_text_that_is_not_parsed() -> None:
    """Plain text and text of 5 MB have no definitions, and no errors either."""
    for syntax in (Syntax("def f(): pass", PLAIN_TEXT), Syntax("x = 1\n" * 900_000, language_of("a.py"))):
        assert (syntax.definitions(), syntax.imports(), syntax.block_at(0), syntax.errors()) == ([], [], None, 0)


def test_deep_nesting() -> None:
    """Very deep brackets and blocks are parsed without a failure."""
    deep = "".join("  " * n + "if x:\n" for n in range(300)) + "(" * 20_000 + ")" * 20_000
    syntax = Syntax("def f():\n    pass\n" + deep, language_of("a.py"))
    assert syntax.definitions()[0].name == "f"
    assert syntax.errors() >= 0


@settings(max_examples=60)
@given(st.sampled_from(LANGUAGES), st.text(max_size=120), st.integers(0, 12))
def test_any_text_in_any_language(language: object, text: str, line: int) -> None:
    """In any text, also with lone surrogates and control characters, line numbers are valid."""
    syntax = Syntax(text, language)  # type: ignore[arg-type]
    last = text.count("\n")
    assert all(0 <= d.first_line <= d.last_line <= last for d in syntax.definitions())
    block = syntax.block_at(line)
    assert block is None or block.first_line <= line <= block.last_line
    assert isinstance(syntax.imports(), list)


@settings(max_examples=60)
@given(st.sampled_from(sorted(EXAMPLES)), st.integers(0, 200))
def test_text_that_ends_anywhere(name: str, length: int) -> None:
    """A file that is being written is often incomplete."""
    path, text, expected, _ = EXAMPLES[name]
    found = Syntax(text[:length], language_of(path)).definitions()
    assert len(found) <= expected.count(",") + 4


PARSE_OFTEN = """
import gc, sys
import psutil
from midfill.code.languages import language_of
from midfill.code.syntax import Syntax

def resident_after(parses):
    for _ in range(parses):
        Syntax(text, language_of("a.py")).definitions()
    gc.collect()
    return psutil.Process().memory_info().rss

text = sys.stdin.read()
warm = resident_after(20)
print(resident_after(100) - warm)
"""


def test_parsing_keeps_no_memory() -> None:
    """After a hundred parses neither the text nor its tree is still in memory.

    This runs in a separate process, so that other tests do not change its memory.
    """
    text = PYTHON * 200
    command = [sys.executable, "-c", PARSE_OFTEN]
    grown = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
    assert int(grown) < 50 * len(text)  # Python allocates and frees its heap in megabytes
