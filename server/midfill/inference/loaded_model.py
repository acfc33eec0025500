"""A bundle in memory, and the token generator that runs it in this process."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator, Sequence

import psutil

from midfill.common.cancel import CancelFlag
from midfill.common.errors import ModelError
from midfill.common.logs import PublicText
from midfill.inference import thread_tuning
from midfill.inference.bundle import Bundle, Manifest, load_bundle
from midfill.inference.bundle_versions import load_current, remove_old_versions
from midfill.inference.decoder import Decoder
from midfill.inference.kv_cache import CachePool
from midfill.inference.memory_needed import has_room_for_drafts
from midfill.inference.model_drafts import ModelDrafts
from midfill.inference.onnx_model import Model, OnnxModel
from midfill.inference.permission import require_permission
from midfill.inference.preemption import PreemptibleModel, Steps
from midfill.inference.prefill_throughput import speed_key
from midfill.inference.prompt_lookup import DraftLength
from midfill.inference.sampling import Choice, Sampler, greedy, log_probability
from midfill.inference.token_generator import (
    NO_METER,
    GenerationRequest,
    GenerationStats,
    OnLoading,
    PrefillMeter,
    ScoredToken,
    TokenStream,
)
from midfill.inference.token_healing import TokenHealing
from midfill.inference.tokenizer import ModelTokenizer, load_tokenizer
from midfill.settings.schema import Settings

_log = logging.getLogger(__name__)

_SCORED_AT_ONCE = 64
"""Tokens scored in one step. Each needs a row of logits, 0.6 MB for a vocabulary of 150,000."""


class LoadedModel:
    """A bundle's tokenizer and ONNX session: a :class:`midfill.inference.token_generator.LanguageModel`."""

    def __init__(
        self,
        bundle: Bundle,
        tokenizer: ModelTokenizer,
        model: Model,
        threads: int = 0,
        draft_model: Model | None = None,
    ) -> None:
        """Join what was loaded.

        Args:
            bundle: what was loaded.
            tokenizer: of the bundle.
            model: of the bundle.
            threads: number of threads that ``model`` runs on; 0 if it is not known.
            draft_model: the model in 4 bits; None if it is not loaded.
        """
        self.bundle = bundle
        self.tokenizer = tokenizer
        self._model = model
        self._draft_model = draft_model
        self.threads = threads

    @property
    def manifest(self) -> Manifest:
        """What is known about the model."""
        return self.bundle.manifest

    @property
    def speed_key(self) -> str:
        """See :attr:`midfill.inference.token_generator.LanguageModel.speed_key`."""
        return speed_key(self.manifest, self.threads)

    def new_generator(
        self,
        *,
        context: int,
        cache_bytes: int,
        max_draft_tokens: int,
        steps: Steps | None = None,
        meter: PrefillMeter = NO_METER,
    ) -> LocalGenerator:
        """See :meth:`midfill.inference.token_generator.LanguageModel.new_generator`."""
        model, draft_model = self._model, self._draft_model
        if steps is not None:
            model = PreemptibleModel(model, steps)
            draft_model = draft_model and PreemptibleModel(draft_model, steps)
        fitting = cache_bytes // (self.manifest.kv.bytes_per_token * context)
        caches = CachePool(lambda: model.new_cache(context), max(fitting, 1))
        drafts = ModelDrafts(draft_model, max_draft_tokens) if draft_model and max_draft_tokens else None
        return LocalGenerator(model, self.tokenizer, caches, max_draft_tokens, meter, drafts)


