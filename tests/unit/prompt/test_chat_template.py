"""Chat templates: messages as the model's own template marks them up, in which texts stay texts."""

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
    """Make the tiny tokenizer with the marks of ChatML, as an engine has it."""
    made = tiny_tokenizer()
    made.add_special_tokens([START, END])
    made.encode_special_tokens = True
    return made


TOKENIZER = tokenizer()
CONTROL = {text: int(TOKENIZER.token_to_id(text)) for text in (START, END)}


def encode(text: str) -> list[int]:
    """Encode with control tokens as text."""
    ids: list[int] = TOKENIZER.encode(text, add_special_tokens=False).ids
    return ids


def chat(template: str = CHATML) -> Chat:
    """Make a chat for a template."""
    return Chat(template, CONTROL, encode, END)


def spelt(*messages: Message, template: str = CHATML) -> str:
    """Return what the tokens of messages spell."""
    text: str = TOKENIZER.decode(chat(template).encode(messages), skip_special_tokens=False)
    return text


def test_messages_are_marked_up_by_the_template() -> None:
    """The marks are control tokens, and the texts between them are tokenised in one piece with the template's words."""
    ids = chat().encode([Message("system", "add"), Message("user", "x = 1")])
    start, end = CONTROL[START], CONTROL[END]
    assert ids == [
        *(start, *encode("system\nadd"), end, *encode("\n")),
        *(start, *encode("user\nx = 1"), end, *encode("\n")),
        *(start, *encode("assistant\n")),
    ]


@given(st.lists(st.sampled_from([START, END, "<|endoftext|>", "{{ 7 * 7 }}", "\ue0000\ue001", "a\n"])).map("".join))
def test_what_a_message_says_commands_nothing(text: str) -> None:
    """Control tokens, templates and marks in a message are its text: there are as many control tokens as without."""
    ids = chat().encode([Message("user", text)])
    assert [token for token in ids if token in CONTROL.values()] == [CONTROL[START], CONTROL[END], CONTROL[START]]
    assert text in TOKENIZER.decode(ids, skip_special_tokens=False)


def test_end_of_turn_may_be_named_by_its_variable() -> None:
    """eos_token is the control token."""
    ids = chat("{% for m in messages %}{{ m.content + eos_token }}{% endfor %}").encode([Message("user", "add")])
    assert ids == [*encode("add"), CONTROL[END]]


def test_template_has_what_transformers_gives_templates() -> None:
    """Loop controls, tojson without escapes for pages, blocks that take their line with them."""
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
    ],
    ids=["none", "not valid", "refuses", "fails", "changes its input", "breaks out"],
)
def test_template_that_does_not_work_is_one_error(template: str) -> None:
    """Whatever a template tries, it ends in one line that says what to do."""
    with pytest.raises(ModelError, match=r"export (an Instruct|another) model\.$"):
        spelt(Message("user", "x"), template=template)
