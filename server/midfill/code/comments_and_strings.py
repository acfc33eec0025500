"""The marks of comments and strings in each language."""

from __future__ import annotations

from midfill.code.enclosures import COMMENT, END_OF_LINE, STRING, Enclosure
from midfill.code.languages import Language

_ESCAPED = r"\\."


def _line(opening: str) -> Enclosure:
    return Enclosure(COMMENT, opening, END_OF_LINE)


def _block(opening: str, closing: str, *, nests: bool = False) -> Enclosure:
    return Enclosure(COMMENT, opening, closing, nests=nests)


def _string(mark: str, skipped: str = _ESCAPED, code: tuple[str, str] = ("", "")) -> Enclosure:
    """Return a string that ends with its line."""
    return Enclosure(STRING, mark, mark, skipped, on_one_line=True, code=code)


def _string_after(before: str, mark: str, skipped: str = _ESCAPED) -> Enclosure:
    """Return a string that ends with its line, where the mark means something else after other characters."""
    return Enclosure(STRING, before + mark, mark, skipped, on_one_line=True)


def _long(opening: str, closing: str = "", skipped: str = _ESCAPED, code: tuple[str, str] = ("", "")) -> Enclosure:
    """Return a string that may span lines."""
    return Enclosure(STRING, opening, closing or opening, skipped, code=code)


def _heredoc(opening: str) -> Enclosure:
    return _long(rf"{opening}(?P<name>[A-Za-z_]\w*)[^\n]{{0,200}}\n", r"^[ \t]*{name}\b", skipped="")


def _neither(pattern: str) -> Enclosure:
    """Return what looks like the start of a comment or string, and is none."""
    return Enclosure("", pattern, "")


_DOLLAR_BRACE, _HASH_BRACE, _DOLLAR_PAREN = (r"\$\{", "}"), (r"#\{", "}"), (r"\$\(", ")")
_HASH, _SLASHES, _DASHES, _PERCENT, _SEMICOLON = _line("#"), _line("//"), _line("--"), _line(r"(?<!\\)%"), _line(";")
_HASH_WORD = _line(r"(?<![^\s;(])#")
"""A comment that begins a word, as in a shell."""
_BLOCK, _NESTED = _block(r"/\*", r"\*/"), _block(r"/\*", r"\*/", nests=True)
_DOUBLE, _SINGLE = _string('"'), _string("'")
_PLAIN_DOUBLE, _PLAIN_SINGLE = _string('"', ""), _string("'", "")
_TRIPLE_DOUBLE, _TRIPLE_SINGLE = _long('"""'), _long("'''")
_LONG_DOUBLE, _LONG_SINGLE = _long('"'), _long("'")
_CHARACTER = _neither(r"(?<!\w)'(?:\\[^\n]{1,8}?|[^'\\\n])'")
"""A character in quotes. The mark also stands alone: in names, types and lifetimes."""
_HTML = (_block("<!--", "-->"),)
_C = (_SLASHES, _BLOCK, _CHARACTER, _DOUBLE)
_C_SINGLE = (_SLASHES, _BLOCK, _DOUBLE, _SINGLE)
_TEMPLATE = _long("`", code=_DOLLAR_BRACE)
_JAVASCRIPT = (*_C_SINGLE, _TEMPLATE)
_STYLES = (_line(r"(?<!:)//"), _BLOCK, _string('"', code=_HASH_BRACE), _string("'", code=_HASH_BRACE))
_PYTHON = (_HASH, _TRIPLE_DOUBLE, _TRIPLE_SINGLE, _DOUBLE, _SINGLE)
_HASH_QUOTES = (_HASH, _DOUBLE, _SINGLE)
_HASKELL = (
    _line(r"(?<![!#$%&*+./<=>?@\\^|~:-])--+(?![!#$%&*+./<=>?@\\^|~:-])"),
    _block(r"\{-", r"-\}", nests=True),
    _CHARACTER,
    _DOUBLE,
)
_ML = (
    _neither(r"\(\*\)"),
    _block(r"\(\*", r"\*\)", nests=True),
    _CHARACTER,
)
_LISP = (_block(r"#\|", r"\|#", nests=True), _neither(r"#?[\\?]\\?."), _SEMICOLON, _LONG_DOUBLE)
_TERRAFORM = (_HASH, _SLASHES, _BLOCK, _string('"', code=_DOLLAR_BRACE), _heredoc(r"<<[-~]?"))
_INI = (_line(r"^[ \t]*[#;]|(?<=\s);"), _PLAIN_DOUBLE)
_BASIC = (_line(r"'|(?i:\brem\b)"), _PLAIN_DOUBLE)
_RDF_COMMENT = _line(r"(?<![<\w/.:-])#")
"""Elsewhere, the sign is a part of an address."""
_LUA_LONG = r"\[(?P<name>=*)\["

