"""The two protocols: what requests have, and that no answer does harm."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from midfill.remote.answers import Answer, BadAnswer, Dialect, Question, ServedToken, settle
from midfill.remote.llama_dialect import LlamaServerDialect
from midfill.remote.openai_dialect import OpenAiDialect
from unit.helpers import model_tokenizer

VOCABULARY = 300
TOKENIZER = model_tokenizer()
OPENAI = OpenAiDialect("coder")
LLAMA = LlamaServerDialect(TOKENIZER.encode, TOKENIZER.vocabulary.text)
QUESTION = Question(prompt=[1, 2], max_tokens=5, stop_tokens=[0])

names = st.sampled_from(
    ["choices", "logprobs", "tokens", "token_logprobs", "top_logprobs", "completion_probabilities", "id", "logprob"]
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 400)
    | st.sampled_from([10**400, -(10**400)])
    | st.floats(allow_nan=False)
    | st.just("token_id:7")
    | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("dialect", [OPENAI, LLAMA], ids=["openai", "llama-server"])
@given(st.dictionaries(names, values, max_size=4))
def test_any_event_is_read_or_refused(dialect: Dialect, event: dict[str, Any]) -> None:
    """A server cannot bring in a token that there is not, nor an error of another kind."""
    answer = Answer()
    with suppress(BadAnswer):
        answer = dialect.read(event, VOCABULARY)
        dialect.read_scores(event, [3], VOCABULARY)
    assert all(0 <= token.token < VOCABULARY and token.logprob <= 0 for token in answer.tokens)


def test_openai_requests_leave_nothing_to_a_servers_defaults() -> None:
    """A server takes what is missing from its model's file, where a penalty for repetition would spoil code."""
    body = OPENAI.request(QUESTION)
    assert body["prompt"] == [1, 2]
    assert body["stop_token_ids"] == [0]
    assert (body["temperature"], body["top_p"], body["top_k"], body["min_p"]) == (0.0, 1.0, 0, 0.0)
    assert (body["repetition_penalty"], body["presence_penalty"], body["frequency_penalty"]) == (1.0, 0.0, 0.0)


def test_openai_event_may_have_several_tokens() -> None:
    """A server that is busy sends them together."""
    logprobs = {
        "tokens": ["token_id:5", "token_id:6"],
        "token_logprobs": [-0.1, -2],
        "top_logprobs": [{"token_id:5": -0.1, "token_id:9": -3}, {"token_id:8": -0.5, "token_id:6": -2}],
    }
    answer = OPENAI.read({"choices": [{"text": "ab", "logprobs": logprobs, "finish_reason": None}]}, VOCABULARY)
    assert answer.tokens == [
        ServedToken(5, -0.1, ((5, -0.1), (9, -3.0))),
        ServedToken(6, -2.0, ((8, -0.5), (6, -2.0))),
    ]


def test_openai_event_about_usage_has_no_tokens() -> None:
    """It has no choices."""
    assert OPENAI.read({"choices": [], "usage": {"prompt_tokens": 3}}, VOCABULARY) == Answer()


def test_llama_servers_grammar_is_escaped() -> None:
    """A prefix may have quotes, backslashes and line ends."""
    prefix = 'a"b\\\n\t'
    body = LLAMA.request(Question(prompt=[1], max_tokens=1, allowed=np.array([5]), spelling=prefix))
    assert body["grammar"] == f"root ::= {json.dumps(prefix)} .*"
    assert "grammar" not in LLAMA.request(QUESTION)


def test_llama_server_sends_only_the_last_token_of_a_character() -> None:
    """The tokens before it are found by the text. Nothing is known of their probability."""
    before, last = TOKENIZER.encode("é")
    place = {"id": last, "logprob": -0.25, "top_logprobs": [{"id": last, "logprob": -0.25}]}
    answer = LLAMA.read({"content": "é", "completion_probabilities": [place], "stop": False}, 1000)
    assert [(token.token, token.logprob) for token in answer.tokens] == [(before, 0.0), (last, -0.25)]


ROW = ServedToken(1, -0.5, ((1, -0.5), (2, -1.5), (3, -2.5)))


def test_choice_is_the_servers_unless_a_prefix_is_required() -> None:
    """Its runner-up is the likeliest other token."""
    choice = settle(ROW, None, is_greedy=True)
    assert choice == (1, -0.5, 2, -1.5)


def test_choice_among_allowed_tokens_is_the_likeliest_of_them() -> None:
    """Its log-probability is that among the allowed tokens that are known."""
    choice = settle(ROW, np.array([3, 2, 77]), is_greedy=True)
    assert choice is not None
    assert (choice.token, choice.runner_up) == (2, 3)
    assert np.exp([choice.logprob, choice.runner_up_logprob]).sum() == pytest.approx(1)


def test_no_choice_without_an_allowed_token() -> None:
    """Then the server must be asked again; also if the tokens are drawn, because another one was not drawn."""
    assert settle(ROW, np.array([77]), is_greedy=True) is None
    assert settle(ROW, np.array([2]), is_greedy=False) is None
    drawn = settle(ROW, np.array([1, 2]), is_greedy=False)
    assert drawn is not None
    assert drawn.token == 1
