"""Comments and strings by their marks, in each language."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midfill.code.comments_and_strings import enclosures_of
from midfill.code.enclosures import COMMENT, STRING, place_at_end, places
from midfill.code.languages import LANGUAGES, UNPARSED_LANGUAGES, Language, language_of
from unit.helpers import split

KNOWN = (*LANGUAGES, *UNPARSED_LANGUAGES)
DOCS = Path(__file__).parents[3] / "docs" / "settings.md"


def kind_at(file_name: str, marked: str) -> str:
    """Return the kind of what the marked cursor is in; "" for code."""
    text, offset = split(marked)
    return place_at_end(text[:offset], enclosures_of(language_of(file_name))).kind


@pytest.mark.parametrize(
    ("name", "marked", "kind"),
    [
        ("a.yaml", "a: 1 # the ▮", COMMENT),
        ("a.yaml", "a: b#▮", ""),
        ("a.yml", "a: 'b▮", STRING),
        ("a.yml", "a: don't ▮", ""),
        ("a.yml", 'a: "b \\" # ▮', STRING),
        ("a.toml", "# the ▮", COMMENT),
        ("a.toml", 'a = """\nb # ▮', STRING),
        ("a.toml", "a = 'C:\\'▮", ""),
        ("Dockerfile", "# the ▮", COMMENT),
        ("Dockerfile.dev", 'CMD ["▮', STRING),
        ("Dockerfile", "RUN <<EOF\necho ▮", STRING),
        ("Dockerfile", "RUN <<EOF\necho\nEOF\n▮", ""),
        ("Makefile", "all: # the ▮", COMMENT),
        ("Makefile", "all:\n\techo \\# ▮", ""),
        ("a.mk", "\techo '▮", STRING),
        ("a.vue", "<template>\n<!-- ▮", COMMENT),
        ("a.svelte", "<!-- ▮", COMMENT),
        ("a.hs", "f x -- the ▮", COMMENT),
        ("a.hs", "x --> ▮", ""),
        ("a.hs", "{- a {- b -} ▮", COMMENT),
        ("a.hs", "foldl' f '\"' ▮", ""),
        ("a.hs", 'f = "▮', STRING),
        ("a.scala", "/* a /* b */ ▮", COMMENT),
        ("a.scala", 's"${▮', ""),
        ("a.scala", 's"${f("a")} ▮', STRING),
        ("a.dart", "// ▮", COMMENT),
        ("a.dart", "var a = 'it ${b['c']} ▮", STRING),
        ("a.dart", "var a = r'\\▮", STRING),
        ("a.ex", "# ▮", COMMENT),
        ("a.ex", '@doc """\nThe ▮', STRING),
        ("a.ex", 'x = "a #{▮', ""),
        ("a.ex", "?# ▮", ""),
        ("a.tex", "a \\% b % c ▮", COMMENT),
        ("a.tex", "a \\% b ▮", ""),
        ("a.ps1", "<# ▮", COMMENT),
        ("a.ps1", "$a = \"b `\" # ▮", STRING),
        ("a.ps1", "$a = @'\nit's # ▮", STRING),
        ("a.ps1", "$a = @'\nit's\n'@\n# ▮", COMMENT),
        ("a.pl", "$#a ▮", ""),
        ("a.pl", "=pod\n\nThe ▮", COMMENT),
        ("a.pl", "print <<EOF;\nthe ▮", STRING),
        ("a.scss", "a { b: url(http://▮", ""),
        ("a.scss", "a {} // ▮", COMMENT),
        ("a.less", "/* ▮", COMMENT),
        ("a.zig", "const a = \\\\ the ▮", STRING),
        ("a.zig", "const a = '\"'; // ▮", COMMENT),
        ("a.tf", 'a = "${b["▮', STRING),
        ("a.tf", 'a = "${▮', ""),
        ("a.tf", "a = <<-EOT\n  # ▮", STRING),
        ("a.nix", "a = ''\n  b ''${c} # ▮", STRING),
        ("a.nix", "a = ''\n b\n'';  # ▮", COMMENT),
        ("a.jl", "#= a #= b =# ▮", COMMENT),
        ("a.jl", "b = a' # ▮", COMMENT),
        ("a.jl", 'b = "$(f(▮', ""),
        ("a.clj", "; ▮", COMMENT),
        ("a.clj", '\\" ▮', ""),
        ("a.erl", "% ▮", COMMENT),
        ("a.erl", '$" ▮', ""),
        ("a.ml", "(* a (* b *) ▮", COMMENT),
        ("a.ml", "let f = {x|a |} ▮", STRING),
        ("a.ml", "let f (x : 'a) = '\"' ▮", ""),
        ("a.fs", "let f = (*) // ▮", COMMENT),
        ("a.fs", 'let f = @"C:\\" ▮', ""),
        ("a.f90", "x = 1 ! ▮", COMMENT),
        ("a.f", "C the ▮", COMMENT),
        ("a.vb", "x = 1 ' ▮", COMMENT),
        ("a.groovy", "def a = '''\n// ▮", STRING),
        ("a.gradle", "// ▮", COMMENT),
        ("a.ini", "; ▮", COMMENT),
        ("a.properties", "a=b#▮", ""),
        ("a.properties", "! ▮", COMMENT),
        ("CMakeLists.txt", "#[[ a\n▮", COMMENT),
        ("CMakeLists.txt", "set(a [=[ ]] ▮", STRING),
        ("a.graphql", '"""\nThe ▮', STRING),
        ("a.proto", "// ▮", COMMENT),
        ("a.sol", 'a = "▮', STRING),
        ("a.el", '?" ; ▮', COMMENT),
        ("a.scm", "#| a #| b |# ▮", COMMENT),
        ("a.vim", "\" ▮", COMMENT),
        ("a.bat", "REM ▮", COMMENT),
        ("a.adb", "A'Length -- ▮", COMMENT),
        ("a.json", '{"a": "▮', STRING),
        (".env.local", "A=1 # ▮", COMMENT),
        (".gitignore", "# ▮", COMMENT),
        ("a.py", "a = '''\nb ▮", STRING),
        ("a.sh", "cat <<'EOF'\n  a ▮", STRING),
        ("a.sh", "cat <<EOF | sort\n  a ▮", STRING),
        ("a.sh", "cat <<< a\n▮", ""),
        ("a.rb", "a = <<~SQL\n  b ▮", STRING),
        ("a.php", "<?php $a = <<<'X'\nb\n  X;\n▮", ""),
        ("a.rs", "let a = r#\"b\" ▮", STRING),
        ("a.rs", "fn f<'a>(x: &'a str) { ▮", ""),
        ("a.cpp", 'auto a = R"x(b)" ▮', STRING),
        ("a.js", "let a = `b ${c} ▮", STRING),
        ("a.go", "a := `\nb ▮", STRING),
        ("a.lua", "a = [==[ ]] ▮", STRING),
        ("a.sql", "$f$ begin ▮", STRING),
        ("a.cob", "      * the ▮", COMMENT),
        ("a.abap", "a = 'b'. \" the ▮", COMMENT),
        ("a.feature", "# the ▮", COMMENT),
        ("a.feature", '"""\nthe ▮', STRING),
        ("a.wat", "(; a (; b ;) ▮", COMMENT),
        ("a.fth", ": f ( a -- ▮", COMMENT),
        ("a.fth", ": f ( a -- b ) ▮", ""),
        ("a.ttl", "a <http://b#▮", ""),
        ("a.ttl", "a b c . # the ▮", COMMENT),
        ("a.liquid", "{%- comment -%} the ▮", COMMENT),
        ("a.liquid", "{% comment %} a {% endcomment %} ▮", ""),
        ("a.sas", "* the ▮", COMMENT),
        ("a.sas", "* the; x = a * ▮", ""),
        ("a.do", "x = a * ▮", ""),
        ("a.robot", "Log    a    # ▮", COMMENT),
        ("a.robot", "Log    a#▮", ""),
        ("a.ahk", "x := 1 ; ▮", COMMENT),
        ("a.puml", "/' the ▮", COMMENT),
        ("a.slim", "/ the ▮", COMMENT),
        ("Vagrantfile", "# the ▮", COMMENT),
        ("CODEOWNERS", "# the ▮", COMMENT),
        ("a.v", "// the ▮", COMMENT),
        ("a.txt", '# "the ▮', ""),
        ("a.md", '# "the ▮', ""),
    ],
)  # fmt: skip
def test_place_is_known_by_the_marks(name: str, marked: str, kind: str) -> None:
    """Comments nest where the language nests them; code within a string is code; escapes count."""
    assert kind_at(name, marked) == kind


