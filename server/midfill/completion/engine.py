"""A loaded bundle, ready to complete: from a document and a cursor to a suggestion, in reading order."""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

import numpy as np
from tokenizers import AddedToken, Tokenizer

from midfill.common.cancel import CancelFlag, Cancelled
from midfill.common.errors import BundleDamaged
from midfill.completion.cache import rest_of, typed_since
from midfill.completion.generation import Writer, Written
from midfill.completion.suppression import suppression_reason
from midfill.completion.types import Alternative, Completion, Request, nothing
from midfill.inference import thread_tuning
from midfill.inference.bundle import Bundle, load_bundle
from midfill.inference.decoder import Deadline, Decoder
from midfill.inference.draft_corpus import DraftCorpus
from midfill.inference.kv_cache import CachePool, KvCache
from midfill.inference.licences import require_use
from midfill.inference.onnx_model import Model, OnnxModel
from midfill.inference.prefill_throughput import PrefillThroughput
from midfill.inference.prompt_lookup import DraftLength
from midfill.inference.sampling import Choice, Sampler, greedy
from midfill.inference.token_healing import Vocabulary
from midfill.prompt.context import Context, gather, line_ending
from midfill.prompt.fim import Part, Prompt, build_prompt, other_files
from midfill.prompt.snippets import WorkspaceSnippets
from midfill.prompt.token_budget import budgets, longest_suggestion
from midfill.settings.schema import Settings

_CHARACTERS_PER_TOKEN = 4
"""An upper guess for code: of so much text no more than the wanted tokens is used."""
_PIECES_REMEMBERED = 256
ABLATIONS = ("definition", "sibling", "recent", "similar", "path", "suffix", "filters", "gate")
"""What an engine can do without."""

OnLoading = Callable[[str, float], None]
"""Told what is being done and how much of the whole is done, 0 to 1."""


class WorkspaceRetrieval(Protocol):
    """What an engine asks about other files; :class:`midfill.retrieval.service.Workspace` in earnest."""

    def excludes(self, path: str) -> bool:
        """Say whether a document may not be read."""

    def snippets_at(
        self, path: str, text: str, offset: int, language: str, budget: int, window: int
    ) -> WorkspaceSnippets:
        """Return what of other files matters at a cursor, in ``budget`` characters."""

    def forget(self, path: str) -> None:
        """Forget what was gathered for a document."""


def load_engine(
    settings: Settings, progress: OnLoading = lambda *_: None, workspace: WorkspaceRetrieval | None = None
) -> Engine:
    """Check the bundle that ``settings`` name and load its model.

    Raises:
        BundleError: the bundle cannot be used.
        ModelError: onnxruntime refuses its graph.
    """
    progress("checking the bundle", 0.0)
    bundle = load_bundle(settings.bundle)
    require_use(bundle.manifest.source.license, bundle.manifest.name, settings.use)
    progress("reading the tokenizer", 0.2)
    try:
        tokenizer = Tokenizer.from_file(str(bundle.tokenizer))
    except Exception as error:  # the library raises plain Exception
        raise BundleDamaged(f"{bundle.tokenizer} is no tokenizer: export the bundle again.") from error
    progress("loading the model", 0.4)
    model = OnnxModel(bundle.graph, bundle.manifest.kv, settings.threads or thread_tuning.chosen(bundle))
    engine = Engine(bundle, tokenizer, model, settings, workspace)
    progress("ready", 1.0)
    return engine


