"""Conversations: answers stream, stop where they should, and compute nothing twice."""

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


def conversation(said: str, room: int = 200) -> tuple[Conversation, ScriptedModel]:
    """Make a conversation with a model that says one thing to everything."""
    model = ScriptedModel(encode(said), END, manifest().vocabulary)
    return Conversation(loaded_model(model, chat_template=TEMPLATE), room, max_draft_tokens=0), model


def ask(text: str) -> list[Message]:
    """Begin with one message."""
    return [Message("user", text)]


def test_answer_streams_in_whole_characters() -> None:
    """The pieces make up the answer; none ends within a character."""
    pieces: list[str] = []
    answer = conversation("x = naïve")[0].answer(ask("print(x)"), CancelFlag(), on_text=pieces.append)
    assert answer.text == "".join(pieces) == "x = naïve"
    assert len(pieces) > 1
    assert "\ufffd" not in "".join(pieces)
    assert (answer.stopped_by, answer.tokens) == ("stop-token", len(encode("x = naïve")))
    assert answer.prompt_tokens == len(encode("print(x)")) + 1
    assert list(answer.milliseconds) == ["tokenize", "prefill", "decode"]


@pytest.mark.parametrize(("limit", "room"), [(2, 200), (99, 5)], ids=["asked for", "no more room"])
def test_answer_is_limited(limit: int, room: int) -> None:
    """By what is asked for, and by what there is room for after two tokens of prompt."""
    answer = conversation("1, 2, 3, 4, 5", room)[0].answer(ask("1"), CancelFlag(), max_tokens=limit)
    assert (answer.stopped_by, answer.tokens) == ("max-tokens", min(limit, 3))


def test_listener_may_have_heard_enough() -> None:
    """Nothing is decoded after what was wanted."""
    answer = conversation("1, 2, 3, 4")[0].answer(ask("1"), CancelFlag(), enough=lambda text: "2" in text)
    assert (answer.text, answer.stopped_by) == ("1, 2", "enough")


def test_next_turn_computes_only_what_is_new() -> None:
    """The turns before, the answer included, are found in the cache."""
    talk, model = conversation("return left")
    first = talk.answer(ask("add(left, right)"), CancelFlag())
    turns = [*ask("add(left, right)"), Message("assistant", first.text), *ask("print")]
    second = talk.answer(turns, CancelFlag())
    assert first.reused_tokens == 0
    assert second.reused_tokens >= first.prompt_tokens + first.tokens - 1
    assert model.steps[0] == first.prompt_tokens


def test_set_flag_stops_and_the_conversation_goes_on() -> None:
    """A cancelled answer costs nothing but itself."""
    talk, _ = conversation("1, 2, 3")
    flag = CancelFlag()
    with pytest.raises(Cancelled, match="cancelled"):
        talk.answer(ask("1"), flag, on_text=lambda _: flag.set("cancelled"))
    assert talk.answer(ask("1"), CancelFlag()).text == "1, 2, 3"


def test_question_without_room_for_an_answer_is_refused() -> None:
    """The message says how long it is and what to do."""
    with pytest.raises(UsageError, match=r"\d+ tokens .* 5 .*: select less"):
        conversation("1", room=5)[0].answer(ask("print(left)" * 9), CancelFlag())


def test_model_without_a_template_answers_nothing() -> None:
    """A base model is refused when the conversation is made."""
    with pytest.raises(ModelError, match="Instruct"):
        Conversation(loaded_model(ScriptedModel([], END, 400)))


def test_answer_begins_as_it_is_begun() -> None:
    """What is put into the model's mouth is part of the prompt and of the answer; what is told is the rest."""
    pieces: list[str] = []
    answer = conversation("left + right")[0].answer(ask("add"), CancelFlag(), begin="return ", on_text=pieces.append)
    assert answer.text == "return left + right"
    assert "".join(pieces) == "left + right"
    assert answer.prompt_tokens == len(encode("add")) + 1 + len(encode("return "))


def test_tokens_are_drawn_as_asked() -> None:
    """One seed gives one text, which is not the likeliest one at a high temperature."""
    drawn = [
        conversation("1")[0].answer(ask("add"), CancelFlag(), max_tokens=4, sampling=Sampling(temperature=9.0, seed=3))
        for _ in range(2)
    ]
    assert drawn[0].text == drawn[1].text != "1"


def test_rivals_begin_other_answers_where_the_model_hesitated_most() -> None:
    """Up to a token, with the one that was next in line for it; the end of an answer is none."""
    said = encode("print(1, 2)")
    table = np.zeros((manifest().vocabulary,) * 2, np.float32)
    table[[END, *said], [*said, END]] = 9.0
    table[said[0], encode("x")[0]] = 5.0
    table[said[1], encode("y")[0]] = 8.0
    talk = conversing_with(table)
    assert talk.answer(ask(""), CancelFlag(), begin="").text == "print(1, 2)"
    spelt = tiny_tokenizer().decode
    assert talk.runner_up_beginnings()[:2] == [spelt(said[:2]) + "y", spelt(said[:1]) + "x"]


def test_doubts_are_where_something_else_is_likelier() -> None:
    """A text is read, several tokens at once; what the model would rather say is told, and how much rather."""
    text = "left + right\n" * 30
    ids = encode(text)
    table = np.zeros((manifest().vocabulary,) * 2, np.float32)
    table[[END, *ids[:-1]], ids] = 9.0
    plus = next(n for n, token in enumerate(ids) if "+" in tiny_tokenizer().decode([token]))
    table[ids[plus - 1], encode("-")[0]] = 11.0
    table[ids[plus - 1], END] = 8.0
    talk = conversing_with(table, room=1000)
    doubts = talk.doubts(ask(""), text, CancelFlag())
    assert [doubt.instead for doubt in doubts] == ["-"] * 30
    assert text[doubts[7].offset :].lstrip().startswith("+ right")
    assert text[: doubts[7].offset].count("\n") == 7
    assert doubts[0].odds == pytest.approx(np.exp(2.0))
    with pytest.raises(UsageError):
        conversing_with(table, room=50).doubts(ask(""), text, CancelFlag())
    stopped = CancelFlag()
    stopped.set("cancelled")
    with pytest.raises(Cancelled):
        talk.doubts(ask(""), text, stopped)


def conversing_with(table: NDArray[np.float32], room: int = 200) -> Conversation:
    """Make a conversation with a model of many likings."""
    return Conversation(loaded_model(MarkovModel(table), chat_template=TEMPLATE), room, max_draft_tokens=0)
