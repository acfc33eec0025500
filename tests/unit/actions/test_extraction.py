"""Extraction: what moves into a function of its own does there what it did before, or is refused."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from midfill.actions.extraction import extraction
from midfill.actions.reasons import Faulty

MARK = "  # <"


def extract(marked: str, name: str = "helper") -> str:
    """Extract the marked lines of a module."""
    lines = marked.split("\n")
    chosen = [number for number, line in enumerate(lines) if line.endswith(MARK)]
    document = marked.replace(MARK, "")
    return extraction(document, chosen[0], chosen[-1] + 1).edit(name, document).apply(document)


def run(module: str, call: str) -> Any:
    """Return what a call gives within a module."""
    names: dict[str, Any] = {}
    exec(module, names)  # noqa: S102 -- the tests' own code
    return eval(call, names)  # noqa: S307


TOTALS = f'''\
import math


# of a shop
def bill(items: list[float], rate: float) -> float:
    """Sum up."""
    total = 0.0{MARK}
    for item in items:{MARK}
        total += item{MARK}
    return total * (1 + rate)
'''


def test_new_function_stands_before_the_one_it_comes_from() -> None:
    """With what it needs as parameters, as they are annotated, and what is needed of it returned."""
    assert extract(TOTALS) == (
        "import math\n\n\ndef helper(items: list[float]):\n    total = 0.0\n    for item in items:\n"
        "        total += item\n    return total\n\n\n# of a shop\n"
        "def bill(items: list[float], rate: float) -> float:\n"
        '    """Sum up."""\n    total = helper(items)\n    return total * (1 + rate)\n'
    )


METHOD = f"""\
class Shop:
    rate = 2

    def price(self, net):
        tax = net * self.rate{MARK}
        gross = net + tax{MARK}
        return round(gross)

    def other(self):
        return 1
"""


def test_lines_of_a_method_become_a_method() -> None:
    """Below it, when they use the object."""
    assert extract(METHOD, "gross_of") == (
        "class Shop:\n    rate = 2\n\n    def price(self, net):\n        gross = self.gross_of(net)\n"
        "        return round(gross)\n\n    def gross_of(self, net):\n        tax = net * self.rate\n"
        "        gross = net + tax\n        return gross\n\n    def other(self):\n        return 1\n"
    )
    assert run(extract(METHOD), "Shop().price(3)") == 9


@pytest.mark.parametrize(
    ("module", "call", "expected"),
    [
        (TOTALS, "bill([1.0, 2.0], 1.0)", 6.0),
        (
            f"def f(n):\n    total = 0\n    for i in range(n):\n        total += i{MARK}\n        if i:{MARK}\n"
            f"            total *= 2{MARK}\n    return total\n",
            "f(4)",
            (((0 + 1) * 2 + 2) * 2 + 3) * 2,
        ),
        (f"def f(x):\n    y = 1\n    if x:{MARK}\n        y = 2{MARK}\n    return y\n", "f(0)", 1),
        (f"def f():\n    last = None\n    for i in range(3):\n        if last:\n            return last\n"
         f"        last = i{MARK}\n", "f()", 1),
        (f"def f(n):\n    g = lambda: m{MARK}\n    m = n + 1{MARK}\n    return g()\n", "f(1)", 2),
        (f"def f(n):\n    def inner():\n        return m\n    m = n + 1{MARK}\n    return inner()\n", "f(1)", 2),
        (f"def f(xs):\n    ys = [x * 2 for x in xs]{MARK}\n    return sum(ys)\n", "f([1, 2])", 6),
        (f"def f(n):\n    def inner(k):\n        s = n + k{MARK}\n        return s\n    return inner(1)\n", "f(1)", 2),
        (f"def f(n):\n    print(n, end=''){MARK}\n", "f('')", None),
        (f"class A:\n    k = 3\n    @classmethod\n    def f(cls, n):\n        m = cls.k * n{MARK}\n        return m\n",
         "A.f(2)", 6),
        (f"class A:\n    @staticmethod\n    def f(n):\n        m = 3 * n{MARK}\n        return m\n", "A.f(2)", 6),
        (f"import asyncio\n\nasync def f(n):\n    await asyncio.sleep(0){MARK}\n    m = n + 1{MARK}\n    return m\n",
         "asyncio.run(f(1))", 2),
        (f'def f():\n    if True:\n        text = ({MARK}\n"""a\n          b\n"""){MARK}\n    return text\n', "f()",
         "a\n          b\n"),
        (f"def f(n):\n\tif n:\n\t\tm = n{MARK}\n\t\tm += 1{MARK}\n\t\treturn m\n", "f(1)", 2),
        (f"def f(n):\n    try:\n        m = 1 // n{MARK}\n    except ZeroDivisionError:\n        m = 7\n    return m\n",
         "f(0)", 7),
        (f"def f(*args, k):\n    m = sum(args) + k{MARK}\n    return m\n", "f(1, 2, k=3)", 6),
        (f"def f(p):\n    match p:{MARK}\n        case [a, *b]:{MARK}\n            print(end=''){MARK}\n    return p\n",
         "f([1])", [1]),
    ],
)  # fmt: skip
def test_extracted_code_does_what_it_did(module: str, call: str, expected: Any) -> None:
    """The same call gives the same before and after."""
    assert run(module, call) == expected
    after = extract(module)
    assert run(after, call) == expected
    made = [node for node in ast.walk(ast.parse(after)) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    assert [node.name for node in made].count("helper") == 1


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        (f"x = 1{MARK}\n", "no-function"),
        (f"def f(:\n    x = 1{MARK}\n", "syntax"),
        (f"def f(x):\n    if x:{MARK}\n        return 1{MARK}\n    return 2\n", "returns"),
        (f"def f(x):\n    yield x{MARK}\n", "returns"),
        (f"def f(xs):\n    for x in xs:\n        if x:{MARK}\n            break{MARK}\n", "leaves-loop"),
        (f"def f(x):\n    if x:{MARK}\n        y = 1\n    return x\n", "not-statements"),
        (f"def f(x):\n    y = [{MARK}\n        x]\n    return y\n", "not-statements"),
        (f'def f(x):\n    """Say."""{MARK}\n    return x\n', "documentation"),
        (f"def f(x):\n    global g\n    g = x{MARK}\n", "global"),
        (f"def f(x):\n    if x:{MARK}\n        y = 1{MARK}\n    print(y)\n", "maybe-unset"),
        (f"class A:\n    def f(self):\n        super().f(){MARK}\n", "class"),
        (f"def f(x):\n    return 1{MARK}\n\ndef g(y):\n    y = 1{MARK}\n", "not-statements"),
    ],
)
def test_what_would_do_something_else_is_refused(module: str, reason: str) -> None:
    """With the reason."""
    with pytest.raises(Faulty) as refused:
        extract(module)
    assert refused.value.reason == reason


def test_statements_nested_beyond_measure_are_refused() -> None:
    """A chain of a thousand alternatives is a nest of a thousand statements."""
    chain = "".join(f"    elif a == {number}:\n        b = {number}\n" for number in range(1_500))
    document = f"def f(a):\n    if a == -1:\n        b = -1\n{chain}    else:\n        b = 0\n    return b\n"
    with pytest.raises(Faulty):
        extraction(document, 1, document.count("\n") - 1)
