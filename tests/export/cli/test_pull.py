"""The command `midfill pull`."""

from __future__ import annotations

import argparse
import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from midfill.common.errors import LicenceRefused, UsageError
from midfill_export.cli import pull
from midfill_export.cli.pull import run
from midfill_export.weights.known_models import WEIGHTS

CONTENT = b"weights"
TINY = replace(WEIGHTS["0.5b"], name="tiny", size=len(CONTENT), sha256=hashlib.sha256(CONTENT).hexdigest())


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the cache's folder of weights, which does not exist yet."""
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "weights"


@pytest.mark.parametrize("arguments", [{"what": None, "model": "tiny"}, {"what": "tiny", "model": "0.5b"}])
def test_model(arguments: dict[str, str], cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The licence comes first, on standard error; standard output has the path alone."""
    cache.mkdir(parents=True)
    (cache / TINY.file).write_bytes(CONTENT)
    given = argparse.Namespace(**arguments, accept_license=False, weights_only=True, tokenizer_only=False)
    assert run(given, tmp_path, "personal", {"tiny": TINY}) == 0
    written = capsys.readouterr()
    assert written.out == f"{cache / TINY.file}\n"
    assert written.err == "Qwen2.5-Coder-0.5B-Instruct, Apache-2.0, 0 MB\n"


def test_path(cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file is copied into the cache; without a terminal, each step is one line."""
    (tmp_path / "brought").write_bytes(CONTENT)
    given = argparse.Namespace(
        what=str(tmp_path / "brought"), model="", accept_license=False, weights_only=True, tokenizer_only=False
    )
    assert run(given, tmp_path, "personal", {"tiny": TINY}) == 0
    written = capsys.readouterr()
    assert (cache / TINY.file).read_bytes() == CONTENT
    assert written.out == f"{cache / TINY.file}\n"
    assert written.err == "copying brought: 0 MB of 0 MB\n"


def test_model_for_edits(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its bundle has the name by which the settings know it, and standard error says which these are."""
    cache.mkdir(parents=True)
    (cache / TINY.file).write_bytes(CONTENT)
    monkeypatch.setattr(pull, "_bundle", lambda _weights, _path, out: out)
    given = argparse.Namespace(what="tiny", model="", accept_license=False, weights_only=False, tokenizer_only=False)
    assert run(given, tmp_path, "personal", {"tiny": replace(TINY, edit_format="sweep", bundle="tiny-edits")}) == 0
    written = capsys.readouterr()
    assert written.out == f"{tmp_path / 'tiny-edits'}\n"
    assert 'use it by the settings nextEdit = true and nextEditModel = "tiny-edits"\n' in written.err


def test_neither(cache: Path, tmp_path: Path) -> None:
    """A word that is neither a model nor a file is wrong usage; the line says what lists the models."""
    with pytest.raises(UsageError, match=r"'70b' is neither a model nor a file: `midfill models` lists"):
        run(argparse.Namespace(what="70b", model="0.5b", tokenizer_only=False), tmp_path, "personal")


RESTRICTED = {"tiny": replace(TINY, title="stable-code-3b", licence="other")}


def restricted_arguments(cache: Path, accepted: bool) -> argparse.Namespace:
    """Put the weights into the cache and return the arguments of a pull."""
    cache.mkdir(parents=True)
    (cache / TINY.file).write_bytes(CONTENT)
    return argparse.Namespace(
        what="tiny", model="0.5b", accept_license=accepted, weights_only=True, tokenizer_only=False
    )


def test_licence_that_restricts_commercial_use_can_be_accepted(cache: Path, tmp_path: Path) -> None:
    """For personal use that is enough."""
    assert run(restricted_arguments(cache, accepted=True), tmp_path, "personal", RESTRICTED) == 0


@pytest.mark.parametrize(
    ("use", "accepted"), [("personal", False), ("commercial", True)], ids=["not accepted", "at work"]
)
def test_licence_that_restricts_commercial_use_is_refused(
    cache: Path, tmp_path: Path, use: str, accepted: bool
) -> None:
    """Without acceptance, and for commercial use in any case."""
    with pytest.raises(LicenceRefused, match=r"stable-code-3b.*work needs their membership"):
        run(restricted_arguments(cache, accepted), tmp_path, use, RESTRICTED)


def test_tokenizer_of_an_unknown_model(cache: Path, tmp_path: Path) -> None:
    """The line says where the known models are listed."""
    given = argparse.Namespace(what="llama3", model="0.5b", tokenizer_only=True, accept_license=False)
    with pytest.raises(UsageError, match=r"The tokenizer of 'llama3' is not known: name a model that `midfill"):
        run(given, tmp_path, "personal")


def test_licence_of_a_servers_model_is_heeded(cache: Path, tmp_path: Path) -> None:
    """The 3B has another licence than the weights whose tokenizer it shares."""
    name = "Qwen/Qwen2.5-Coder-3B-Instruct"
    given = argparse.Namespace(what=name, model="0.5b", tokenizer_only=True, accept_license=True)
    with pytest.raises(LicenceRefused, match=r"qwen2\.5-coder-3b-instruct.*research only"):
        run(given, tmp_path, "commercial")
