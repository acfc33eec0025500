"""The engine: from a document and a cursor to a suggestion, with a scripted model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tokenizers import AddedToken, Tokenizer

from midfill.bundle import TOKENIZER, Bundle
from midfill.cancel import CancelFlag, Cancelled
from midfill.completion import Completion, Request
from midfill.engine import Engine, load_engine
from midfill.errors import BundleDamaged, ModelError
from midfill.fim import FimFormat
from midfill.kv_cache import KvCache
from midfill.model import Model, ScriptedModel
from midfill.settings import Settings
from unit.helpers import encode, manifest, split, tiny_tokenizer, write_bundle

END = manifest().stop_tokens[0]
FIM = manifest().fim
SETTINGS = Settings(bundle=Path("unused"), deadline_ms=0)


class Typist:
    """A model that knows how the text before the cursor goes on, however the prompt cuts it into tokens."""

    def __init__(self, text: str, cancel_at_step: int | None = None) -> None:
        self._tokenizer = tiny_tokenizer()
        self._text = text
        tokens = [[token] for token in range(manifest().vocabulary)]
        self._texts = self._tokenizer.decode_batch(tokens, skip_special_tokens=False)
        self._cancel_at_step = cancel_at_step
        self.capacity = 0
        self.prompt: list[int] = []
        """What the first step was given."""
        self.steps = 0

    def new_cache(self, capacity: int) -> KvCache:
        self.capacity = capacity
        return KvCache(None, capacity)

    def step(self, ids: Sequence[int], cache: KvCache, rows: int, cancel: CancelFlag) -> NDArray[np.float32]:
        """Like the longest token best that goes on with the text, and the end token where the text ends."""
        cancel.check()
        cache.append(ids)
        assert len(cache) <= cache.capacity
        self.prompt = self.prompt or list(ids)
        self.steps += 1
        if self.steps == self._cancel_at_step:
            cancel.set("superseded")
        logits = np.zeros((rows, manifest().vocabulary), np.float32)
        for row in range(rows):
            self._prefer(logits[row], cache.tokens[: len(cache) - rows + 1 + row])
        return logits

    def _prefer(self, logits: NDArray[np.float32], tokens: list[int]) -> None:
        start = tokens.index(FIM.middle) + 1 if FIM.middle in tokens else 0
        written = self._tokenizer.decode(tokens[start:], skip_special_tokens=False)
        rest = self._text.removeprefix(written) if self._text.startswith(written) else ""
        logits[END] = 0.5
        for token, text in enumerate(self._texts):
            if text and rest.startswith(text):
                logits[token] = len(text)


def engine(model: Model, settings: Settings = SETTINGS, tokenizer: Tokenizer | None = None, **changes: Any) -> Engine:
    """Make an engine around a model, without files."""
    return Engine(Bundle(Path("unused"), manifest(**changes)), tokenizer or tiny_tokenizer(), model, settings)


def scripted(said: str) -> ScriptedModel:
    """Make a model that says some tokens whatever it is asked."""
    return ScriptedModel(encode(said), END, manifest().vocabulary)


def complete(marked: str, said: str, settings: Settings = SETTINGS, **request: Any) -> Completion:
    """Complete at the cursor's mark, with a model that would write ``said`` there."""
    text, offset = split(marked)
    model = Typist(text[:offset].replace("\r\n", "\n") + said)
    return engine(model, settings).complete(Request(text=text, offset=offset, **request), CancelFlag())


def test_suggestion_is_inserted_at_the_cursor() -> None:
    """What the model says up to its end token is the text; the counts and the model's name go with it."""
    done = complete("def f(x):\n▮", "    return x")
    assert (done.text, done.start, done.end, done.reason) == ("    return x", 10, 10, "")
    assert done.model == "tiny"
    assert done.tokens == len(encode("    return x"))
    assert done.prompt_tokens == 3 + len(encode("def f(x):\n"))
    assert done.reused_tokens == 0


def test_stages_are_timed_in_the_order_they_ran() -> None:
    """Every stage has its time."""
    done = complete("x = ▮", "1")
    assert list(done.milliseconds) == ["context", "tokenize", "prefill", "decode", "filter"]
    assert all(time >= 0 for time in done.milliseconds.values())


def test_prompt_is_marked_up_as_the_manifest_says() -> None:
    """The order and the control tokens come from the bundle."""
    model = Typist("")
    engine(model, fim=replace(FIM, order="prefix-first")).complete(Request(text="a\nb\n", offset=2), CancelFlag())
    assert model.prompt == [FIM.prefix, *encode("a\n"), FIM.suffix, *encode("b\n"), FIM.middle]


