"""The engine: from a document and a cursor to a suggestion, with a scripted model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tokenizers import AddedToken, Tokenizer

from midfill.common.cancel import CancelFlag, Cancelled
from midfill.common.errors import BundleDamaged, ModelError
from midfill.completion.cache import CompletionCache
from midfill.completion.engine import CompletionEngine, load_engine
from midfill.completion.types import Completion, Request
from midfill.inference.bundle import TOKENIZER, FimFormat, KvLayout
from midfill.inference.kv_cache import KvCache
from midfill.inference.onnx_model import Model, ScriptedModel
from midfill.inference.row_blocks import MAX_PADDING
from midfill.inference.sampling import Sampling
from midfill.inference.token_generator import GenerationRequest, TokenStream
from midfill.prompt.snippets import Snippet, WorkspaceSnippets
from midfill.settings.live import LiveSettings
from midfill.settings.schema import Settings
from unit.helpers import encode, loaded_model, manifest, split, tiny_tokenizer, write_bundle

END = manifest().stop_tokens[0]
FIM = manifest().fim
SETTINGS = Settings(min_confidence=0.0, bundle=Path("unused"), deadline_ms=0)


class Typist:
    """A model that generates the rest of a text, however the prompt splits its beginning into tokens."""

    def __init__(self, text: str, cancel_at_step: int | None = None) -> None:
        self._tokenizer = tiny_tokenizer()
        self._text = text
        tokens = [[token] for token in range(manifest().vocabulary)]
        self._texts = self._tokenizer.decode_batch(tokens, skip_special_tokens=False)
        self._cancel_at_step = cancel_at_step
        self.capacity = 0
        self.prompt: list[int] = []
        """The tokens of all steps up to the first one with logits."""
        self._in_prompt = True
        self.steps = 0

    def new_cache(self, capacity: int) -> KvCache:
        self.capacity = capacity
        return KvCache(None, capacity)

    def step(self, ids: Sequence[int], cache: KvCache, rows: int, cancel: CancelFlag) -> NDArray[np.float32]:
        """Prefer the longest token that continues the text, and the end token at the end of the text."""
        cancel.check()
        cache.append(ids)
        assert len(cache) <= cache.capacity
        if self._in_prompt:
            self.prompt += ids
            self._in_prompt = rows == 0
        self.steps += 1
        if self.steps == self._cancel_at_step:
            cancel.set("superseded")
        logits = np.zeros((rows, manifest().vocabulary), np.float32)
        for row in range(rows):
            self._prefer(logits[row], cache.tokens[: len(cache) - rows + 1 + row])
        return logits

    def _prefer(self, logits: NDArray[np.float32], tokens: list[int]) -> None:
        start = tokens.index(FIM.middle) + 1 if FIM.middle in tokens else 0
        before = self._tokenizer.decode(tokens[start:], skip_special_tokens=False)
        rest = self._text.removeprefix(before) if self._text.startswith(before) else ""
        logits[END] = 0.5
        for token, text in enumerate(self._texts):
            if text and rest.startswith(text):
                logits[token] = len(text)


class Undecided(Typist):
    """A model that knows several texts. It prefers the first; where they differ, the second is the runner-up."""

    def __init__(self, *texts: str, cancel_at_step: int | None = None) -> None:
        super().__init__("", cancel_at_step)
        self._ways = texts
        self.computed = 0
        """Number of tokens of all steps."""

    def step(self, ids: Sequence[int], cache: KvCache, rows: int, cancel: CancelFlag) -> NDArray[np.float32]:
        self.computed += len(ids)
        return super().step(ids, cache, rows, cancel)

    def _prefer(self, logits: NDArray[np.float32], tokens: list[int]) -> None:
        before = self._tokenizer.decode(tokens[tokens.index(FIM.middle) + 1 :], skip_special_tokens=False)
        logits[END] = 0.5
        for rank, way in enumerate(reversed(self._ways), start=1):
            rest = way.removeprefix(before) if way.startswith(before) else ""
            texts = [text for text in self._texts if text and rest.startswith(text)]
            if texts:
                logits[self._texts.index(max(texts, key=len))] = 2.0 * rank


def engine(
    model: Model, settings: Settings = SETTINGS, tokenizer: Tokenizer | None = None, **changes: Any
) -> CompletionEngine:
    """Return an engine with a model, without files."""
    return CompletionEngine(loaded_model(model, tokenizer, **changes), LiveSettings(settings))


def scripted(script: str) -> ScriptedModel:
    """Return a model that generates ``script`` after any prompt."""
    return ScriptedModel(encode(script), END, manifest().vocabulary)


def complete(marked: str, generated: str, settings: Settings = SETTINGS, **request: Any) -> Completion:
    """Complete at the marked cursor, with a model that generates ``generated`` there."""
    text, offset = split(marked)
    model = Typist(text[:offset].replace("\r\n", "\n") + generated)
    return engine(model, settings).complete(Request(text=text, offset=offset, **request), CancelFlag())


def test_suggestion_is_inserted_at_the_cursor() -> None:
    """The text is what the model generates before its end token, and the completion has the counts and its name."""
    done = complete("def f(x):\n▮", "    return x")
    assert (done.text, done.start, done.end, done.reason) == ("    return x", 10, 10, "")
    assert done.model == "tiny"
    assert done.tokens == len(encode("    return x"))
    assert done.prompt_tokens == 3 + len(encode("def f(x):\n"))
    assert done.reused_tokens == 0


def test_stages_are_timed_in_the_order_they_ran() -> None:
    """Each stage has a time, in the order in which the stages ran."""
    done = complete("x = ▮", "1")
    assert list(done.milliseconds) == ["context", "tokenize", "prefill", "decode"]
    assert all(time >= 0 for time in done.milliseconds.values())


def test_prompt_is_marked_up_as_the_manifest_says() -> None:
    """The order and the control tokens come from the bundle."""
    model = Typist("")
    engine(model, fim=replace(FIM, order="prefix-first")).complete(Request(text="a\nb\n", offset=2), CancelFlag())
    assert model.prompt == [FIM.prefix, *encode("a\n"), FIM.suffix, *encode("b\n"), FIM.middle]


@pytest.mark.parametrize("special", ["true", "false"], ids=["special", "not special in the tokenizer"])
def test_control_token_spelt_in_a_document_is_text(special: str) -> None:
    """A document that spells a control token does not change the prompt's format."""
    with_middle = tiny_tokenizer()
    with_middle.add_special_tokens([AddedToken("<|fim_middle|>", special=True)])
    tokenizer = Tokenizer.from_str(with_middle.to_str().replace('"special":true', f'"special":{special}'))
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
    """The last token is taken back from the prompt, and the text that the model spells again is not suggested."""
    text, offset = split("def f(x):\n    retur▮")
    model = Typist("def f(x):\n    return x")
    done = engine(model).complete(Request(text=text, offset=offset), CancelFlag())
    assert done.text == "n x"
    assert done.start == done.end == offset
    assert model.prompt[model.prompt.index(FIM.middle) + 1 :] == encode(text)[:-1]


