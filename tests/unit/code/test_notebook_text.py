"""Cells of a notebook as one text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midfill.code.notebook_text import Cell, join_cells

CELLS = [
    Cell("1", "markdown", "# Load\n\nthe data\n"),
    Cell("2", "python", "import pandas as pd"),
    Cell("3", "javascript", "alert(1)"),
    Cell("4", "markdown", "  "),
    Cell("5", "python", "df = pd."),
]


def test_code_cells_with_prose_as_comments() -> None:
    """The cells keep their order, other languages are left out, and a cell's offset can be converted."""
    joined = join_cells(CELLS, "5")
    assert joined.text == "# # Load\n#\n# the data\n\nimport pandas as pd\n\ndf = pd."
    assert joined.text[: joined.offset("5", 8)].endswith("df = pd.")
    with pytest.raises(KeyError):
        joined.offset("3", 0)


def test_current_cell_of_markdown() -> None:
    """Markdown cells are joined only with Markdown cells."""
    assert join_cells(CELLS, "1").text == "# Load\n\nthe data\n\n\n  "


def test_unknown_cell() -> None:
    """A URI that no cell has is an error."""
    with pytest.raises(KeyError):
        join_cells(CELLS, "6")


TEXTS = st.text(st.characters(exclude_characters="!%?"), max_size=20)
"""Texts without magics."""


@given(st.lists(st.tuples(st.sampled_from(["python", "markdown", "sql"]), TEXTS), min_size=1, max_size=8))
def test_every_cell_of_the_language_is_found_again(cells: list[tuple[str, str]]) -> None:
    """A cell's start leads to the cell's text, whatever the other cells are."""
    notebook = [Cell(str(n), language, text) for n, (language, text) in enumerate(cells)]
    joined = join_cells(notebook, "0")
    for cell in [cell for cell in notebook if cell.language == notebook[0].language]:
        start = joined.offset(cell.uri, 0)
        assert joined.text[start : start + len(cell.text)] == cell.text


def test_cells_with_magics() -> None:
    """A cell of another language is left out of Python's, and has those of its own language beside it."""
    cells = [
        Cell("1", "python", "%%bash\ncd data"),
        Cell("2", "python", "!ls\nx = 1"),
        Cell("3", "python", "%%markdown\nwhy"),
        Cell("4", "python", "%%bash\n!x\nmake"),
        Cell("5", "python", "%%time\nx += 1\n!echo"),
    ]
    python = join_cells(cells, "5", 15)
    assert python.text == "#ls\nx = 1\n\n# why\n\n#%time\nx += 1\n!echo"
    assert (python.language, set(python.starts)) == ("python", {"2", "5"})
    shell = join_cells(cells, "4", 12)
    assert shell.text == "#%bash\ncd data\n\n# why\n\n#%bash\n!x\nmake"
    assert (shell.language, set(shell.starts)) == ("shellscript", {"1", "4"})
