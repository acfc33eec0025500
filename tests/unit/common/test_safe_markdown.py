"""Text of a model that an editor renders: it loads nothing, runs nothing, and code in it stays as it is."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from midfill.common.safe_markdown import SafeMarkdown, safe_markdown

HARMFUL = {"image", "link_open", "html_inline", "html_block"}
PIECES = [
    *(
        "![a](https://example.org/a.png)",
        "[a](command:run)",
        "[a]: https://example.org\n",
        "![a][a]",
        "[a]",
        "](",
        "]:",
    ),
    *("<img src=x>", "<b>", "<!--", "-->", "<https://example.org>", "<?", "![", "[", "]", "(", ")", "<", ">", "!"),
    *("`", "``", "```", "````", "~~~", "~~~~", "```python\n", "~", "|", "| a | b |\n|---|---|\n", "\\", "$", "&#91;"),
    *("\n", "\n\n", " ", "    ", "\t", "- ", "1. ", "10. ", "> ", "# ", "---\n", "a", "code", "\r", "*", "_", "\u200b"),
]


def tokens_of(text: str) -> list[Token]:
    """Return all tokens of a text, as a renderer finds them that takes tables and HTML."""
    blocks = MarkdownIt("commonmark").enable("table").parse(text)
    return [token for block in blocks for token in (block, *(block.children or ()))]


def harm_in(text: str) -> set[str]:
    """Return the kinds of tokens that load something, run something, or are HTML."""
    return {token.type for token in tokens_of(text)} & HARMFUL


def in_pieces(text: str, ends: list[int]) -> str:
    """Make a text harmless that comes in pieces."""
    shown: list[str] = []
    stream = SafeMarkdown(shown.append)
    cuts = sorted({0, len(text), *(end % (len(text) + 1) for end in ends)})
    for start, end in pairwise(cuts):
        stream.write(text[start:end])
    stream.end()
    return "".join(shown)


@pytest.mark.parametrize(
    "text",
    [
        "![a](https://example.org/a.png)",
        "![a][b]\n\n[b]: https://example.org/a.png",
        "[run](command:workbench.action.terminal.new)",
        "[a]\n\n[a]: command:run",
        '<img src="https://example.org/a.png">',
        "<https://example.org>",
        "a ` b\n\n![a](https://example.org)`",
        "a `b\nc` ![a](u) `d`",
        "`a` ``b` ![a](u) `",
        "\\`![a](u)`",
        "- a\n\n  ```\n![a](u)",
        "> ```\n![a](u)",
        "a\n\n    ```\n![a](u)",
        "a\n      ```\n      ![a](u)",
        "```\n```~\n![a](u)",
        "````\n```\n````\n![a](u)",
        "``` `\n![a](u)",
        "```\r```\r![a](u)",
        "|a|b|\n|-|-|\n|`a|b` ![a](u) `c`|",
        "|a|b|\n|-|-|\n|`a|b` x `![a](u)` z|",
    ],
)
def test_nothing_is_loaded_or_run(text: str) -> None:
    """Each of these fools who looks for harm in another way than the renderer."""
    assert not harm_in(safe_markdown(text))


@pytest.mark.parametrize(
    "text",
    [
        "It returns `a[0](x)` and *then* **adds** 1 to `b`.\n\n1. One\n2. Two\n",
        "```python\nitems[0](x)\nd = {1: [2]}\nif a < b: print(`x`)\n```\nDone.\n",
        "~~~html\n<img src=x>\n~~~",
        "| a | b |\n|---|---|\n| 1 | 2 |\n",
        "- Use `Vec<T>`:\n\n   ```rust\n   let v: Vec<u8>;\n\n     ![a](u)\n   ```\n- Or not.\n",
        "a < b, a[0] = 1, x -> y",
        "",
    ],
)
def test_what_is_harmless_stays_as_it_is(text: str) -> None:
    """Code most of all: people copy it."""
    assert safe_markdown(text) == text


def test_what_is_harmful_is_read_as_it_was_written() -> None:
    """Nothing is left out."""
    shown = tokens_of(safe_markdown('See ![a](b), [c](command:d), <i title="e">f</i> and $g$.'))
    assert "".join(token.content for token in shown if token.type in ("text", "text_special")) == (
        'See ![a](b), [c](command:d), <i title="e">f</i> and $g$.'
    )


def test_code_deep_in_a_list_is_code() -> None:
    """Its fence is moved to where every renderer sees one."""
    [block] = [
        token
        for token in tokens_of(
            safe_markdown("1. a\n   - b\n\n     ```py x=`y`\n     ```py x\n     f[0](x)\n    g\n     ```\n")
        )
        if token.type == "fence"
    ]
    assert (block.info, block.content) == ("py", "f[0](x)\ng\n")


@pytest.mark.parametrize("text", ["```python\ncode", "```python\ncode\n", "a\n  ~~~\n  code", "```"])
def test_block_that_is_cut_short_ends_with_its_text(text: str) -> None:
    """Else the next text, or a note, would be taken for code, and its code for text."""
    below = "```\n![a](u)\n```\n"
    assert not harm_in(f"{safe_markdown(text)}\n\n{safe_markdown(below)}")
    assert ("text", "Note") in [(token.type, token.content) for token in tokens_of(f"{safe_markdown(text)}\n\nNote")]


def test_terminal_gets_no_escape_codes() -> None:
    """`midfill do` prints these texts."""
    assert safe_markdown("a\x1b[31mb\x9b1mc\x07\td\r\ne") == "a[31mb1mc\td\ne"


def test_words_are_shown_as_they_come() -> None:
    """Only what may become a link, HTML or code waits for what comes next."""
    shown: list[str] = []
    stream = SafeMarkdown(shown.append)
    for piece in (
        "The",
        " value",
        " of",
        " `a",
        "[0]",
        "`",
        " is",
        " x",
        "]",
        "(y",
        " <",
        "b",
        ">\n",
        "``",
        "`\na",
        "\n",
    ):
        stream.write(piece)
    assert shown == ["The", " value", " of", " ", "`a[0]` is", " x", "]\\(y", " ", "\\<b", ">\n", "```\n", "a\n"]
    stream.end()


@settings(max_examples=1_000)
@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join), st.lists(st.integers(0, 500), max_size=8))
def test_any_text_is_harmless_in_any_pieces(text: str, ends: list[int]) -> None:
    """However it is cut: the pieces make up the same text."""
    safe = safe_markdown(text)
    assert not harm_in(safe)
    assert not harm_in(f"{safe}\n\n{safe}")
    assert in_pieces(text.replace("\r", "\n"), ends) == safe_markdown(text.replace("\r", "\n"))
