"""Conversations: answers stream, end at the right place, and compute nothing twice."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from midfill.chat.conversation import Conversation
from midfill.common.cancel import CancelFlag, Cancelled
from midfill.common.errors import ModelError, UsageError
from midfill.inference.onnx_model import ScriptedModel
from midfill.inference.sampling import Sampling
from midfill.prompt.chat_template import Message
from unit.helpers import MarkovModel, encode, loaded_model, manifest, tiny_tokenizer

TEMPLATE = "{% for m in messages %}{{ m.content + eos_token }}{% endfor %}"
END = manifest().stop_tokens[0]


def conversation(script: str, room: int = 200) -> tuple[Conversation, ScriptedModel]:
    """Return a conversation with a model that always answers ``script``, and the model."""
    model = ScriptedModel(encode(script), END, manifest().vocabulary)
    return Conversation(loaded_model(model, chat_template=TEMPLATE), room, max_draft_tokens=0), model


def ask(text: str) -> list[Message]:
    """Return a conversation of one message."""
    return [Message("user", text)]


def test_answer_streams_in_whole_characters() -> None:
    """The pieces make up the answer, and no piece ends within a character."""
    pieces: list[str] = []
    answer = conversation("x = naïve")[0].answer(ask("print(x)"), CancelFlag(), on_text=pieces.append)
    assert answer.text == "".join(pieces) == "x = naïve"
    assert len(pieces) > 1
    assert "\ufffd" not in "".join(pieces)
    assert (answer.stopped_by, answer.tokens) == ("stop-token", len(encode("x = naïve")))
    assert answer.prompt_tokens == len(encode("print(x)")) + 1
    assert list(answer.milliseconds) == ["tokenize", "prefill", "decode"]


@pytest.mark.parametrize(("limit", "room"), [(2, 200), (99, 5)], ids=["requested limit", "no more room"])
def test_answer_is_limited(limit: int, room: int) -> None:
    """The answer ends at the requested limit, or when prompt and answer fill the context."""
    answer = conversation("1, 2, 3, 4, 5", room)[0].answer(ask("1"), CancelFlag(), max_tokens=limit)
    assert (answer.stopped_by, answer.tokens) == ("max-tokens", min(limit, 3))


def test_caller_may_end_the_answer() -> None:
    """When the caller has enough text, no more tokens are decoded."""
    answer = conversation("1, 2, 3, 4")[0].answer(ask("1"), CancelFlag(), enough=lambda text: "2" in text)
    assert (answer.text, answer.stopped_by) == ("1, 2", "enough")


def test_next_turn_computes_only_what_is_new() -> None:
    """The earlier turns, with their answers, are found in the KV cache."""
    chat, model = conversation("return left")
    first = chat.answer(ask("add(left, right)"), CancelFlag())
    turns = [*ask("add(left, right)"), Message("assistant", first.text), *ask("print")]
    second = chat.answer(turns, CancelFlag())
    assert first.reused_tokens == 0
    assert second.reused_tokens >= first.prompt_tokens + first.tokens - 1
    assert model.steps[0] == first.prompt_tokens


def test_conversation_continues_after_a_cancelled_answer() -> None:
    """A set flag ends one answer, and the next one is complete."""
    chat, _ = conversation("1, 2, 3")
    flag = CancelFlag()
    with pytest.raises(Cancelled, match="cancelled"):
        chat.answer(ask("1"), flag, on_text=lambda _: flag.set("cancelled"))
    assert chat.answer(ask("1"), CancelFlag()).text == "1, 2, 3"


def test_question_without_room_for_an_answer_is_refused() -> None:
    """The message has the number of tokens and says what to do."""
    with pytest.raises(UsageError, match=r"\d+ tokens .* 5 .*: select less"):
        conversation("1", room=5)[0].answer(ask("print(left)" * 9), CancelFlag())


def test_model_without_a_template_is_refused() -> None:
    """A conversation with a base model, which has no chat template, cannot be made."""
    with pytest.raises(ModelError, match="Instruct"):
        Conversation(loaded_model(ScriptedModel([], END, 400)))


def test_answer_begins_with_the_given_text() -> None:
    """The given beginning is a part of the prompt and of the answer, but the listener gets only the rest."""
    pieces: list[str] = []
    answer = conversation("left + right")[0].answer(ask("add"), CancelFlag(), begin="return ", on_text=pieces.append)
    assert answer.text == "return left + right"
    assert "".join(pieces) == "left + right"
    assert answer.prompt_tokens == len(encode("add")) + 1 + len(encode("return "))


def test_tokens_are_drawn_by_the_given_sampling() -> None:
    """One seed gives the same text twice, and at a high temperature it is not the most likely text."""
    drawn = [
        conversation("1")[0].answer(ask("add"), CancelFlag(), max_tokens=4, sampling=Sampling(temperature=9.0, seed=3))
        for _ in range(2)
    ]
    assert drawn[0].text == drawn[1].text != "1"


def test_runners_up_begin_other_answers_where_the_model_was_least_certain() -> None:
    """A beginning is the answer up to one token, with the runner-up in its place; the closest runner-up is first."""
    tokens = encode("print(1, 2)")
    table = np.zeros((manifest().vocabulary,) * 2, np.float32)
    table[[END, *tokens], [*tokens, END]] = 9.0
    table[tokens[0], encode("x")[0]] = 5.0
    table[tokens[1], encode("y")[0]] = 8.0
    chat = conversing_with(table)
    assert chat.answer(ask(""), CancelFlag(), begin="").text == "print(1, 2)"
    spell = tiny_tokenizer().decode
    assert chat.runner_up_beginnings()[:2] == [spell(tokens[:2]) + "y", spell(tokens[:1]) + "x"]


def test_doubts_are_where_another_token_is_more_likely() -> None:
    """Each doubt has its place in the text, the token that the model prefers, and how much more likely that is."""
    text = "left + right\n" * 30
    ids = encode(text)
    table = np.zeros((manifest().vocabulary,) * 2, np.float32)
    table[[END, *ids[:-1]], ids] = 9.0
    plus = next(n for n, token in enumerate(ids) if "+" in tiny_tokenizer().decode([token]))
    table[ids[plus - 1], encode("-")[0]] = 11.0
    table[ids[plus - 1], END] = 8.0
    chat = conversing_with(table, room=1000)
    doubts = chat.doubts(ask(""), text, CancelFlag())
    assert [doubt.instead for doubt in doubts] == ["-"] * 30
    assert text[doubts[7].offset :].lstrip().startswith("+ right")
    assert text[: doubts[7].offset].count("\n") == 7
    assert doubts[0].odds == pytest.approx(np.exp(2.0))
    with pytest.raises(UsageError):
        conversing_with(table, room=50).doubts(ask(""), text, CancelFlag())
    stopped = CancelFlag()
    stopped.set("cancelled")
    with pytest.raises(Cancelled):
        chat.doubts(ask(""), text, stopped)


def conversing_with(table: NDArray[np.float32], room: int = 200) -> Conversation:
    """Return a conversation with a model whose next token depends on the last one."""
    return Conversation(loaded_model(MarkovModel(table), chat_template=TEMPLATE), room, max_draft_tokens=0)
