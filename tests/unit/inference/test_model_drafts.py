"""Drafts that a cheaper model writes: they save steps, never change the text, and pause where they do not pay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from midfill.common.cancel import CancelFlag, Cancelled
from midfill.inference.bundle import DRAFT_GRAPH, Bundle, write_manifest
from midfill.inference.bundle_files import describe_files
from midfill.inference.decoder import Decoder
from midfill.inference.kv_cache import KvCache
from midfill.inference.loaded_model import LoadedModel, load_model
from midfill.inference.model_drafts import ModelDrafts
from midfill.inference.prompt_lookup import DraftLength
from midfill.inference.sampling import Sampler, Sampling
from midfill.inference.token_generator import GenerationRequest
from midfill.inference.token_healing import TokenHealing, Vocabulary
from midfill.settings.schema import Settings
from unit.helpers import MarkovModel, chain_graph, encode, manifest, model_tokenizer, write_bundle

SIZE = 6
TABLES = arrays(np.float32, (SIZE, SIZE), elements=st.floats(-30, 30, width=32))
SURE = (50 * np.roll(np.eye(SIZE), 1, axis=1)).astype(np.float32)
"""Logits of a model that counts: after each token comes the next one, almost certainly."""
PROMPT = [0, 1]


def decode(
    model: MarkovModel, drafts: MarkovModel | None, cache: KvCache, stop: Sequence[int] = (), seed: int = 7
) -> list[int]:
    """Decode 30 tokens of ``model``, drafted by ``drafts``."""
    decoder = Decoder(
        model, cache, CancelFlag(), DraftLength(0), model_drafts=None if drafts is None else ModelDrafts(drafts, 16)
    )
    pick = Sampler(Sampling(temperature=1.0, seed=seed))
    healing = TokenHealing(Vocabulary([]), "")
    return [c.token for c in decoder.generate(PROMPT, healing, max_tokens=30, stop_tokens=stop, pick=pick)]


def length_after_dear_steps() -> DraftLength:
    """Learn from steps in which each draft token took as long as a step without one."""
    length = DraftLength(8, 0.5, may_pause=True)
    for drafted in range(64):
        length.learn(drafted % 4, drafted % 4, drafted % 2, 1.0 + drafted % 4)
    return length


@given(TABLES, TABLES, st.integers(0, 9))
def test_drafts_never_change_the_text(table: NDArray[np.float32], other: NDArray[np.float32], seed: int) -> None:
    """Whatever another model drafts, tokens and cache are those of the model alone, also if tokens are drawn."""
    alone, drafted = KvCache(None, 100), KvCache(None, 100)
    expected = decode(MarkovModel(table), None, alone, seed=seed)
    assert decode(MarkovModel(table), MarkovModel(other), drafted, seed=seed) == expected
    assert drafted.tokens == alone.tokens


def test_accepted_drafts_save_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that agrees leaves few steps to the one that checks, and one that never does leaves them all."""
    monkeypatch.setattr("midfill.inference.decoder.time.perf_counter", lambda: 0.0)  # all steps take the same time
    model, wrong = MarkovModel(SURE), MarkovModel(np.roll(SURE, 1, axis=1))
    decode(model, MarkovModel(SURE), KvCache(None, 100))
    assert len(model.steps) < 15
    alone = MarkovModel(SURE)
    decode(alone, wrong, KvCache(None, 100))
    assert len(alone.steps) == 30


def test_draft_ends_where_it_is_not_sure() -> None:
    """The token that is improbable is the last one."""
    table = SURE.copy()
    table[1] = [0, 0, 0.1, 0, 0, 0]
    model = MarkovModel(table)
    draft = ModelDrafts(model, 16)
    draft.length.learn(8, 8, 8, None)
    assert draft.propose(0, KvCache(None, 100), 8, (), CancelFlag()) == [1, 2]


def test_draft_ends_at_a_stop_token() -> None:
    """Nothing after it can be accepted."""
    drafts = ModelDrafts(MarkovModel(SURE), 16)
    drafts.length.learn(8, 8, 8, None)
    assert drafts.propose(0, KvCache(None, 100), 8, (1,), CancelFlag()) == [1]


def test_draft_has_no_more_tokens_than_fit() -> None:
    """The last token of a suggestion needs no draft."""
    assert ModelDrafts(MarkovModel(SURE), 16).propose(0, KvCache(None, 2), 0, (), CancelFlag()) == []


def test_cancelled_draft_leaves_the_cache_as_it_was() -> None:
    """A draft that is cancelled after its first token leaves none in the cache."""
    flag = CancelFlag()

    class Cancelling(MarkovModel):
        def step(self, ids: Sequence[int], cache: KvCache, rows: int, cancel: CancelFlag) -> NDArray[np.float32]:
            logits = super().step(ids, cache, rows, cancel)
            flag.set("test")
            return logits

    cache = KvCache(None, 100)
    cache.append(PROMPT)
    drafts = ModelDrafts(Cancelling(SURE), 16)
    drafts.length.learn(8, 8, 8, None)
    with pytest.raises(Cancelled):
        drafts.propose(1, cache, 8, (), flag)
    assert cache.tokens == PROMPT


def test_drafts_pause_where_they_do_not_pay() -> None:
    """Where a draft token takes as long as a step, none is written, but for one now and then."""
    length = length_after_dear_steps()
    chosen = [length.choose() for _ in range(66)]
    assert (chosen.count(0), chosen.count(1)) == (64, 2)


@pytest.mark.parametrize(("allowed", "is_drafted"), [(0, False), (16, True)])
def test_setting_turns_them_off(allowed: int, is_drafted: bool) -> None:
    """With no draft tokens allowed, the model that drafts is never asked; the text is the same."""
    made = manifest()
    table = (50 * np.roll(np.eye(made.vocabulary), 1, axis=1)).astype(np.float32)
    drafting = MarkovModel(table)
    loaded = LoadedModel(Bundle(Path("unused"), made), model_tokenizer(), MarkovModel(table), draft_model=drafting)
    generator = loaded.new_generator(context=100, cache_bytes=0, max_draft_tokens=allowed)
    request = GenerationRequest(prompt=[20, 21], max_tokens=6, stop_tokens=())
    assert [choice.token for choice in generator.generate(request, CancelFlag())] == [22, 23, 24, 25, 26, 27]
    assert bool(drafting.steps) == is_drafted


def test_model_runs_without_a_graph_that_drafts_and_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The bundle is loaded all the same, and the log says what is wrong and what to do."""
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path / "cache"))
    bundle = write_bundle(tmp_path / "bundle", chain_graph("pass"))
    bundle.draft_graph.write_bytes(b"no graph")
    files = {**bundle.manifest.files, **describe_files(bundle.folder, [DRAFT_GRAPH])}
    write_manifest(bundle.path, replace(bundle.manifest, files=files))
    loaded = load_model(Settings(bundle=bundle.path, threads=1))
    generator = loaded.new_generator(context=100, cache_bytes=0, max_draft_tokens=16)
    request = GenerationRequest(prompt=[5, loaded.manifest.fim.middle], max_tokens=3, stop_tokens=())
    assert next(iter(generator.generate(request, CancelFlag()))).token == encode("pass")[0]
    assert "draft.onnx (" in caplog.text
    assert "export it again. Until then, the model writes without drafts of its own." in caplog.text
