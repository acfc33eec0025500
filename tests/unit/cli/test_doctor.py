"""The doctor: every check runs, whatever the others find."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from midfill.cli import doctor
from midfill.cli.doctor import Check, examine, platform_check, to_json, to_text
from midfill.common.platforms import Platform
from midfill.engine.open_model import open_model
from midfill.inference.bundle import KvLayout
from midfill.inference.decoder import PREFILL_CHUNK
from midfill.inference.kv_cache import KvCache
from midfill.inference.onnx_model import LONG_PAST, OnnxModel
from midfill.settings.schema import Settings
from midfill.sharing import CAN_SHARE
from policies import place_policy
from unit.helpers import chain_graph, manifest, write_bundle
from unit.remote.model_server import ModelServer, serving


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use a cache folder for this test."""
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path / "cache"))


def checks(settings: Settings) -> dict[str, Check]:
    """Run all checks, by name."""
    return {check.name: check for check in examine(settings)}


def test_sound_installation(tmp_path: Path) -> None:
    """Every check succeeds, and each line says what was found."""
    folder = write_bundle(tmp_path / "b", graph=chain_graph("1", anywhere=True), context_length=32_768).path
    found = checks(Settings(bundle=folder, deadline_ms=0))
    assert " ".join(found) == (
        "midfill python platform libraries processor policy bundle licence memory engine completion exactness threads"
        " context"
    )
    assert all(check.ok for check in found.values())
    assert "onnxruntime " in found["libraries"].detail
    assert found["licence"].detail == "Apache-2.0; for personal use, as the setting 'use' says"
    assert found["completion"].detail.startswith("'return ' -> '1")
    assert ", the fastest of " in found["threads"].detail
    assert found["context"].detail.startswith("at most ")


def test_policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its path, and what it rules; a fault if it cannot be used, or forbids the model."""
    bundle = write_bundle(tmp_path / "b", graph=chain_graph("1", anywhere=True)).path
    settings = Settings(bundle=bundle, threads=1, context_tokens=128)
    file = place_policy(tmp_path, monkeypatch)
    assert checks(settings)["policy"] == Check("policy", True, f"none, for there is no {file}")
    file.write_text("models = ['larger']\nrecord = false\n")
    assert checks(settings)["policy"] == Check("policy", True, f"{file}: models: larger; no recordings")
    assert checks(settings)["licence"].detail == (
        f"The policy in {file} does not allow the model tiny, only the models larger: ask your administrators."
    )
    file.write_text("models = 1\n")
    assert checks(settings)["policy"] == Check(
        "policy", False, f"{file}: nothing is completed, because 'models' must be a list of texts"
    )


def test_model_for_next_edits(tmp_path: Path) -> None:
    """Which one it is and what it needs, or the command that gets it; without the setting there is no line."""
    own = write_bundle(tmp_path / "own", name="Editor", kv=KvLayout(layers=24, heads=2, head_size=64)).path
    settings = Settings(bundle=tmp_path / "none", next_edit_model=str(own))
    check = checks(settings)["next edits"]
    assert check.ok
    assert check.detail.startswith(f"Editor in {own}, format plain, needs about ")
    assert check.detail.endswith("; it is loaded once the setting 'nextEdit' is true")
    check = checks(replace(settings, next_edit_model="sweep-0.5b"))["next edits"]
    assert not check.ok
    assert check.detail.endswith("get it with `midfill pull sweep-0.5b`.")
    assert "next edits" not in checks(replace(settings, next_edit_model=""))


@pytest.mark.skipif(not CAN_SHARE, reason="servers share no engine on this system yet")
def test_where_the_model_of_servers_is(tmp_path: Path, short_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a process that they share, which runs or not; in their own memory, if the settings or the system say so."""
    bundle = write_bundle(tmp_path / "b", graph=chain_graph("1", anywhere=True)).path
    settings = Settings(bundle=bundle, share_engine=True, threads=1, context_tokens=128, unload_minutes=0)
    folder = Path(os.environ["XDG_RUNTIME_DIR"]) / "midfill"
    shared = f"servers share one process, which {{}}; its socket is in {folder}"
    assert checks(settings)["engine"].detail == shared.format("does not run now")
    model = open_model(settings)
    assert checks(settings)["engine"].detail == shared.format("runs now")
    apart = checks(replace(settings, share_engine=False))["engine"]
    assert apart.detail == "each server has the model in its own memory, as the setting 'shareEngine' says"
    unsafe = short_path / f"midfill-{os.geteuid()}"
    unsafe.mkdir(mode=0o755)
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setattr("tempfile.tempdir", str(short_path))
    refused = checks(settings)["engine"]
    assert refused.ok, "suggestions come all the same"
    assert refused.detail.startswith(f"each server has the model in its own memory, because {unsafe} is not")
    assert model.manifest.name == "tiny"