class LocalGenerator:
    """Runs the model's steps in this process: a :class:`midfill.inference.token_generator.TokenGenerator`."""

    def __init__(
        self,
        model: Model,
        tokenizer: ModelTokenizer,
        caches: CachePool,
        max_draft_tokens: int,
        meter: PrefillMeter = NO_METER,
        model_drafts: ModelDrafts | None = None,
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._caches = caches
        self._draft_length = DraftLength(max_draft_tokens)
        self._model_drafts = model_drafts
        self._meter = meter

    def generate(self, request: GenerationRequest, cancel: CancelFlag) -> TokenStream:
        """See :meth:`midfill.inference.token_generator.TokenGenerator.generate`."""
        stats = GenerationStats()
        return TokenStream(self._generate(request, cancel, stats), stats)

    def prefill(self, prompt: Sequence[int], document: str, cancel: CancelFlag) -> None:
        """See :meth:`midfill.inference.token_generator.TokenGenerator.prefill`."""
        cache = self._caches.pick(prompt, document)
        Decoder(self._model, cache, cancel, self._draft_length, meter=self._meter).warm_up(prompt)

    def score(self, prompt: Sequence[int], text: Sequence[int], cancel: CancelFlag) -> Iterator[ScoredToken]:
        """See :meth:`midfill.inference.token_generator.TokenGenerator.score`."""
        cache = self._caches.pick(prompt, "")
        Decoder(self._model, cache, cancel, self._draft_length).warm_up(prompt[:-1])
        last = prompt[-1]
        for start in range(0, len(text), _SCORED_AT_ONCE):
            chunk = text[start : start + _SCORED_AT_ONCE]
            logits = self._model.step([last, *chunk[:-1]], cache, len(chunk), cancel)  # (len(chunk), V)
            for row, token in zip(logits, chunk, strict=True):
                likeliest = greedy(row)
                yield ScoredToken(likeliest, float(row[likeliest] - row[token]), log_probability(row, token))
            last = chunk[-1]

    def _generate(self, request: GenerationRequest, cancel: CancelFlag, stats: GenerationStats) -> Generator[Choice]:
        cache = self._caches.pick(request.prompt, request.document)
        decoder = Decoder(
            self._model,
            cache,
            cancel,
            self._draft_length,
            request.drafts,
            self._meter,
            stats,
            self._model_drafts,
        )
        yield from decoder.generate(
            request.prompt,
            TokenHealing(self._tokenizer.vocabulary, request.required_prefix),
            max_tokens=request.max_tokens,
            stop_tokens=request.stop_tokens,
            pick=Sampler(request.sampling) if request.sampling else greedy,
            deadline=request.deadline,
        )


def load_model(settings: Settings, on_loading: OnLoading = lambda *_: None) -> LoadedModel:
    """Check the bundle that ``settings`` name, and load its tokenizer and its model.

    A bundle that is replaced meanwhile is loaded again. Versions of it that nobody can load any more are removed.

    Raises:
        BundleError: the bundle cannot be used.
        PolicyRefused: the administrators' policy forbids its model.
        ModelError: onnxruntime refuses its graph.
    """
    model = load_current(settings.bundle, lambda: _load(settings, on_loading))
    remove_old_versions(settings.bundle)
    return model


def _load(settings: Settings, on_loading: OnLoading) -> LoadedModel:
    on_loading("checking the bundle", 0.0)
    bundle = load_bundle(settings.bundle)
    require_permission(bundle.manifest, settings)
    on_loading("reading the tokenizer", 0.2)
    tokenizer = load_tokenizer(bundle)
    on_loading("loading the model", 0.4)
    threads = settings.threads or thread_tuning.chosen(bundle).number
    model = OnnxModel.of(bundle, threads)
    draft_model = _load_draft_model(bundle, settings, threads)
    on_loading("ready", 1.0)
    return LoadedModel(bundle, tokenizer, model, threads, draft_model)


def _load_draft_model(bundle: Bundle, settings: Settings, threads: int) -> OnnxModel | None:
    """Load the model that drafts if it is wanted and memory is plentiful; the text is the same without it."""
    if not settings.draft_tokens or not has_room_for_drafts(bundle.manifest, psutil.virtual_memory().available):
        return None
    try:
        return OnnxModel.that_drafts(bundle, threads)
    except ModelError as error:
        _log.warning("%s", PublicText(f"{error} Until then, the model writes without drafts of its own."))
        return None
