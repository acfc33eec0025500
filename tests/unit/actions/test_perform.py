"""Actions: what each asks for, what of a file the model is shown, and what becomes of its answer."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from midfill.actions import ACTIONS, ActionResult, ActionTask, Finding, perform
from midfill.actions.fix import line_of
from midfill.actions.prompts import block
from midfill.actions.selection import Selection
from midfill.chat.conversation import Conversation
from midfill.code.languages import language_of
from midfill.common.cancel import CancelFlag
from midfill.privacy.write_boundary import may_change
from midfill.prompt.chat_template import Message
from midfill.running.python_commands import module_of
from unit.helpers import MarkovModel, encode, tiny_tokenizer
from unit.hostile import UNITS, hostile
from unit.replies import END, Replies, conversation_with

CODE = '''import math

RATE = 0.19


def tax(net):
    return net * RATE


class Shop:
    def price(self, net):
        return net + tax(net)

    def empty(self) -> bool:
        """Whether nothing is left."""
        ...


# the area of a circle
'''
LINE_12 = "net + tax(net)"
MESSAGE = "ZeroDivisionError: division"
QUESTION = "What is the rate?"
NEEDED = {"fix": [LINE_12, MESSAGE], "ask": [LINE_12, QUESTION], "write": [QUESTION]}
"""What an action's prompt must contain; that of any other action contains the code."""


def conversation(*replies: str, room: int = 8192) -> tuple[Conversation, Replies]:
    """Make a conversation with a model that gives answers in turn."""
    model = Replies(*replies)
    return conversation_with(model, room), model


def select(first: int, last: int, document: str = CODE, path: str = "shop.py") -> Selection:
    """Select lines as people count them, from 1, the last included."""
    return Selection(document, language_of(path), first - 1, last, path)


def do(name: str, selection: Selection, *replies: str, **asked: Any) -> tuple[ActionResult, list[str]]:
    """Do an action; return what came of it and the prompts."""
    talk, model = conversation(*replies)
    return perform(ACTIONS[name], ActionTask(selection, **asked), talk, CancelFlag()), model.asked


def fenced(code: str) -> str:
    """Answer as chat models do."""
    return f"```python\n{code}\n```\n"


def edited(outcome: ActionResult) -> str:
    """Return the document with the edit."""
    assert outcome.edit is not None, outcome.reason
    return outcome.edit.apply(outcome.task.selection.document)


def test_every_action_has_its_prompt_and_kind() -> None:
    """Names are unique, kinds are LSP's or below them, and titles are for people."""
    assert set(ACTIONS) == {
        *("fix", "write", "document", "types", "simplify", "faster", "extract"),
        *("tests", "explain", "ask", "document-all", "review"),
    }
    for name, action in ACTIONS.items():
        assert action.name == name
        assert re.fullmatch(r"quickfix|refactor\.(rewrite|extract)|(source\.)?midfill\.[a-z]+", action.kind)
        assert action.title[0].isupper()


@pytest.mark.parametrize("name", sorted(ACTIONS.keys() - {"extract", "document-all"}))
def test_prompt_shows_the_code_and_what_it_needs(name: str) -> None:
    """Every prompt has the code or what is asked, and no name that was not filled in."""
    _, prompts = do(name, select(12, 12), "none", message=MESSAGE, instruction=QUESTION)
    assert "Python" in prompts[0]
    assert not re.search(r"\$[a-z]", prompts[0])
    assert [text for text in NEEDED.get(name, [LINE_12]) if text not in prompts[0]] == []


def test_cursor_means_the_definition_it_is_in() -> None:
    """One line selects its function; the rest of the prompt is what that uses and what it is in."""
    outcome, (prompt,) = do("explain", select(12, 12), "It adds.")
    chosen = outcome.task.selection
    assert (chosen.first_line + 1, chosen.end_line) == (11, 12)
    assert block("def price(self, net):\n    return net + tax(net)", "python") in prompt
    assert "```python\ndef tax(net):\n    return net * RATE\n\nclass Shop:\n```" in prompt
    assert "empty" not in prompt
    assert (outcome.text, outcome.edit, outcome.reason) == ("It adds.", None, None)


def test_what_there_is_no_room_for_is_counted() -> None:
    """A definition that does not fit is shown by its declaration, and if that does not fit, left out and told."""
    helpers = "".join(
        f"def help_{n}({', '.join(f'argument_{i}' for i in range(40))}):\n    pass\n\n\n" for n in range(9)
    )
    uses = "def f():\n" + "".join(f"    help_{n}()\n" for n in range(9))
    outcome, _ = do("explain", select(40, 40, helpers + uses), "It helps.")
    assert set(outcome.left_out) <= {f"help_{n}" for n in range(9)}
    assert outcome.left_out[0] in outcome.note


