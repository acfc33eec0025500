"""Is the graph the model, and is INT8 still the model? Measured on fill-in-the-middle prompts from real code.

The code is the standard library's own, which every Python has: a statement is cut out of a function of each of some
files, the prompt is built as the server builds it, and the logits of the last positions, which see the whole prompt
and most of the statement, are compared.
"""

from __future__ import annotations

import ast
import sysconfig
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from transformers import PreTrainedModel

from midfill.cancel import CancelFlag
from midfill.context import gather
from midfill.fim import FimFormat, build_prompt
from midfill.model import Model

POSITIONS = 24
"""Next tokens compared at the end of each prompt."""
_FILES = (
    "argparse", "ast", "bisect", "calendar", "cmd", "configparser", "copy", "csv", "dataclasses", "difflib", "enum",
    "fractions", "functools", "glob", "gzip", "heapq", "inspect", "locale", "mailbox", "netrc", "nturl2path",
    "optparse", "pathlib", "pdb", "pickle", "plistlib", "pprint", "queue", "random", "sched", "selectors", "shelve",
    "shutil", "socket", "statistics", "string", "subprocess", "tarfile", "tempfile", "textwrap", "threading",
    "timeit", "tokenize", "trace", "traceback", "typing", "uuid", "warnings", "weakref", "zipfile",
)  # fmt: skip
_PROMPT_TOKENS = 256
_LINES_CUT = 3


@dataclass(frozen=True)
class Agreement:
    """How close two sets of logits are."""

    positions: int
    top1: float
    """Share of positions with the same most likely token."""
    mean_kl: float
    """Mean KL divergence of the candidate from the reference, in nats."""


def sample_prompts(encode: Callable[[str], list[int]], fim: FimFormat, count: int) -> list[list[int]]:
    """Return up to ``count`` prompts with their answers, as token ids, the same ones for the same Python."""
    prompts = []
    for path in _source_files()[:count]:
        text = path.read_text(encoding="utf-8")
        place = _middle_statement(text)
        if place is None:
            continue
        start, end = place
        context = gather(text[:start] + text[end:], start)
        prompt = build_prompt(context, fim, encode, _PROMPT_TOKENS, lambda _token: False)
        prompts.append([*prompt.ids, *encode(text[start:end])])
    return prompts


def _middle_statement(text: str) -> tuple[int, int] | None:
    """Return where the middle one of all statements in functions stands: up to three lines, without the last end."""
    statements = [
        statement
        for function in ast.walk(ast.parse(text))
        if isinstance(function, ast.FunctionDef)
        for statement in function.body
        if isinstance(statement, ast.Assign | ast.AugAssign | ast.Return | ast.If | ast.For)
    ]
    if not statements:
        return None
    lines = text.splitlines(keepends=True)
    chosen = statements[len(statements) // 2]
    last = min(chosen.end_lineno or chosen.lineno, chosen.lineno + _LINES_CUT - 1)
    start = sum(map(len, lines[: chosen.lineno - 1]))
    return start, start + sum(map(len, lines[chosen.lineno - 1 : last])) - 1


def plain_encoder(tokenizer: Tokenizer) -> Callable[[str], list[int]]:
    """Encode without adding control tokens."""
    return lambda text: tokenizer.encode(text, add_special_tokens=False).ids


def torch_logits(model: PreTrainedModel, prompts: Sequence[Sequence[int]]) -> list[NDArray[np.float32]]:
    """Return the reference's logits (POSITIONS, V) at the end of each prompt."""
    with torch.inference_mode():
        return [
            model(torch.tensor([list(prompt)]), logits_to_keep=POSITIONS).logits[0].float().numpy()
            for prompt in prompts
        ]


def graph_logits(model: Model, prompts: Sequence[Sequence[int]]) -> list[NDArray[np.float32]]:
    """Return a graph's logits (POSITIONS, V) at the end of each prompt: prefill of the first half, then append."""
    results = []
    for prompt in prompts:
        cache, half = model.new_cache(len(prompt)), len(prompt) // 2
        model.step(prompt[:half], cache, 1, CancelFlag())
        results.append(model.step(prompt[half:], cache, min(POSITIONS, len(prompt) - half), CancelFlag()))
    return results


def largest_difference(left: Sequence[NDArray[np.float32]], right: Sequence[NDArray[np.float32]]) -> float:
    """Return the largest absolute difference between two lists of logits."""
    return max(float(np.abs(a - b).max()) for a, b in zip(left, right, strict=True))


def compare(reference: Sequence[NDArray[np.float32]], candidate: Sequence[NDArray[np.float32]]) -> Agreement:
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


def _log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    shifted = logits.astype(np.float64) - logits.max(-1, keepdims=True)
    normalised: NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return normalised


def _source_files() -> list[Path]:
    library = Path(sysconfig.get_path("stdlib"))
    return [path for name in _FILES if (path := library / f"{name}.py").is_file()]
