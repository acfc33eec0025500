"""IPython's magics: the language of a cell, and the lines that are no Python."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midfill.code.cell_magics import language_of_cell, without_magics

LANGUAGES = {
    "x = 1": "python",
    "": "python",
    "%%bash\nls": "shellscript",
    "\n  \n%%bash -e\nls": "shellscript",
    "%%sh": "shellscript",
    "%%!\nls": "shellscript",
    "%%javascript\nalert(1)": "javascript",
    "%%js\nalert(1)": "javascript",
    "%%HTML\n<p>": "html",
    "%%sql postgres://here\nselect 1": "sql",
    "%%R -i df\nsummary(df)": "r",
    "%%latex\n$x$": "latex",
    "%%markdown\n# Title": "markdown",
    "%%writefile build/run.sh\nls": "shellscript",
    "%%writefile -a page.html\n<p>": "html",
    "%%writefile\nls": "plaintext",
    "%%file notes\nMilk": "plaintext",
    "%%script --no-raise-error /usr/bin/ruby\nputs 1": "ruby",
    "%%script python3\nprint(1)": "python",
    "%%script\nls": "plaintext",
    "%%time\nx = 1": "python",
    "%%timeit -n 3\nx = 1": "python",
    "%%capture out\nx = 1": "python",
    "%%unheard_of\nx = 1": "plaintext",
    "%bash": "python",
    "# why\n%%bash\nls": "python",
    "x = 7 %%3": "python",
}


@pytest.mark.parametrize(("text", "language"), LANGUAGES.items())
def test_language_of_a_cell(text: str, language: str) -> None:
    """The magic at its beginning decides; one that nobody knows makes it plain text."""
    assert language_of_cell("python", text) == language
    assert language_of_cell("julia", text) == "julia"


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("%%time\nx = 1", "#%time\nx = 1"),
        ("%%bash\nls %%\n!x", "#%bash\nls %%\n!x"),
        ("%%javascript\nalert(1)", "//javascript\nalert(1)"),
        ("%%html\n<p>", "      \n<p>"),
        ("\n%%bash\nls", "\n#%bash\nls"),
        ("!pip install x\nimport x", "#pip install x\nimport x"),
        ("if x:\n    !ls\n    y()", "if x:\n    #ls\n    y()"),
        ("!pip \\\n  install \\\n\n x\ny = 1", "#pip \\\n# install \\\n\n x\ny = 1"),
        ("%matplotlib inline\nx", "#matplotlib inline\nx"),
        ("%load_ext a\n%timeit f(x)", "#load_ext a\n#timeit f(x)"),
        ("?x\nx.y??\nx.y?  ", "#x\n#.y??\n#.y?  "),
        ("x = (a\n     % b)", "x = (a\n     % b)"),
        ("x = ('%s'\n     %name)", "x = ('%s'\n     %name)"),
        ("x = (a\n     != b)", "x = (a\n     != b)"),
        ("x %= 2", "x %= 2"),
    ],
)
def test_lines_for_ipython(text: str, hidden: str) -> None:
    """They are comments, or blanks where the language has none; other lines stay."""
    assert without_magics("python", text) == hidden
    assert without_magics("r", text) == text


@pytest.mark.parametrize(
    ("cursor", "hidden"),
    [(0, "!ls\nx\n#timeit y"), (3, "!ls\nx\n#timeit y"), (4, "#ls\nx\n#timeit y"), (6, "#ls\nx\n%timeit y")],
)
def test_line_of_the_cursor_stays(cursor: int, hidden: str) -> None:
    """It is what is being written."""
    assert without_magics("python", "!ls\nx\n%timeit y", cursor) == hidden
    assert without_magics("python", "%%bash\nls", 3) == "%%bash\nls"


@given(st.text(st.sampled_from([*"%!?ab=# \n\t\\(:"]), max_size=40), st.none() | st.integers(0, 40))
def test_offsets_stay_valid(text: str, cursor: int | None) -> None:
    """Any text keeps its length and its lines."""
    hidden = without_magics("python", text, cursor)
    assert [len(line) for line in hidden.split("\n")] == [len(line) for line in text.split("\n")]


def test_cell_of_python_can_be_parsed() -> None:
    """What is left is Python."""
    cell = "%%time\n!pip install x \\\n    y\nimport x\n%matplotlib inline\nx?\nif x:\n    pass\n    !ls 'a\n"
    assert len(ast.parse(without_magics("python", cell)).body) == 2