def test_carriage_returns_are_not_in_the_prompt_but_in_the_suggestion() -> None:
    """A CRLF document has plain newlines in the prompt, and CRLF in the suggestion; offsets are the document's."""
    text = "def f(x):\r\n    y = x\r\n"
    model = Typist("def f(x):\n    y = x\n    y += 1\n    return y\n")
    done = engine(model).complete(Request(text=text, offset=len(text)), CancelFlag())
    assert encode("\r")[0] not in model.prompt
    assert done.text == "    y += 1\r\n    return y"
    assert done.start == done.end == len(text)


def test_carriage_return_from_the_model_is_removed() -> None:
    """The suggestion always has the document's line ending."""
    assert complete("a\r\n▮", "b\r\nc").text == "b\r\nc"
    assert complete("a\n▮", "b\r\nc").text == "b\nc"


def test_cursor_within_a_line_ending_completes_before_it() -> None:
    """No suggestion is inserted between the two characters of CRLF."""
    done = complete("a(\r▮\nc", "")
    assert (done.start, done.end) == (2, 2)


@pytest.mark.parametrize(("offset", "start"), [(-5, 0), (99, 3)])
def test_offset_outside_the_document_is_clamped(offset: int, start: int) -> None:
    """An offset outside the document means its nearest end."""
    done = engine(scripted("b = 1")).complete(Request(text="\na\n", offset=offset), CancelFlag())
    assert (done.text, done.start, done.end) == ("b = 1", start, start)


def test_half_a_character_is_not_suggested() -> None:
    """A suggestion never ends within the bytes of a character."""
    model = ScriptedModel(encode("x = é")[:-1], END, manifest().vocabulary)
    assert engine(model).complete(Request(text="\n", offset=1), CancelFlag()).text == "x ="