class Engine:
    """Completes with one model; not for several threads at once."""

    def __init__(
        self,
        bundle: Bundle,
        tokenizer: Tokenizer,
        model: Model,
        settings: Settings,
        workspace: WorkspaceRetrieval | None = None,
    ) -> None:
        self.bundle = bundle
        self.workspace = workspace
        """What is asked about other files; None for nothing. May be exchanged between requests."""
        self.ablations: frozenset[str] = frozenset()
        """What to do without, to measure what it is worth: see ``ABLATIONS``."""
        manifest = bundle.manifest
        self._fim = manifest.fim
        self.stop_tokens = frozenset(manifest.stop_tokens)
        fim_tokens = {self._fim.prefix, self._fim.suffix, self._fim.middle}
        self.control_tokens = self.stop_tokens | fim_tokens | _tokens_within(manifest.chat_template, tokenizer)
        """What only a prompt's own marks may be, never a document's text."""
        _read_control_tokens_as_text(tokenizer, self.control_tokens)
        self._tokenizer = tokenizer
        self.model = model
        self.settings = settings
        """May be exchanged between requests; what they say of sizes counts when the engine is made."""
        texts = _token_texts(tokenizer, manifest.vocabulary)
        self.vocabulary = Vocabulary(texts, excluded=self.stop_tokens)
        self._newlines = np.array([text.count("\n") for text in texts], np.int32)
        self._max_tokens = longest_suggestion(settings, bundle)
        self._reading_speed = PrefillThroughput(bundle)
        self._budgets = budgets(settings, bundle, self._reading_speed)
        self._encode_piece = lru_cache(_PIECES_REMEMBERED)(self.encode)  # what is shown again at each keystroke
        capacity = sum(self._budgets) + self._max_tokens
        fitting = settings.cache_megabytes * 1_000_000 // (manifest.kv.bytes_per_token * capacity)
        self._caches = CachePool(lambda: model.new_cache(capacity), max(fitting, 1))
        self._draft_sources = DraftCorpus(self.control_tokens)
        self._draft_length = DraftLength(settings.draft_tokens)
        self._interrupted: _Begun | None = None

    def complete(self, request: Request, cancel: CancelFlag) -> Completion:
        """Suggest what stands at ``request.offset``.

        Raises:
            Cancelled: ``cancel`` was set.
            ModelError: the model failed.
        """
        cancel.check()
        begun, self._interrupted = self._interrupted, None
        typed = typed_since(begun.request, request) if begun else None
        if begun and typed is not None and begun.text.startswith(typed):
            whole = self._write(begun, _Clock(), cancel)
            if (rest := rest_of(whole, typed)) is not None:
                return rest
        clock = _Clock()
        if reason := self._reason_for_nothing(request):
            return nothing(request, reason)
        context, around = self._gather(request)
        if context.in_secret:
            return nothing(request, "in-secret")
        clock.lap("context")
        prompt = self._read(request, context, around)
        clock.lap("tokenize")
        return self._write(_Begun(request, context, prompt), clock, cancel)

    def warm_up(self, request: Request, cancel: CancelFlag) -> None:
        """Compute the prompt of a request that may come; what is done when ``cancel`` is set stays computed.

        Raises:
            Cancelled: ``cancel`` was set.
            ModelError: the model failed.
        """
        cancel.check()
        if self._reason_for_nothing(request):
            return
        prompt = self._read(request, *self._gather(request))
        if prompt.ids:
            self._decoder(self._caches.pick(prompt.ids, request.path), request.path, cancel).warm_up(prompt.ids)

    def forget(self, path: str) -> None:
        """Look no more guesses up in a document that is closed, and write nothing there to its end."""
        if self._interrupted is not None and self._interrupted.request.path == path:
            self._interrupted = None
        self._draft_sources.forget(path)
        if self.workspace is not None:
            self.workspace.forget(path)

    def _reason_for_nothing(self, request: Request) -> str:
        """Return the reason code for not even reading the document, or ""."""
        if self.workspace is not None and self.workspace.excludes(request.path):
            return "excluded"
        settings = self.settings.for_language(request.language)
        if not request.automatic:
            return ""
        if not settings.enabled:
            return "disabled"
        return suppression_reason(
            request.text,
            request.offset,
            request.language,
            request.path,
            in_comments=settings.quiet_in_comments,
            in_strings=settings.quiet_in_strings,
            languages=settings.quiet_languages,
            folders=settings.quiet_folders,
        )

    def _gather(self, request: Request) -> tuple[Context, WorkspaceSnippets]:
        window = self._budgets.document * _CHARACTERS_PER_TOKEN
        context = gather(request.text, request.offset, window)
        if "suffix" in self.ablations:
            context = replace(context, suffix="")
        if self.workspace is None or not self._budgets.others:
            return context, WorkspaceSnippets()
        around = self.workspace.snippets_at(
            request.path,
            request.text,
            request.offset,
            request.language,
            budget=self._budgets.others * _CHARACTERS_PER_TOKEN,
            window=window,
        )
        kept = [snippet for snippet in around.snippets if snippet.kind not in self.ablations]
        return context, replace(around, snippets=kept, path="" if "path" in self.ablations else around.path)

    def _write(self, begun: _Begun, clock: _Clock, cancel: CancelFlag) -> Completion:
        """Write what was begun to its end; if that is interrupted, remember how far it came."""
        request, prompt = begun.request, begun.prompt
        cache = self._caches.pick(prompt.ids, request.path)
        decoder = self._decoder(cache, request.path, cancel)
        writer = self._writer(begun)
        try:
            first = writer.write(decoder, begun.choices)
        except Cancelled:
            self._interrupted = replace(begun, choices=writer.choices, text=writer.text)
            raise
        clock.lap("decode")
        clock.move(decoder.prefill_seconds, "decode", "prefill")
        self._reading_speed.learn(len(prompt.ids) - decoder.reused_tokens, decoder.prefill_seconds)
        self._draft_sources.suggested(prompt.ids, [choice.token for choice in first.choices])
        others: list[Written] = []
        if request.alternatives > 1:
            others = writer.others(self._decoder(cache, request.path, cancel), first, request.alternatives - 1)
            clock.lap("alternatives")
        newline = line_ending(request.text)
        return Completion(
            text=first.text.replace("\n", newline),
            start=begun.context.offset,
            end=begun.context.offset + first.replaces,
            reason=first.reason,
            model=self.bundle.manifest.name,
            prompt_tokens=len(prompt.ids),
            reused_tokens=min(decoder.reused_tokens, len(prompt.ids)),
            parts=prompt.parts,
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

    def _read(self, request: Request, context: Context, around: WorkspaceSnippets) -> Prompt:
        others = other_files(around, self._fim, self._encode_piece, self._budgets.others)
        prompt = build_prompt(
            context, self._fim, self.encode, self._budgets.document, self.vocabulary.can_be_cut_short, others
        )
        self._draft_sources.read(request.path, prompt.ids)
        return self._with_lines(prompt, context)

    def _with_lines(self, prompt: Prompt, context: Context) -> Prompt:
        """Note which of the document's lines its own parts are."""
        here = context.first_line + context.prefix.count("\n")

        def placed(part: Part) -> Part:
            if part.kind not in ("prefix", "suffix") or not part.ids:
                return part
            lines = int(self._newlines[part.ids].sum())
            first, last = (here - lines, here) if part.kind == "prefix" else (here, here + lines)
            return replace(part, first_line=first, last_line=last)

        return replace(prompt, parts=tuple(placed(part) for part in prompt.parts))

    def _decoder(self, cache: KvCache, path: str, cancel: CancelFlag) -> Decoder:
        return Decoder(self.model, cache, cancel, self._draft_length, self._draft_sources.besides(path))

    def _writer(self, begun: _Begun) -> Writer:
        request, context = begun.request, begun.context
        settings = self.settings.for_language(request.language)
        gated = request.automatic and not request.unfiltered and "gate" not in self.ablations
        return Writer(
            begun.prompt,
            context,
            self.vocabulary,
            self.text,
            max_tokens=min(request.max_tokens or settings.max_tokens, self._max_tokens),
            max_lines=request.max_lines or (1 if context.wants_one_line else settings.max_lines),
            stop_tokens=self.stop_tokens,
            deadline=Deadline(settings.deadline_ms / 1000 if settings.deadline_ms else None),
            one_statement=request.automatic,
            automatic=request.automatic,
            language=request.language,
            path=request.path,
            placeholders=context.placeholders,
            unfiltered=request.unfiltered or "filters" in self.ablations,
            min_confidence=settings.min_confidence if gated else 0.0,
            pick=Sampler(request.sampling) if request.sampling else greedy,
        )

    def encode(self, text: str) -> list[int]:
        """Return the tokens of ``text``, in which no control token is one."""
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def spell(self, ids: Sequence[int]) -> str:
        """Return the text of ``ids`` as the model sees it, control tokens included."""
        text: str = self._tokenizer.decode(ids, skip_special_tokens=False)
        return text

    def text(self, ids: Sequence[int]) -> str:
        """Decode ``ids``, with plain newlines; a character whose last bytes are still to come is left out."""
        return self.spell(ids).rstrip("\ufffd").replace("\r", "")


def _read_control_tokens_as_text(tokenizer: Tokenizer, control: Container[int]) -> None:
    """See to it that "<|fim_middle|>" in a document is text, not a command.

    Some checkpoints do not count their FIM tokens among the special ones, which alone can be left out when encoding.
    """
    added = tokenizer.get_added_tokens_decoder()
    tokenizer.add_special_tokens(
        [
            AddedToken(token.content, special=True, normalized=token.normalized)
            for number, token in added.items()
            if number in control and not token.special
        ]
    )
    tokenizer.encode_special_tokens = True


def _tokens_within(template: str, tokenizer: Tokenizer) -> set[int]:
    """Return the added tokens that a chat template writes."""
    return {number for number, token in tokenizer.get_added_tokens_decoder().items() if token.content in template}


def _token_texts(tokenizer: Tokenizer, vocabulary: int) -> list[str]:
    """Return the text of every token that the model may choose; "" for one that the tokenizer does not know."""
    texts: list[str] = tokenizer.decode_batch([[token] for token in range(vocabulary)], skip_special_tokens=False)
    return texts


@dataclass(frozen=True)
class _Begun:
    """A suggestion in the making.

    Editors cancel at every keystroke. Whoever types what is being written wants the rest of it: then the writing goes
    on where it was interrupted, and no token is decoded twice.
    """

    request: Request
    context: Context
    prompt: Prompt
    choices: Sequence[Choice] = ()
    """Decoded before it was interrupted."""
    text: str = ""
    """What they spell."""


class _Clock:
    """Time by stage, in the order the stages ended."""

    def __init__(self) -> None:
        self._last = time.perf_counter()
        self._seconds: dict[str, float] = {}

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self._seconds[stage] = now - self._last
        self._last = now

    def move(self, seconds: float, from_stage: str, to_stage: str) -> None:
        """Book ``seconds`` of one stage under another, which ran within it and first."""
        self._seconds[to_stage] = seconds
        self._seconds[from_stage] = self._seconds.pop(from_stage) - seconds

    def milliseconds(self) -> dict[str, float]:
        return {stage: round(seconds * 1000, 2) for stage, seconds in self._seconds.items()}
