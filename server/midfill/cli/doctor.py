"""`midfill doctor`: checks the parts of this installation, and says what to do about a fault."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import psutil

from midfill import __version__
from midfill.common.cancel import CancelFlag
from midfill.common.errors import EngineUnavailable, MidfillError
from midfill.common.platforms import Platform, this_platform
from midfill.common.support import obstacle
from midfill.completion.engine import load_engine
from midfill.completion.types import Request
from midfill.engine.address import address_for
from midfill.engine.open_model import check_for_edits
from midfill.inference import arithmetic, cores, cpu, thread_tuning
from midfill.inference.bundle import MAX_INT8, Bundle, Manifest, load_bundle, read_manifest
from midfill.inference.exactness import differing_splits
from midfill.inference.licences import licence
from midfill.inference.memory_needed import draft_bytes, memory_needed
from midfill.inference.onnx_model import OnnxModel
from midfill.inference.permission import require_permission
from midfill.inference.prefill_throughput import PrefillThroughput, speed_key
from midfill.inference.session_options import on_battery
from midfill.next_edit.predictor import MAX_CONTEXT
from midfill.prompt.token_budget import PromptLength, TokenBudget, longest_suggestion
from midfill.remote.examination import Examination, examine_actions_engine, examine_engine
from midfill.settings.policy_file import read_policy
from midfill.settings.schema import Settings
from midfill.sharing import CAN_SHARE
from midfill.sharing.start import join

_BEFORE = "".join(f"def scale_{n}(value):\n    return value * {n}\n\n\n" for n in range(2, 16))
"""Code before the sample's cursor: more tokens than one step computes of a prompt."""
_SAMPLE = f"{_BEFORE}def add(left, right):\n    return \n\n\nprint(add(1, 2))\n"
_SAMPLE_CURSOR = _SAMPLE.index("return \n") + len("return ")

_REPEATED = 100
"""How often this stands in a document that fills a prompt."""


@dataclass(frozen=True)
class Check:
    """One check, which is one line of the report."""

    name: str
    ok: bool
    detail: str
    """What was found; after a fault also what to do."""


def examine(settings: Settings) -> list[Check]:
    """Run all checks. After a failed check the others still run, but a broken bundle has no further checks."""
    checks = [
        Check("midfill", True, __version__),
        Check("python", True, f"{platform.python_version()} ({sys.executable})"),
        platform_check(this_platform()),
        _libraries(),
        _processor(),
        _policy(),
    ]
    checks.extend(_server_checks(settings))
    checks.extend(_bundle_checks(settings))
    if settings.next_edit_bundle is not None:
        checks.append(_guarded("next edits", lambda: _next_edits(settings)))
    return checks


def to_text(checks: list[Check]) -> str:
    """Return the report as lines for a terminal."""
    width = max(len(check.name) for check in checks)
    return "\n".join(f"{'ok  ' if c.ok else 'FAIL'}  {c.name:<{width}}  {c.detail}" for c in checks)


def to_json(checks: list[Check]) -> dict[str, Any]:
    """Return the report as JSON values."""
    return {"ok": all(check.ok for check in checks), "checks": [asdict(check) for check in checks]}


def platform_check(here: Platform) -> Check:
    """Say whether Midfill is supported on a platform; if it is not, why, and what to do."""
    why = obstacle(here)
    return Check("platform", not why, f"{here}: not supported, {why}" if why else f"{here}: supported")


def _policy() -> Check:
    """Say where the administrators' policy is, and what it rules."""
    policy = read_policy()
    if policy.problem:
        return Check("policy", False, f"{policy.file}: nothing is completed, because {policy.problem}")
    return Check(
        "policy", True, f"{policy.file}: {policy}" if policy.exists else f"none, for there is no {policy.file}"
    )


def _libraries() -> Check:
    names = ("onnxruntime", "tokenizers", "pygls", "lsprotocol", "numpy")
    return Check("libraries", True, ", ".join(f"{name} {_version(name)}" for name in names))


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:  # for example, an onnxruntime under another package name
        return "of unknown version"


def _processor() -> Check:
    name = cpu.model_name(cpu.cpuinfo())
    usable = cores.usable()
    threads = f"{len(usable.cores)} cores with {usable.hardware_threads} hardware threads"
    found = arithmetic.detect()
    products = f"8-bit products: {found.value}, activations of {arithmetic.activation_bits(MAX_INT8, found)} bits"
    return Check("processor", True, f"{name}, {threads}, {products}")


def _server_checks(settings: Settings) -> Iterator[Check]:
    """Say where code goes, and whether the servers that the settings name answer."""
    if settings.engine:
        yield _guarded("server", lambda: _server("server", examine_engine(settings)))
    if settings.actions_engine:
        yield _guarded("actions server", lambda: _server("actions server", examine_actions_engine(settings)))


def _server(name: str, found: Examination) -> Check:
    return Check(name, found.ok, found.words)


def _bundle_checks(settings: Settings) -> Iterator[Check]:
    if settings.engine and _is_without_weights(settings):
        yield Check("bundle", True, f"{settings.bundle} has no weights: only the server can make suggestions")
        yield _guarded("completion", lambda: _timed_completion(settings))
        return
    settings = replace(settings, engine="")  # what follows is about this machine
    try:
        bundle = load_bundle(settings.bundle)
    except MidfillError as error:
        yield Check("bundle", False, str(error))
        return
    manifest = bundle.manifest
    verified = manifest.verification
    yield Check(
        "bundle",
        True,
        f"{manifest.name} in {bundle.path}, {manifest.fim}"
        f", agrees with FP32 on {verified.top1_agreement:.1%} of {verified.positions} next tokens",
    )
    yield _guarded("licence", lambda: _licence(manifest, settings))
    yield _memory(bundle, settings)
    yield _guarded("engine", lambda: _engine(manifest, settings))
    completion = _guarded("completion", lambda: _timed_completion(settings))
    yield completion
    if completion.ok:
        yield _guarded("exactness", lambda: _exactness(bundle, settings))
        yield _guarded("threads", lambda: _threads(bundle, settings))
        yield _guarded("context", lambda: _context(bundle, settings))


