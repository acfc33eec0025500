"""The supported languages, and how a file's name or a document's LSP language id selects one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePath


@dataclass(frozen=True)
class Language:
    """A programming or markup language."""

    name: str
    grammar: str
    """Name of the tree-sitter grammar; "" for plain text."""
    suffixes: tuple[str, ...]
    """File name suffixes in lower case, with the dot."""
    ids: tuple[str, ...]
    """LSP language ids."""
    line_comment: str = ""
    """The characters that start a comment up to the end of the line; "" when the language has no such comment."""
    file_names: tuple[str, ...] = ()
    """Names, in lower case, of files that have no suffix."""


PLAIN_TEXT = Language("Text", "", (), ("plaintext",))
LANGUAGES = (
    Language("Python", "python", (".py", ".pyi", ".pyw"), ("python",), "#"),
    Language("JavaScript", "javascript", (".js", ".jsx", ".mjs", ".cjs"), ("javascript", "javascriptreact"), "//"),
    Language("TypeScript", "typescript", (".ts", ".mts", ".cts"), ("typescript",), "//"),
    Language("TSX", "tsx", (".tsx",), ("typescriptreact",), "//"),
    Language("Java", "java", (".java",), ("java",), "//"),
    Language("C", "c", (".c", ".h"), ("c",), "//"),
    Language("C++", "cpp", (".cc", ".cpp", ".cxx", ".hh", ".hpp", ".hxx", ".ipp", ".cu"), ("cpp", "cuda-cpp"), "//"),
    Language("C#", "csharp", (".cs",), ("csharp",), "//"),
    Language("Go", "go", (".go",), ("go",), "//"),
    Language("Rust", "rust", (".rs",), ("rust",), "//"),
    Language("Ruby", "ruby", (".rb", ".rake", ".gemspec"), ("ruby",), "#", ("rakefile", "gemfile")),
    Language("PHP", "php", (".php",), ("php",), "//"),
    Language("Shell", "bash", (".sh", ".bash", ".zsh", ".ksh"), ("shellscript", "sh", "bash", "zsh"), "#"),
    Language("SQL", "sql", (".sql",), ("sql",), "--"),
    Language("R", "r", (".r",), ("r",), "#"),
    Language("Lua", "lua", (".lua",), ("lua",), "--"),
    Language("Swift", "swift", (".swift",), ("swift",), "//"),
    Language("Kotlin", "kotlin", (".kt", ".kts"), ("kotlin",), "//"),
    Language("HTML", "html", (".html", ".htm"), ("html",)),
    Language("CSS", "css", (".css",), ("css",)),
    Language("Markdown", "markdown", (".md", ".markdown"), ("markdown",)),
)
_BY_ID = {language_id: language for language in (*LANGUAGES, PLAIN_TEXT) for language_id in language.ids}
_BY_SUFFIX = {suffix: language for language in LANGUAGES for suffix in language.suffixes}
_BY_FILE_NAME = {name: language for language in LANGUAGES for name in language.file_names}


@lru_cache(4096)
def language_of(path: str | PurePath, language_id: str = "") -> Language:
    """Return the language of a document: by the LSP language id, else by the file's name, else plain text."""
    name = PurePath(path).name.lower()
    by_name = _BY_FILE_NAME.get(name) or _BY_SUFFIX.get(PurePath(name).suffix) or PLAIN_TEXT
    return _BY_ID.get(language_id, by_name)