@pytest.mark.parametrize(
    ("marked", "requested", "lines"),
    [("▮", None, 3), ("▮", 2, 2), ("f(▮)", None, 3), ("▮ + 1", None, 1), ("▮ + 1", 2, 2)],
)
def test_lines_are_limited(marked: str, requested: int | None, lines: int) -> None:
    """The limit is the request's, else one line if code is right of the cursor, else the setting's."""
    settings = replace(SETTINGS, max_lines=3)
    assert complete(marked, "a,\nb,\nc,\nd,\n", settings, max_lines=requested).text.count("\n") == lines - 1


@pytest.mark.parametrize(("requested", "tokens"), [(None, 4), (2, 2), (9, 4)])
def test_tokens_are_limited(requested: int | None, tokens: int) -> None:
    """The limit is the setting's, or the request's if that is lower."""
    assert complete("▮", "1, 2, 3, 4, 5", replace(SETTINGS, max_tokens=4), max_tokens=requested).tokens == tokens


def test_suggestion_ends_at_the_deadline() -> None:
    """If the deadline passes at once, the suggestion has one token."""
    done = complete("▮", "1 + 2 + 3", replace(SETTINGS, deadline_ms=1e-6))  # type: ignore[arg-type]
    assert (done.tokens, done.reason) == (1, "")
    assert "1 + 2 + 3".startswith(done.text)


def test_prompt_and_suggestion_fit_the_context() -> None:
    """The KV cache has room for the token budgets and the longest suggestion, and the prompt stays in its budget."""
    model = Typist("")
    engine(model, replace(SETTINGS, context_tokens=100, workspace_tokens=28, max_tokens=16)).complete(
        Request(text="word " * 500, offset=2500), CancelFlag()
    )
    assert model.capacity == 144
    assert 64 < len(model.prompt) <= 128


@pytest.mark.parametrize(
    ("megabytes", "kept"), [(1, 1), (3, 1), (4, 2), (100, 3)], ids=["less than one", "one", "two", "all"]
)
def test_computed_prompts_are_kept_as_far_as_memory_allows(megabytes: int, kept: int) -> None:
    """The prompts of the most recent documents stay computed, as many as fit into the memory, but at least one."""
    model = Typist("")
    settings = replace(SETTINGS, cache_megabytes=megabytes, context_tokens=96, workspace_tokens=32, max_tokens=72)
    running = engine(model, settings, kv=KvLayout(layers=10, heads=5, head_size=25))  # 2 MB for 200 tokens
    documents = [f"{letter} = 1\n" * 20 for letter in "abc"]

    def reused(text: str) -> int:
        return running.complete(Request(text=text, offset=len(text), path=text), CancelFlag()).reused_tokens

    for text in documents:
        reused(text)
    # From the latest document backwards. A document without a cache takes that of another one, so the count ends.
    again = [reused(text) > 32 for text in reversed(documents)]
    assert [*again, False].index(False) == kept


@pytest.mark.parametrize("context_length", [32, 64, 1000])
def test_model_of_a_short_context_has_room_for_a_prompt(context_length: int) -> None:
    """Half of the model's context is for the prompt, whatever the settings are."""
    model = Typist("")
    engine(model, replace(SETTINGS, max_tokens=1024), context_length=context_length).complete(
        Request(text="word " * 500, offset=2500), CancelFlag()
    )
    usable = context_length - MAX_PADDING
    assert model.capacity == usable
    assert usable // 4 < len(model.prompt) <= usable // 2 + 1


@pytest.mark.parametrize(("generated", "reason"), [("", "blank"), ("  \n", "blank"), ("return x", "suffix-repeat")])
def test_dropped_suggestion_has_its_reason(generated: str, reason: str) -> None:
    """A text that is not shown leaves an empty completion with a reason code."""
    done = complete("def f(x):\n    ▮\n    return x\n", generated)
    assert (done.text, done.reason) == ("", reason)


def test_decoding_ends_where_the_text_should() -> None:
    """After a stop no more tokens are decoded."""
    done = complete("def f(x):\n    ▮", "return x\nprint(f(1))\nprint(f(2))\nprint(f(3))\n")
    assert done.text == "return x"
    assert done.tokens < len(encode("return x\nprint(f"))