def test_long_selection_leaves_less_room_around() -> None:
    """What is around does not make a prompt that is long already much longer."""
    helper = "def help():\n" + "    print(1, 2, 3, 4, 5, 6, 7, 8, 9)\n" * 12
    uses = "def use():\n    help()\n" + "    add = 1\n" * 400
    _, (prompt,) = do("explain", select(14, 15, helper + uses[: uses.index("    add")]), "It helps.")
    assert "print(1, 2" in prompt
    _, (prompt,) = do("explain", select(14, 414, helper + uses), "It helps.")
    assert "print(1, 2" not in prompt


def test_explanation_streams_and_goes_on() -> None:
    """Pieces come as they are written; a further question sees what was said and is not shown the code again."""
    talk, model = conversation("It adds.", "Because.")
    pieces: list[str] = []
    first = perform(ACTIONS["explain"], ActionTask(select(12, 12)), talk, CancelFlag(), pieces.append)
    assert "".join(pieces) == first.text == "It adds."
    further = ActionTask(select(12, 12), instruction="Why?", history=first.messages)
    second = perform(ACTIONS["ask"], further, talk, CancelFlag())
    assert second.text == "Because."
    assert model.asked[1].endswith(
        f"assistant: It adds.{tiny_tokenizer().decode([END], skip_special_tokens=False)}user: Why?<|endoftext|>"
    )
    assert second.messages[:-2] == first.messages
    assert second.answers[0].reused_tokens >= first.answers[0].prompt_tokens


def test_text_of_the_model_loads_and_runs_nothing() -> None:
    """Neither while it comes nor at the end; the conversation goes on with what the model said."""
    said = "See ![a](https://example.org/a.png): `f[0](x)`"
    talk, _ = conversation(said)
    pieces: list[str] = []
    outcome = perform(ACTIONS["explain"], ActionTask(select(12, 12)), talk, CancelFlag(), pieces.append)
    assert "".join(pieces) == outcome.text == "See ![a]\\(https://example.org/a.png): `f[0](x)`"
    assert outcome.messages[-1] == Message("assistant", said)


def test_fix_replaces_the_definition_and_nothing_else() -> None:
    """The answer takes its place, indented as it was."""
    outcome, _ = do(
        "fix",
        select(12, 12),
        fenced("def price(self, net):\n    return net + tax(net or 0)"),
        message="TypeError: unsupported operand",
    )
    assert edited(outcome) == CODE.replace("tax(net)\n\n    def", "tax(net or 0)\n\n    def")


def test_fault_is_named_and_the_second_answer_counts() -> None:
    """One retry, with what was wrong; the first answer stays in the conversation."""
    wrong, right = fenced("def cost(net):\n    return 1"), fenced("def tax(net):\n    return net * RATE or 0")
    outcome, prompts = do("simplify", select(7, 7), wrong, right, instruction="Guard it.")
    assert edited(outcome) == CODE.replace("net * RATE", "net * RATE or 0")
    assert len(prompts) == len(outcome.answers) == 2
    assert "That cannot be used: 'tax' is missing" in prompts[1]
    assert outcome.reason is None


def test_fix_that_changes_nothing_goes_on_where_the_model_hesitated() -> None:
    """The likeliest other tokens are taken in turn, each with the answer up to there; nothing is asked anew."""
    same, fixed = fenced("def tax(net):\n    return net * RATE"), fenced("def tax(net):\n    return net + RATE")
    talk, model = conversation(same, fixed)
    model.runner_up_beginnings = {encode("*")[0]: encode("+")[0]}
    outcome = perform(ACTIONS["fix"], ActionTask(select(7, 7), "TypeError: None"), talk, CancelFlag())
    assert edited(outcome) == CODE.replace("net * RATE", "net + RATE")
    assert len(outcome.answers) == 2
    assert model.asked[1].endswith("def tax(net):\n    return net +")
    stubborn, _ = do("fix", select(7, 7), same, message="TypeError: None")
    assert (stubborn.edit, stubborn.reason, len(stubborn.answers)) == (None, "unchanged", 4)


