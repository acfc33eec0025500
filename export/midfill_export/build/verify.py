"""Compare the logits of two graphs, or of a graph and its checkpoint, on fill-in-the-middle prompts from real code.

The code is Python's standard library, which every machine has. Statements are cut out of functions, and the prompt is
built as the server builds it. The logits are compared at every token that was cut out.
"""

from __future__ import annotations

import ast
import sysconfig
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray
from tokenizers import Tokenizer

from midfill.common.cancel import CancelFlag
from midfill.inference.bundle import FimFormat
from midfill.inference.onnx_model import Model
from midfill.prompt.context import gather
from midfill.prompt.fim import build_prompt
from midfill_export.quantization.layerwise import prompt_feeds, run_in_pieces

_VERIFIED = (
    "argparse", "ast", "bisect", "calendar", "cmd", "configparser", "copy", "csv", "dataclasses", "difflib", "enum",
    "fractions", "functools", "glob", "gzip", "heapq", "inspect", "locale", "mailbox", "netrc", "nturl2path",
    "optparse", "pathlib", "pdb", "pickle", "plistlib", "pprint", "queue", "random", "sched", "selectors", "shelve",
    "shutil", "socket", "statistics", "string", "subprocess", "tarfile", "tempfile", "textwrap", "threading",
    "timeit", "tokenize", "trace", "traceback", "typing", "uuid", "warnings", "weakref", "zipfile",
)  # fmt: skip
_CALIBRATED = (
    "base64", "bdb", "code", "codecs", "compileall", "contextlib", "datetime", "doctest", "filecmp", "fileinput",
    "ftplib", "getopt", "gettext", "graphlib", "hashlib", "hmac", "imaplib", "ipaddress", "lzma", "mimetypes",
    "modulefinder", "numbers", "pkgutil", "platform", "pyclbr", "reprlib", "smtplib", "ssl", "symtable", "zipapp",
)  # fmt: skip
"""No file is in both lists: a model must be verified on other code than it was calibrated on."""
_PROMPT_TOKENS = 160
_MAX_CUT_LINES = 8
_MAX_ANSWER_TOKENS = 32

PARITY_LIMIT = 1e-2
"""Largest difference of a logit that the FP32 graph may have from the checkpoint; measured: 6e-5."""
PARITY_SAMPLES = 4
"""Number of samples on which the FP32 graph is compared with the checkpoint."""

Logits = NDArray[np.float32]


@dataclass(frozen=True)
class Sample:
    """A prompt, and as the answer the tokens that were cut out."""

    prompt: list[int]
    answer: list[int]

    @property
    def ids(self) -> list[int]:
        """All tokens after which a token of the answer is predicted."""
        return self.prompt + self.answer[:-1]


@dataclass(frozen=True)
class Agreement:
    """How close two sets of logits are."""

    positions: int
    """Number of positions compared."""
    top1: float
    """Share of positions with the same most likely token."""
    mean_kl: float
    """Mean KL divergence of the candidate from the reference, in nats."""


def verification_samples(encode: Callable[[str], list[int]], fim: FimFormat) -> list[Sample]:
    """Return the samples on which agreement is measured; they are the same for the same version of Python."""
    return _samples(_VERIFIED, encode, fim)


def calibration_prompts(encode: Callable[[str], list[int]], fim: FimFormat) -> list[list[int]]:
    """Return prompts with their answers to measure activations on; they are of other files than those verified."""
    return [sample.ids for sample in _samples(_CALIBRATED, encode, fim)]


def _samples(modules: Sequence[str], encode: Callable[[str], list[int]], fim: FimFormat) -> list[Sample]:
    library = Path(sysconfig.get_path("stdlib"))
    samples = []
    for path in (library / f"{module}.py" for module in modules):
        if not path.is_file():  # this Python does not have it
            continue
        text = path.read_text(encoding="utf-8")
        for start, end in _two_statements(text):
            context = gather(text[:start] + text[end:], start)
            prompt = build_prompt(context, fim, encode, _PROMPT_TOKENS, lambda _token: False)
            samples.append(Sample(list(prompt.ids), encode(text[start:end])[:_MAX_ANSWER_TOKENS]))
    return samples


def _two_statements(text: str) -> list[tuple[int, int]]:
    """Return the places of two statements: of all in functions, those after one third and after two thirds."""
    statements = [
        statement
        for function in ast.walk(ast.parse(text))
        if isinstance(function, ast.FunctionDef)
        for statement in function.body
        if isinstance(statement, ast.Assign | ast.AugAssign | ast.Return | ast.If | ast.For)
    ]
    lines = text.splitlines(keepends=True)
    places = []
    for index in sorted({len(statements) // 3, len(statements) * 2 // 3} if statements else ()):
        first = statements[index].lineno - 1
        last = min(statements[index].end_lineno or first + 1, first + _MAX_CUT_LINES)
        start = sum(map(len, lines[:first]))
        places.append((start, start + sum(map(len, lines[first:last])) - 1))
    return places


def plain_encoder(tokenizer: Tokenizer) -> Callable[[str], list[int]]:
    """Return a function that encodes text without adding control tokens."""
    return lambda text: tokenizer.encode(text, add_special_tokens=False).ids


def float_logits(model: ir.Model, samples: Sequence[Sample]) -> list[Logits]:
    """Return an FP32 graph's logits (answer, V) of each sample, run in pieces; ``model`` cannot be used afterwards."""
    logits: list[Logits] = []
    run_in_pieces(
        model,
        [next(value for value in model.graph.outputs if value.name == "logits")],
        [prompt_feeds(model.graph, sample.ids, len(sample.answer)) for sample in samples],
        lambda _run, _value, rows: logits.append(rows[0]),
    )
    return logits


def graph_logits(model: Model, samples: Sequence[Sample]) -> list[Logits]:
    """Return a graph's logits (answer, V) of each sample: half of the prompt is prefilled, the rest is appended."""
    results = []
    for sample in samples:
        ids, half = sample.ids, len(sample.prompt) // 2
        cache = model.new_cache(len(ids))
        model.step(ids[:half], cache, 1, CancelFlag())
        results.append(model.step(ids[half:], cache, len(sample.answer), CancelFlag()))
    return results


def largest_difference(left: Sequence[Logits], right: Sequence[Logits]) -> float:
    """Return the largest absolute difference between two lists of logits."""
    return max(float(np.abs(a - b).max()) for a, b in zip(left, right, strict=True))


def compare(reference: Sequence[Logits], candidate: Sequence[Logits]) -> Agreement:
    """Compare two lists of logits (positions, V) position by position."""
    same, divergences = [], []
    for expected, given in zip(reference, candidate, strict=True):
        p, q = _log_softmax(expected), _log_softmax(given)
        same.append(p.argmax(-1) == q.argmax(-1))
        divergences.append((np.exp(p) * (p - q)).sum(-1))
    return Agreement(
        positions=sum(map(len, same)),
        top1=float(np.concatenate(same).mean()),
        mean_kl=float(np.concatenate(divergences).mean()),
    )


def _log_softmax(logits: Logits) -> NDArray[np.float64]:
    shifted = logits.astype(np.float64) - logits.max(-1, keepdims=True)
    normalized: NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return normalized
