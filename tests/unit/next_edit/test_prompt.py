"""Prompts in each format: what the model is shown, which tokens are control tokens, and what ends an answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from midfill.inference.bundle import EditFormatName
from midfill.inference.prompt_lookup import SEPARATOR
from midfill.inference.tokenizer import ModelTokenizer
from midfill.next_edit.formats import FORMATS
from midfill.next_edit.prompt import EditPrompt, PromptWriter, before_latest
from midfill.next_edit.window import window_at
from unit.helpers import manifest, tiny_tokenizer
from unit.next_edit.rewriter import PATH, edited

FILE_SEP = "<|file_sep|>"
BEFORE = "def f(a):\n    return a\n\n\nprint(f(1))\n"
AFTER = "def f(b):\n    return a\n\n\nprint(f(1))\n"


def writer(name: EditFormatName) -> tuple[PromptWriter, ModelTokenizer]:
    """Return a writer for a model with a control token between files, and its tokenizer."""
    tokenizer = tiny_tokenizer()
    tokenizer.add_special_tokens([FILE_SEP])
    mark = tokenizer.token_to_id(FILE_SEP)
    made = manifest(edit_format=name, vocabulary=tokenizer.get_vocab_size())
    made = replace(made, fim=replace(made.fim, file=mark), stop_tokens=[*made.stop_tokens, mark])
    model = ModelTokenizer(tokenizer, made)
    return PromptWriter.of(made, model), model


def written(name: EditFormatName, *, guess: str | None = None, after: str = AFTER) -> tuple[EditPrompt, str]:
    """Return the prompt at the second line of a document, and its text."""
    made, tokenizer = writer(name)
    window = window_at(after, 1, 1, 9)
    assert window is not None
    prompt = made.write(
        window,
        "a.py",
        [("a.py", hunk) for hunk in edited(BEFORE, after)],
        before=window.text,
        line=1,
        cursor=len("def f(b):\n    ret"),
        guess=guess,
    )
    return prompt, tokenizer.spell(prompt.ids)


def test_plain_format() -> None:
    """Recent changes are the examples; the lines above the place are given."""
    prompt, text = written("plain")
    assert text == (
        '<edit file="a.py">\n<original>\ndef f(a):\n</original>\n<updated>\ndef f(b):\n</updated>\n</edit>\n'
        '<edit file="a.py">\n<original>\n'
        f"{AFTER}\n</original>\n<updated>\ndef f(b):\n"
    )
    assert prompt.given == "def f(b):\n"


def test_sweep_format() -> None:
    """The file, the changes between unchanged lines, the window before, with the cursor, and the new one's start."""
    _, text = written("sweep")
    assert text == (
        f"<|file_sep|>a.py\n{AFTER}\n"
        "<|file_sep|>a.py:1:2\noriginal:\ndef f(a):\n    return a\nupdated:\ndef f(b):\n    return a\n"
        f"<|file_sep|>original/a.py:1:6\n{AFTER}\n"
        f"<|file_sep|>current/a.py:1:6\n{AFTER.replace('return', 'ret<|cursor|>urn')}\n"
        "<|file_sep|>updated/a.py:1:6\ndef f(b):\n"
    )


@pytest.mark.parametrize(
    ("line", "above", "expected"),
    [(1, 1, BEFORE), (3, 0, AFTER.split("\n", 3)[3]), (1, 0, AFTER.split("\n", 1)[1])],
    ids=["within", "elsewhere", "just above"],
)
def test_window_before_the_latest_change(line: int, above: int, expected: str) -> None:
    """Sweep's models are shown it; a change elsewhere makes no difference."""
    window = window_at(AFTER, line, above, 9)
    assert window is not None
    assert before_latest(window, PATH, edited(BEFORE, AFTER)) == expected
    assert before_latest(window, "/work/other.py", edited(BEFORE, AFTER)) == window.text


def test_zeta_format() -> None:
    """Instructions, the changes as differences, and the window between its marks."""
    _, text = written("zeta")
    assert 'User edited "a.py":\n```diff\n@@ -1,1 +1,1 @@\n-def f(a):\n+def f(b):\n```\n' in text
    assert "<|editable_region_start|>\ndef f(b):\n    ret<|user_cursor_is_here|>urn a" in text
    assert text.endswith("### Response:\n\n```a.py\n<|editable_region_start|>\n")


def test_marks_are_control_tokens_only_in_the_template() -> None:
    """A document that spells one has plain text; and the model's own token ends the answer."""
    made, tokenizer = writer("sweep")
    after = AFTER.replace("print", f"print('{FILE_SEP}') or print")
    prompt, text = written("sweep", after=after)
    [mark] = made.stop_tokens
    assert tokenizer.spell([mark]) == FILE_SEP
    assert text.count(FILE_SEP) == 6 + 4
    assert prompt.ids.count(mark) == 6
    assert made.stop_texts == ()


def test_a_mark_that_the_model_does_not_know_is_text() -> None:
    """Then the text ends the answer."""
    made, _ = writer("plain")
    assert (made.stop_tokens, made.stop_texts) == (frozenset(), ("</updated>",))


def test_drafts_are_the_window_and_the_guess() -> None:
    """Each after the prompt's last tokens, so that it is found at once; the guess is last."""
    guess = AFTER.replace("return a", "return b")
    prompt, _ = written("plain", guess=guess)
    _, tokenizer = writer("plain")
    ids = prompt.drafts.tolist()
    first = ids.index(SEPARATOR)
    lead = prompt.ids[-8:]
    assert ids[:8] == ids[first + 1 : first + 9] == lead
    assert tokenizer.spell(ids[8:first]) == AFTER.removeprefix("def f(b):\n")
    assert tokenizer.spell(ids[first + 9 : -1]) == guess.removeprefix("def f(b):\n")


def test_what_a_guess_changes_is_not_given() -> None:
    """The model could not write it otherwise."""
    prompt, _ = written("plain", guess=AFTER.replace("def f(b)", "def g(b)"))
    assert prompt.given == ""


def test_large_changes_leave_room_for_the_window() -> None:
    """The latest ones that fit are shown."""
    made, tokenizer = writer("plain")
    window = window_at(AFTER, 1, 1, 9)
    assert window is not None
    large = edited("".join(f"a{n} = 1\n" for n in range(30)), "".join(f"{'b' * 120}{n} = 1\n" for n in range(30)))
    changes = [("large.py", large[0])] * 3 + [("a.py", hunk) for hunk in edited(BEFORE, AFTER)]
    prompt = made.write(window, "a.py", changes, before=AFTER, line=1, cursor=None)
    assert tokenizer.spell(prompt.ids).count('"large.py"') == 1


@pytest.mark.parametrize("name", FORMATS)
def test_braces_of_a_document_are_text(name: EditFormatName) -> None:
    """They are no fields of the template."""
    _, text = written(name, after=AFTER.replace("print", "{path} or {0} or print"))
    assert "{path} or {0} or print(f(1))" in text