def test_body_that_is_not_written_yet_is_written_after_all() -> None:
    """A comment that stands for it is no body; the model goes on with what it nearly said instead."""
    code = "def f(left):\n    pass\n"
    talk, model = conversation(fenced("def f(left):\n    # to do"), fenced("def f(left):\n    return left"))
    model.runner_up_beginnings = {encode("#")[0]: encode(" return")[0], encode(" #")[0]: encode(" return")[0]}
    outcome = perform(ACTIONS["write"], ActionTask(select(1, 1, code)), talk, CancelFlag())
    assert edited(outcome) == "def f(left):\n    return left\n"
    assert len(outcome.answers) > 1


def test_same_code_again_is_no_edit() -> None:
    """What is simple already is not asked about again."""
    outcome, prompts = do("simplify", select(7, 7), fenced("def tax(net):\n    return net * RATE"))
    assert (outcome.edit, outcome.reason, len(prompts)) == (None, "unchanged", 1)


def test_second_failure_is_an_honest_refusal() -> None:
    """There is no third try, and the reason is the last one's."""
    outcome, prompts = do(
        "simplify", select(7, 7), "I would rather not.", fenced("def tax(net):\n    return net * RATE")
    )
    assert (outcome.edit, outcome.reason, len(prompts)) == (None, "unchanged", 2)
    assert outcome.detail


def test_rest_of_the_file_is_left_out_of_an_answer() -> None:
    """A model that repeats imports and other definitions has said what was asked for, too."""
    repeated = "import math\n\nRATE = 0.19\n\n\nclass Shop:\n    def price(self, net):\n        return tax(net) + net"
    assert edited(do("faster", select(12, 12), fenced(repeated), instruction="Guess.")[0]) == CODE.replace(
        "net + tax(net)", "tax(net) + net"
    )
    added = "from numba import jit\n\n\n@jit\ndef tax(net):\n    return net * RATE"
    outcome, _ = do("simplify", select(7, 7), fenced(added), instruction="Use numba.")
    assert (outcome.reason, outcome.detail) == ("import", "'jit' is not imported in this file: do without it")
    within = "def tax(net):\n    from numba import jit\n    return jit(net * RATE)"
    assert "numba" in edited(do("faster", select(7, 7), fenced(within))[0])


def test_declaration_changes_only_for_who_asks() -> None:
    """With an instruction of the user's own, only names stay."""
    answer = fenced("def tax(net, rate=RATE):\n    return net * rate")
    assert do("simplify", select(7, 7), answer)[1][0].endswith("```python\ndef tax(net):\n"), "what it begins with"
    outcome, _ = do("simplify", select(7, 7), answer, instruction="Make the rate a parameter.")
    assert "def tax(net, rate=RATE):" in edited(outcome)
    renamed = fenced("def vat(net):\n    return net * RATE")
    assert do("simplify", select(7, 7), renamed, instruction="Rename.")[0].reason == "name-lost"


def test_prompt_as_a_whole() -> None:
    """The system's word, the rest of the file, the code, the error with its place, and what is wanted."""
    message = '  File "shop.py", line 7, in tax\nTypeError: no number'
    _, (prompt, *_) = do("fix", select(7, 7), "none", message=message)
    assert prompt == (
        "system: You are a careful programmer. You answer briefly and exactly. Code stands in one Markdown code block."
        "<|endoftext|>user: Other parts of the file, for reference:\n\n```python\nRATE = 0.19\n\n"
        "def price(self, net):\n    return net + tax(net)\n```\n\n"
        "Python code with a mistake:\n\n```python\ndef tax(net):\n    return net * RATE\n```\n\n"
        'The error:\n\nFile "shop.py", line 7, in tax\nTypeError: no number\n\n'
        "It arises here: `return net * RATE`\n\n"
        "Write the whole of `tax` again without the mistake. Change as little as possible. Answer with one code block, "
        "and nothing else.<|endoftext|>```python\ndef tax(net):\n"
    )


def test_answer_ends_with_its_code() -> None:
    """What a model says after its block of code is not waited for."""
    outcome, _ = do("faster", select(7, 7), fenced("def tax(net):\n    return RATE * net") + "This is faster because")
    assert outcome.answers[0].stopped_by == "enough"
    assert edited(outcome) == CODE.replace("net * RATE", "RATE * net")