def test_next_keystroke_reuses_the_cache() -> None:
    """Only the typed text is computed again."""
    running = engine(Typist(""))
    text = "def add(left, right):\n    return left\nx = "
    running.complete(Request(text=text, offset=len(text)), CancelFlag())
    done = running.complete(Request(text=f"{text}left + ", offset=len(text) + 7), CancelFlag())
    assert done.reused_tokens >= done.prompt_tokens - len(encode("left + ")) - 1
    assert done.reused_tokens < done.prompt_tokens


def test_flag_set_before_the_work_begins_stops_it() -> None:
    """Nothing is computed for a request that was superseded while it waited."""
    flag = CancelFlag()
    flag.set("superseded")
    model = scripted("1")
    with pytest.raises(Cancelled):
        engine(model).complete(Request(text="", offset=0), flag)
    assert model.steps == []


@pytest.mark.parametrize("step", [1, 2], ids=["during prefill", "during decoding"])
def test_flag_set_during_a_step_stops_before_the_next_step(step: int) -> None:
    """The work ends after the current step, and the next request gets its complete suggestion."""
    model = Typist("x = (1 + 2", cancel_at_step=step)
    running = engine(model)
    with pytest.raises(Cancelled) as stopped:
        running.complete(Request(text="x = (", offset=5), CancelFlag())
    assert stopped.value.reason == "superseded"
    assert model.steps == step
    assert running.complete(Request(text="x = (", offset=5), CancelFlag()).text == "1 + 2"


@pytest.mark.parametrize(
    ("now", "text"), [("x = (1▮", " + 2) * 3"), ("x = (▮", "1 + 2) * 3")], ids=["typed", "requested again"]
)
def test_interrupted_suggestion_is_continued(now: str, text: str) -> None:
    """A user who types the beginning of an interrupted suggestion gets the rest of it, with only the missing steps."""
    whole = complete("x = (▮", "1 + 2) * 3")
    model = Typist("x = (1 + 2) * 3", cancel_at_step=5)
    running, cache = engine(model, replace(SETTINGS, draft_tokens=0)), CompletionCache()
    with pytest.raises(Cancelled):
        running.complete(Request(text="x = (", offset=5), CancelFlag(), cache)
    document, offset = split(now)
    done = running.complete(Request(text=document, offset=offset), CancelFlag(), cache)
    assert (done.text, done.start, done.end) == (text, offset, offset)
    assert done.tokens < whole.tokens
    assert model.steps <= whole.tokens + 2, "one step was interrupted, and one found the end"


def test_suggestion_that_somebody_waits_for_is_no_longer_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """A suggestion that was begun ahead is continued with the priority of the request that needs it."""
    model = Typist("x = (1 + 2) * 3", cancel_at_step=5)
    running, cache = engine(model, replace(SETTINGS, draft_tokens=0)), CompletionCache()
    asked: list[bool] = []
    generate = running._generator.generate

    def noted(request: GenerationRequest, cancel: CancelFlag) -> TokenStream:
        asked.append(request.ahead)
        return generate(request, cancel)

    monkeypatch.setattr(running._generator, "generate", noted)
    with pytest.raises(Cancelled):
        running.complete(Request(text="x = (", offset=5, ahead=True), CancelFlag(), cache)
    assert running.complete(Request(text="x = (1", offset=6), CancelFlag(), cache).text == " + 2) * 3"
    assert asked == [True, False]


def test_interrupted_suggestion_is_dropped_if_something_else_is_typed() -> None:
    """The next request is answered from the beginning, and so is the one after it."""
    model = Typist("x = (1 + 2) * 3", cancel_at_step=5)
    running, cache = engine(model, replace(SETTINGS, draft_tokens=0)), CompletionCache()
    with pytest.raises(Cancelled):
        running.complete(Request(text="x = (", offset=5), CancelFlag(), cache)
    assert running.complete(Request(text="x = (y", offset=6), CancelFlag(), cache).text == ""
    again = running.complete(Request(text="x = (1", offset=6), CancelFlag(), cache)
    assert again.text == " + 2) * 3"


def test_interrupted_suggestion_in_a_closed_document_is_forgotten() -> None:
    """After the document was closed, the same request is answered from the beginning."""
    model = Typist("x = (1 + 2) * 3", cancel_at_step=5)
    running, cache = engine(model, replace(SETTINGS, draft_tokens=0)), CompletionCache()
    request = Request(text="x = (", offset=5, path="/a.py")
    with pytest.raises(Cancelled):
        running.complete(request, CancelFlag(), cache)
    cache.forget("/a.py")
    assert running.complete(request, CancelFlag(), cache).tokens == complete("x = (▮", "1 + 2) * 3").tokens


