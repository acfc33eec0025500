"""The page of `midfill stats --html`."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from midfill.outcomes.stats_page import page

COUNTS = {
    "requests": 10,
    "shown": 4,
    "characters shown": 400,
    "characters accepted": 120,
    "characters kept": 90,
    "within 100": 3,
    "slower": 1,
    **{f"nothing: {reason}": 9 - number for number, reason in enumerate(("unsure", "blank", "idle", "path", "string"))},
    "nothing: comment": 2,
    "nothing: language": 1,
}
WEEKS = {"2026-W48": {"Python": COUNTS, "C#": {"requests": 1}}, "2026-W49": {"Python": {"characters shown": 1_234}}}


class Reader(HTMLParser):
    """Reads a page as a browser does."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.rows: list[list[str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])

    def handle_data(self, data: str) -> None:
        """Note the text of a cell."""
        if self.rows and self.tags[-1][0] in ("th", "td") and data.strip():
            self.rows[-1].append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of all elements of a name."""
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def reader() -> Reader:
    """Read the page of some counts."""
    return Reader(page(WEEKS, 0.0))


def test_each_plot_has_a_table_beside_it(reader: Reader) -> None:
    """Of characters, times and reasons, by week and by language."""
    assert len(reader.all("svg")) == len(reader.all("table")) == len(reader.all("caption")) == 6
    assert ["2026-W48", "400", "120", "90"] in reader.rows
    assert ["2026-W49", "1,234", "0", "0"] in reader.rows
    assert ["Python", "1,634", "120", "90"] in reader.rows
    assert ["2026-W48", "100 ms", "not known"] in reader.rows
    assert ["unsure", "blank", "idle", "path", "string", "other reasons"] in reader.rows
    assert ["Python", "9", "8", "7", "6", "5", "3"] in reader.rows


def test_page_can_be_heard(reader: Reader) -> None:
    """It has a language, a heading, a name for each picture, and headers for rows and columns."""
    assert reader.all("html") == [{"lang": "en"}]
    assert len(reader.all("h1")) == len(reader.all("title")) == 1
    assert all(picture["role"] == "img" and picture["aria-label"] for picture in reader.all("svg"))
    assert {header.get("scope") for header in reader.all("th")} == {"row", "col"}


def test_page_loads_nothing(reader: Reader) -> None:
    """No file, no script, no address; the browser is told to refuse all."""
    assert not reader.all("script") + reader.all("link") + reader.all("img") + reader.all("a")
    assert not [each for _, attributes in reader.tags for each in attributes if each in ("src", "href")]
    assert "default-src 'none'" in str(reader.all("meta"))
    addresses = set(re.findall(r"https?://[^\"' <]+", page(WEEKS, 0.0)))
    assert addresses == {"http://www.w3.org/2000/svg"}


def test_dark_pages_have_colours_of_their_own() -> None:
    """The page and the pictures follow the system."""
    html = page(WEEKS, 0.0)
    assert html.count("prefers-color-scheme:dark") == 7


def test_without_counts() -> None:
    """The page says what to do."""
    assert "Nothing was counted yet" in page({}, 0.0)
    assert "<svg" not in page({}, 0.0)


def test_names_are_text() -> None:
    """A name is never read as an element."""
    html = page({"2026-W48": {"<b>": {"characters shown": 1}}}, 0.0)
    assert "<b>" not in html
    assert "&lt;b&gt;" in html


def test_long_histories_are_cut() -> None:
    """The latest half year is shown."""
    many = {f"2026-W{week:02}": {"C": {"characters shown": week}} for week in range(1, 53)}
    rows = [row[0] for row in Reader(page(many, 0.0)).rows if row]
    assert "2026-W27" in rows
    assert "2026-W26" not in rows