@pytest.mark.parametrize(
    ("name", "line", "asked", "reason"),
    [
        ("fix", 7, {}, "no-message"),
        ("ask", 7, {"instruction": "  "}, "no-instruction"),
        ("write", 7, {}, "no-instruction"),
        ("document", 3, {}, "no-definition"),
        ("tests", 1, {}, "no-definition"),
    ],
)
def test_action_without_what_it_needs_asks_no_model(name: str, line: int, asked: dict[str, Any], reason: str) -> None:
    """The reason is there at once."""
    outcome, prompts = do(name, select(line, line), "none", **asked)
    assert (outcome.reason, prompts) == (reason, [])


def test_code_too_long_for_the_room_is_refused() -> None:
    """Before anything is computed."""
    talk, model = conversation("x", room=600)
    long = "def f():\n" + "    print(add(1, 2))\n" * 200
    outcome = perform(ACTIONS["simplify"], ActionTask(select(1, 1, long)), talk, CancelFlag())
    assert (outcome.reason, model.asked) == ("too-long", [])


@pytest.mark.parametrize("more", ["", "\n\nreturn 1"])
def test_documentation_cannot_change_the_code(more: str) -> None:
    """Only the docstring is taken, whatever else the answer says."""
    outcome, _ = do("document", select(7, 7), fenced(f'"""Give the tax on net."""{more}'))
    assert edited(outcome) == CODE.replace(
        "    return net * RATE", '    """Give the tax on net."""\n    return net * RATE'
    )


def test_types_change_nothing_but_types() -> None:
    """An answer that mends something on the way is refused."""
    typed = "def tax(net: float) -> float:\n    return net * RATE"
    assert edited(do("types", select(7, 7), fenced(typed))[0]) == CODE.replace(
        "def tax(net):", "def tax(net: float) -> float:"
    )
    assert do("types", select(7, 7), fenced(typed.replace("RATE", "1")))[0].reason == "code-changed"
    assert do("types", select(1, 1, "func f() {}\n", "x.go"), "none")[0].reason == "no-annotations"


def test_no_type_says_that_nothing_is_returned_where_something_is() -> None:
    """The model is told so once; what only a function within returns does not count."""
    wrong = "def tax(net: float) -> None:\n    return net * RATE"
    outcome, prompts = do("types", select(7, 7), fenced(wrong), fenced(wrong.replace("None", "float")))
    assert "tax returns something, so '-> None' is wrong" in prompts[1]
    assert "-> float" in edited(outcome)
    assert do("types", select(7, 7), fenced(wrong), fenced(wrong))[0].reason == "wrong-type"
    code = "def run(jobs):\n    jobs.sort(key=len)\n    def first():\n        return jobs[0]\n    return\n"
    typed = code.replace("(jobs)", "(jobs: list[int]) -> None").rstrip()
    assert "-> None" in edited(do("types", select(1, 5, code), fenced(typed))[0])


@pytest.mark.parametrize(
    ("line", "asked", "answer", "expected"),
    [
        (
            19,
            {},
            "# the area of a circle\ndef area(r):\n    return math.pi * r**2",
            f"{CODE}def area(r):\n    return math.pi * r**2\n",
        ),
        (
            14,
            {},
            'def empty(self) -> bool:\n    """Whether nothing is left."""\n    return not self.stock',
            CODE.replace("...", "return not self.stock"),
        ),
        (7, {"instruction": "log it"}, "print(net)", CODE.replace("net * RATE\n", "net * RATE\n    print(net)\n")),
    ],
    ids=["below a comment", "a body", "below the cursor's line"],
)
def test_code_is_written_where_it_is_wanted(line: int, asked: dict[str, str], answer: str, expected: str) -> None:
    """A comment stays and is not repeated; a declaration stays and gets its body."""
    assert edited(do("write", select(line, line), fenced(answer), **asked)[0]) == expected


def test_secrets_of_the_code_the_message_and_the_question_are_not_shown() -> None:
    """Whatever is asked, the model sees their kinds only."""
    token = "ghp_" + "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5"
    document = f'TOKEN = "{token}"\n\n\ndef f():\n    return TOKEN\n'
    for name, asked in (("fix", {"message": f"bad token {token}"}), ("ask", {"instruction": f"Is {token} right?"})):
        _, prompts = do(name, select(5, 5, document), "none", **asked)
        assert token not in "".join(prompts)
        assert "<github-token>" in prompts[0]


def test_message_is_redacted_before_it_is_cut() -> None:
    """The last lines of a message may have the end of a key, and not its first line."""
    key = ["k" * 20 + f"{number:04}" for number in range(60)]
    message = "\n".join(["Bad key:", "-----BEGIN RSA PRIVATE KEY-----", *key, "ValueError: no end"])
    _, (prompt, *_) = do("fix", select(7, 7), "none", message=message)
    assert "ValueError: no end" in prompt
    assert "kkkk" not in prompt