def test_automatic_suggestion_is_one_statement() -> None:
    """An automatic suggestion ends with the statement at the cursor, and an invoked one does not."""
    assert complete("x = ▮", "1000\ny = 2\n", automatic=True).text == "1000"
    assert complete("x = ▮", "1\ny = 2\n").text == "1\ny = 2"


def test_model_without_control_tokens_continues_the_prefix() -> None:
    """Without FIM tokens, the model continues the text before the cursor."""
    model = Typist("x = 1")
    running = engine(model, fim=FimFormat(order="prefix-only"))
    assert running.complete(Request(text="x = \ny", offset=4), CancelFlag()).text == "1"
    assert not set(model.prompt) & {FIM.prefix, FIM.suffix, FIM.middle}


def test_model_without_control_tokens_suggests_nothing_in_an_empty_document() -> None:
    """There is no prompt to continue, and this is not a failure."""
    model = scripted("1")
    done = engine(model, fim=FimFormat(order="prefix-only")).complete(Request(text="", offset=0), CancelFlag())
    assert (done.text, done.reason, done.tokens, model.steps) == ("", "blank", 0, [])


def test_model_may_have_more_tokens_than_its_tokenizer() -> None:
    """Checkpoints pad their vocabulary, and a padding token has no text."""
    vocabulary = manifest().vocabulary + 8
    model = ScriptedModel([vocabulary - 1, *encode("1")], END, vocabulary)
    running = engine(model, vocabulary=vocabulary)
    assert running.complete(Request(text="", offset=0), CancelFlag()).text == "1"


def test_tokenizer_may_have_more_tokens_than_its_model() -> None:
    """A token that the model does not know is never chosen when healing."""
    tokenizer = tiny_tokenizer()
    tokenizer.add_tokens(["retur and more"])
    assert engine(scripted("1"), tokenizer=tokenizer).complete(Request(text="x retur", offset=7), CancelFlag()).tokens


def test_each_token_of_the_text_has_its_log_probability() -> None:
    """There is a natural logarithm of the softmax for each token of the text, and none for tokens that were cut off."""
    done = engine(scripted("x = 1")).complete(Request(text="\n", offset=1), CancelFlag())
    expected = 1 - np.log(np.e + manifest().vocabulary - 1)  # the scripted model's logits are one 1 among zeros
    assert done.logprobs == pytest.approx([expected] * len(encode("x = 1")), abs=1e-4)
    cut = complete("▮", "y = 1\nz = 2\n", max_lines=1)
    assert cut.text == "y = 1"
    assert len(cut.logprobs) == len(encode("y = 1")) < cut.tokens


def test_empty_completion_has_no_log_probabilities() -> None:
    """Without a text there are no log-probabilities."""
    assert complete("▮", "  \n").logprobs == ()


def ask(model: Model, text: str, settings: Settings = SETTINGS, **request: Any) -> Completion:
    """Complete the end of a text."""
    return engine(model, settings).complete(Request(text=text, offset=len(text), **request), CancelFlag())


WAYS = (
    "def f(left, right):\n    return left",
    "def f(left, right):\n    return right",
    "def f(left, right):\n    pass",
)
HEAD = "def f(left, right):\n    "


def test_alternatives_are_other_continuations() -> None:
    """Each alternative has a different text and log-probabilities of its own."""
    done = ask(Undecided(*WAYS), HEAD, alternatives=3)
    assert done.text == "return left"
    assert sorted(other.text for other in done.alternatives) == ["pass", "return right"]
    for other in done.alternatives:
        assert other.logprobs[0] == done.logprobs[0], "it begins like the first suggestion"
        assert min(other.logprobs) < min(done.logprobs), "then it has a less likely token"


@pytest.mark.parametrize("count", [2, 3, 9])
def test_number_of_alternatives_does_not_change_the_first(count: int) -> None:
    """A request for several suggestions gets the same first one, and never more than it requested."""
    several, one = (ask(Undecided(*WAYS), HEAD, alternatives=n) for n in (count, 1))
    assert (several.text, several.tokens, several.logprobs) == (one.text, one.tokens, one.logprobs)
    assert one.alternatives == ()
    assert len(several.alternatives) == min(count, 3) - 1


