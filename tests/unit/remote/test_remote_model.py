"""A server's model: its tokens, cancellation, faults, and the model on this machine that goes on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("httpx", reason="the extra 'remote' is not installed")

from midfill.common.cancel import CancelFlag, Cancelled
from midfill.common.errors import RemoteUnavailable
from midfill.inference.sampling import Choice, Sampling
from midfill.inference.token_generator import GenerationRequest, LanguageModel, TokenGenerator
from midfill.remote.address import parse
from midfill.remote.breaker import Breaker
from midfill.remote.remote_model import RemoteModel
from midfill.remote.server import Access, Server
from unit.clock import ManualClock
from unit.helpers import MarkovModel, encode, loaded_model, manifest, model_tokenizer
from unit.remote.model_server import ModelServer, serving

PROMPT = encode("def add(left")
KINDS = pytest.mark.parametrize("kind", ["vllm", "llama-server"])


def table(seed: int = 1) -> np.ndarray:
    """Make the likings of a model that never stops by itself."""
    size = manifest().vocabulary
    made = np.random.default_rng(seed).normal(0, 3, (size, size)).astype(np.float32)
    made[:, sorted(model_tokenizer().stop_tokens)] = -50
    return made


@pytest.fixture
def served() -> Iterator[ModelServer]:
    """Serve a small model."""
    with serving(ModelServer(table())) as server:
        yield server


def remote(
    server: ModelServer, local: LanguageModel | None = None, timeout: float = 20.0, **access: str
) -> RemoteModel:
    """Open the model of a server."""
    asked = Server(Access(address=parse(server.url), **access), model_tokenizer(), " Meanwhile.")
    return RemoteModel(manifest(), model_tokenizer(), asked, timeout, local)


def generator(model: LanguageModel) -> TokenGenerator:
    """Make a generator of a model."""
    return model.new_generator(context=512, cache_bytes=1 << 20, max_draft_tokens=0)


def here() -> TokenGenerator:
    """Make a generator with the same model in this process."""
    return generator(loaded_model(MarkovModel(table())))


def asking(**changes: object) -> GenerationRequest:
    """Ask for a few tokens."""
    request = GenerationRequest(prompt=PROMPT, max_tokens=12, stop_tokens=model_tokenizer().stop_tokens)
    return replace(request, **changes)  # type: ignore[arg-type]


def choices(made: TokenGenerator, request: GenerationRequest) -> list[Choice]:
    """Read all tokens."""
    return list(made.generate(request, CancelFlag()))


@KINDS
def test_tokens_are_those_of_the_model(served: ModelServer, kind: str) -> None:
    """The same tokens come as in this process, each with its log-probability and its runner-up."""
    served.kind = kind
    found, expected = choices(generator(remote(served)), asking()), choices(here(), asking())
    assert [(c.token, c.runner_up) for c in found] == [(c.token, c.runner_up) for c in expected]
    assert [c.logprob for c in found] == pytest.approx([c.logprob for c in expected], abs=1e-4)
    assert [c.runner_up_logprob for c in found] == pytest.approx([c.runner_up_logprob for c in expected], abs=1e-4)
    assert len(found) == 12


@KINDS
@pytest.mark.parametrize("prefix", [" ", "re", "    ", "retur", "left"])
def test_required_prefix_is_spelt_as_in_this_process(served: ModelServer, kind: str, prefix: str) -> None:
    """The tokens that spell a required prefix are those that are chosen in this process, and so is what follows."""
    served.kind = kind
    found = choices(generator(remote(served)), asking(required_prefix=prefix))
    assert [c.token for c in found] == [c.token for c in choices(here(), asking(required_prefix=prefix))]
    assert all(c.logprob <= 0 for c in found)


def test_prefix_that_the_server_does_not_heed_is_spelt_by_the_tokenizer(served: ModelServer) -> None:
    """A server that ignores what it may choose from is not asked for ever."""
    served.heeds_allowed = False
    found = choices(generator(remote(served)), asking(required_prefix="retur"))
    assert model_tokenizer().text([c.token for c in found]).startswith("retur")
    assert len(found) == 12
    assert len(served.prompts()) <= 2 + len("retur")


@KINDS
def test_text_ends_before_a_stop_token(served: ModelServer, kind: str) -> None:
    """The stop token is not among the tokens."""
    served.kind = kind
    expected = choices(here(), asking())
    stop = sorted(model_tokenizer().stop_tokens)[0]
    served.table = table()
    served.table[expected[4].token, stop] = 99
    found = choices(generator(remote(served)), asking())
    assert [c.token for c in found] == [c.token for c in expected[:5]]


def test_drawn_tokens_depend_on_the_seed_and_the_place(served: ModelServer) -> None:
    """Sampling is passed on."""
    sampling = Sampling(temperature=0.7, top_k=5, top_p=0.9, seed=7, drawn=2)
    choices(generator(remote(served)), asking(sampling=sampling))
    body = served.requests[-1][1]
    assert {name: body[name] for name in ("temperature", "top_k", "top_p", "seed")} == {
        "temperature": 0.7,
        "top_k": 5,
        "top_p": 0.9,
        "seed": 9,
    }


@KINDS
def test_scores_are_those_of_the_model(served: ModelServer, kind: str) -> None:
    """The likeliest token is named at each place, and by how much it is likelier."""
    served.kind = kind
    text = encode(", right):")
    found = list(generator(remote(served)).score(PROMPT, text, CancelFlag()))
    expected = list(here().score(PROMPT, text, CancelFlag()))
    assert [score.likeliest for score in found] == [score.likeliest for score in expected]
    close = [score.margin for score in expected]
    assert [min(score.margin, 5) for score in found] == pytest.approx([min(margin, 5) for margin in close], abs=1e-3)


def test_prompt_is_computed_ahead(served: ModelServer) -> None:
    """A prompt that is expected is sent, for one token."""
    generator(remote(served)).prefill(PROMPT, "a.py", CancelFlag())
    assert served.requests[-1][1]["prompt"] == PROMPT
    assert served.requests[-1][1]["max_tokens"] == 1


@KINDS
def test_cancel_closes_the_connection(served: ModelServer, kind: str) -> None:
    """A flag that is set while a token is waited for ends the wait, and the server sees its client leave."""
    served.kind, served.fault = kind, "waits"
    cancel = CancelFlag()
    made = generator(remote(served))
    threading.Timer(0.1, cancel.set, ("superseded",)).start()
    with pytest.raises(Cancelled, match="superseded"):
        next(made.generate(asking(max_tokens=500), cancel))
    served.fault = "never ends"
    served.go_on.set()
    assert served.cut.wait(20)


def test_stream_that_is_closed_early_closes_the_connection(served: ModelServer) -> None:
    """Whoever has read enough leaves, and the server notices."""
    served.fault = "never ends"
    stream = generator(remote(served)).generate(asking(max_tokens=500), CancelFlag())
    next(stream)
    stream.close()
    assert served.cut.wait(20)


def test_finished_answer_leaves_its_connection_open(served: ModelServer) -> None:
    """Requests that are read to the end share a connection."""
    made = generator(remote(served))
    assert choices(made, asking()) == choices(made, asking())


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("status 503", r"it fails \(503\): its own log says why"),
        ("redirects", r"it sends to another address \(307\), which Midfill does not follow"),
        ("no JSON", "its answer is not valid JSON"),
        ("a page", "its answer is no stream of events"),
        ("nested", "its answer is not valid JSON"),
        ("texts", "it names tokens by their texts"),
        ("foreign", "it sends tokens that the model does not have"),
        ("NaN", "its answer is not valid JSON"),
        ("breaks off", "it has ended the connection"),
        ("never ends", "it sends more than was asked for"),
    ],
)
def test_each_fault_has_one_line(served: ModelServer, fault: str, why: str) -> None:
    """What a server may do wrong is said in one line, without what it has written."""
    made = generator(remote(served))
    served.fault = fault
    with pytest.raises(RemoteUnavailable, match=rf"^The server 127.0.0.1:\d+ cannot be used: {why}") as caught:
        choices(made, asking())
    assert str(caught.value).isprintable()
    assert "busy" not in str(caught.value)


def test_more_tokens_than_were_asked_for_are_not_taken(served: ModelServer) -> None:
    """A server cannot lengthen a text."""
    made = generator(remote(served))
    served.fault = "repeats"
    assert len(choices(made, asking(max_tokens=3))) == 3


def test_slow_server_is_left_after_the_time_out(served: ModelServer) -> None:
    """Without a token in time, the model on this machine generates."""
    served.fault = "waits"
    made = generator(remote(served, loaded_model(MarkovModel(table())), timeout=0.05))
    stream = made.generate(asking(), CancelFlag())
    assert list(stream) == choices(here(), asking())
    assert stream.stats.model == "tiny"


@pytest.mark.parametrize("fault", ["breaks off", "stalls", "foreign", "status 503"])
def test_model_on_this_machine_goes_on_from_the_tokens_so_far(served: ModelServer, fault: str) -> None:
    """A server that fails within a request costs no token, and gives none twice."""
    made = generator(remote(served, loaded_model(MarkovModel(table())), timeout=0.5))
    served.fault = fault
    found = choices(made, asking(required_prefix="re"))
    assert [c.token for c in found] == [c.token for c in choices(here(), asking(required_prefix="re"))]


def test_server_that_is_away_is_not_waited_for(served: ModelServer, caplog: pytest.LogCaptureFixture) -> None:
    """Its failure is logged once, and each request is served by the model on this machine."""
    served.stop()
    with caplog.at_level(logging.INFO):
        made = generator(remote(served, loaded_model(MarkovModel(table()))))
        found = [choices(made, asking()) for _ in range(3)]
    assert found == [choices(here(), asking())] * 3
    [line] = [record.getMessage() for record in caplog.records if record.name.startswith("midfill")]
    assert line.endswith("cannot be used: nothing listens there: is it running? Meanwhile.")


def test_server_that_is_away_is_an_error_without_another_model(served: ModelServer) -> None:
    """Then the request fails with the reason."""
    served.stop()
    with pytest.raises(RemoteUnavailable, match="nothing listens there"):
        choices(generator(remote(served)), asking())


def test_failing_server_is_asked_again_after_a_pause(caplog: pytest.LogCaptureFixture) -> None:
    """The first request after the pause asks in the background what the server is; the next one is sent to it."""
    clock = ManualClock()
    with serving(ModelServer(table(), fault="status 503")) as served, caplog.at_level(logging.INFO):
        asked = Server(Access(address=parse(served.url)), model_tokenizer(), breaker=Breaker(clock.now))
        made = generator(RemoteModel(manifest(), model_tokenizer(), asked, 20.0, loaded_model(MarkovModel(table()))))
        choices(made, asking())
        served.fault = ""
        before = len(served.requests)
        choices(made, asking())
        assert len(served.requests) == before
        clock.advance(6)
        choices(made, asking())
        asked.ready(20)
        stream = made.generate(asking(), CancelFlag())
        assert list(stream)
        assert stream.stats.model == ""
    assert "answers again" in caplog.text


def test_prompt_longer_than_the_servers_context_is_not_sent(served: ModelServer) -> None:
    """The line says how much room there is."""
    served.context = 64
    model = remote(served)
    assert model.manifest.context_length == 64
    with pytest.raises(RemoteUnavailable, match="takes 64 tokens, and this request needs 100"):
        choices(generator(model), asking(max_tokens=100 - len(PROMPT)))


def test_model_is_named_by_the_server(served: ModelServer) -> None:
    """So `midfill why` says which model made a suggestion, and where."""
    assert remote(served).manifest.name == f"tiny on {served.url.removeprefix('http://')}"
