"""Chat templates: messages in the model's own format, in which a message never becomes a control token."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from midfill.common.errors import ModelError
from midfill.prompt.chat_template import Chat, Message
from unit.helpers import tiny_tokenizer

CHATML = (
    "{%- for message in messages %}"
    "{{ '<|im_start|>' + message.role + '\\n' + message.content | trim + '<|im_end|>\\n' }}"
    "{%- endfor %}{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
START, END = "<|im_start|>", "<|im_end|>"


def tokenizer() -> Tokenizer:
    """Return the tiny tokenizer with the control tokens of ChatML."""
    made = tiny_tokenizer()
    made.add_special_tokens([START, END])
    made.encode_special_tokens = True
    return made


TOKENIZER = tokenizer()
CONTROL = {text: int(TOKENIZER.token_to_id(text)) for text in (START, END)}


def encode(text: str) -> list[int]:
    """Encode text; control tokens in it are plain text."""
    ids: list[int] = TOKENIZER.encode(text, add_special_tokens=False).ids
    return ids


def chat(template: str = CHATML) -> Chat:
    """Return a chat for a template."""
    return Chat(template, CONTROL, encode, END)


def spelt(*messages: Message, template: str = CHATML) -> str:
    """Return the text of the tokens of some messages."""
    text: str = TOKENIZER.decode(chat(template).encode(messages), skip_special_tokens=False)
    return text


def test_messages_are_marked_up_by_the_template() -> None:
    """The template's control tokens are control tokens, and the text between two of them is encoded as one piece."""
    ids = chat().encode([Message("system", "add"), Message("user", "x = 1")])
    start, end = CONTROL[START], CONTROL[END]
    assert ids == [
        *(start, *encode("system\nadd"), end, *encode("\n")),
        *(start, *encode("user\nx = 1"), end, *encode("\n")),
        *(start, *encode("assistant\n")),
    ]


@given(st.lists(st.sampled_from([START, END, "<|endoftext|>", "{{ 7 * 7 }}", "\ue0000\ue001", "a\n"])).map("".join))
def test_message_is_only_text(text: str) -> None:
    """Control tokens, template code and marks in a message are plain text, and add no control token."""
    ids = chat().encode([Message("user", text)])
    assert [token for token in ids if token in CONTROL.values()] == [CONTROL[START], CONTROL[END], CONTROL[START]]
    assert text in TOKENIZER.decode(ids, skip_special_tokens=False)


def test_template_may_use_the_variable_of_the_end_token() -> None:
    """The variable eos_token becomes the control token that ends a turn."""
    ids = chat("{% for m in messages %}{{ m.content + eos_token }}{% endfor %}").encode([Message("user", "add")])
    assert ids == [*encode("add"), CONTROL[END]]


def test_template_has_the_additions_of_transformers() -> None:
    """Templates may use loop controls and tojson without HTML escapes, and blocks remove their line."""
    template = (
        "{% for m in messages %}\n  {% if loop.index > 1 %}\n{% break %}{% endif %}\n"
        "{{ '<é>' | tojson }}{{ m.content }}\n{% endfor %}"
    )
    assert spelt(Message("user", "1"), Message("user", "2"), template=template) == '"<é>"1\n'


@pytest.mark.parametrize(
    "template",
    [
        "",
        "{% if %}",
        "{{ raise_exception('roles must alternate') }}",
        "{{ messages[5].content }}{{ 1 / 0 }}",
        "{{ messages.append(1) }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{{ 'x' * 9999999999 }}",
        "{{ 'x'.ljust(9999999999) }}",
        "{% set n = namespace(s='x') %}{% for a in range(60) %}{% set n.s = n.s ~ n.s %}{% endfor %}{{ n.s }}",
        "{{ 'x' * 2000000 }}",
        "\ue0001\ue001",
        "{{ " + "(" * 5_000 + "1" + ")" * 5_000 + " }}",
    ],
    ids=[
        "none", "not valid", "refuses", "fails", "changes its input", "breaks out", "calls itself", "loops", "repeats",
        "pads", "doubles", "is long", "makes up a message", "is nested",
    ],
)  # fmt: skip
def test_template_that_does_not_work_is_one_error(template: str) -> None:
    """Every fault of a template becomes one line that says what to do."""
    with pytest.raises(ModelError, match=r"export (an Instruct|another) model\.$"):
        spelt(Message("user", "x"), template=template)