def test_password_of_a_message_is_not_shown() -> None:
    """Messages name it in their own words."""
    _, (prompt, *_) = do("fix", select(7, 7), "none", message="LoginError: bob, with password: hunter2, was refused")
    assert "password: <password>, was refused" in prompt


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ('Traceback:\n  File "/x/shop.py", line 12, in price\n  File "/lib/a.py", line 3\nKeyError', 11),
        ('  File "shop.py", line 2\n  File "shop.py", line 7, in tax\nTypeError: x', 6),
        ("test_shop.py:3: in test_tax\nshop.py:12: in price\nshop.py:7: in tax\nE   TypeError: x", 6),
        ("at price (/x/shop.py:12:5)\nat main (/x/shop.py:40:1)", 11),
        ("KeyError: 'shop.py'", None),
        ("", None),
    ],
)
def test_traceback_says_where_the_error_arose(message: str, line: int | None) -> None:
    """The innermost frame in the file: Python's last, others' first."""
    assert line_of(message, "/here/shop.py") == line


def test_traceback_chooses_the_function_when_no_lines_are_selected() -> None:
    """And the prompt says which line it is."""
    message = '  File "shop.py", line 7, in tax\nTypeError: x'
    whole = select(1, CODE.count("\n"))
    outcome, (prompt, *_) = do("fix", whole, "none", message=message, whole_file=True)
    assert outcome.task.selection.code.startswith("def tax")
    assert "It arises here: `return net * RATE`" in prompt


def review(code: str, likes: str, odds: float = 4.0) -> tuple[ActionResult, list[str]]:
    """Review code with a model that would rather say ``likes``; return what was streamed, too."""
    table = np.zeros((tiny_tokenizer().get_vocab_size(),) * 2, np.float32)
    ids = encode(likes)
    table[ids[:-1], ids[1:]] = np.log(odds)
    pieces: list[str] = []
    task = ActionTask(select(1, 1, code))
    return perform(ACTIONS["review"], task, conversation_with(MarkovModel(table)), CancelFlag(), pieces.append), pieces


def test_review_tells_what_the_model_would_have_written() -> None:
    """A line that it doubts, with the one in its place; what it is surer of says nothing."""
    code = "def f(left, x):\n    return left * x\n"
    outcome, pieces = review(code, " left + x\n")
    assert outcome.text == "- Line 2: `return left * x` may have to be `return left + x`"
    assert "".join(pieces).strip() == outcome.text
    assert outcome.findings == (Finding(1, "`return left * x` may have to be `return left + x`"),)
    assert review(code, " left + x\n", odds=2.0)[0].text == "Nothing stands out."


@pytest.mark.parametrize(
    "likes",
    [" left * x  # x\n", " left *\n", " left.print(1, 2, 3, 4, 5, 6, 7, 8, 9)\n"],
    ids=["the same code", "no code", "other code"],
)
def test_review_says_nothing_that_is_not_worth_it(likes: str) -> None:
    """Layout, what does not parse, and another line altogether are no findings."""
    outcome, pieces = review("def f(left, x):\n    return left * x\n", likes)
    assert outcome.text == "Nothing stands out."
    assert pieces == ["Nothing stands out."]


def test_text_that_goes_round_in_circles_ends() -> None:
    """Lines that differ in their numbers only are not waited for."""
    said = "".join(f"- Line {line}: the list may be empty\n" for line in range(1, 99))
    outcome, _ = do("explain", select(7, 7), said)
    assert outcome.text.count("\n") == 5
    assert outcome.answers[0].stopped_by == "enough"


@pytest.mark.parametrize(
    ("code", "begun"),
    [
        ("def tax(net, rate=1):\n    return net\n", "def tax(net:"),
        ("class A:\n    def tax(self, net):\n        return net\n", "def tax(self, net:"),
        ("class A:\n    def tax(self):\n        return 1\n", ""),
        ("def tax(net: int):\n    return net\n", ""),
    ],
)
def test_types_begin_where_the_first_belongs(code: str, begun: str) -> None:
    """A model that has a colon before it writes a type."""
    _, prompts = do("types", select(code.count("\n"), code.count("\n"), code), "none")
    assert prompts[0].endswith(f"```python\n{begun}")


