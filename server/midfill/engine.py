"""A loaded bundle, ready to complete: from a document and a cursor to a suggestion, in reading order."""

from __future__ import annotations

import time
from collections.abc import Callable, Container

from tokenizers import AddedToken, Tokenizer

from midfill import postprocess
from midfill.bundle import Bundle, load_bundle
from midfill.cancel import CancelFlag
from midfill.completion import Completion, Request
from midfill.context import Context, gather, line_ending
from midfill.decode import Decoder
from midfill.drafts import DraftLength
from midfill.errors import BundleDamaged
from midfill.fim import Prompt, build_prompt
from midfill.healing import Healing, Vocabulary
from midfill.kv_cache import CachePool
from midfill.model import Model, OnnxModel
from midfill.settings import Settings

Progress = Callable[[str, float], None]
"""Told what is being done and how much of the whole is done, 0 to 1."""

_DOCUMENTS = 4
"""Prompts kept computed; each takes up to 25 MB for the 0.5B at the default context."""


def load_engine(settings: Settings, progress: Progress = lambda *_: None) -> Engine:
    """Check the bundle that ``settings`` name and load its model.

    Raises:
        BundleError: the bundle cannot be used.
        ModelError: onnxruntime refuses its graph.
    """
    progress("checking the bundle", 0.0)
    bundle = load_bundle(settings.bundle)
    progress("reading the tokenizer", 0.2)
    try:
        tokenizer = Tokenizer.from_file(str(bundle.tokenizer))
    except Exception as error:  # the library raises plain Exception
        raise BundleDamaged(f"{bundle.tokenizer} is no tokenizer: export the bundle again.") from error
    progress("loading the model", 0.4)
    model = OnnxModel(bundle.graph, bundle.manifest.kv, settings.threads)
    engine = Engine(bundle, tokenizer, model, settings)
    progress("ready", 1.0)
    return engine


class Engine:
    """Completes with one model; not for several threads at once."""

    def __init__(self, bundle: Bundle, tokenizer: Tokenizer, model: Model, settings: Settings) -> None:
        self.bundle = bundle
        manifest = bundle.manifest
        self._fim = manifest.fim
        self._stop_tokens = frozenset(manifest.stop_tokens)
        _read_control_tokens_as_text(
            tokenizer, self._stop_tokens | {self._fim.prefix, self._fim.suffix, self._fim.middle}
        )
        self._tokenizer = tokenizer
        self._model = model
        self._settings = settings
        self._vocabulary = Vocabulary(_token_texts(tokenizer, manifest.vocabulary), excluded=self._stop_tokens)
        self._max_tokens = min(settings.max_tokens, manifest.context_length // 2)
        self._budget = min(settings.context_tokens, manifest.context_length - self._max_tokens)
        self._caches = CachePool(lambda: model.new_cache(self._budget + self._max_tokens), _DOCUMENTS)
        self._draft_length = DraftLength(settings.draft_tokens)

    def complete(self, request: Request, cancel: CancelFlag) -> Completion:
        """Suggest what stands at ``request.offset``.

        Raises:
            Cancelled: ``cancel`` was set.
            ModelError: the model failed.
        """
        cancel.check()
        clock = _Clock()
        context = gather(request.text, request.offset)
        clock.lap("context")
        prompt = build_prompt(context, self._fim, self._encode, self._budget, self._vocabulary.can_be_cut_short)
        clock.lap("tokenize")
        decoder = Decoder(self._model, self._caches.pick(prompt.ids, request.path), cancel, self._draft_length)
        text, tokens = self._decode(decoder, prompt, request, context)
        clock.lap("decode")
        clock.move(decoder.prefill_seconds, "decode", "prefill")
        text = postprocess.trim(text, context)
        reason = postprocess.reason_to_drop(text, context)
        clock.lap("filter")
        return Completion(
            text="" if reason else text.replace("\n", line_ending(request.text)),
            start=context.offset,
            end=context.offset,
            reason=reason,
            model=self.bundle.manifest.name,
            prompt_tokens=len(prompt.ids),
            reused_tokens=decoder.reused_tokens,
            tokens=tokens,
            milliseconds=clock.milliseconds(),
        )

    def _decode(self, decoder: Decoder, prompt: Prompt, request: Request, context: Context) -> tuple[str, int]:
        """Return the text decoded until a stop, and how many tokens it took."""
        if not prompt.ids:  # a model without FIM tokens, at the start of a document
            return "", 0
        settings = self._settings
        max_lines = 1 if context.wants_one_line else request.max_lines or settings.max_lines
        deadline = time.monotonic() + settings.deadline_ms / 1000 if settings.deadline_ms else None
        taken_back = prompt.taken_back
        healing = Healing(self._vocabulary, "" if taken_back is None else self._vocabulary.text(taken_back))
        ids: list[int] = []
        text = ""
        for token in decoder.generate(
            prompt.ids,
            healing,
            max_tokens=min(request.max_tokens or self._max_tokens, self._max_tokens),
            stop_tokens=self._stop_tokens,
            deadline=deadline,
        ):
            ids.append(token)
            text = postprocess.trim_start(healing.strip(self._text(ids)), context)
            if (end := postprocess.find_stop(text, context, max_lines)) is not None:
                return text[:end], len(ids)
        return text, len(ids)

    def _encode(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def _text(self, ids: list[int]) -> str:
        """Decode ``ids``, with plain newlines; a character whose last bytes are still to come is left out."""
        text: str = self._tokenizer.decode(ids, skip_special_tokens=False)
        return text.rstrip("\ufffd").replace("\r", "")


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


def _token_texts(tokenizer: Tokenizer, vocabulary: int) -> list[str]:
    """Return the text of every token that the model may choose; "" for one that the tokenizer does not know."""
    texts: list[str] = tokenizer.decode_batch([[token] for token in range(vocabulary)], skip_special_tokens=False)
    return texts


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