@pytest.mark.parametrize("special", [True, False], ids=["special", "not special in the tokenizer"])
def test_control_token_written_in_a_document_is_text(special: bool) -> None:
    """A document about FIM models cannot command the model."""
    tokenizer = tiny_tokenizer()
    tokenizer.add_special_tokens([AddedToken("<|fim_middle|>", special=True)])
    if not special:
        tokenizer = Tokenizer.from_str(tokenizer.to_str().replace('"special":true', '"special":false'))
        assert tokenizer.encode("<|fim_middle|>").ids == [FIM.middle], "the test is about this"
    model = Typist("")
    text = 'm = "<|fim_middle|>"\n'
    engine(model, tokenizer=tokenizer).complete(Request(text=text, offset=len(text)), CancelFlag())
    assert [token for token in model.prompt if token in (FIM.prefix, FIM.suffix, FIM.middle)] == [
        FIM.prefix,
        FIM.suffix,
        FIM.middle,
    ]


def test_word_cut_short_by_the_cursor_is_healed() -> None:
    """The last token is taken out of the prompt; what the model writes again of it is not suggested."""
    text, offset = split("def f(x):\n    retur▮")
    model = Typist("def f(x):\n    return x")
    done = engine(model).complete(Request(text=text, offset=offset), CancelFlag())
    assert done.text == "n x"
    assert done.start == done.end == offset
    assert model.prompt[model.prompt.index(FIM.middle) + 1 :] == encode(text)[:-1]


def test_carriage_returns_stay_out_of_the_prompt_and_come_back_in_the_answer() -> None:
    """A CRLF document is read with plain newlines and gets its own back; the offset is one of the original."""
    text = "def f(x):\r\n    y = x\r\n"
    model = Typist("def f(x):\n    y = x\n    y += 1\n    return y\n")
    done = engine(model).complete(Request(text=text, offset=len(text)), CancelFlag())
    assert encode("\r")[0] not in model.prompt
    assert done.text == "    y += 1\r\n    return y"
    assert done.start == done.end == len(text)


def test_carriage_return_of_the_models_own_is_left_out() -> None:
    """A line ending is the document's affair."""
    assert complete("a\r\n▮", "b\r\nc").text == "b\r\nc"
    assert complete("a\n▮", "b\r\nc").text == "b\nc"


def test_cursor_within_a_line_ending_completes_before_it() -> None:
    """No suggestion comes between the two halves of CRLF."""
    done = complete("a(\r▮\nc", "")
    assert (done.start, done.end) == (2, 2)


@pytest.mark.parametrize(("offset", "start"), [(-5, 0), (99, 2)])
def test_offset_outside_the_document_is_clamped(offset: int, start: int) -> None:
    """The nearest end of the document is meant."""
    done = engine(scripted("b = 1")).complete(Request(text="a\n", offset=offset), CancelFlag())
    assert (done.text, done.start, done.end) == ("b = 1", start, start)


def test_half_a_character_is_not_suggested() -> None:
    """A suggestion that ends within the bytes of a character ends before it."""
    model = ScriptedModel(encode("x = é")[:-1], END, manifest().vocabulary)
    assert engine(model).complete(Request(text="\n", offset=1), CancelFlag()).text == "x ="


@pytest.mark.parametrize(
    ("marked", "asked", "lines"),
    [("▮", None, 3), ("▮", 2, 2), ("f(▮)", None, 3), ("▮ + 1", None, 1), ("▮ + 1", 2, 1)],
)
def test_lines_are_limited(marked: str, asked: int | None, lines: int) -> None:
    """By the setting, by the request, and to one where code stands right of the cursor."""
    settings = replace(SETTINGS, max_lines=3)
    assert complete(marked, "a,\nb,\nc,\nd,\n", settings, max_lines=asked).text.count("\n") == lines - 1


@pytest.mark.parametrize(("asked", "tokens"), [(None, 4), (2, 2), (9, 4)])
def test_tokens_are_limited(asked: int | None, tokens: int) -> None:
    """By the setting, and by a request that wants fewer."""
    assert complete("▮", "1, 2, 3, 4, 5", replace(SETTINGS, max_tokens=4), max_tokens=asked).tokens == tokens


def test_deadline_ends_a_suggestion_with_what_it_has() -> None:
    """A deadline that passes during prefill leaves the first token."""
    done = complete("▮", "1 + 2 + 3", replace(SETTINGS, deadline_ms=1e-6))  # type: ignore[arg-type]
    assert (done.tokens, done.reason) == (1, "")
    assert "1 + 2 + 3".startswith(done.text)


def test_prompt_and_suggestion_fit_the_context() -> None:
    """The cache holds the budget and the longest suggestion, within what the model was made for."""
    model = Typist("")
    engine(model, replace(SETTINGS, context_tokens=128, max_tokens=16)).complete(
        Request(text="word " * 500, offset=2500), CancelFlag()
    )
    assert model.capacity == 144
    assert 64 < len(model.prompt) <= 128


@pytest.mark.parametrize("context_length", [32, 64, 1000])
def test_model_of_a_short_context_has_room_for_a_prompt(context_length: int) -> None:
    """However much the settings ask for, half of the model's context is the prompt's."""
    model = Typist("")
    engine(model, replace(SETTINGS, max_tokens=1024), context_length=context_length).complete(
        Request(text="word " * 500, offset=2500), CancelFlag()
    )
    assert model.capacity == context_length
    assert context_length // 4 < len(model.prompt) <= context_length // 2