def test_tests_go_where_the_project_has_them(tmp_path: Path) -> None:
    """Into the file of the layout, with the import that they need; after those that are there already."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "tests").mkdir()
    package = tmp_path / "src" / "shop"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    file = package / "prices.py"
    file.write_text(CODE)
    assert module_of(file) == ("shop.prices", tmp_path / "src")
    selection = select(12, 12, path=str(file))
    code = "from shop.prices import Shop\n\n\ndef test_price():\n    assert Shop().price(1) == 1.19"
    outcome, prompts = do("tests", selection, fenced(code))
    assert outcome.edit is not None
    target = tmp_path / "tests" / "test_prices.py"
    assert outcome.edit.path == str(target)
    written = outcome.edit.apply("")
    assert written == f"{code}\n"
    assert prompts[0].endswith("```python\nfrom shop.prices import Shop\n\n\ndef test_price():\n")
    target.write_text(written)
    again, _ = do("tests", selection, fenced(code.replace("price():", "price_2():")))
    assert again.edit is not None
    assert again.edit.apply(written) == f"{written}\n\n{code.replace('price():', 'price_2():')}\n"
    nothing, _ = do("tests", selection, fenced("from shop.prices import Shop\n\n\ndef test_price_2():\n    pass"))
    assert nothing.reason == "no-test"


@pytest.mark.parametrize("link", ["tests", "tests/test_shop.py"])
def test_place_of_tests_that_must_not_be_changed_is_passed_over(tmp_path: Path, link: str) -> None:
    """A link of a strange repository may lead anywhere; beside the file is a place, too."""
    (tmp_path / ".git").mkdir()
    (tmp_path / link).parent.mkdir(exist_ok=True)
    (tmp_path / link).symlink_to(tmp_path.parent)
    code = "from shop import Shop\n\n\ndef test_price():\n    assert Shop().price(1) == 1.19"
    inside = partial(may_change, document=tmp_path / "shop.py")
    outcome, _ = do("tests", select(12, 12, path=str(tmp_path / "shop.py")), fenced(code), may_change=inside)
    assert outcome.edit is not None
    assert outcome.edit.path == str(tmp_path / "test_shop.py")


def test_tests_have_no_place_where_nothing_may_be_changed(tmp_path: Path) -> None:
    """The model is not asked."""
    outcome, prompts = do("tests", select(12, 12, path=str(tmp_path / "shop.py")), may_change=lambda _: False)
    assert (outcome.reason, prompts) == ("outside", [])
    assert outcome.detail == "test_shop.py is outside the workspace or excluded"


def test_tests_that_are_cut_short_end_with_their_last_assertion(tmp_path: Path) -> None:
    """What comes before it stands by itself."""
    code = "from shop import tax\n\n\ndef test_tax():\n    assert tax(0) == 0\n"
    outcome, _ = do(
        "tests", select(7, 7, path=str(tmp_path / "shop.py")), f"```python\n{code}    assert tax({'1 + ' * 400}"
    )
    assert outcome.answers[0].stopped_by == "max-tokens"
    assert outcome.edit is not None
    assert outcome.edit.apply("") == code


def test_tests_in_python_are_one_function_of_a_few_assertions() -> None:
    """It begins with the first; what comes after it is not waited for, nor are ever more assertions."""
    begun = "from shop import tax\n\n\ndef test_tax():\n    assert tax("
    line = "1) == 0.19\n"
    outcome, prompts = do("tests", select(7, 7), fenced(f"{begun}{line}\n\npytest.main()\nprint(1)"))
    assert prompts[0].endswith(f"```python\n{begun}")
    assert outcome.edit is not None
    assert outcome.edit.apply("") == begun + line
    assert "print" not in outcome.answers[0].text
    more = "    assert tax(" + line
    endless, _ = do("tests", select(7, 7), fenced(begun + line + more * 30))
    assert endless.edit is not None
    assert endless.edit.apply("") == begun + line + more * 7
    assert endless.answers[0].stopped_by == "enough"


def test_history_begins_with_how_to_answer() -> None:
    """The first turn is the system's."""
    outcome, _ = do("explain", select(7, 7), "It does.")
    assert outcome.messages[0].role == "system"
    assert outcome.messages[-1] == Message("assistant", "It does.")


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", UNITS)
def test_place_in_a_message_of_any_kind_is_found_in_a_bounded_time(name: str) -> None:
    """No search begins anew at each character of a long word."""
    assert line_of(hostile(name, 200_000) + "\n/here/shop.py:7: wrong", "/here/shop.py") in (6, None)
