"""The benchmark over the tiny bundle: it measures what it says, without asking for any speed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from midfill.bench import benchmark, machine
from midfill.bench.benchmark import PeerChoice
from midfill.bench.in_process import LoadedBundle
from midfill.bench.lsp_client import LspClient
from midfill.bench.plan import Plan
from midfill.bench.report import BenchReport, to_json
from midfill.bench.scenes import Scene
from midfill.settings.schema import Settings
from midfill_export.build import bundle as build
from midfill_export.build.from_checkpoint import bundle_from_checkpoint
from unit.helpers import fake_llama_server

PLAN = Plan(
    runs=2,
    starts=2,
    prefills=(32, 300),
    contexts=(16, 64),
    decoded=4,
    steps=(1, 2),
    cancelled=64,
    scenes=1,
    keys=8,
    generated_every=4,
    key_seconds=0.05,
)


@pytest.fixture
def settings(bundle_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Return settings for the tiny bundle, with a cache of its own."""
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path))
    return Settings(bundle=bundle_folder, max_tokens=8, context_tokens=128, deadline_ms=0)


def values(report: BenchReport) -> dict[str, float | None]:
    """Return the figures' values by name."""
    return {figure.name: figure.value for figure in report.figures}


def test_bench_measures_every_figure(settings: Settings) -> None:
    """Each figure is a positive number with a unit, unless a note says why not; every stage is reported."""
    stages: list[str] = []
    report = benchmark.run(settings, stages.append, PLAN)
    found = values(report)
    assert {
        *("load", "prefill of 300 tokens", "decode after 64 tokens, no drafts", machine.step_name(2)),
        *("first token, after a keystroke", "stop after a cancel", "right suggestion within 100 ms"),
        *("answer to a keystroke, median", "tokens computed per accepted character"),
    } <= found.keys()
    assert all(figure.unit for figure in report.figures)
    assert all((figure.value is None and figure.note) or (figure.value or 0) >= 0 for figure in report.figures)
    assert all(figure.peer is None for figure in report.figures)
    assert {"loading", "prefill", "decode", "steps", "first token", "cancel", "generation"} <= set(stages)
    assert len(report.recording.served) == len(report.recording.counted) == PLAN.keys
    computed = [stroke.tokens_computed for stroke in report.recording.counted]
    assert None not in computed
    assert any(computed), "typing along a suggestion computes nothing, but something was suggested"


def test_large_model_is_measured_with_drafts_of_its_own(
    checkpoint: Path, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bundle of a large model has a graph that drafts; the bench says how fast the model is with it."""
    monkeypatch.setattr(build, "_MIN_DRAFTED_BYTES", 1)
    bundle = bundle_from_checkpoint(str(checkpoint), tmp_path / "drafting").path
    drafted = machine.Machine(LoadedBundle(replace(settings, bundle=bundle)), PLAN).drafted_decodes()
    assert [figure.name for figure in drafted] == [
        "decode after 16 tokens, drafts in 4 bits",
        "decode after 64 tokens, drafts in 4 bits",
    ]
    assert all(figure.value for figure in drafted)
    assert machine.Machine(LoadedBundle(settings), PLAN).drafted_decodes() == []


def test_bench_measures_a_peer_beside(settings: Settings, tmp_path: Path) -> None:
    """The same figures for the peer, with ratios, and the same keystrokes."""
    model = tmp_path / "model.gguf"
    model.write_text("x = 1\n")
    peer = PeerChoice(fake_llama_server(tmp_path), model)
    report = benchmark.run(settings, plan=PLAN, peer=peer)
    beside = {figure.name: figure.peer for figure in report.figures if figure.peer is not None}
    assert beside["prefill of 300 tokens"] == pytest.approx(500)
    assert beside["decode after 64 tokens, no drafts"] == pytest.approx(100)
    assert {"load", "first token, after a keystroke", "memory after loading", machine.step_name(1)} <= beside.keys()
    ratios = {figure.name: figure.ratio for figure in report.figures}
    assert ratios["prefill of 300 tokens"] == pytest.approx((values(report)["prefill of 300 tokens"] or 0) / 500, rel=1)
    assert [stroke.rest for stroke in report.recording.peer] == [stroke.rest for stroke in report.recording.served]
    assert report.circumstances.peer.startswith("b1-fake: llama-server -m model.gguf")
    json.dumps(to_json(report), allow_nan=False)


def test_cancel_that_comes_too_late_is_no_zero(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the prefill ends before the cancel, nothing was cancelled, and the note says so."""
    monkeypatch.setattr(machine, "_CANCEL_AFTER", 60.0)
    figure = machine.Machine(LoadedBundle(settings), PLAN).cancel()
    assert figure.value is None
    assert "nothing was cancelled: the prefill of 302 tokens took less than 60000 ms" in figure.note


def test_client_types_into_a_server(settings: Settings) -> None:
    """Every key is answered, also when the question was withdrawn meanwhile, as protocols want it."""
    scene = Scene("a.py", "é = 'ä'\n", "if é:\n    é()", "\n")
    with LspClient(settings) as client:
        assert client.load_seconds > 0
        assert client.memory.resident >= client.memory.own > 0
        client.open(scene)
        offset = len(scene.before)
        for key in scene.keys(100):
            question = client.type(offset, key.text)
            client.withdraw()
            assert isinstance(question.result(60), str)
            client.withdraw()  # too late, and no harm
            offset += len(key.text)
        client.close()
