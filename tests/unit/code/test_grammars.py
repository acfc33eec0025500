"""Parsing takes a bounded time, whatever the text is."""

from __future__ import annotations

import pytest

from lengths import length
from midfill.code.grammars import can_parse
from midfill.code.languages import LANGUAGES, language_of
from midfill.code.normalize import code_tokens
from midfill.code.syntax import Syntax
from unit.hostile import UNITS, hostile

_CHARACTERS = length(150_000, 390_000)
_HEAD = {"python": "def f():\n    pass\n", "javascript": "function f() {\n}\n", "lua": "function f()\nend\n"}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("grammar", _HEAD)
@pytest.mark.parametrize("name", UNITS)
def test_definitions_of_any_text_are_found_in_a_bounded_time(grammar: str, name: str) -> None:
    """A text that a parser or a query would work on for minutes has no errors and at most its definitions."""
    language = next(language for language in LANGUAGES if language.grammar == grammar)
    syntax = Syntax(_HEAD[grammar] + hostile(name, _CHARACTERS), language)
    assert len(syntax.definitions()) <= _CHARACTERS / len(UNITS["functions"]) + 1
    assert syntax.errors() >= 0


def test_code_of_any_length_is_parsed() -> None:
    """A long text of ordinary code is within the bounds, and one in no language at all is not."""
    code = "def f(a, b):\n    return a + b\n\n\n" * 10_000
    assert can_parse(code.encode(), "python")
    assert not can_parse(b",\n" * 200_000, "lua")


def test_definitions_above_a_deep_nest_are_found() -> None:
    """What stands before brackets without an end is known; what stands in them is not."""
    for unit in ("[", "-", "(", "[" * 3_999 + "\n"):
        syntax = Syntax("def f():\n    pass\nx = " + unit * (200_000 // len(unit)), language_of("a.py"))
        assert [definition.name for definition in syntax.definitions() if definition.kind == "function"] == ["f"]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("text", ['"""\n' * 60_000, "x\n" * 100_000, "x = " + "-" * 100_000 + "1"])
def test_tokens_of_any_text_are_found_in_a_bounded_time(text: str) -> None:
    """For each node, neither the nodes beside it nor those around it are walked through."""
    assert len(code_tokens(text, language_of("a.py"))) <= len(text)


@pytest.mark.parametrize("unit", ["> ", ">", "- ", "* ", "1. ", "\t-\t"])
def test_markdown_of_very_many_blocks_is_not_parsed(unit: str) -> None:
    """Its grammar would end the process where some 250 blocks stand one in another."""
    assert not Syntax(f"# A\n\n{unit * 300}a\n", language_of("a.md")).definitions()
    nested = "".join(f"{'  ' * level}- a\n" for level in range(300))
    assert not Syntax(f"# A\n\n{nested}", language_of("a.md")).definitions()


def test_markdown_of_some_blocks_is_parsed() -> None:
    """Nobody nests 50 blocks."""
    nested = "".join(f"{'  ' * level}- a\n" for level in range(50))
    [section] = Syntax(f"# A\n\n{nested}\n{'> ' * 50}a\n\n{'-' * 80}\n", language_of("a.md")).definitions()
    assert section.name == "A"


@pytest.mark.parametrize("quote", ['"', '"""'])
def test_kotlin_of_very_many_templates_is_not_parsed(quote: str) -> None:
    """Its grammar would end the process where some thousand strings stand one in another."""
    nest = f"{quote}${{" * 3_000
    assert not Syntax(f"fun f() = {nest}", language_of("a.kt")).definitions()
    flat = f"{quote}${{a}}{quote} + " * 400
    assert Syntax(f"fun f() = {flat}1\n", language_of("a.kt")).definitions()[0].name == "f"
