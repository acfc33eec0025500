"""What becomes of the answer to a request that a keystroke supersedes, at a server whose clock the tests move."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("httpx", reason="the extra 'remote' is not installed")

from midfill.common.cancel import Cancelled
from midfill.remote import event_stream
from unit.remote.slow_server import READING, WRITING, SlowServer, Typist, flag_of_a_key
from waiting import LIMIT, wait_until

PROMPT = list(range(40, 140))
SECONDS = READING * len(PROMPT)
"""How long the server reads the prompt."""
OTHER = PROMPT[::-1]
AMONG = 200
"""The server writes the tokens below this number, one after the other."""


@pytest.fixture
def slow() -> Iterator[SlowServer]:
    """Return a server that counts."""
    made = SlowServer(lambda token: (token + 1) % AMONG)
    yield made
    made.connection.close()


@pytest.fixture
def typist(slow: SlowServer, monkeypatch: pytest.MonkeyPatch) -> Typist:
    """Return somebody who types at it."""
    return Typist(slow, monkeypatch)


def test_typist_who_never_pauses_gets_an_answer(typist: Typist) -> None:
    """The prompt takes 1 s to read, a key comes each 0.15 s, and each one is another token than the server expects."""
    keys = typist.keys_to_an_answer(PROMPT, [7] * 40, 0.15)
    assert keys is not None
    assert keys <= 12


def test_one_request_runs_at_a_time(slow: SlowServer, typist: Typist) -> None:
    """However many keys are typed while it reads."""
    typist.keys_to_an_answer(PROMPT, [*range(1, 6)], 0.15)
    assert slow.prompts == [[*PROMPT, 1]]
    assert slow.closed == []


def test_text_that_is_typed_along_is_not_asked_for_again(slow: SlowServer, typist: Typist) -> None:
    """The answer that runs has it. What it lacks at its end is asked for."""
    flag = flag_of_a_key()
    first = typist.ask(PROMPT, flag, max_tokens=3)
    typist.wait(SECONDS / 2)
    flag.set("superseded", urgent=False)
    with pytest.raises(Cancelled):
        first.result(LIMIT)
    second = typist.ask([*PROMPT, 140, 141], flag_of_a_key(), max_tokens=3)
    typist.wait(SECONDS)
    typist.wait(4 * WRITING)
    assert [choice.token for choice in second.result(LIMIT)] == [142, 143, 144]
    assert slow.prompts == [PROMPT, [*PROMPT, 140, 141, 142]]


def test_prompt_is_read_before_another_text_is_asked_for(slow: SlowServer, typist: Typist) -> None:
    """The server then has all of it in its cache but what was typed."""
    flag = flag_of_a_key()
    typist.ask(PROMPT, flag)
    flag.set("superseded", urgent=False)
    second = typist.ask([*PROMPT[:-2], 7], flag_of_a_key())
    typist.wait(SECONDS / 2)
    assert slow.prompts == [PROMPT]
    typist.wait(SECONDS)
    wait_until(lambda: len(slow.prompts) == 2, "the second request")
    typist.wait(READING + 4 * WRITING)
    assert [choice.token for choice in second.result(LIMIT)] == [8, 9, 10]


def test_request_of_another_document_closes_the_one_before(slow: SlowServer, typist: Typist) -> None:
    """At once, whether its flag says so or its prompt."""
    urgent, other = flag_of_a_key(), flag_of_a_key()
    typist.ask(PROMPT, urgent)
    urgent.set("superseded", urgent=True)
    wait_until(lambda: slow.closed == [PROMPT], "the end of the first request")
    typist.ask(PROMPT, other)
    other.set("superseded", urgent=False)
    third = typist.ask(OTHER, flag_of_a_key())
    wait_until(lambda: slow.closed == [PROMPT, PROMPT], "the end of the second request")
    typist.wait(SECONDS + 4 * WRITING)
    assert len(third.result(LIMIT)) == 3


@pytest.mark.parametrize("limit", ["PROMPT_SECONDS", "READ_SECONDS"])
def test_answer_that_nobody_takes_up_ends(
    slow: SlowServer, typist: Typist, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    """Whether its prompt was read or not; then the next request is sent."""
    monkeypatch.setattr(event_stream, limit, 0.0)
    flag = flag_of_a_key()
    typist.ask(PROMPT, flag, max_tokens=50)
    flag.set("superseded", urgent=False)
    typist.wait(SECONDS + 2 * WRITING)
    wait_until(lambda: slow.closed == [PROMPT], "the end of the request")
    second = typist.ask(PROMPT, flag_of_a_key())
    typist.wait(SECONDS + 4 * WRITING)
    assert [choice.token for choice in second.result(LIMIT)] == [140, 141, 142]