_BY_NAME: dict[str, tuple[Enclosure, ...]] = {
    # Languages with a grammar
    "Python": _PYTHON,
    "JavaScript": _JAVASCRIPT,
    "TypeScript": _JAVASCRIPT,
    "TSX": _JAVASCRIPT,
    "Java": (_SLASHES, _BLOCK, _CHARACTER, _TRIPLE_DOUBLE, _DOUBLE),
    "C": _C,
    "C++": (_SLASHES, _BLOCK, _CHARACTER, _long(r'R"(?P<name>[^\s()\\]{0,16})\(', r'\){name}"', ""), _DOUBLE),
    "C#": (_SLASHES, _BLOCK, _CHARACTER, _long('"""', skipped=""), _long(r'\$?@\$?"', '"', '""'), _DOUBLE),
    "Go": (_SLASHES, _BLOCK, _CHARACTER, _long("`", skipped=""), _DOUBLE),
    "Rust": (_SLASHES, _NESTED, _CHARACTER, _long(r'\br(?P<name>#*)"', '"{name}', ""), _LONG_DOUBLE),
    "Ruby": (
        _block("^=begin\\b", "^=end\\b"), _HASH, _heredoc("<<[~-]?[\"'`]?"), _long('"', code=_HASH_BRACE), _LONG_SINGLE,
    ),
    "PHP": (_SLASHES, _line(r"#(?!\[)"), _BLOCK, _heredoc("<<<[\"']?"), _LONG_DOUBLE, _LONG_SINGLE),
    "Shell": (_line(r"(?<![^\s;(&|])#"), _heredoc(r"(?<!<)<<-?[ \t]*[\"'\\]?"), _LONG_DOUBLE, _long("'", skipped="")),
    "SQL": (_DASHES, _BLOCK, _long("'", skipped=""), _PLAIN_DOUBLE, _long(r"\$(?P<name>\w*)\$", r"\${name}\$", "")),
    "R": (_HASH, _LONG_DOUBLE, _LONG_SINGLE),
    "Lua": (
        _block(f"--{_LUA_LONG}", r"\]{name}\]"), _DASHES, _long(_LUA_LONG, r"\]{name}\]", ""), _DOUBLE, _SINGLE,
    ),
    "Swift": (_SLASHES, _NESTED, _TRIPLE_DOUBLE, _DOUBLE),
    "Kotlin": (_SLASHES, _NESTED, _CHARACTER, _long('"""', skipped="", code=_DOLLAR_BRACE), _DOUBLE),
    "HTML": _HTML,
    "CSS": (_BLOCK, _DOUBLE, _SINGLE),
    "Markdown": _HTML,
    # Languages without a grammar
    "ABAP": (_line(r"^\*"), _PLAIN_SINGLE, _line('"')),
    "ActionScript": _C_SINGLE,
    "Ada": (_DASHES, _neither("'.'"), _PLAIN_DOUBLE),
    "Agda": _HASKELL,
    "Apex": _C_SINGLE,
    "AppleScript": (_DASHES, _HASH_WORD, _block(r"\(\*", r"\*\)", nests=True), _LONG_DOUBLE),
    "Arduino": _C,
    "AsciiDoc": (_block("^////$", "^////$"), _line("^//")),
    "Assembly": (_SEMICOLON, _HASH_WORD, _SLASHES, _BLOCK, _DOUBLE),
    "Astro": _HTML,
    "AutoHotkey": (_line(r"(?<!\S);"), _BLOCK, _string('"', "`.")),
    "AWK": (_HASH, _DOUBLE),
    "Batch": (_line(r"^[ \t]*(?:@?(?i:rem)\b|::)"), _PLAIN_DOUBLE),
    "Bicep": (_SLASHES, _BLOCK, _long("'''", skipped=""), _string("'", code=_DOLLAR_BRACE)),
    "Blade": (_block(r"\{\{--", r"--\}\}"), *_HTML),
    "C shell": (_HASH_WORD, _DOUBLE, _SINGLE),
    "Caddyfile": (_HASH_WORD, _long("`", skipped=""), _DOUBLE),
    "Cairo": (_SLASHES, _SINGLE, _DOUBLE),
    "Cap'n Proto": (_HASH, _DOUBLE),
    "Clojure": (_neither(r"\\."), _SEMICOLON, _LONG_DOUBLE),
    "CMake": (
        _block(rf"#{_LUA_LONG}", r"\]{name}\]"), _HASH, _long(_LUA_LONG, r"\]{name}\]", ""), _LONG_DOUBLE,
    ),
    "COBOL": (_line(r"\*>|^.{6}[*/]"), _PLAIN_DOUBLE, _PLAIN_SINGLE),
    "CoffeeScript": (_block("###", "###"), _HASH, _TRIPLE_DOUBLE, _TRIPLE_SINGLE, _DOUBLE, _SINGLE),
    "Coq": (_block(r"\(\*", r"\*\)", nests=True), _long('"', skipped="")),
    "Crontab": (_line(r"^[ \t]*#"),),
    "Crystal": (_HASH, _CHARACTER, _long('"', code=_HASH_BRACE)),
    "CUE": (_SLASHES, _TRIPLE_DOUBLE, _TRIPLE_SINGLE, _DOUBLE, _SINGLE),
    "Cypher": _C_SINGLE,
    "Cython": _PYTHON,
    "D": (_SLASHES, _BLOCK, _block(r"/\+", r"\+/", nests=True), _CHARACTER, _long("`", skipped=""), _LONG_DOUBLE),
    "Dart": (
        _SLASHES, _NESTED, _long("r'''", "'''", ""), _long('r"""', '"""', ""), _long("'''", code=_DOLLAR_BRACE),
        _long('"""', code=_DOLLAR_BRACE), _string("'", code=_DOLLAR_BRACE), _string('"', code=_DOLLAR_BRACE),
    ),
    "Device tree": (_SLASHES, _BLOCK, _DOUBLE),
    "Dhall": (
        _DASHES, _block(r"\{-", r"-\}", nests=True), _long("''", skipped="", code=_DOLLAR_BRACE),
        _string('"', code=_DOLLAR_BRACE),
    ),
    "Dockerfile": (_line(r"^[ \t]*#"), _heredoc("<<-?[\"']?"), _DOUBLE, _SINGLE),
    "Dotenv": (_HASH_WORD, _DOUBLE, _SINGLE),
    "Elixir": (
        _neither(r"\?\\?."), _HASH, _long('"""', code=_HASH_BRACE), _TRIPLE_SINGLE, _long('"', code=_HASH_BRACE),
        _SINGLE,
    ),
    "Elm": (*_HASKELL[:3], _TRIPLE_DOUBLE, _DOUBLE),
    "Emacs Lisp": (_neither(r"\?\\?."), _SEMICOLON, _LONG_DOUBLE),
    "ERB": (_block("<%#", "%>"), *_HTML),
    "Erlang": (_neither(r"\$\\?."), _PERCENT, _LONG_DOUBLE, _neither(r"'(?:[^'\\\n]|\\.)*'")),
    "F#": (*_ML, _SLASHES, _long('"""', skipped=""), _long(r'\$?@\$?"', '"', '""'), _LONG_DOUBLE),
    "Fennel": (_SEMICOLON, _LONG_DOUBLE),
    "Fish": (_HASH_WORD, _LONG_DOUBLE, _LONG_SINGLE),
    "FlatBuffers": _C_SINGLE,
    "Forth": (_line(r"(?<!\S)\\(?=\s)"), _block(r"(?<!\S)\((?=\s)", r"\)"), _string_after(r"(?<![^\s])[sS.]", '"', "")),
    "Fortran": (_line("!"), _PLAIN_SINGLE, _PLAIN_DOUBLE),
    "Fortran (fixed form)": (_line("!|^[cC*]"), _PLAIN_SINGLE, _PLAIN_DOUBLE),
    "FreeMarker": (_block("<#--", "-->"), *_HTML),
    "GDScript": _PYTHON,
    "Gherkin": (_line(r"^[ \t]*#"), _TRIPLE_DOUBLE),
    "Git commit": (_line("^#"),),
    "Gleam": (_SLASHES, _LONG_DOUBLE),
    "Gnuplot": _HASH_QUOTES,
    "Go module": (_SLASHES, _BLOCK, _DOUBLE),
    "GraphQL": (_HASH, _TRIPLE_DOUBLE, _DOUBLE),
    "Graphviz": (_line("^#"), _SLASHES, _BLOCK, _LONG_DOUBLE),
    "Groovy": (
        _SLASHES, _BLOCK, _TRIPLE_SINGLE, _long('"""', code=_DOLLAR_BRACE), _string('"', code=_DOLLAR_BRACE), _SINGLE,
    ),
    "Haml": (_line(r"^[ \t]*-#"), _DOUBLE, _SINGLE),
    "Handlebars": (_block(r"\{\{!--", r"--\}\}"), _block(r"\{\{!", r"\}\}"), *_HTML),
    "Haskell": _HASKELL,
    "Haxe": _C_SINGLE,
    "HEEx": (_block("<%!--", "--%>"), _block("<%#", "%>"), *_HTML),
    "HTTP": (_line(r"^[ \t]*(?:#|//)"),),
    "Hy": (_SEMICOLON, _LONG_DOUBLE),
    "Idris": _HASKELL,
    "Ignore file": (_line("^#"),),
    "INI": _INI,
    "Inno Setup": (_line(r"^[ \t]*;"), _SLASHES, _PLAIN_DOUBLE),
    "Janet": (_HASH, _LONG_DOUBLE),
    "Jinja": (_block(r"\{#", r"#\}"), *_HTML),
    "JSON": (_DOUBLE,),
    "JSON with comments": (_SLASHES, _BLOCK, _DOUBLE),
    "Jsonnet": (_HASH, _SLASHES, _BLOCK, _long(r"\|\|\|", skipped=""), _DOUBLE, _SINGLE),
    "JSP": (_block("<%--", "--%>"), *_HTML),
    "Julia": (
        _block("#=", "=#", nests=True), _HASH, _neither(r"(?<![\w)\]}'.])'(?:\\[^\n]{1,8}?|[^'\\\n])'"),
        _long('"""', code=_DOLLAR_PAREN), _long('"', code=_DOLLAR_PAREN),
    ),
    "Just": _HASH_QUOTES,
    "Kconfig": _HASH_QUOTES,
    "KDL": (_SLASHES, _NESTED, _LONG_DOUBLE),
    "LaTeX": (_PERCENT,),
    "Lean": (_block("/-", "-/", nests=True), _DASHES, _CHARACTER, _LONG_DOUBLE),
    "Less": _STYLES,
    "Liquid": (_block(r"\{%-?\s{0,9}comment\s{0,9}-?%\}", r"\{%-?\s{0,9}endcomment\s{0,9}-?%\}"), *_HTML),
    "Lisp": _LISP,
    "LiveScript": (_BLOCK, _HASH, _TRIPLE_DOUBLE, _TRIPLE_SINGLE, _DOUBLE, _SINGLE),
    "LLVM": (_SEMICOLON, _PLAIN_DOUBLE),
    "Makefile": (_line(r"(?<!\\)#"), _DOUBLE, _SINGLE),
    "MATLAB": (
        _block(r"^[ \t]*%\{[ \t]*$", r"^[ \t]*%\}[ \t]*$"), _line("%"), _PLAIN_DOUBLE,
        _string_after(r"(?<![\w)\]}'.])", "'", ""),
    ),
    "Mermaid": (_line("%%"), _PLAIN_DOUBLE),
    "Meson": _PYTHON,
    "Mojo": _PYTHON,
    "Move": (_SLASHES, _NESTED, _DOUBLE),
    "Nginx": _HASH_QUOTES,
    "Nim": (_block(r"#\[", r"\]#", nests=True), _HASH, _CHARACTER, _TRIPLE_DOUBLE, _DOUBLE),
    "Ninja": (_line(r"^[ \t]*#"),),
    "Nix": (
        _HASH, _BLOCK, _long("''", skipped=r"''(?:\$|'|\\.)|\$\$", code=_DOLLAR_BRACE), _long('"', code=_DOLLAR_BRACE),
    ),
    "NSIS": (_SEMICOLON, _HASH_WORD, _BLOCK, _string('"', r"\$\\."), _string("'", r"\$\\.")),
    "Objective-C": _C,
    "OCaml": (*_ML, _long(r"\{(?P<name>[a-z_]*)\|", r"\|{name}\}", ""), _LONG_DOUBLE),
    "Odin": (_SLASHES, _NESTED, _CHARACTER, _long("`", skipped=""), _DOUBLE),
    "Org": (_line(r"^[ \t]*#(?=[ \t])"),),
    "Pascal": (_SLASHES, _block(r"\{", r"\}"), _block(r"\(\*", r"\*\)"), _PLAIN_SINGLE),
    "Perl": (
        _block(r"^=[a-zA-Z]\w*", r"^=cut\b"), _line(r"(?<![$\w&@%])#"), _heredoc("<<~?[\"']?"), _DOUBLE, _SINGLE,
    ),
    "Pkl": (_SLASHES, _BLOCK, _TRIPLE_DOUBLE, _DOUBLE),
    "PlantUML": (_line(r"^[ \t]*'"), _block("/'", "'/"), _PLAIN_DOUBLE),
    "PostScript": (_PERCENT, _long(r"\(", r"\)")),
    "PowerShell": (
        _block("<#", "#>"), _line(r"(?<![\w`$-])#"), _long('@"', '^"@', "", _DOLLAR_PAREN), _long("@'", "^'@", ""),
        _long('"', skipped="`.", code=_DOLLAR_PAREN), _PLAIN_SINGLE,
    ),
    "Prisma": (_SLASHES, _DOUBLE),
    "Prolog": (_PERCENT, _BLOCK, _DOUBLE),
    "Properties": (_line(r"^[ \t]*[#!]"),),
    "Protocol Buffers": _C_SINGLE,
    "Pug": (_line(r"(?<!:)//"), _DOUBLE, _SINGLE),
    "Puppet": _HASH_QUOTES,
    "PureScript": (*_HASKELL[:3], _TRIPLE_DOUBLE, _DOUBLE),
    "QML": _JAVASCRIPT,
    "Racket": _LISP,
    "Raku": (_block(r"^=begin\b", r"^=end\b"), _HASH, _DOUBLE, _SINGLE),
    "Razor": (_block(r"@\*", r"\*@"), *_HTML),
    "Reason": (_SLASHES, _NESTED, _CHARACTER, _LONG_DOUBLE),
    "Rego": (_HASH, _long("`", skipped=""), _DOUBLE),
    "Requirements": (_HASH_WORD,),
    "ReScript": (_SLASHES, _NESTED, _CHARACTER, _TEMPLATE, _DOUBLE),
    "Robot Framework": (_line(r"(?:^|[ \t]{2}|\t)#"),),
    "Roc": (_HASH, _TRIPLE_DOUBLE, _DOUBLE),
    "RON": (_SLASHES, _NESTED, _CHARACTER, _LONG_DOUBLE),
    "SAS": (_BLOCK, _block(r"^[ \t]*\*", ";"), _PLAIN_DOUBLE, _PLAIN_SINGLE),
    "Sass": _STYLES,
    "Scala": (
        _SLASHES, _NESTED, _CHARACTER, _long('"""', skipped="", code=_DOLLAR_BRACE), _string('"', code=_DOLLAR_BRACE),
    ),
    "Scheme": _LISP,
    "Scilab": (_SLASHES, _BLOCK, _PLAIN_DOUBLE),
    "SCSS": _STYLES,
    "sed": (_line(r"^[ \t]*#"),),
    "Shader": _C,
    "Slim": (_line(r"^[ \t]*/"), _DOUBLE, _SINGLE),
    "Smali": (_HASH, _DOUBLE),
    "Smalltalk": (_block('"', '"'), _long("'", skipped="")),
    "Smarty": (_block(r"\{\*", r"\*\}"), *_HTML),
    "Solidity": _C_SINGLE,
    "SPARQL": (_RDF_COMMENT, _DOUBLE, _SINGLE),
    "Standard ML": (*_ML, _DOUBLE),
    "Starlark": _PYTHON,
    "Stata": (_line(r"^[ \t]*\*|(?<!\S)//"), _BLOCK, _PLAIN_DOUBLE),
    "Stylus": _STYLES,
    "Svelte": _HTML,
    "Tcl": (_line(r"(?:^|;)[ \t]*#"), _LONG_DOUBLE),
    "Terraform": _TERRAFORM,
    "Thrift": (_HASH, *_C_SINGLE),
    "TOML": (_HASH, _TRIPLE_DOUBLE, _long("'''", skipped=""), _DOUBLE, _PLAIN_SINGLE),
    "Turtle": (_RDF_COMMENT, _TRIPLE_DOUBLE, _DOUBLE, _SINGLE),
    "Twig": (_block(r"\{#", r"#\}"), *_HTML),
    "Typst": (_line(r"(?<!:)//"), _NESTED, _LONG_DOUBLE),
    "V": (_SLASHES, _NESTED, _DOUBLE, _SINGLE),
    "Vala": (_SLASHES, _BLOCK, _CHARACTER, _long('"""', skipped=""), _DOUBLE),
    "Velocity": (_line("##"), _block(r"#\*", r"\*#"), *_HTML),
    "Verilog": (_SLASHES, _BLOCK, _DOUBLE),
    "VHDL": (_DASHES, _neither("'.'"), _PLAIN_DOUBLE),
    "Vim script": (_line(r'^[ \t]*"|(?<=\s)"(?=[^"\n]*$)'), _DOUBLE, _PLAIN_SINGLE),
    "Visual Basic": _BASIC,
    "Vue": _HTML,
    "Vyper": _PYTHON,
    "WebAssembly": (_line(";;"), _block(r"\(;", r";\)", nests=True), _DOUBLE),
    "Wolfram": (_block(r"\(\*", r"\*\)", nests=True), _LONG_DOUBLE),
    "XML": _HTML,
    "XQuery": (_block(r"\(:", r":\)", nests=True), _long('"', skipped=""), _long("'", skipped="")),
    "YAML": (
        _line(r"(?<!\S)#"), _string_after(r"(?<![^\s\[{,:(])", '"'), _string_after(r"(?<![^\s\[{,:(])", "'", ""),
    ),
    "Zig": (_SLASHES, _CHARACTER, Enclosure(STRING, r"\\\\", END_OF_LINE), _DOUBLE),
}  # fmt: skip


def enclosures_of(language: Language) -> tuple[Enclosure, ...]:
    """Return the comments and strings of a language; () for prose, and for a language that is not known."""
    return _BY_NAME.get(language.name, ())