def test_alternatives_share_the_prompts_cache() -> None:
    """The prompt is computed once, and for an alternative only its own tokens are computed."""
    model = Undecided(*WAYS)
    filler = "".join(f"x{number} = {number}\n" for number in range(40))
    model._ways = tuple(filler + way for way in WAYS)
    done = ask(model, filler + HEAD, alternatives=3)
    assert len(done.alternatives) == 2
    assert model.computed < done.prompt_tokens * 1.2


def test_alternative_with_the_same_text_is_dropped() -> None:
    """Other tokens that give the same text after trimming are not an alternative."""
    done = ask(Undecided("x = (1)", "x = (1)  "), "x = ", alternatives=3)
    assert (done.text, done.alternatives) == ("(1)", ())


def test_alternative_respects_the_limit_of_lines() -> None:
    """An alternative is stopped and trimmed like the first suggestion."""
    done = ask(Undecided("x = (1)\n", "x = (\n    1)\n"), "x = ", alternatives=2, max_lines=1)
    assert [done.text, *(other.text for other in done.alternatives)] == ["(1)", "("]


def test_alternative_has_the_documents_line_ends() -> None:
    """Each alternative has the document's line ending."""
    done = ask(Undecided("a\nb = 1\nc", "a\nb = 2\nd"), "a\r\nb = ", alternatives=2)
    assert [done.text, *(other.text for other in done.alternatives)] == ["1\r\nc", "2\r\nd"]


def test_alternatives_of_a_healed_word_spell_it_too() -> None:
    """An alternative to the healed token also begins with the text before the cursor."""
    done = ask(Undecided("x = right", "x = return"), "x = r", alternatives=2)
    assert [done.text, *(other.text for other in done.alternatives)] == ["ight", "eturn"]


def test_no_alternatives_after_the_deadline() -> None:
    """The deadline is for all suggestions together, and an alternative that it cuts short is not shown."""
    settings = replace(SETTINGS, deadline_ms=1e-6)  # type: ignore[arg-type]
    assert len(ask(Undecided("left", "right"), "", alternatives=2).alternatives) == 1
    done = ask(Undecided("left", "right"), "", settings, alternatives=2)
    assert (done.text, done.alternatives) == ("left", ())


def test_request_cancelled_during_its_alternatives() -> None:
    """The whole request is cancelled, and the next one is answered."""
    model = Undecided(*WAYS)
    ask(model, HEAD)
    model = Undecided(*WAYS, cancel_at_step=model.steps + 1)
    running = engine(model)
    with pytest.raises(Cancelled):
        running.complete(Request(text=HEAD, offset=len(HEAD), alternatives=3), CancelFlag())
    assert running.complete(Request(text=HEAD, offset=len(HEAD)), CancelFlag()).text == "return left"


def test_seed_decides_what_is_drawn() -> None:
    """One seed gives the same text with drafts and without, and several seeds give several texts."""

    def draw(seed: int, draft_tokens: int = 16) -> str:
        settings = replace(SETTINGS, draft_tokens=draft_tokens)
        return ask(Undecided(*WAYS), HEAD, settings, sampling=Sampling(temperature=0.5, top_k=2, seed=seed)).text

    texts = [draw(seed) for seed in range(20)]
    assert texts == [draw(seed, draft_tokens=0) for seed in range(20)]
    assert len(set(texts)) > 1
    assert ask(Undecided(*WAYS), HEAD).text == "return left"


REPEATED = "def add(left, right):\n    return left + right\n"


def test_drafts_come_from_other_open_documents() -> None:
    """Text of another document is generated in fewer steps if that document's prompt was computed and it is open."""

    def steps(prepare: Callable[[CompletionEngine], None]) -> int:
        model = Typist(f"# {REPEATED}")
        running = engine(model)
        prepare(running)
        before = model.steps
        done = running.complete(Request(text="# def ", offset=6, path="b"), CancelFlag())
        assert done.text == REPEATED.removeprefix("def ").rstrip()
        return model.steps - before

    def warm_up(running: CompletionEngine) -> None:
        running.warm_up(Request(text=REPEATED, offset=len(REPEATED), path="a"), CancelFlag())

    def warm_up_and_close(running: CompletionEngine) -> None:
        warm_up(running)
        running.forget("a")

    assert steps(warm_up) < steps(lambda _: None)
    assert steps(warm_up_and_close) == steps(lambda _: None)