@pytest.mark.parametrize(("said", "reason"), [("", "blank"), ("  \n", "blank"), ("return x", "suffix-repeat")])
def test_suggestion_not_worth_showing_is_empty_with_its_reason(said: str, reason: str) -> None:
    """The reason code says what it was."""
    done = complete("def f(x):\n    ▮\n    return x\n", said)
    assert (done.text, done.reason) == ("", reason)


def test_decoding_ends_where_the_text_should() -> None:
    """A stop saves the tokens that would come after it."""
    done = complete("def f(x):\n    ▮", "return x\nprint(f(1))\nprint(f(2))\nprint(f(3))\n")
    assert done.text == "return x"
    assert done.tokens < len(encode("return x\nprint(f"))


def test_next_keystroke_reuses_the_cache() -> None:
    """Only what was typed is computed anew."""
    running = engine(Typist(""))
    text = "def add(left, right):\n    return left\nx = "
    running.complete(Request(text=text, offset=len(text)), CancelFlag())
    done = running.complete(Request(text=f"{text}left + ", offset=len(text) + 7), CancelFlag())
    assert done.reused_tokens >= done.prompt_tokens - len(encode("left + ")) - 1
    assert done.reused_tokens < done.prompt_tokens


def test_flag_set_before_the_work_begins_stops_it() -> None:
    """A request superseded while it waited costs nothing."""
    flag = CancelFlag()
    flag.set("superseded")
    model = scripted("1")
    with pytest.raises(Cancelled):
        engine(model).complete(Request(text="", offset=0), flag)
    assert model.steps == []


@pytest.mark.parametrize("step", [1, 2], ids=["during prefill", "during decoding"])
def test_flag_set_during_a_step_stops_before_the_next_and_the_engine_goes_on(step: int) -> None:
    """The work ends within a step, and the next request gets its whole answer."""
    model = Typist("x = (1 + 2", cancel_at_step=step)
    running = engine(model)
    with pytest.raises(Cancelled) as stopped:
        running.complete(Request(text="x = (", offset=5), CancelFlag())
    assert stopped.value.reason == "superseded"
    assert model.steps == step
    assert running.complete(Request(text="x = (", offset=5), CancelFlag()).text == "1 + 2"


def test_model_without_control_tokens_continues_the_prefix() -> None:
    """It cannot fill in, but it can go on."""
    model = Typist("x = 1")
    running = engine(model, fim=FimFormat(order="prefix-only"))
    assert running.complete(Request(text="x = \ny", offset=4), CancelFlag()).text == "1"
    assert not set(model.prompt) & {FIM.prefix, FIM.suffix, FIM.middle}


def test_model_without_control_tokens_says_nothing_in_an_empty_document() -> None:
    """There is nothing to go on from, and that is no failure."""
    model = scripted("1")
    done = engine(model, fim=FimFormat(order="prefix-only")).complete(Request(text="", offset=0), CancelFlag())
    assert (done.text, done.reason, done.tokens, model.steps) == ("", "blank", 0, [])


def test_model_may_have_more_tokens_than_its_tokenizer() -> None:
    """Checkpoints pad their vocabulary; a padding token has no text."""
    vocabulary = manifest().vocabulary + 8
    model = ScriptedModel([vocabulary - 1, *encode("1")], END, vocabulary)
    running = engine(model, vocabulary=vocabulary)
    assert running.complete(Request(text="", offset=0), CancelFlag()).text == "1"


def test_tokenizer_may_have_more_tokens_than_its_model() -> None:
    """A token that the model does not know is never chosen when healing."""
    tokenizer = tiny_tokenizer()
    tokenizer.add_tokens(["retur and more"])
    assert engine(scripted("1"), tokenizer=tokenizer).complete(Request(text="x retur", offset=7), CancelFlag()).tokens


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what is remembered of checked files out of the user's cache."""
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path / "cache"))


def test_bundle_whose_tokenizer_is_none_is_damaged(tmp_path: Path) -> None:
    """A file with the right hash may be wrong all the same; the error names it."""
    write_bundle(tmp_path / "b", tokenizer=b"{}")
    with pytest.raises(BundleDamaged, match=TOKENIZER):
        load_engine(replace(SETTINGS, bundle=tmp_path / "b"))


def test_bundle_whose_graph_is_none_cannot_be_loaded(tmp_path: Path) -> None:
    """Onnxruntime's refusal becomes one line; each stage was reported until then, and "ready" was not."""
    write_bundle(tmp_path / "b")
    stages: list[tuple[str, float]] = []
    with pytest.raises(ModelError, match=r"^onnxruntime cannot load .*model\.onnx \(\w+\): export it again\.$"):
        load_engine(replace(SETTINGS, bundle=tmp_path / "b"), lambda stage, done: stages.append((stage, done)))
    assert [stage for stage, _ in stages] == ["checking the bundle", "reading the tokenizer", "loading the model"]
    assert sorted(done for _, done in stages) == [done for _, done in stages]
