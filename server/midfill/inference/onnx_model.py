"""The model behind a small protocol: it takes token ids, returns logits, and updates a KV cache in place.

:class:`OnnxModel` runs a bundle's graph. :class:`ScriptedModel` replaces it in unit tests.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from midfill.common.cancel import CancelFlag
from midfill.common.errors import ModelError
from midfill.inference import arithmetic, cores, huge_pages
from midfill.inference.bundle import MAX_INT8, Bundle, KvLayout
from midfill.inference.kv_cache import KvCache
from midfill.inference.mapped_weights import MappedWeights
from midfill.inference.reserved_memory import reserve
from midfill.inference.row_blocks import MIN_ROWS, round_up, row_block
from midfill.inference.session_options import SILENT, session_options

LONG_PAST = 2048
"""Number of past tokens from which a short run uses the attention of :mod:`midfill_export.graph.grouped_attention`.

That attention reads the whole buffer. So a cache with a capacity of more than twice this number uses it only when the
cache is half full."""
FEW_ROWS = 32
"""Maximum number of tokens of a run that uses that attention. A longer run uses ``GroupQueryAttention`` everywhere. One
token and a draft of the default length are fewer."""
_GROUPED_ROWS = "grouped_rows"


class Model(Protocol):
    """What decoding needs from a model."""

    def new_cache(self, capacity: int) -> KvCache:
        """Return an empty cache for at most ``capacity`` tokens."""

    def step(self, ids: Sequence[int], cache: KvCache, rows: int, cancel: CancelFlag) -> NDArray[np.float32]:
        """Append ``ids`` to ``cache`` and return the logits (rows, V) after the last ``rows`` of them.

        Raises:
            Cancelled: ``cancel`` was set. The cache is unchanged.
            ModelChanged: the model's weights are no longer those that were loaded. The cache is unchanged.
            ModelError: the step failed, or its tokens do not fit the cache. The cache is unchanged.
        """


@dataclass(frozen=True)
class Run:
    """One run of the graph: some tokens of a step, all with the same kind of attention."""

    tokens: int
    rows: int
    """Number of rows of logits: those after the last tokens of the run."""
    grouped: bool
    """Whether it uses the attention of :mod:`midfill_export.graph.grouped_attention`."""


def runs(tokens_until_long: int, tokens: int, rows: int) -> Iterator[Run]:
    """Split a step of ``tokens`` tokens and ``rows`` rows of logits into runs of one kind of attention each.

    The two kinds of attention differ in the last bits. So the kind that a token gets must not depend on the draft
    tokens beside it: after a long past, a draft token gets the kind that it would get in a step of its own.

    Args:
        tokens_until_long: how many more tokens make the past long (``LONG_PAST``); 0 or less if it is long already.
        tokens: number of tokens of the step.
        rows: number of rows of logits: those after the step's last tokens.
    """
    before = min(max(tokens_until_long, 0), tokens)
    after = tokens - before
    if before:
        yield Run(before, max(rows - after, 0), grouped=False)
    rows = min(rows, after)
    drafted = max(rows - 1, 0) if after > FEW_ROWS else 0
    for part, part_rows in ((after - drafted, rows - drafted), (drafted, drafted)):
        if part:
            yield Run(part, part_rows, grouped=part <= FEW_ROWS)


class OnnxModel:
    """A graph as :mod:`midfill_export.graph.optimize` describes it, in a CPU session of onnxruntime."""

    def __init__(
        self,
        graph: Path,
        kv: KvLayout,
        threads: int = 0,
        activation_bits: int | None = None,
        vocabulary: int | None = None,
        *,
        exact: bool = True,
    ) -> None:
        """Load ``graph`` to run on ``threads`` threads; 0 means one for each fast core.

        Args:
            graph: the file.
            kv: names and sizes of its KV cache.
            threads: number of threads.
            activation_bits: number of bits that activations are rounded to; None for as many as 8-bit weights allow on
                this processor.
            vocabulary: number of logits in a row; None for any.
            exact: whether logits must be the same to the last bit however tokens are split into steps. A model that
                only drafts need not be, and computes no row more than it is asked for.

        Raises:
            ModelError: onnxruntime refuses the graph, or the graph has another KV cache or vocabulary.
        """
        self._kv = kv
        self._block, self._min_rows = (row_block(), MIN_ROWS) if exact else (1, 1)
        options = session_options(threads or cores.usable().default_threads().number)
        bits = activation_bits or arithmetic.activation_bits(MAX_INT8, arithmetic.detect())
        self._constants = arithmetic.round_activations(options, bits)
        self._weights = MappedWeights(graph.with_name(f"{graph.name}.data"))
        try:
            self._session = ort.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's own exceptions share no base class
            raise ModelError(f"onnxruntime cannot load {graph} ({type(error).__name__}): export it again.") from error
        inputs = {value.name: value.shape for value in self._session.get_inputs()}
        halves = {value.name for value in self._session.get_inputs() if value.type == "tensor(float16)"}
        outputs = {value.name: value.shape for value in self._session.get_outputs()}
        self._groups = _GROUPED_ROWS in {value.name for value in self._session.get_overridable_initializers()}
        parts = [(layer, part) for layer in range(kv.layers) for part in ("key", "value")]
        self._past = [kv.inputs.format(layer=layer, part=part) for layer, part in parts]
        self._present = [kv.outputs.format(layer=layer, part=part) for layer, part in parts]
        if missing := {"input_ids", "attention_mask", "logit_rows", *self._past} - inputs.keys():
            raise ModelError(f"{graph} has no input {min(missing)}: export it again.")
        if missing := {"logits", *self._present} - outputs.keys():
            raise ModelError(f"{graph} has no output {min(missing)}: export it again.")
        if unknown := inputs.keys() - {"input_ids", "attention_mask", "logit_rows", *self._past}:
            raise ModelError(f"{graph} needs {min(unknown)}, which its manifest does not tell: export it again.")
        known: dict[str, tuple[int | None, ...]] = {"logits": (1, None, vocabulary)}
        known |= dict.fromkeys((*self._past, *self._present), (1, kv.heads, None, kv.head_size))
        for name, expected in known.items():
            if not _fits(shape := {**inputs, **outputs}[name], expected):
                raise ModelError(f"{graph} has {name} {shape}, and its manifest says otherwise: export it again.")
        self._cache_type = np.float16 if halves else np.float32
        huge_pages.arrange()

    @classmethod
    def of(cls, bundle: Bundle, threads: int = 0) -> OnnxModel:
        """Load a bundle's graph. Bundles of older versions may have weights of 7 bits, which never saturate.

        Raises:
            ModelError: onnxruntime refuses the graph, or the manifest does not fit it.
        """
        manifest = bundle.manifest
        bits = arithmetic.activation_bits(manifest.weight_limit, arithmetic.detect())
        return cls(bundle.graph, manifest.kv, threads, bits, manifest.vocabulary)

    @classmethod
    def that_drafts(cls, bundle: Bundle, threads: int = 0) -> OnnxModel:
        """Load a bundle's graph in 4 bits, which uses the caches of the other one. It rounds activations itself.

        Raises:
            ModelError: as :meth:`of`.
        """
        manifest = bundle.manifest
        return cls(bundle.draft_graph, manifest.kv, threads, 8, manifest.vocabulary, exact=False)

    def new_cache(self, capacity: int) -> KvCache:
        """Reserve buffers (1, heads, capacity + padding, head size). The system gives memory as they fill.

        Raises:
            ModelTooLarge: the system has no memory for them.
        """
        padded = round_up(capacity + MIN_ROWS - 1, self._block)
        shape = (1, self._kv.heads, padded, self._kv.head_size)
        arrays = reserve(len(self._past), shape, self._cache_type)
        return KvCache([ort.OrtValue.ortvalue_from_numpy(array) for array in arrays], capacity)

    def step(self, ids: Sequence[int], cache: KvCache, rows: int, cancel: CancelFlag) -> NDArray[np.float32]:
        """See :meth:`Model.step`. A set flag ends the run at the next operator.

        The logits after a token are the same to the last bit, however the tokens before it were split into steps. So
        reuse of the cache and speculative decoding are exact. After a long past this is still true for draft tokens,
        but not for reuse: there, a short part of a prompt uses another attention than a long one (:func:`runs`).
        """
        past = len(cache)
        if (total := past + len(ids)) > cache.capacity:
            raise ModelError(f"{total} tokens do not fit the context of {cache.capacity}: lower 'contextTokens'.")
        tokens_until_long = max(LONG_PAST, cache.capacity // 2) - past if self._groups else len(ids)
        logits = []
        try:
            for run in runs(tokens_until_long, len(ids), rows):
                start = len(cache) - past
                logits.append(self._run(ids[start : start + run.tokens], cache, run, cancel))
        except BaseException:
            cache.truncate(past)
            raise
        return logits[0] if len(logits) == 1 else np.concatenate(logits)

    def _run(self, ids: Sequence[int], cache: KvCache, run: Run, cancel: CancelFlag) -> NDArray[np.float32]:
        """Append ``ids`` to ``cache`` by one run of the graph, and return its logits (run.rows, V).

        To keep the logits equal to the last bit, the run computes whole blocks of tokens, and as many rows of logits
        as fill whole blocks (:mod:`midfill.inference.row_blocks`).
        """
        # Grouped attention needs no whole blocks, and must not compute a token again that had the other attention.
        block = 1 if run.grouped else self._block
        start = len(cache) - len(cache) % block
        tokens = [*cache.tokens[start:], *ids]
        padding = round_up(max(len(tokens), self._min_rows), block) - len(tokens)
        last = len(tokens) - 1
        # With no rows, one is asked for and dropped: onnxruntime below 1.32 fails with none.
        logit_rows = list(range(last + 1 - run.rows, last + 1)) or [last]
        logit_rows += [last] * (round_up(run.rows, max(self._block, self._min_rows)) - run.rows)
        self._weights.require_unchanged()
        binding = self._session.io_binding()
        binding.bind_cpu_input("input_ids", np.asarray([[*tokens, *[0] * padding]], np.int64))
        binding.bind_cpu_input("attention_mask", np.ones((1, start + len(tokens) + padding), np.int64))
        binding.bind_cpu_input("logit_rows", np.asarray(logit_rows, np.int64))
        if run.grouped:
            binding.bind_ortvalue_input(_GROUPED_ROWS, ort.OrtValue.ortvalue_from_numpy(np.array([len(ids)])))
        for past, present, buffer in zip(self._past, self._present, cache.buffers, strict=True):
            binding.bind_ortvalue_input(past, buffer)
            binding.bind_ortvalue_output(present, buffer)
        binding.bind_output("logits")
        options = ort.RunOptions()
        options.log_severity_level = SILENT
        try:
            with cancel.interrupting(lambda: setattr(options, "terminate", True)):
                self._session.run_with_iobinding(binding, options)
        except RuntimeError as error:
            cancel.check()
            raise ModelError(f"the model failed on {len(ids)} tokens ({type(error).__name__})") from error
        cancel.check()
        cache.append(ids)
        logits: NDArray[np.float32] = binding.get_outputs()[-1].numpy()[0]  # (rows, V)
        return logits[: run.rows]


def _fits(shape: Sequence[int | str | None], expected: Sequence[int | None]) -> bool:
    """Return whether a graph's shape is the expected one, as far as both have numbers."""
    pairs = zip(shape, expected, strict=False)
    return len(shape) == len(expected) and all(
        have == wanted for have, wanted in pairs if isinstance(have, int) and wanted is not None
    )


class ScriptedModel:
    """A model for unit tests. After any prompt it generates ``script`` token by token, then always ``end``."""

    def __init__(self, script: Sequence[int], end: int, vocabulary: int) -> None:
        self._script = [*script, end]
        self._end = end
        self._vocabulary = vocabulary
        self._prompt = 0
        self.steps: list[int] = []
        """Number of tokens of each step."""
        self.rows: list[int] = []
        """Number of rows of logits of each step."""

    def new_cache(self, capacity: int) -> KvCache:
        """Return a cache without buffers."""
        return KvCache(None, capacity)

    def step(self, ids: Sequence[int], cache: KvCache, rows: int, cancel: CancelFlag) -> NDArray[np.float32]:
        """Prefer the script's next token in each row. A step of several ids and at most one row belongs to a prompt."""
        cancel.check()
        cache.append(ids)
        self.steps.append(len(ids))
        self.rows.append(rows)
        if rows <= 1 and (len(ids) > 1 or not self._prompt):
            self._prompt = len(cache)
        logits = np.zeros((rows, self._vocabulary), np.float32)
        for row in range(rows):
            generated = len(cache) - rows + 1 + row - self._prompt
            logits[row, self._script[min(generated, len(self._script) - 1)]] = 1.0
        return logits
