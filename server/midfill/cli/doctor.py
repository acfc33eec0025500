"""`midfill doctor`: checks the parts of this installation, and says what to do about a fault."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import psutil

from midfill import __version__
from midfill.common.cancel import CancelFlag
from midfill.common.errors import MidfillError
from midfill.common.platforms import Platform, this_platform
from midfill.common.support import obstacle
from midfill.completion.engine import load_engine
from midfill.completion.types import Request
from midfill.inference import cpu, thread_tuning
from midfill.inference.bundle import Bundle, Manifest, load_bundle
from midfill.inference.licences import licence, require_use
from midfill.inference.prefill_throughput import PrefillThroughput
from midfill.prompt.token_budget import budgets, longest_suggestion
from midfill.settings.schema import Settings

_SAMPLE = "def add(left, right):\n    return \n\n\nprint(add(1, 2))\n"
_SAMPLE_CURSOR = _SAMPLE.index("return ") + len("return ")


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
    ]
    checks.extend(_bundle_checks(settings))
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
    return Check("processor", True, f"{name}, {cpu.usable_cores()} cores, 8-bit arithmetic: {cpu.detect_target()}")


def _bundle_checks(settings: Settings) -> Iterator[Check]:
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
        f"{manifest.name} in {bundle.path}, for {manifest.target}, {manifest.fim}"
        f", agrees with FP32 on {verified.top1_agreement:.1%} of {verified.positions} next tokens",
    )
    yield _guarded("licence", lambda: _licence(manifest, settings))
    yield _memory(bundle, settings)
    completion = _guarded("completion", lambda: _timed_completion(settings))
    yield completion
    if completion.ok and not settings.threads:
        yield _guarded("threads", lambda: _threads(bundle))


def _licence(manifest: Manifest, settings: Settings) -> Check:
    require_use(manifest.source.license, manifest.name, settings.use)
    found = licence(manifest.source.license, manifest.name)
    return Check("licence", True, f"{found}; for {settings.use} use, as the setting 'use' says")


def _memory(bundle: Bundle, settings: Settings) -> Check:
    manifest = bundle.manifest
    weights = sum(entry.size for entry in bundle.manifest.files.values())
    tokens = sum(budgets(settings, manifest, PrefillThroughput(manifest))) + longest_suggestion(settings, manifest)
    cache = tokens * bundle.manifest.kv.bytes_per_token
    free = psutil.virtual_memory().available
    detail = f"needs about {(weights + cache) / 1e6:.0f} MB, {free / 1e6:.0f} MB are free"
    enough = free > weights + cache
    return Check("memory", enough, detail if enough else f"{detail}: close other programs")


def _threads(bundle: Bundle) -> Check:
    best = thread_tuning.measure(bundle)
    return Check("threads", True, f"fastest with {best} of {cpu.usable_cores()}; the server will use that number")


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


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except MidfillError as error:
        return Check(name, False, str(error))
    except Exception as error:  # the report must be complete whatever is broken
        return Check(name, False, f"unexpected {type(error).__name__}; `midfill complete --debug` shows more")