def test_drafts_come_from_the_last_suggestion() -> None:
    """A user who types the beginning of a suggestion gets the rest of it in fewer steps."""
    model = Typist(f"# {REPEATED}")
    running = engine(model)
    first = running.complete(Request(text="# def ", offset=6), CancelFlag())
    before = model.steps
    typed = f"# def {first.text[:5]}"
    again = running.complete(Request(text=typed, offset=len(typed)), CancelFlag())
    assert again.text == first.text[5:]
    assert model.steps - before < before


def test_warmed_up_prompt_is_not_computed_again() -> None:
    """After a warm-up, the prompt and the logits of the first token are in the KV cache."""
    model = Undecided(*WAYS)
    running = engine(model)
    running.warm_up(Request(text=HEAD, offset=len(HEAD), path="a"), CancelFlag())
    computed = model.computed
    done = running.complete(Request(text=HEAD, offset=len(HEAD), path="a"), CancelFlag())
    assert done.reused_tokens == done.prompt_tokens == computed
    assert done.text == "return left"


def test_warm_up_of_a_superseded_request_computes_nothing() -> None:
    """A flag that is already set stops the warm-up before its first step."""
    flag, model = CancelFlag(), Undecided(*WAYS)
    flag.set("superseded")
    with pytest.raises(Cancelled):
        engine(model).warm_up(Request(text=HEAD, offset=len(HEAD)), flag)
    assert model.computed == 0


def test_warm_up_without_a_prompt() -> None:
    """A model without control tokens has nothing to compute at the start of a document."""
    model = scripted("1")
    engine(model, fim=FimFormat(order="prefix-only")).warm_up(Request(text="a", offset=0), CancelFlag())
    assert model.steps == []


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use a cache folder of the test's own instead of the user's."""
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path / "cache"))


def test_bundle_with_an_invalid_tokenizer_is_damaged(tmp_path: Path) -> None:
    """A tokenizer file may be invalid although its hash is correct; the error names the file."""
    write_bundle(tmp_path / "b", tokenizer=b"{}")
    with pytest.raises(BundleDamaged, match=TOKENIZER):
        load_engine(replace(SETTINGS, bundle=tmp_path / "b"))


def test_bundle_with_an_invalid_graph_cannot_be_loaded(tmp_path: Path) -> None:
    """The error of onnxruntime becomes one line, and all stages before it were reported."""
    write_bundle(tmp_path / "b")
    stages: list[tuple[str, float]] = []
    with pytest.raises(ModelError, match=r"^onnxruntime cannot load .*model\.onnx \(\w+\): export it again\.$"):
        load_engine(replace(SETTINGS, bundle=tmp_path / "b"), lambda stage, done: stages.append((stage, done)))
    assert [stage for stage, _ in stages] == ["checking the bundle", "reading the tokenizer", "loading the model"]
    assert sorted(done for _, done in stages) == [done for _, done in stages]


class Library:
    """A workspace with some snippets; it excludes the file secrets.py."""

    def __init__(self, *snippets: Snippet) -> None:
        self.snippets = snippets
        self.queries: list[str] = []
        self.forgotten: list[str] = []

    def excludes(self, path: str) -> bool:
        return path == "secrets.py"

    def snippets_at(
        self, path: str, text: str, offset: int, language: str, budget: int, window: int, opened_as: str = ""
    ) -> WorkspaceSnippets:
        self.queries.append(text)
        return WorkspaceSnippets("shop", opened_as or path, "#", self.snippets)

    def forget(self, path: str) -> None:
        self.forgotten.append(path)


TAX = Snippet("shop/tax.py", 3, 4, "def tax(net):\n    return net * 0.19", "definition", 5.0)


def test_other_files_are_parts_of_the_prompt() -> None:
    """Each part of the prompt has its kind and its place in a file, and all parts together are the prompt."""
    running = engine(scripted("1"), replace(SETTINGS, context_tokens=256))
    running.workspace = Library(TAX)
    done = running.complete(Request(text="def net():\n    ", offset=15, path="a.py"), CancelFlag())
    assert [part.kind for part in done.parts] == ["control", "suffix", "control", "definition", "prefix"]
    definition = done.parts[3]
    assert (definition.path, definition.first_line, definition.last_line) == ("shop/tax.py", 3, 4)
    assert tiny_tokenizer().decode(definition.ids) == "# Path: shop/tax.py\n# def tax(net):\n#     return net * 0.19\n"
    assert sum(len(part.ids) for part in done.parts) == done.prompt_tokens


def test_ablation_leaves_out_a_part_of_the_prompt() -> None:
    """Each kind of snippet can be left out, to measure what it is worth."""
    running = engine(scripted("1"))
    running.workspace, running.ablations = Library(TAX), frozenset({"definition"})
    done = running.complete(Request(text="a = ", offset=4, path="a.py"), CancelFlag())
    assert "definition" not in [part.kind for part in done.parts]


@pytest.mark.parametrize(
    ("path", "opened_as"), [("secrets.py", ""), ("a.py", "secrets.py")], ids=["by its path", "by the name of a link"]
)
def test_excluded_document_is_not_read(path: str, opened_as: str) -> None:
    """An excluded document gets no suggestion and no warm-up, and the reason says why."""
    model = scripted("1")
    running = engine(model)
    running.workspace = library = Library()
    request = Request(text="key = 1\n", offset=8, path=path, opened_as=opened_as)
    running.warm_up(request, CancelFlag())
    assert running.complete(request, CancelFlag()).reason == "excluded"
    assert (model.steps, library.queries) == ([], [])


def test_closed_document_is_forgotten_by_the_workspace() -> None:
    """The workspace is told to forget a closed document."""
    running = engine(scripted("1"))
    running.workspace = library = Library()
    running.forget("a.py")
    assert library.forgotten == ["a.py"]


def test_secret_is_in_no_prompt() -> None:
    """A placeholder replaces each secret of the document; the suggestion's offsets are those of the original."""
    token = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    text = f'TOKEN = "{token}"\nprint('
    running = engine(scripted("TOKEN)"))
    done = running.complete(Request(text=text, offset=len(text), path="a.py"), CancelFlag())
    prompt = tiny_tokenizer().decode([token for part in done.parts for token in part.ids], skip_special_tokens=False)
    assert "<github-token>" in prompt
    assert token not in prompt
    assert (done.start, done.end) == (len(text), len(text))