@pytest.mark.parametrize("language", KNOWN, ids=lambda language: language.name)
def test_language_has_the_comment_that_it_says(language: Language) -> None:
    """The mark of a line's comment is one of the marks; the next line is code again."""
    enclosures = enclosures_of(language)
    line = f"{language.line_comment} x"
    assert place_at_end(line, enclosures).kind == (COMMENT if language.line_comment else "")
    assert place_at_end(f"{line}\n", enclosures).kind == ""


def test_languages_without_comments_or_strings_are_told() -> None:
    """The documentation lists the languages for which the settings can do nothing."""
    lacking = {
        kind: sorted(known.name for known in KNOWN if kind not in {each.kind for each in enclosures_of(known)})
        for kind in (COMMENT, STRING)
    }
    page = " ".join(DOCS.read_text(encoding="utf-8").split())
    marked = sum(1 for known in UNPARSED_LANGUAGES if enclosures_of(known))
    pages = {"HTML", "Markdown"}  # their grammars tell no more than the marks
    parsed = len(LANGUAGES) - len(pages)
    assert f"by a grammar in {parsed} languages, and by their marks in {marked + len(pages)} more" in page
    assert f"No comments are known in {', '.join(lacking[COMMENT])}." in page
    assert f"No strings are known in {', '.join(lacking[STRING])}." in page


def test_each_name_and_id_stands_for_one_language() -> None:
    """No id, suffix or file name belongs to two languages."""
    names = [name for known in KNOWN for name in {*known.ids, *known.suffixes, *known.file_names, known.name}]
    assert len(set(names)) == len(names)


@given(st.sampled_from(KNOWN), st.text(alphabet="a1 \n#/*-'\"`{}()$%<>!|=[];:\\@~", max_size=60))
def test_any_text_is_scanned_from_its_start_to_its_end(language: Language, text: str) -> None:
    """The offsets lie in the text, in order."""
    offsets = [offset for offset, _ in places(text, enclosures_of(language))]
    assert offsets == sorted(offsets)
    assert all(0 <= offset <= len(text) for offset in offsets)


def test_long_text_is_read_once() -> None:
    """Nothing is read again: a mark of each kind, 100,000 times, takes a moment."""
    text = "\"'`#/*(*{-<!--${" * 100_000
    assert len(list(places(text, enclosures_of(language_of("a.scala"))))) <= len(text) + 1
