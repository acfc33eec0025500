"""The supported languages, and how a file's name or a document's LSP language id selects one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePath


@dataclass(frozen=True)
class Language:
    """A programming, markup or configuration language."""

    name: str
    grammar: str
    """Name of the tree-sitter grammar; "" for plain text, and for a language that is not parsed."""
    suffixes: tuple[str, ...]
    """File name suffixes in lower case, with the dot."""
    ids: tuple[str, ...]
    """LSP language ids."""
    line_comment: str = ""
    """The characters that start a comment up to the end of the line; "" when the language has no such comment."""
    file_names: tuple[str, ...] = ()
    """Names, in lower case, of files that the suffix does not tell; also without their suffix (``Dockerfile.dev``)."""
    keeps_white_space: bool = False
    """Whether the kind of white space means something: a tab is no spaces, and a blank line is text."""


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
    Language(
        "Ruby",
        "ruby",
        (".rb", ".rake", ".gemspec"),
        ("ruby",),
        "#",
        ("rakefile", "gemfile", "vagrantfile", "podfile", "fastfile", "brewfile", "guardfile"),
    ),
    Language("PHP", "php", (".php",), ("php",), "//"),
    Language("Shell", "bash", (".sh", ".bash", ".zsh", ".ksh"), ("shellscript", "sh", "bash", "zsh"), "#"),
    Language("SQL", "sql", (".sql",), ("sql",), "--"),
    Language("R", "r", (".r",), ("r",), "#"),
    Language("Lua", "lua", (".lua",), ("lua",), "--"),
    Language("Swift", "swift", (".swift",), ("swift",), "//"),
    Language("Kotlin", "kotlin", (".kt", ".kts"), ("kotlin",), "//"),
    Language("HTML", "html", (".html", ".htm"), ("html",)),
    Language("CSS", "css", (".css",), ("css",)),
    Language("Markdown", "markdown", (".md", ".markdown"), ("markdown",), keeps_white_space=True),
)
"""The languages that are parsed."""
UNPARSED_LANGUAGES = (
    Language("ABAP", "", (".abap",), ("abap",), '"'),
    Language("ActionScript", "", (".as",), ("actionscript",), "//"),
    Language("Ada", "", (".adb", ".ads", ".ada"), ("ada",), "--"),
    Language("Agda", "", (".agda",), ("agda",), "--"),
    Language("Apex", "", (".trigger",), ("apex",), "//"),
    Language("AppleScript", "", (".applescript",), ("applescript",), "--"),
    Language("Arduino", "", (".ino",), ("arduino",), "//"),
    Language("AsciiDoc", "", (".adoc", ".asciidoc"), ("asciidoc",), "//"),
    Language("Assembly", "", (".s", ".asm"), ("asm", "nasm", "assembly"), "#"),
    Language("Astro", "", (".astro",), ("astro",)),
    Language("AutoHotkey", "", (".ahk",), ("ahk", "ahk2", "autohotkey"), ";"),
    Language("AWK", "", (".awk",), ("awk",), "#"),
    Language("Batch", "", (".bat", ".cmd"), ("bat", "dosbatch"), "::"),
    Language("Bicep", "", (".bicep",), ("bicep",), "//"),
    Language("Blade", "", (), ("blade",)),
    Language("C shell", "", (".csh", ".tcsh"), ("csh", "tcsh"), "#"),
    Language("Caddyfile", "", (), ("caddyfile",), "#", ("caddyfile",)),
    Language("Cairo", "", (".cairo",), ("cairo",), "//"),
    Language("Cap'n Proto", "", (".capnp",), ("capnp",), "#"),
    Language("Clojure", "", (".clj", ".cljs", ".cljc", ".edn"), ("clojure", "clojurescript"), ";"),
    Language("CMake", "", (".cmake",), ("cmake",), "#", ("cmakelists.txt",)),
    Language("COBOL", "", (".cob", ".cbl", ".cpy"), ("cobol",), "*>"),
    Language("CoffeeScript", "", (".coffee",), ("coffeescript", "coffee"), "#"),
    Language("Coq", "", (), ("coq", "rocq")),
    Language("Crontab", "", (), ("crontab",), "#", ("crontab",)),
    Language("Crystal", "", (".cr",), ("crystal",), "#"),
    Language("CUE", "", (".cue",), ("cue",), "//"),
    Language("Cypher", "", (".cypher", ".cql"), ("cypher",), "//"),
    Language("Cython", "", (".pyx", ".pxd"), ("cython",), "#"),
    Language("D", "", (".d",), ("d",), "//"),
    Language("Dart", "", (".dart",), ("dart",), "//"),
    Language("Device tree", "", (".dts", ".dtsi"), ("dts", "devicetree"), "//"),
    Language("Dhall", "", (".dhall",), ("dhall",), "--"),
    Language("Diff", "", (".diff", ".patch"), ("diff", "patch"), keeps_white_space=True),
    Language("Dockerfile", "", (".dockerfile",), ("dockerfile",), "#", ("dockerfile", "containerfile")),
    Language("Dotenv", "", (".env",), ("dotenv", "env"), "#", (".env",)),
    Language("Elixir", "", (".ex", ".exs"), ("elixir",), "#"),
    Language("Elm", "", (".elm",), ("elm",), "--"),
    Language("Emacs Lisp", "", (".el",), ("emacs-lisp", "elisp"), ";"),
    Language("ERB", "", (".erb", ".ejs"), ("erb", "eruby", "ejs")),
    Language("Erlang", "", (".erl", ".hrl"), ("erlang",), "%"),
    Language("F#", "", (".fs", ".fsi", ".fsx"), ("fsharp",), "//"),
    Language("Fennel", "", (".fnl",), ("fennel",), ";"),
    Language("Fish", "", (".fish",), ("fish",), "#"),
    Language("FlatBuffers", "", (".fbs",), ("flatbuffers", "fbs"), "//"),
    Language("Forth", "", (".fth", ".4th"), ("forth",), "\\ "),
    Language("Fortran", "", (".f90", ".f95", ".f03", ".f08"), ("fortran", "FortranFreeForm"), "!"),
    Language(
        "Fortran (fixed form)",
        "",
        (".f", ".for", ".f77"),
        ("fortran_fixed-form", "FortranFixedForm"),
        "!",
        keeps_white_space=True,
    ),
    Language("FreeMarker", "", (".ftl", ".ftlh"), ("ftl", "freemarker")),
    Language("GDScript", "", (".gd",), ("gdscript",), "#"),
    Language("Gherkin", "", (".feature",), ("cucumber", "gherkin", "feature"), "#"),
    Language("Git commit", "", (), ("git-commit", "gitcommit", "git-rebase", "gitrebase"), "#", ("commit_editmsg",)),
    Language("Gleam", "", (".gleam",), ("gleam",), "//"),
    Language("Gnuplot", "", (".gp", ".gnuplot", ".plt"), ("gnuplot",), "#"),
    Language("Go module", "", (), ("go.mod", "gomod", "go.work"), "//", ("go.mod", "go.work")),
    Language("GraphQL", "", (".graphql", ".gql"), ("graphql",), "#"),
    Language("Graphviz", "", (".dot", ".gv"), ("dot",), "//"),
    Language("Groovy", "", (".groovy", ".gradle"), ("groovy",), "//", ("jenkinsfile",)),
    Language("Haml", "", (".haml",), ("haml",), "-#"),
    Language("Handlebars", "", (".hbs", ".handlebars", ".mustache"), ("handlebars", "mustache", "html.handlebars")),
    Language("Haskell", "", (".hs",), ("haskell",), "--"),
    Language("Haxe", "", (".hx",), ("haxe",), "//"),
    Language("HEEx", "", (".heex", ".eex", ".leex"), ("heex", "eex", "eelixir", "phoenix-heex", "html-eex")),
    Language("HTTP", "", (".http", ".rest"), ("http", "rest"), "#"),
    Language("Hy", "", (".hy",), ("hy",), ";"),
    Language("Idris", "", (".idr",), ("idris", "idris2"), "--"),
    Language(
        "Ignore file",
        "",
        (),
        ("ignore", "gitignore"),
        "#",
        (".gitignore", ".dockerignore", ".midfillignore", "codeowners"),
    ),
    Language(
        "INI",
        "",
        (".ini", ".cfg", ".conf", ".editorconfig", ".service", ".desktop"),
        ("ini", "dosini", "conf", "editorconfig", "systemd"),
        ";",
        (".editorconfig", ".gitconfig"),
    ),
    Language("Inno Setup", "", (".iss",), ("innosetup",), ";"),
    Language("Janet", "", (".janet",), ("janet",), "#"),
    Language("Jinja", "", (".j2", ".jinja", ".jinja2"), ("jinja", "jinja-html", "django-html", "htmldjango")),
    Language("JSON", "", (".json",), ("json",)),
    Language("JSON with comments", "", (".jsonc", ".json5"), ("jsonc", "json5", "snippets", "code-snippets"), "//"),
    Language("Jsonnet", "", (".jsonnet", ".libsonnet"), ("jsonnet",), "//"),
    Language("JSP", "", (".jsp", ".jspx"), ("jsp",)),
    Language("Julia", "", (".jl",), ("julia",), "#"),
    Language("Just", "", (".just",), ("just",), "#", ("justfile",)),
    Language("Kconfig", "", (), ("kconfig",), "#", ("kconfig",)),
    Language("KDL", "", (".kdl",), ("kdl",), "//"),
    Language("LaTeX", "", (".tex", ".sty", ".bib"), ("latex", "tex", "plaintex", "bibtex"), "%"),
    Language("Lean", "", (".lean",), ("lean", "lean4"), "--"),
    Language("Less", "", (".less",), ("less",), "//"),
    Language("Liquid", "", (".liquid",), ("liquid",)),
    Language("Lisp", "", (".lisp",), ("lisp", "commonlisp"), ";"),
    Language("LiveScript", "", (".ls",), ("livescript",), "#"),
    Language("LLVM", "", (".ll",), ("llvm",), ";"),
    Language(
        "Makefile",
        "",
        (".mk", ".mak", ".make"),
        ("makefile", "make"),
        "#",
        ("makefile", "gnumakefile"),
        keeps_white_space=True,
    ),
    Language("MATLAB", "", (".matlab",), ("matlab", "octave"), "%"),
    Language("Mermaid", "", (".mmd", ".mermaid"), ("mermaid",), "%%"),
    Language("Meson", "", (), ("meson",), "#", ("meson.build", "meson_options.txt")),
    Language("Mojo", "", (".mojo",), ("mojo",), "#"),
    Language("Move", "", (".move",), ("move",), "//"),
    Language("Nginx", "", (), ("nginx",), "#", ("nginx.conf",)),
    Language("Nim", "", (".nim", ".nims"), ("nim",), "#"),
    Language("Ninja", "", (".ninja",), ("ninja",), "#"),
    Language("Nix", "", (".nix",), ("nix",), "#"),
    Language("NSIS", "", (".nsi", ".nsh"), ("nsis",), ";"),
    Language("Objective-C", "", (".m", ".mm"), ("objective-c", "objective-cpp", "objc", "objcpp"), "//"),
    Language("OCaml", "", (".ml", ".mli"), ("ocaml", "ocaml.interface")),
    Language("Odin", "", (".odin",), ("odin",), "//"),
    Language("Org", "", (".org",), ("org",), "# "),
    Language("Pascal", "", (".pas", ".dpr"), ("pascal", "objectpascal"), "//"),
    Language("Perl", "", (".pl", ".pm"), ("perl",), "#"),
    Language("Pkl", "", (".pkl",), ("pkl",), "//"),
    Language("PlantUML", "", (".puml", ".plantuml"), ("plantuml",), "'"),
    Language("PostScript", "", (".ps", ".eps"), ("postscript",), "%"),
    Language("PowerShell", "", (".ps1", ".psm1"), ("powershell", "ps1"), "#"),
    Language("Prisma", "", (".prisma",), ("prisma",), "//"),
    Language("Prolog", "", (), ("prolog",), "%"),
    Language("Properties", "", (".properties",), ("properties", "java-properties", "jproperties"), "#"),
    Language("Protocol Buffers", "", (".proto",), ("proto", "proto3", "protobuf"), "//"),
    Language("Pug", "", (".pug", ".jade"), ("pug", "jade"), "//"),
    Language("Puppet", "", (".pp",), ("puppet",), "#"),
    Language("PureScript", "", (".purs",), ("purescript",), "--"),
    Language("QML", "", (".qml",), ("qml",), "//"),
    Language("Racket", "", (".rkt",), ("racket",), ";"),
    Language("Raku", "", (".raku", ".rakumod"), ("raku", "perl6"), "#"),
    Language("Razor", "", (".cshtml", ".razor"), ("razor", "aspnetcorerazor")),
    Language("Reason", "", (".re", ".rei"), ("reason", "reasonml"), "//"),
    Language("Rego", "", (".rego",), ("rego",), "#"),
    Language(
        "Requirements", "", (), ("pip-requirements", "requirements"), "#", ("requirements.txt", "constraints.txt")
    ),
    Language("ReScript", "", (".res", ".resi"), ("rescript",), "//"),
    Language("Robot Framework", "", (".robot", ".resource"), ("robotframework", "robot"), "#"),
    Language("Roc", "", (".roc",), ("roc",), "#"),
    Language("RON", "", (".ron",), ("ron",), "//"),
    Language("SAS", "", (".sas",), ("sas",)),
    Language("Sass", "", (".sass",), ("sass",), "//"),
    Language("Scala", "", (".scala", ".sc", ".sbt"), ("scala",), "//"),
    Language("Scheme", "", (".scm", ".ss"), ("scheme",), ";"),
    Language("Scilab", "", (".sci", ".sce"), ("scilab",), "//"),
    Language("SCSS", "", (".scss",), ("scss",), "//"),
    Language("sed", "", (".sed",), ("sed",), "#"),
    Language(
        "Shader",
        "",
        (".glsl", ".vert", ".frag", ".hlsl", ".wgsl", ".metal"),
        ("glsl", "hlsl", "wgsl", "shaderlab"),
        "//",
    ),
    Language("Slim", "", (".slim",), ("slim",), "/"),
    Language("Smali", "", (".smali",), ("smali",), "#"),
    Language("Smalltalk", "", (".st",), ("smalltalk",)),
    Language("Smarty", "", (), ("smarty",)),
    Language("Solidity", "", (".sol",), ("solidity",), "//"),
    Language("SPARQL", "", (".rq", ".sparql"), ("sparql",), "#"),
    Language("Standard ML", "", (".sml",), ("sml",)),
    Language("Starlark", "", (".bzl", ".star", ".bazel"), ("starlark", "bazel", "bzl"), "#", ("tiltfile",)),
    Language("Stata", "", (".do", ".ado"), ("stata",), "//"),
    Language("Stylus", "", (".styl",), ("stylus",), "//"),
    Language("Svelte", "", (".svelte",), ("svelte",)),
    Language("Tcl", "", (".tcl",), ("tcl",), "#"),
    Language("Terraform", "", (".tf", ".tfvars", ".hcl"), ("terraform", "terraform-vars", "hcl", "opentofu"), "#"),
    Language("Thrift", "", (".thrift",), ("thrift",), "//"),
    Language("TOML", "", (".toml",), ("toml",), "#"),
    Language("Turtle", "", (".ttl",), ("turtle",), "#"),
    Language("Twig", "", (".twig",), ("twig",)),
    Language("Typst", "", (".typ",), ("typst",), "//"),
    Language("V", "", (), ("v", "vlang"), "//"),
    Language("Vala", "", (".vala",), ("vala",), "//"),
    Language("Velocity", "", (".vm", ".vtl"), ("velocity",), "##"),
    Language("Verilog", "", (".v", ".sv", ".svh"), ("verilog", "systemverilog"), "//"),
    Language("VHDL", "", (".vhd", ".vhdl"), ("vhdl",), "--"),
    Language("Vim script", "", (".vim",), ("vim", "viml"), '"', (".vimrc",)),
    Language("Visual Basic", "", (".vb", ".vbs", ".bas"), ("vb", "vbnet", "vbscript"), "'"),
    Language("Vue", "", (".vue",), ("vue",)),
    Language("Vyper", "", (".vy",), ("vyper",), "#"),
    Language("WebAssembly", "", (".wat", ".wast"), ("wat", "wast", "wasm-text"), ";;"),
    Language("Wolfram", "", (".wl", ".wls"), ("wolfram", "mathematica")),
    Language(
        "XML",
        "",
        (".xml", ".xsd", ".xsl", ".svg", ".csproj", ".plist", ".xaml", ".resx", ".props", ".targets", ".mjml"),
        ("xml", "xsl"),
    ),
    Language("XQuery", "", (".xq", ".xquery", ".xqm"), ("xquery",)),
    Language(
        "YAML",
        "",
        (".yaml", ".yml"),
        ("yaml", "dockercompose", "github-actions-workflow", "helm", "ansible"),
        "#",
        keeps_white_space=True,
    ),
    Language("Zig", "", (".zig",), ("zig",), "//"),
)
"""Languages of which only the marks of comments and strings are known (:mod:`midfill.code.comments_and_strings`)."""
_ALL = (*LANGUAGES, *UNPARSED_LANGUAGES)
_BY_ID = {language_id: language for language in (*_ALL, PLAIN_TEXT) for language_id in language.ids}
_BY_SUFFIX = {suffix: language for language in _ALL for suffix in language.suffixes}
_BY_FILE_NAME = {name: language for language in _ALL for name in language.file_names}


@lru_cache(4096)
def language_of(path: str | PurePath, language_id: str = "") -> Language:
    """Return the language of a document: by the LSP language id, else by the file's name, else plain text.

    An editor that does not know a language says that it is plain text. Then the name decides, too, unless it tells a
    language so common that somebody must have chosen plain text.
    """
    name = PurePath(path).name.lower()
    stem = name[:1] + name[1:].partition(".")[0]  # of `Dockerfile.dev`, and of `.env.local`
    by_name = _BY_FILE_NAME.get(name) or _BY_SUFFIX.get(PurePath(name).suffix) or _BY_FILE_NAME.get(stem) or PLAIN_TEXT
    by_id = _BY_ID.get(language_id, by_name)
    return by_name if by_id is PLAIN_TEXT and not by_name.grammar else by_id