def test_unsure_suggestion_is_not_shown_while_typing() -> None:
    """The minimum confidence does not apply to invoked requests, unfiltered requests, and the ablation "gate"."""
    unsure = engine(scripted("return left"), replace(SETTINGS, min_confidence=0.9))
    typing = Request(text="a\n", offset=2, automatic=True)
    assert unsure.complete(typing, CancelFlag()).reason == "unsure"
    assert unsure.complete(replace(typing, automatic=False), CancelFlag()).text == "return left"
    assert unsure.complete(replace(typing, unfiltered=True), CancelFlag()).text == "return left"
    unsure.ablations = frozenset({"gate"})
    assert unsure.complete(typing, CancelFlag()).text == "return left"


def test_parts_have_the_lines_of_the_document() -> None:
    """The prefix ends and the suffix begins in the cursor's line."""
    text = "".join(f"a{number}\n" for number in range(40))
    done = engine(scripted("1"), replace(SETTINGS, context_tokens=64)).complete(
        Request(text=text, offset=text.index("a20"), path="a.py"), CancelFlag()
    )
    parts = {part.kind: part for part in done.parts}
    for kind, first, last in (("prefix", parts["prefix"].first_line, 20), ("suffix", 20, parts["suffix"].last_line)):
        shown = tiny_tokenizer().decode(parts[kind].ids)
        assert (parts[kind].first_line, parts[kind].last_line) == (first, last)
        start = text.index(shown)
        assert (text.count("\n", 0, start), text.count("\n", 0, start + len(shown))) == (first, last)


@pytest.mark.parametrize(
    ("settings", "request_", "reason"),
    [
        ({"enabled": False}, {}, "disabled"),
        ({"languages": {"sql": {"enabled": False}}}, {"language": "sql"}, "disabled"),
        ({"languages": {"sql": {"enabled": False}}}, {"language": "python"}, ""),
        ({"enabled": False}, {"automatic": False}, ""),
    ],
)
def test_suggestions_while_typing_can_be_turned_off(settings: Any, request_: Any, reason: str) -> None:
    """The setting ``enabled`` turns off automatic requests, in all languages or in one, but not invoked ones."""
    running = engine(scripted("return left"), replace(SETTINGS, **settings))
    request = replace(Request(text="a\n", offset=2, automatic=True), **request_)
    assert running.complete(request, CancelFlag()).reason == reason
