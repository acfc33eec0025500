"""Suppression: the places where the settings turn off suggestions while typing."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pytest

from midfill.completion.suppression import suppression_reason
from unit.helpers import CURSOR, split
from unit.hostile import UNITS, hostile


def reason(
    marked: str,
    language: str = "python",
    path: str = "",
    *,
    opened_as: str = "",
    in_comments: bool = True,
    in_strings: bool = True,
    languages: Collection[str] = (),
    folders: Sequence[str] = (),
) -> str:
    """Return the reason for suppression at the marked cursor."""
    text, offset = split(marked)
    return suppression_reason(
        text,
        offset,
        language,
        (path, opened_as),
        in_comments=in_comments,
        in_strings=in_strings,
        languages=languages,
        folders=folders,
    )


@pytest.mark.parametrize(
    ("language", "marked", "expected"),
    [
        ("python", "x = 1  # the ▮\ny = 2\n", "comment"),
        ("python", "# the ▮", "comment"),
        ("python", "#▮\n", "comment"),
        ("python", "# the sum\n▮\n", ""),
        ("python", "▮# the sum\n", ""),
        ("python", 'x = "▮"\n', "string"),
        ("python", 'x = "a # b▮"\n', "string"),
        ("python", 'x = "abc"▮\n', ""),
        ("python", 'x = ▮"abc"\n', ""),
        ("python", 'x = "abc▮\ny = 2\n', "string"),
        ("python", 'def f():\n    """What ▮\n    it does."""\n', "string"),
        ("python", 'def f():\n    """What it does.\n\n    ▮\n\n\nx = 1\n', "string"),
        ("python", 'x = f"{▮}"\n', ""),
        ("python", 'x = f"{a} ▮"\n', "string"),
        ("python", "x = a ▮\n", ""),
        ("javascript", "/* the ▮ */\nf();\n", "comment"),
        ("javascript", "/* the */▮\nf();\n", ""),
        ("javascript", "/**\n * ▮\n */\nf();\n", "comment"),
        ("javascript", "let a = `x ${▮}`;\n", ""),
        ("javascript", "let a = `x ▮`;\n", "string"),
        ("typescript", "const a: string = '▮';\n", "string"),
        ("rust", "/// The ▮\nfn f() {}\n", "comment"),
        ("rust", "/// The\n▮\nfn f() {}\n", ""),
        ("rust", "fn f<'a>(x: &'a str) {\n    ▮\n}\n", ""),
        ("go", "// The ▮\nfunc f() {}\n", "comment"),
        ("go", 'x := "▮"\n', "string"),
        ("lua", "-- the ▮\n", "comment"),
        ("shellscript", "# the ▮\n", "comment"),
        ("html", "<!-- the ▮ -->\n", "comment"),
        ("java", 'class A {\n  String a = "▮";\n}\n', "string"),
        ("javascript", "/* the ▮\nf();\n", "comment"),
        ("css", "a { b: c }\n/* the ▮", "comment"),
        ("rust", "fn f() {}\n/* the\n▮", "comment"),
        ("yaml", "a: 1  # the ▮\n", "comment"),
        ("yaml", "a: '▮'\n", "string"),
        ("toml", "# the ▮\n", "comment"),
        ("dockerfile", "# the ▮\n", "comment"),
        ("makefile", "# the ▮\n", "comment"),
        ("vue", "<template>\n  <!-- the ▮ -->\n</template>\n", "comment"),
        ("vue", "<template>\n  <p>don't ▮</p>\n</template>\n", ""),
        ("vue", '<script setup lang="ts">\nconst a = 1 // the ▮\n</script>\n', "comment"),
        ("vue", "<script setup lang=\"ts\">\nconst a = '▮'\n</script>\n", "string"),
        ("vue", '<script setup lang="ts" generic="T extends A<B>">\n// the ▮\n</script>\n', "comment"),
        ("vue", '<script type="module">\n// the ▮\n</script>\n', "comment"),
        ("markdown", "<!-- the ▮ -->\n", "comment"),
        ("eruby", "<%# the ▮ %>\n", "comment"),
        ("git-commit", "Fix it\n\n# the ▮\n", "comment"),
        ("go.mod", "// the ▮\n", "comment"),
        ("vue", '<style lang="scss">\n// the ▮\n</style>\n', "comment"),
        ("vue", "<script>\nf()\n</script>\n<p>// ▮</p>\n", ""),
        ("svelte", "<script>\n  // the ▮\n</script>\n", "comment"),
        ("astro", "---\n// the ▮\n---\n<p></p>\n", "comment"),
        ("astro", "---\nf();\n---\n<p>// ▮</p>\n", ""),
        ("html", "<script>\n  // the ▮\n</script>\n", "comment"),
        ("html", "<style>\n  /* the ▮ */\n</style>\n", "comment"),
        ("haskell", "{- the ▮ -}\n", "comment"),
        ("scala", 'val a = "▮"\n', "string"),
        ("dart", "// the ▮\n", "comment"),
        ("elixir", "# the ▮\n", "comment"),
        ("latex", "% the ▮\n", "comment"),
        ("powershell", "<# the ▮ #>\n", "comment"),
        ("perl", "# the ▮\n", "comment"),
        ("scss", "// the ▮\n", "comment"),
        ("zig", "// the ▮\n", "comment"),
        ("terraform", "# the ▮\n", "comment"),
        ("plaintext", '# "the ▮"\n', ""),
        ("markdown", '# "the ▮"\n', ""),
        ("", '# "the ▮"\n', ""),
    ],
)
def test_comments_and_strings_are_known_by_grammar(language: str, marked: str, expected: str) -> None:
    """A docstring is a string, the braces of an f-string contain code, and prose is neither string nor comment."""
    assert reason(marked, language) == expected