def _is_without_weights(settings: Settings) -> bool:
    try:
        return not read_manifest(settings.bundle).has_weights
    except MidfillError:
        return False


def _licence(manifest: Manifest, settings: Settings) -> Check:
    require_permission(manifest, settings)
    found = licence(manifest.source.license, manifest.name)
    return Check("licence", True, f"{found}; for {settings.use} use, as the setting 'use' says")


def _memory(bundle: Bundle, settings: Settings) -> Check:
    manifest = bundle.manifest
    needed = memory_needed(manifest, _budget(bundle, settings).total + longest_suggestion(settings, manifest))
    free = psutil.virtual_memory().available
    detail = f"needs about {needed / 1e6:.0f} MB, {free / 1e6:.0f} MB are free"
    enough = free > needed
    if drafts := draft_bytes(manifest):
        detail += f"; drafts in 4 bits take {drafts / 1e6:.0f} MB more, where memory is plentiful"
    return Check("memory", enough, detail if enough else f"{detail}: close other programs")


def _next_edits(settings: Settings) -> Check:
    """Say which model predicts next edits, and what it needs; it is checked, and not loaded."""
    manifest = check_for_edits(settings, MAX_CONTEXT).manifest
    needed = memory_needed(manifest, min(MAX_CONTEXT, manifest.usable_context))
    when = "when the first one is asked for" if settings.next_edit else "once the setting 'nextEdit' is true"
    return Check(
        "next edits",
        True,
        f"{manifest.name} in {settings.next_edit_bundle}, format {manifest.edit_format}, needs about"
        f" {needed / 1e6:.0f} MB; it is loaded {when}",
    )


def _engine(manifest: Manifest, settings: Settings) -> Check:
    """Say where the servers of this user have the model. This command has it in its own process."""
    apart = "each server has the model in its own memory"
    if not settings.share_engine:
        return Check("engine", True, f"{apart}, as the setting 'shareEngine' says")
    if not CAN_SHARE:
        return Check("engine", True, f"{apart}, because servers cannot share it on this system yet")
    try:
        address = address_for(manifest, settings.threads)
    except EngineUnavailable as error:
        return Check("engine", True, f"{apart}, because {error.why}")
    running = join(address)
    if running is not None:
        running.raw.close()
    now = "does not run now" if running is None else "runs now"
    return Check("engine", True, f"servers share one process, which {now}; its socket is in {address.folder}")


def _threads(bundle: Bundle, settings: Settings) -> Check:
    if settings.threads:
        return Check("threads", True, f"{settings.threads}, as the setting 'threads' says")
    threads = thread_tuning.measure(bundle)
    battery = "; idle threads sleep between operators, because this machine runs on its battery" if on_battery() else ""
    return Check("threads", True, f"{threads.number}, {threads.why}{battery}")


def _context(bundle: Bundle, settings: Settings) -> Check:
    if not settings.context_tokens:  # measure how fast a prompt is computed
        document = Request(text=_SAMPLE * _REPEATED, offset=_SAMPLE_CURSOR * _REPEATED, path="long_sample.py")
        load_engine(settings).warm_up(document, CancelFlag())
    return Check("context", True, str(_budget(bundle, settings)))


def _budget(bundle: Bundle, settings: Settings) -> TokenBudget:
    """Return how much the server would read of a new document."""
    threads = settings.threads or thread_tuning.chosen(bundle).number
    throughput = PrefillThroughput(speed_key(bundle.manifest, threads))
    return PromptLength(settings, bundle.manifest, throughput).budget()


def _timed_completion(settings: Settings) -> Check:
    started = time.perf_counter()
    engine = load_engine(settings)
    load = time.perf_counter() - started
    done = engine.complete(Request(text=_SAMPLE, offset=_SAMPLE_CURSOR, path="sample.py"), CancelFlag())
    stages = ", ".join(f"{stage} {milliseconds:.0f}" for stage, milliseconds in done.milliseconds.items())
    return Check(
        "completion",
        bool(done.text),
        f"'return ' -> {done.text!r} ({done.tokens} tokens; load {load * 1000:.0f} ms; {stages} ms)"
        if done.text
        else f"the model suggested nothing ({done.reason}): make its bundle again with `midfill pull`",
    )


def _exactness(bundle: Bundle, settings: Settings) -> Check:
    """Check that drafts and reused prompts change no suggestion on this processor."""
    found = differing_splits(OnnxModel.of(bundle, settings.threads), bundle.manifest.usable_context)
    if not found:
        return Check("exactness", True, "a prompt gives the same logits in one step and in several")
    past, cut = found[0]
    detail = f"logits depend on the split into steps ({cut} tokens after {past}, {len(found)} cases in all)"
    return Check("exactness", False, f"{detail}: set 'draftTokens' to 0, and report this processor")


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except MidfillError as error:
        return Check(name, False, str(error))
    except Exception as error:  # the report must be complete whatever is broken
        return Check(name, False, f"unexpected {type(error).__name__}; `midfill complete --debug` shows more")