def test_what_the_settings_say_is_not_measured(tmp_path: Path) -> None:
    """A number of threads and of tokens that the settings have is used as it is, and the report says so."""
    folder = write_bundle(tmp_path / "b", graph=chain_graph("1", anywhere=True)).path
    found = checks(Settings(bundle=folder, threads=1, context_tokens=128, deadline_ms=0))
    assert found["threads"].detail == "1, as the setting 'threads' says"
    assert (
        found["context"].detail == "at most 128 tokens of the document and 512 of other files: `contextTokens` is 128"
    )


def test_threads_sleep_on_battery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The report says that a machine runs on its battery, because that changes how threads wait."""
    monkeypatch.setattr(doctor, "on_battery", lambda: True)
    folder = write_bundle(tmp_path / "b", graph=chain_graph("1", anywhere=True)).path
    detail = checks(Settings(bundle=folder, deadline_ms=0))["threads"].detail
    assert detail.endswith("; idle threads sleep between operators, because this machine runs on its battery")


def test_sample_is_longer_than_one_step_of_a_prompt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of a step without logits shows, and so does one after a long past."""
    steps: list[tuple[int, int]] = []
    step = OnnxModel.step

    def noted(model: OnnxModel, ids: Sequence[int], cache: KvCache, *rest: Any) -> Any:
        steps.append((len(cache), len(ids)))
        return step(model, ids, cache, *rest)

    monkeypatch.setattr(OnnxModel, "step", noted)
    bundle = write_bundle(tmp_path / "b", graph=chain_graph("1", anywhere=True), context_length=4096)
    assert checks(Settings(bundle=bundle.path))["completion"].ok
    assert (0, PREFILL_CHUNK) in steps
    assert max(past for past, _ in steps) >= LONG_PAST


def test_inexact_processor_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line says how to be safe there."""
    monkeypatch.setattr(doctor, "differing_splits", lambda *_: [(130, 5), (2048, 1)])
    folder = write_bundle(tmp_path / "b", graph=chain_graph("1", anywhere=True)).path
    check = checks(Settings(bundle=folder))["exactness"]
    assert not check.ok
    assert "5 tokens after 130, 2 cases in all): set 'draftTokens' to 0" in check.detail


def test_platform_is_judged() -> None:
    """One line names the platform and says whether it is supported, and if not, why and what to do."""
    mac = Platform(system="macOS", system_version=(15, 1), machine="x86-64", python=(3, 13))
    assert platform_check(mac) == Check("platform", True, "macOS 15.1, x86-64, CPython 3.13: supported")
    refused = platform_check(replace(mac, python=(3, 14)))
    assert not refused.ok
    assert refused.detail.startswith("macOS 15.1, x86-64, CPython 3.14: not supported, onnxruntime has no package")
    assert "use Python 3.10 to 3.13" in refused.detail


def test_missing_bundle_is_one_fault(tmp_path: Path) -> None:
    """Checks that need no bundle run; the others are left out."""
    found = checks(Settings(bundle=tmp_path / "none"))
    assert [check.name for check in found.values() if not check.ok] == ["bundle"]
    assert "completion" not in found


def test_fault_of_the_model_does_not_stop_the_other_checks(tmp_path: Path) -> None:
    """The check of the bundle succeeds, because its files are unchanged; the completion fails."""
    found = checks(Settings(bundle=write_bundle(tmp_path / "b").path))
    assert found["bundle"].ok
    assert found["memory"].ok
    assert not found["completion"].ok
    assert "onnxruntime cannot load" in found["completion"].detail


def test_unexpected_fault_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unexpected exception is named, without a traceback."""

    def fail(_: Settings) -> str:
        raise KeyError("nothing")

    monkeypatch.setattr(doctor, "_timed_completion", fail)
    folder = write_bundle(tmp_path / "b", graph=chain_graph("1")).path
    check = checks(Settings(bundle=folder))["completion"]
    assert not check.ok
    assert check.detail == "unexpected KeyError; `midfill complete --debug` shows more"