def test_comments_are_known_by_the_name_of_a_file_that_the_editor_does_not_know() -> None:
    """An editor without support for a language says that it is plain text."""
    assert reason("// the ▮\n", "plaintext", "/w/a.zig") == "comment"
    assert reason("// the ▮\n", "unheard-of", "/w/a.zig") == "comment"


def test_comments_and_strings_are_suppressed_separately() -> None:
    """Each of the two settings suppresses only its own kind of place."""
    assert reason("# ▮", in_comments=False) == ""
    assert reason("# ▮", in_strings=False) == "comment"
    assert reason('x = "▮"', in_strings=False) == ""
    assert reason('x = "▮"', in_comments=False) == "string"


def test_suppression_in_a_language() -> None:
    """Languages are named by LSP ids, in upper or lower case."""
    assert reason("x▮", languages=["markdown", "Python"]) == "language"
    assert reason("x▮", "go", languages=["python"]) == ""
    assert reason("x▮", "", languages=["python"]) == ""


@pytest.mark.parametrize(
    ("path", "folders", "expected"),
    [
        ("/home/me/work/vendor/lib/a.py", ["vendor/"], "folder"),
        ("/home/me/work/vendor/lib/a.py", ["work/vendor"], "folder"),
        ("/home/me/work/vendor/lib/a.py", ["/home/me/work/"], "folder"),
        ("/home/me/work/vendors/a.py", ["vendor/"], ""),
        ("/home/me/work/a.py", ["*.js", "*.py"], "folder"),
        ("/home/me/work/vendor/ours/a.py", ["vendor/*", "!vendor/ours/"], ""),
        ("C:\\work\\vendor\\a.py", ["vendor/"], "folder"),
        ("file:///work/vendor/a.py", ["vendor/"], "folder"),
        ("untitled:Untitled-1", ["vendor/"], ""),
        ("", ["vendor/"], ""),
        ("/work/vendor/a.py", [], ""),
        ("/work/vendor/a.py", ["!", "vendor/"], "folder"),
        ("/work/vendor/a.py", ["!"], ""),
    ],
)
def test_suppression_in_a_folder(path: str, folders: list[str], expected: str) -> None:
    """Folders are patterns of gitignore, for each path of a document. An invalid one does not disable the others."""
    assert reason("x = ▮", path=path, folders=folders) == expected
    assert reason("x = ▮", path="/other/a.py", opened_as=path, folders=folders) == expected


@pytest.mark.timeout(60)
@pytest.mark.parametrize("pattern", ["*a" * 14 + "*b", "**/a/" * 12 + "x", "a/*a" * 12 + "[b]/"])
@pytest.mark.parametrize(
    "path", ["/" + "a" * 200 + "/a" * 500, "untitled:/" + "a/" * 500_000], ids=["long", "too long"]
)
def test_folders_with_many_stars(pattern: str, path: str) -> None:
    """A workspace's settings may name them, and they take no longer than others."""
    assert reason("x = ▮", path=path, folders=[pattern]) == ""


def test_place_in_a_long_document_is_found_near_the_cursor() -> None:
    """Only the text near the cursor is parsed, also in a document or a line of megabytes."""
    assert reason("x = 1\n" * 200_000 + "# the ▮\n" + "y = 2\n" * 200_000) == "comment"
    assert reason("x" * 5_000_000 + "▮" + "y" * 5_000_000) == ""
    assert reason("(" * 50_000 + "▮") == ""
    assert reason("<!--" * 50_000 + "▮", "html") == "comment"
    assert reason("<<A" * 50_000 + "▮", "dockerfile") == ""
    assert reason('<script "' * 50_000 + "▮", "vue") == ""
    assert reason('x = "\ud800▮"') == "string"


@pytest.mark.timeout(120)
@pytest.mark.parametrize("language", ["lua", "python", "javascript", "css"])
@pytest.mark.parametrize("name", UNITS)
def test_place_in_any_text_is_found_in_a_bounded_time(language: str, name: str) -> None:
    """Where the parser would take too long, or the line has no end in sight, the language's marks decide."""
    text = hostile(name, 400_000)
    assert reason(text[:200_000] + CURSOR + text[200_000:], language) in ("", "string", "comment")
