"""The stop before what the document closes already after the cursor."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midfill.postprocess.closers import closes_own, stop_at_closer
from midfill.prompt.context import Context
from unit.helpers import context

MARKED = st.text(alphabet="ab \n<>/*$_|-?%{}#\"'`~!", max_size=30)


def cut(text: str, end: int | None) -> str:
    """Return ``text`` up to ``end``; all of it for None."""
    return text[:end]


@pytest.mark.parametrize(
    ("marked", "text", "left"),
    [
        ("def add(▮)", "a, b):\n    return a + b", "a, b"),
        ("def add(▮):\n", "a, b):\n    return a + b", "a, b"),
        ("total = sum(▮)\n", "x for x in (1, 2))\nprint()", "x for x in (1, 2)"),
        ("f(g(▮))", "a[0]))\n", "a[0]"),
        ("f(g(▮)", "x))\ny", "x)"),
        ("constructor(▮) {}", "a) { this.a = a; }", "a"),
        ("x = [▮]", "\n    1,\n    2,\n]\nprint(x)", "\n    1,\n    2,\n"),
        ("forEach(▮)", "(x) => {\n  use(x);\n});\nmore", "(x) => {\n  use(x);\n}"),
        ("f(\n    ▮\n)\ng()", "a,\n    b,\n)\ng()", "a,\n    b,\n"),
        ("function f() {\n  ▮\n}\n", "return 1;\n}\n\nfunction g() {", "return 1;\n"),
        ("function f() {▮\n}\n", "\n  return 1;\n}\n", "\n  return 1;\n"),
        ("function f() {\n  if (x) {\n    ▮\n}\n", "y();\n  }\n  z();\n}\n", "y();\n  }\n  z();\n"),
        ("f(g(▮\n)", "x),\n    y\n)", "x),\n    y\n"),
        ("print(▮)", "':)')\n", "':)'"),
        ("print(▮)", "':)", "':)"),
        ("print(▮)", "'\\", "'\\"),
        ("f(▮)", "a # don't)\n", "a # don't"),
    ],
    ids=[
        "parameters", "with colon", "own brackets", "two", "one of two", "brace after", "lines", "callback",
        "own line", "brace below", "brace below the opening line", "other block's brace", "one in line", "string",
        "open string", "open escape", "apostrophe",
    ],
)  # fmt: skip
def test_bracket_that_comes_next_in_the_document_ends_the_suggestion(marked: str, text: str, left: str) -> None:
    """When the document already has the closing bracket, the text ends before it."""
    assert cut(text, stop_at_closer(text, context(marked))) == left


@pytest.mark.parametrize(
    ("marked", "text"),
    [
        ("f(▮", "x)\ny"),
        ("f(▮\nprint()", "x)\ny"),
        ("x = ▮, 1)", "f(2)"),
        ("f(▮)", "g(x)"),
        ("f(▮)", "a[(0)]}"),
        ("'it' + ▮'s'", "'a' + 'b'"),
    ],
    ids=["not closed", "other code next", "comma next", "its own bracket", "another kind", "string follows"],
)
def test_bracket_the_document_lacks_does_not_end_the_suggestion(marked: str, text: str) -> None:
    """A bracket or quote that the text opened, or that the document does not close, is kept."""
    assert stop_at_closer(text, context(marked)) is None


@pytest.mark.parametrize(
    ("marked", "text", "left"),
    [
        ('print("▮")', 'Hello")\n', "Hello"),
        ('print("▮")', 'say \\"hi\\"")', 'say \\"hi\\"'),
        ('"""▮"""', 'Say "hi"."""\nx', 'Say "hi".'),
        ("x = 'a' + '▮'", "b' + 'c'", "b"),
        ("print(\"a = '▮'\")", "b'\")", "b"),
        ("f('▮", "a')", "a')"),
    ],
    ids=["string", "escaped", "docstring", "second string", "quote in a string", "not closed"],
)
def test_quote_that_comes_next_in_the_document_ends_the_suggestion(marked: str, text: str, left: str) -> None:
    """When the document already has the closing quote, the text ends before it."""
    assert cut(text, stop_at_closer(text, context(marked))) == left