def test_too_little_memory_is_a_fault_that_says_what_to_do(tmp_path: Path) -> None:
    """A model that needs more memory than is free is a fault."""
    layout = KvLayout(layers=1024, heads=1024, head_size=4096)
    folder = write_bundle(tmp_path / "b", kv=layout).path
    check = checks(Settings(bundle=folder, context_tokens=100_000))["memory"]
    assert not check.ok
    assert check.detail.endswith(": close other programs")


def test_report_in_words() -> None:
    """Names are aligned, and faults stand out."""
    report = to_text([Check("a", True, "well"), Check("longer", False, "not well")])
    assert report == "ok    a       well\nFAIL  longer  not well"


@pytest.mark.parametrize("ok", [True, False])
def test_report_for_a_program(ok: bool) -> None:
    """The report is ok if every check is."""
    check = Check("a", ok, "b")
    assert to_json([replace(check, ok=True), check]) == {
        "ok": ok,
        "checks": [{"name": "a", "ok": True, "detail": "b"}, {"name": "a", "ok": ok, "detail": "b"}],
    }


@pytest.fixture
def served_table() -> np.ndarray:
    """Make the likings of a small model at a server."""
    pytest.importorskip("httpx", reason="the extra 'remote' is not installed")
    size = manifest().vocabulary
    return np.random.default_rng(1).normal(0, 3, (size, size)).astype(np.float32)


def test_where_code_goes(tmp_path: Path, served_table: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    """The address, what answers there, and where the key is from, but not the key."""
    folder = write_bundle(tmp_path / "b", graph=chain_graph("1", anywhere=True)).path
    monkeypatch.setenv("MIDFILL_ENGINE_KEY", "the-key-itself")
    with serving(ModelServer(served_table, key="the-key-itself")) as served:
        settings = Settings(bundle=folder, threads=1, context_tokens=128, engine=served.url, actions_engine=served.url)
        found = checks(settings)
    assert found["server"].ok
    assert found["server"].detail.startswith(
        f"code goes to {served.url}, and to nothing else; vLLM, model 'tiny', at most 1,024 tokens; the key is from the"
        " variable MIDFILL_ENGINE_KEY; 4 tokens in "
    )
    assert found["actions server"].ok
    assert "the-key-itself" not in str(found)
    assert found["completion"].ok


def test_server_that_is_away(tmp_path: Path, served_table: np.ndarray) -> None:
    """The line says so, and the checks of this machine go on."""
    folder = write_bundle(tmp_path / "b", graph=chain_graph("1", anywhere=True)).path
    with serving(ModelServer(served_table)) as served:
        served.stop()
        found = checks(Settings(bundle=folder, threads=1, context_tokens=128, engine=served.url))
    assert not found["server"].ok
    assert "nothing listens there: is it running?" in found["server"].detail
    assert found["completion"].ok
