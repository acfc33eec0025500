"""The model behind a small protocol: token ids in, logits out, keys and values kept in place.

:class:`OnnxModel` runs a bundle's graph. :class:`ScriptedModel` stands in for it in unit tests of what lies around.
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
from midfill.inference import cpu, huge_pages
from midfill.inference.bundle import KvLayout
from midfill.inference.kv_cache import KvCache

_SILENT = 4
"""onnxruntime's severity above which only what kills the process is logged."""

LONG_PAST = 2048
"""Tokens from which on few rows take the attention of :mod:`midfill_export.graph.grouped_attention`: from half of a
larger cache's capacity on, all of which it reads."""
FEW_ROWS = 32
"""More take ``GroupQueryAttention`` there too; a token and the guesses after it are fewer."""
_GROUPED_ROWS = "grouped_rows"


class Model(Protocol):
    """What decoding needs of a model."""

    def new_cache(self, capacity: int) -> KvCache:
        """Return an empty cache for at most ``capacity`` tokens."""

    def step(self, ids: Sequence[int], cache: KvCache, rows: int, cancel: CancelFlag) -> NDArray[np.float32]:
        """Append ``ids`` to ``cache`` and return the logits (rows, vocabulary) after the last ``rows`` of them.

        None are computed for 0 rows, which saves what comes after the last attention.

        Raises:
            Cancelled: ``cancel`` was set; the cache is as it was.
            ModelError: the step failed or does not fit the cache.
        """


@dataclass(frozen=True)
class Run:
    """What is computed at once: ``tokens`` of a step, the logits after the last ``rows`` of them."""

    tokens: int
    rows: int
    grouped: bool


def runs(short_of_long: int, tokens: int, rows: int) -> Iterator[Run]:
    """Split a step of ``tokens`` into runs of one kind of attention; so many tokens are lacking to a long past.

    The two kinds differ in the last bits, so which one a token takes must not depend on the guesses it is with: those
    after a long past take the kind they would take alone.
    """
    before = min(max(short_of_long, 0), tokens)
    after = tokens - before
    if before:
        yield Run(before, max(rows - after, 0), grouped=False)
    rows = min(rows, after)
    guesses = max(rows - 1, 0) if after > FEW_ROWS else 0
    for part, wanted in ((after - guesses, rows - guesses), (guesses, guesses)):
        if part:
            yield Run(part, wanted, grouped=part <= FEW_ROWS)


