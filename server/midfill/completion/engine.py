"""The completion pipeline in reading order: from a document and a cursor to a suggestion.

It knows a :class:`midfill.inference.token_generator.LanguageModel`, and not where that computes its tokens.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Protocol

from midfill.common.cancel import CancelFlag, Cancelled
from midfill.common.reasons import Reason
from midfill.completion.cache import CompletionCache, Unfinished, rest_of
from midfill.completion.generation import Generation, Limits, Place, Style
from midfill.completion.suppression import suppression_reason
from midfill.completion.types import Alternative, Completion, Request, no_suggestion
from midfill.engine.open_model import open_in_process, open_model
from midfill.inference.draft_corpus import DraftCorpus
from midfill.inference.prefill_throughput import Clock, PrefillThroughput, thread_clock
from midfill.inference.token_generator import Deadline, LanguageModel, OnLoading, TokenGenerator
from midfill.prompt.context import Context, gather, line_ending
from midfill.prompt.fim import Part, Prompt, build_prompt, other_files
from midfill.prompt.snippets import WorkspaceSnippets
from midfill.prompt.token_budget import MAX_CHARACTERS_PER_TOKEN, PromptLength, TokenBudget, longest_suggestion
from midfill.settings.live import LiveSettings
from midfill.settings.schema import Settings

_ENCODED_PIECES_KEPT = 256
ABLATIONS = ("definition", "sibling", "recent", "similar", "path", "suffix", "filters", "gate")
"""Parts of the pipeline that can be left out, to measure what each one is worth."""


class WorkspaceRetrieval(Protocol):
    """What the pipeline asks about other files; :class:`midfill.retrieval.service.Workspace` answers."""

    def excludes(self, path: str) -> bool:
        """Say whether Midfill may not read a document."""

    def snippets_at(
        self, path: str, text: str, offset: int, language: str, budget: int, window: int, opened_as: str = ""
    ) -> WorkspaceSnippets:
        """Return the snippets of other files that are relevant at a cursor, in ``budget`` characters."""

    def forget(self, path: str) -> None:
        """Forget what was gathered for a document."""


def load_engine(
    settings: Settings | LiveSettings,
    on_loading: OnLoading = lambda *_: None,
    workspace: WorkspaceRetrieval | None = None,
) -> CompletionEngine:
    """Load the bundle that ``settings`` name in this process, and return the pipeline for it.

    Raises:
        BundleError: the bundle cannot be used.
        ModelError: onnxruntime refuses its graph.
    """
    live = settings if isinstance(settings, LiveSettings) else LiveSettings(settings)
    return CompletionEngine(open_in_process(live.now, on_loading), live, workspace)


def open_engine(settings: LiveSettings, on_loading: OnLoading = lambda *_: None) -> CompletionEngine:
    """Return the pipeline of a server, whose model may be in the engine process that servers share.

    Raises:
        BundleError, ModelError: as :func:`load_engine`.
    """
    return CompletionEngine(open_model(settings.now, on_loading), settings)


class CompletionEngine:
    """Completes with one model; for one thread at a time."""

    def __init__(
        self,
        model: LanguageModel,
        settings: LiveSettings,
        workspace: WorkspaceRetrieval | None = None,
        clock: Clock = thread_clock,
    ) -> None:
        """Complete with ``model``. The settings in force when the engine is made decide how much it reads.

        ``clock`` measures how fast the model is.
        """
        self.model = model
        self.settings = settings
        self.workspace = workspace
        """Answers questions about other files; None for no context from other files. It may be replaced between
        requests."""
        self.ablations: frozenset[str] = frozenset()
        """The parts of ``ABLATIONS`` to leave out."""
        now = settings.now
        self._tokenizer = model.tokenizer
        self._fim = model.manifest.fim
        self._max_tokens = longest_suggestion(now, model.manifest)
        self._throughput = PrefillThroughput(model.speed_key, clock)
        self._prompt_length = PromptLength(now, model.manifest, self._throughput)
        self._longest_prompt = self._prompt_length.budget().total
        self._generator = self._new_generator(now)
        self._drafts = DraftCorpus(self._tokenizer.control_tokens)
        # The same snippets stand in the prompt of each keystroke.
        self._encode_snippet = lru_cache(_ENCODED_PIECES_KEPT)(self._tokenizer.encode)

    def complete(self, request: Request, cancel: CancelFlag, cache: CompletionCache | None = None) -> Completion:
        """Return a suggestion at ``request.offset``, or the reason why there is none.

        An interrupted suggestion in ``cache`` is continued if ``request`` is on its way; one that is interrupted now
        is put there.

        Raises:
            Cancelled: ``cancel`` was set.
            ModelError: the model failed.
        """
        cancel.check()
        cache = cache or CompletionCache()
        version = cache.version
        if (interrupted := cache.take_unfinished(request)) is not None:
            unfinished, typed = interrupted
            unfinished = replace(unfinished, request=replace(unfinished.request, ahead=request.ahead))
            whole = self._generate(unfinished, _StageClock(), cancel, cache, version)
            if (rest := rest_of(whole, typed)) is not None:
                return rest
        clock = _StageClock()
        if reason := self._reason_for_silence(request):
            return no_suggestion(request, reason)
        cancel.check()
        budget = self._budget(request.path)
        context, snippets = self._gather(request, budget)
        cancel.check()
        if context.in_secret:
            return no_suggestion(request, Reason.IN_SECRET)
        clock.end_stage("context")
        prompt = self._build_prompt(request, context, snippets, budget)
        clock.end_stage("tokenize")
        return self._generate(Unfinished(request, context, prompt, str(budget)), clock, cancel, cache, version)

    def warm_up(self, request: Request, cancel: CancelFlag) -> None:
        """Compute the prompt of a request that is expected. What is computed before a cancel stays.

        Raises:
            Cancelled: ``cancel`` was set.
            ModelError: the model failed.
        """
        cancel.check()
        if self._reason_for_silence(request):
            return
        budget = self._budget(request.path)
        prompt = self._build_prompt(request, *self._gather(request, budget), budget)
        if prompt.ids:
            self._generator.prefill(prompt.ids, request.path, cancel)

    def forget(self, path: str) -> None:
        """Look up no more drafts in a document, because it was closed."""
        self._drafts.forget(path)
        self._prompt_length.forget(path)
        if self.workspace is not None:
            self.workspace.forget(path)

    def spell(self, ids: Sequence[int]) -> str:
        """Return the text of tokens as the model sees it, control tokens included."""
        return self._tokenizer.spell(ids)

    def excludes(self, request: Request) -> bool:
        """Return whether ignore rules keep the document of a request from being read."""
        return self.workspace is not None and self.workspace.excludes(request.opened_as or request.path)

    def _reason_for_silence(self, request: Request) -> Reason:
        """Return why the document must not even be read; ``Reason.NONE`` if it may be."""
        if self.excludes(request):
            return Reason.EXCLUDED
        settings = self.settings.now.for_language(request.language)
        if not request.automatic:
            return Reason.NONE
        if not settings.enabled:
            return Reason.DISABLED
        return suppression_reason(
            request.text,
            request.offset,
            request.language,
            (request.path, request.opened_as),
            in_comments=settings.quiet_in_comments,
            in_strings=settings.quiet_in_strings,
            languages=settings.quiet_languages,
            folders=settings.quiet_folders,
        )

    def _budget(self, path: str) -> TokenBudget:
        """Return how much to read now. If that is more than ever before, the KV caches are replaced by larger ones."""
        budget = self._prompt_length.budget(path)
        if budget.total > self._longest_prompt:
            self._longest_prompt = budget.total
            self._generator = self._new_generator(self.settings.now)
        return budget

    def _new_generator(self, settings: Settings) -> TokenGenerator:
        return self.model.new_generator(
            context=self._longest_prompt + self._max_tokens,
            cache_bytes=settings.cache_megabytes * 1_000_000,
            max_draft_tokens=settings.draft_tokens,
            meter=self._throughput,
        )

    def _gather(self, request: Request, budget: TokenBudget) -> tuple[Context, WorkspaceSnippets]:
        window = budget.document * MAX_CHARACTERS_PER_TOKEN
        context = gather(request.text, request.offset, window)
        if "suffix" in self.ablations:
            context = replace(context, suffix="")
        if self.workspace is None or not budget.snippets:
            return context, WorkspaceSnippets()
        found = self.workspace.snippets_at(
            request.path,
            request.text,
            request.offset,
            request.language,
            budget=budget.snippets * MAX_CHARACTERS_PER_TOKEN,
            window=window,
            opened_as=request.opened_as,
        )
        kept = [snippet for snippet in found.snippets if snippet.kind not in self.ablations]
        return context, replace(found, snippets=kept, path="" if "path" in self.ablations else found.path)

    def _build_prompt(
        self, request: Request, context: Context, snippets: WorkspaceSnippets, budget: TokenBudget
    ) -> Prompt:
        prompt = build_prompt(
            context,
            self._fim,
            self._tokenizer.encode,
            budget.document,
            self._tokenizer.vocabulary.can_be_cut_short,
            other_files(snippets, self._fim, self._encode_snippet, budget.snippets),
        )
        self._drafts.add_document(request.path, prompt.ids)
        return self._with_lines(prompt, context)

    def _generate(
        self, begun: Unfinished, clock: _StageClock, cancel: CancelFlag, cache: CompletionCache, version: int
    ) -> Completion:
        """Generate a suggestion to its end. If that is interrupted, put what is there into the cache."""
        request, prompt = begun.request, begun.prompt
        generation = self._new_generation(begun)
        try:
            first = generation.generate(cancel, begun.choices)
        except Cancelled:
            cache.interrupt(replace(begun, choices=generation.choices, text=generation.text), version)
            raise
        clock.end_stage("decode")
        clock.split_off("prefill", first.stats.prefill_seconds, "decode")
        self._drafts.add_suggestion(prompt.ids, [choice.token for choice in first.choices])
        others = []
        if request.alternatives > 1:
            others = generation.alternatives(cancel, first, request.alternatives - 1)
            clock.end_stage("alternatives")
        newline = line_ending(request.text)
        return Completion(
            text=first.text.replace("\n", newline),
            start=begun.context.offset,
            end=begun.context.offset + first.replaces,
            reason=first.reason,
            model=first.stats.model or self.model.manifest.name,
            prompt_tokens=len(prompt.ids),
            reused_tokens=min(first.stats.reused_tokens, len(prompt.ids)),
            parts=prompt.parts,
            budget=begun.budget,
            stopped_by=first.stopped_by,
            changes=first.changes,
            tokens=first.tokens - len(begun.choices),
            logprobs=first.logprobs,
            alternatives=tuple(
                Alternative(text=other.text.replace("\n", newline), logprobs=other.logprobs)
                for other in others
                if other.replaces == first.replaces
            ),
            milliseconds=clock.milliseconds(),
        )

    def _new_generation(self, begun: Unfinished) -> Generation:
        request, context = begun.request, begun.context
        settings = self.settings.now.for_language(request.language)
        gated = request.automatic and not request.unfiltered and "gate" not in self.ablations
        limits = Limits(
            max_tokens=min(request.max_tokens or settings.max_tokens, self._max_tokens),
            max_lines=request.max_lines or (1 if context.wants_one_line else settings.max_lines),
            deadline=Deadline(settings.deadline_ms / 1000 if settings.deadline_ms else None),
            min_confidence=settings.min_confidence if gated else 0.0,
        )
        style = Style(
            automatic=request.automatic,
            unfiltered=request.unfiltered or "filters" in self.ablations,
            sampling=request.sampling,
            ahead=request.ahead,
        )
        place = Place(context=context, path=request.path, language=request.language)
        drafts = self._drafts.excluding(request.path)
        return Generation(self._generator, self._tokenizer, begun.prompt, place, limits, style, drafts)

    def _with_lines(self, prompt: Prompt, context: Context) -> Prompt:
        """Note which lines of the document its parts are."""
        here = context.first_line + context.prefix.count("\n")

        def placed(part: Part) -> Part:
            if part.kind not in ("prefix", "suffix") or not part.ids:
                return part
            lines = self._tokenizer.count_newlines(part.ids)
            first, last = (here - lines, here) if part.kind == "prefix" else (here, here + lines)
            return replace(part, first_line=first, last_line=last)

        return replace(prompt, parts=tuple(placed(part) for part in prompt.parts))


class _StageClock:
    """The time of each stage, in the order in which the stages ended."""

    def __init__(self) -> None:
        self._last = time.perf_counter()
        self._seconds: dict[str, float] = {}

    def end_stage(self, stage: str) -> None:
        now = time.perf_counter()
        self._seconds[stage] = now - self._last
        self._last = now

    def split_off(self, stage: str, seconds: float, whole: str) -> None:
        """Count the first ``seconds`` of the stage ``whole`` as a stage of their own."""
        self._seconds[stage] = seconds
        self._seconds[whole] = self._seconds.pop(whole) - seconds

    def milliseconds(self) -> dict[str, float]:
        return {stage: round(seconds * 1000, 2) for stage, seconds in self._seconds.items()}
