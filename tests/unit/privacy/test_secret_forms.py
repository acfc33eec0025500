"""Figures of redaction: how many ways to write a secret are recognised, and how much ordinary code is hidden."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from lengths import length
from midfill.privacy.secrets import redact
from unit.privacy.secret_forms import Form, forms

_SEEDS = range(3)
_MIN_CAUGHT = 0.92
_MAX_FALSE_ALARMS = 1.0
"""Maximum number of false alarms in a million characters of code."""
_FORMS = [form for seed in _SEEDS for form in forms(seed)]
_LANGUAGES = sorted({form.language for form in _FORMS})
_LEFT_OUT = frozenset(("site-packages", "test", "tests", "testing", "idle_test", "testing_utils.py"))
"""Folders and files of tests: the passwords in them were made up, but they are passwords. The packages are measured
apart from the library in whose folder they may be."""


def _is_caught(form: Form) -> bool:
    return form.is_hidden_in(redact(form.text).text)


def _tell(capsys: pytest.CaptureFixture[str], line: str) -> None:
    """Print a figure, also where the output of tests is captured."""
    with capsys.disabled():
        sys.stdout.write(f"\n{line}")


@pytest.mark.parametrize("language", _LANGUAGES)
def test_forms_of_a_language_are_caught(language: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Of each language at least half; a language has only a few forms. Every text keeps its number of lines."""
    own = [form for form in _FORMS if form.language == language]
    caught = sum(map(_is_caught, own))
    _tell(capsys, f"secrets in {language}: {caught} of {len(own)} caught ({caught / len(own):.1%})")
    assert caught >= len(own) / 2
    assert all(redact(form.text).text.count("\n") == form.text.count("\n") for form in own)


def test_forms_are_caught(capsys: pytest.CaptureFixture[str]) -> None:
    """Of all forms, at least 92%: a form counts as caught if no six characters in a row of its secret are left."""
    caught = sum(map(_is_caught, _FORMS))
    share = caught / len(_FORMS)
    _tell(capsys, f"secrets in {len(_LANGUAGES)} languages: {caught} of {len(_FORMS)} caught ({share:.1%})")
    assert len(_FORMS) >= 150 * len(_SEEDS)
    assert len(_LANGUAGES) >= 12
    assert share >= _MIN_CAUGHT


@pytest.mark.parametrize("form", list(forms()), ids=lambda form: f"{form.language}-{form.text[:30]!a}")
def test_redacting_a_form_again_changes_nothing(form: Form) -> None:
    """Placeholders, and the text around them, look like no secrets."""
    once = redact(form.text).text
    assert redact(once).text == once


def _code(folder: Path, characters: int) -> Iterator[str]:
    """Yield Python files of a folder, one in ten until there are so many characters, always the same ones."""
    left = characters
    files = [path for path in sorted(folder.rglob("*.py")) if not _LEFT_OUT & set(path.relative_to(folder).parts)]
    for path in (file for start in range(10) for file in files[start::10]):
        text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
        left -= len(text)
        if left < 0:
            return
        yield text


@pytest.mark.parametrize(
    ("name", "folder", "characters"),
    [
        ("the standard library", "stdlib", length(3_000_000, 20_000_000)),
        ("installed packages", "purelib", length(3_000_000, 60_000_000)),
    ],
)
def test_false_alarms_are_rare(name: str, folder: str, characters: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Less than one in a million characters of real code."""
    texts = list(_code(Path(sysconfig.get_path(folder)), characters))
    alarms = [text[span.start : span.end] for text in texts for span in redact(text).spans]
    total = sum(map(len, texts))
    _tell(capsys, f"false alarms in {name}: {len(alarms)} in {total:,} characters {alarms[:9]}")
    assert total > 1_000_000
    assert len(alarms) < _MAX_FALSE_ALARMS * total / 1_000_000 + 1
