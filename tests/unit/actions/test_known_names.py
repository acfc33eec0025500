"""Names that exist and calls that fit, told without running the code."""

from __future__ import annotations

import pytest

from midfill.actions.known_names import check_names
from midfill.actions.reasons import Faulty

FILE = "import os\n\n\ndef pay(amount, *, by='card'):\n    return os.sep, amount, by\n\n\n"


@pytest.mark.parametrize(
    "code",
    [
        "pay(1)",
        "pay(amount=1, by='cash')",
        "pay(*[1])",
        "pay(**{})",
        "[x for x in range(3) if (y := x)]",
        "def f(a, *b, **c):\n    global d\n    d = a, b, c, __name__\n    return len(d)",
        "import a.b as c\nfrom d import e\nc.f(e)",
        "try:\n    pass\nexcept OSError as error:\n    print(error)",
        "match 1:\n    case {'a': a, **rest}:\n        print(a, rest)\n    case [x, *y] as z:\n        print(x, y, z)",
    ],
)
def test_what_is_defined_in_the_file_is_known(code: str) -> None:
    """In whatever way."""
    check_names(FILE, FILE + code)


@pytest.mark.parametrize(
    ("code", "reason", "named"),
    [
        ("plt.bar()", "unknown-name", "'plt' is not defined"),
        ("pay()", "wrong-call", "lacks 'amount'"),
        ("pay(1, 2)", "wrong-call", "is given 2 values and takes 1"),
        ("pay(1, to='me')", "wrong-call", "no parameter 'to'"),
    ],
)
def test_what_does_not_fit_is_refused(code: str, reason: str, named: str) -> None:
    """The model and the user are told which name it is."""
    with pytest.raises(Faulty) as fault:
        check_names(FILE, FILE + code)
    assert (fault.value.reason, named in str(fault.value)) == (reason, True)


@pytest.mark.parametrize("before", ["from shop import *\n", "print(of_another_cell)\n", "def f(:\n"])
def test_nothing_is_said_where_nothing_can_be_told(before: str) -> None:
    """Names may come from elsewhere; and what was there already is not the answer's fault."""
    check_names(before, f"{before}anything()\n")
    check_names(f"{FILE}pay()\n", f"{FILE}pay()\nprint()\n")