@pytest.mark.parametrize(
    ("marked", "text", "left"),
    [
        ("<?php echo ▮?>\n", "$name; ?>.", "$name; "),
        ("<?php\necho 1;\n▮\n?>\n", "echo 2;\n?>\n<p>", "echo 2;\n"),
        ("**▮**\n", "bold** ", "bold"),
        ("Some **▮** words\n", "bold**, and", "bold"),
        ("Some __▮__ words\n", "bold__, and", "bold"),
        ("Some ~~▮~~ words\n", "old~~, and", "old"),
        ("Some *▮* words\n", "bold*, and", "bold"),
        ("Some _▮_ words\n", "snake_case_, and", "snake_case"),
        ("Let $▮$ be\n", "x_1$, and", "x_1"),
        ("$$\n▮\n$$\n", "x = 1\n$$\nwhere", "x = 1\n"),
        ("\\(▮\\)\n", "x\\), and", "x"),
        ("<div>▮</div>\n", "Hello</div>\n", "Hello"),
        ("<div>\n  ▮\n</div>\n", "<b>a</b>\n</div>.", "<b>a</b>\n"),
        ("<ul><li>▮</li></ul>\n", "a</li><li>b</li></ul> ", "a"),
        ("<a>▮</a>\n", "<a>b</a></a> ", "<a>b</a>"),
        ("<a href=▮>\n", "'b'>text", "'b'"),
        ("let a: Vec<▮> = b;\n", "Map<K, V>> = c", "Map<K, V>"),
        ("<%= ▮ %>\n", "name %>!", "name "),
        ("{% if ▮ %}\n", "user %}\n", "user "),
        ("{{ ▮ }}\n", "user }}!", "user "),
        ("{% for a in b %}▮{% endfor %}\n", "{{ a }}{% endfor %}.", "{{ a }}"),
        ("{{#if a}}▮{{/if}}\n", "b{{/if}}.", "b"),
        ("\\begin{a}\n▮\n\\end{a}\n", "x\n\\end{a}.", "x\n"),
        ("/* ▮ */\n", "The sum. */\nint", "The sum. "),
        ("/**\n * ▮\n */\n", "The sum.\n */\nint f();", "The sum.\n "),
        ("<!-- ▮ -->\n", "a note -->.", "a note "),
        ("(* ▮ *)\n", "a note *)\nlet", "a note "),
        ("{- ▮ -}\n", "a note -}\nf", "a note "),
        ("{# ▮ #}\n", "a note #}.", "a note "),
        ('def f():\n    """▮\n    """\n', 'Sum.\n    """\n    x = 1', "Sum.\n    "),
        ("a = '''\n▮\n'''\n", "b\n'''\nc", "b\n"),
        ("```sh\n▮\n```\n", "make\n```\nThen", "make\n"),
        ("f(function() ▮ end)\n", "return x end, 1", "return x "),
        ("if a then ▮ end\n", "while b do c() end end;", "while b do c() end "),
        ("a.each do |b| ▮ end\n", "b.map do |c| c end; end.", "b.map do |c| c end; "),
        ("if a; then ▮; fi\n", "b; fi; c", "b"),
        ("if a; then ▮ fi\n", "b; fi; c", "b; "),
        ("for a in b; do ▮; done\n", "c; done | d", "c"),
        ("a.each { |▮| }\n", "b, c| d", "b, c"),
        ("<?php echo ▮; ?>\n", "$name; ?>.", "$name"),
        ("{%- if ▮ -%}\n", "user -%} a", "user "),
        ("<%- ▮ -%>\n", "name -%>.", "name "),
        ("{{!-- ▮ --}}\n", "a note --}}.", "a note "),
        ("<img src='a'▮ />\n", " alt='b' /> <p>", " alt='b' "),
        ("<a ▮ />\n", "b={<c />} /> d", "b={<c />} "),
        ("\\left( ▮ \\right)\n", "x \\right) =", "x "),
        ("#ifdef A\n▮\n#endif  // A\n", "int a;\n#endif\nint b;", "int a;\n"),
        ("SELECT CASE WHEN a THEN ▮ END\n", "1 END AS b", "1 "),
        ("if ($a): ▮ endif;\n", "f(); endif; g()", "f(); "),
        ("---\ntitle: a\n▮\n---\n", "author: b\n---\n\n# A", "author: b\n"),
        ("~~~sh\n▮\n~~~\n", "make\n~~~\nThen", "make\n"),
    ],
)
def test_mark_that_comes_next_in_the_document_ends_the_suggestion(marked: str, text: str, left: str) -> None:
    """The text ends before what the document closes already, also with more text behind it."""
    assert cut(text, stop_at_closer(text, context(marked))) == left


@pytest.mark.parametrize(
    ("marked", "text"),
    [
        ("<div>▮</div>\n", "<div>a</div>"),
        ("<div><div>▮\n</div>\n", "a</div>"),
        ("f(**a, ▮**b)\n", "**c, "),
        ("x = a * ▮* b\n", "c*(d) + e "),
        ("echo $a ▮$b\n", "$c "),
        ("if (a <▮> b)\n", "= c->d "),
        ("The ▮end of it\n", "start and the end of "),
        ("x = a || ▮|| b\n", "c | d "),
        ("f(a->▮)\n", "b"),
        ("x = ▮y\n", "a */ b"),
        ('def f():\n    ▮\n    """Sum."""\n', 'x = """a"""'),
        ("Some __init▮__(self)", "ial"),
        ("a<br />\n▮\n</dd><dt>c</dt><dd>\n", "</dd><dt>b</dt><dd>d"),
        ("# A\n▮\n---\n", "b\n---\nc"),
        ("#if A\n#if B\n▮\n#endif\n", "#if C\n#endif\n"),
    ],
)
def test_mark_that_closes_something_else_does_not_end_the_suggestion(marked: str, text: str) -> None:
    """A mark that the text opened, or that means something else here, is kept."""
    assert stop_at_closer(text, context(marked)) is None


@pytest.mark.parametrize(
    ("text", "length", "is_own"),
    [
        ("<div>a</div>", 6, True),
        ("<b>a</div>", 6, False),
        ("Map<K, V>", 1, True),
        ("a>", 1, False),
        ("a /* b */", 2, True),
        ("do a end", 3, True),
        ("a end", 3, False),
        ("g(x)", 1, True),
        ("x)", 1, False),
        ("'a'", 1, True),
    ],
)
def test_text_closes_its_own(text: str, length: int, is_own: bool) -> None:
    """What the text opened itself is not what the document closes."""
    assert closes_own(text, length) is is_own


@given(MARKED, MARKED, MARKED, MARKED)
def test_mark_once_found_stays_found(prefix: str, suffix: str, text: str, more: str) -> None:
    """What a stop found is not lost when more text is generated, whatever the marks are."""
    around = Context(prefix, suffix, len(prefix))
    end = stop_at_closer(text, around)
    later = stop_at_closer(text + more, around)
    assert end is None or (later is not None and later <= end <= len(text))