class OnnxModel:
    """A graph as :mod:`midfill_export.graph.optimize` describes it, in an onnxruntime session on the CPU."""

    def __init__(self, graph: Path, kv: KvLayout, threads: int = 0) -> None:
        """Load ``graph``; ``threads`` 0 takes one per usable core.

        Raises:
            ModelError: onnxruntime refuses the graph.
        """
        self._kv = kv
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads or cpu.usable_cores()
        options.log_severity_level = _SILENT
        # The arena keeps the largest prompt's activations for good: 50 MB of the 0.5B's 650, for no speed (measured).
        options.enable_cpu_mem_arena = False
        options.enable_mem_pattern = False
        try:
            self._session = ort.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's own exceptions share no base class
            raise ModelError(f"onnxruntime cannot load {graph} ({type(error).__name__}): export it again.") from error
        inputs = {value.name for value in self._session.get_inputs()}
        outputs = {value.name for value in self._session.get_outputs()}
        self._groups = _GROUPED_ROWS in {value.name for value in self._session.get_overridable_initializers()}
        parts = [(layer, part) for layer in range(kv.layers) for part in ("key", "value")]
        self._past = [kv.inputs.format(layer=layer, part=part) for layer, part in parts]
        self._present = [kv.outputs.format(layer=layer, part=part) for layer, part in parts]
        if missing := {"input_ids", "attention_mask", "logit_rows", *self._past} - inputs:
            raise ModelError(f"{graph} has no input {min(missing)}: export it again.")
        if missing := {"logits", *self._present} - outputs:
            raise ModelError(f"{graph} has no output {min(missing)}: export it again.")
        huge_pages.arrange()

    def new_cache(self, capacity: int) -> KvCache:
        """Reserve buffers; memory is taken by the system page by page, as tokens come in."""
        shape = (1, self._kv.heads, capacity + 1, self._kv.head_size)  # one for the row that pads a single token
        return KvCache([ort.OrtValue.ortvalue_from_numpy(np.zeros(shape, np.float32)) for _ in self._past], capacity)

    def step(self, ids: Sequence[int], cache: KvCache, rows: int, cancel: CancelFlag) -> NDArray[np.float32]:
        """See :meth:`Model.step`; a set flag ends the run at the next operator.

        The logits after a token do not depend on how the tokens before it were split into steps, to the last bit,
        which makes re-use and speculation exact. After a long past that holds for guesses, but no longer for re-use:
        there, few rows of a prompt are attended to in another way than many (:func:`runs`).
        """
        past = len(cache)
        if (total := past + len(ids)) > cache.capacity:
            raise ModelError(f"{total} tokens do not fit the context of {cache.capacity}: lower 'contextTokens'.")
        short_of_long = max(LONG_PAST, cache.capacity // 2) - past if self._groups else len(ids)
        logits = []
        try:
            for run in runs(short_of_long, len(ids), rows):
                start = len(cache) - past
                logits.append(self._run(ids[start : start + run.tokens], cache, run, cancel))
        except BaseException:
            cache.truncate(past)
            raise
        return logits[0] if len(logits) == 1 else np.concatenate(logits)

    def _run(self, ids: Sequence[int], cache: KvCache, run: Run, cancel: CancelFlag) -> NDArray[np.float32]:
        """Append ``ids`` to ``cache`` by one run of the graph.

        onnxruntime computes a single row by other kernels than several, so a single token is given a second row, which
        is thrown away; and ``lm_head``'s last row of an odd number by other ones than of an even number, so it is asked
        for an even one.
        """
        padded = [*ids, 0] if len(ids) == 1 else ids
        binding = self._session.io_binding()
        binding.bind_cpu_input("input_ids", np.asarray([padded], np.int64))
        binding.bind_cpu_input("attention_mask", np.ones((1, len(cache) + len(padded)), np.int64))
        wanted = [*range(len(ids) - run.rows, len(ids)), *([len(ids) - 1] if run.rows % 2 else [])]
        binding.bind_cpu_input("logit_rows", np.asarray(wanted, np.int64))
        if run.grouped:
            binding.bind_ortvalue_input(_GROUPED_ROWS, ort.OrtValue.ortvalue_from_numpy(np.array([len(ids)])))
        for past, present, buffer in zip(self._past, self._present, cache.buffers, strict=True):
            binding.bind_ortvalue_input(past, buffer)
            binding.bind_ortvalue_output(present, buffer)
        binding.bind_output("logits")
        options = ort.RunOptions()
        options.log_severity_level = _SILENT
        try:
            with cancel.interrupting(lambda: setattr(options, "terminate", True)):
                self._session.run_with_iobinding(binding, options)
        except RuntimeError as error:
            cancel.check()
            raise ModelError(f"the model failed on {len(ids)} tokens ({type(error).__name__})") from error
        cancel.check()
        cache.append(ids)
        logits: NDArray[np.float32] = binding.get_outputs()[-1].numpy()[0]  # (rows, vocabulary)
        return logits[: run.rows]


class ScriptedModel:
    """A model for unit tests: it says ``script`` token by token after any prompt, then ``end``."""

    def __init__(self, script: Sequence[int], end: int, vocabulary: int) -> None:
        self._script = [*script, end]
        self._end = end
        self._vocabulary = vocabulary
        self._prompt = 0
        self.steps: list[int] = []
        """How many tokens each step was given."""
        self.rows: list[int] = []
        """How many rows of logits each step was asked for."""

    def new_cache(self, capacity: int) -> KvCache:
        """Return a cache without buffers."""
        return KvCache(None, capacity)

    def step(self, ids: Sequence[int], cache: KvCache, rows: int, cancel: CancelFlag) -> NDArray[np.float32]:
        """Prefer the script's next token after each row; several ids with one row of logits or none are the prompt."""
        cancel.check()
        cache.append(ids)
        self.steps.append(len(ids))
        self.rows.append(rows)
        if rows <= 1 and (len(ids) > 1 or not self._prompt):
            self._prompt = len(cache)
        logits = np.zeros((rows, self._vocabulary), np.float32)
        for row in range(rows):
            said = len(cache) - rows + 1 + row - self._prompt
            logits[row, self._script[min(said, len(self._script) - 1)]] = 1.0
        return logits
