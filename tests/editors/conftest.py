"""The editors that `nox -s editors` has installed, and what is kept of a test that fails in one of them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from editors.editors import Editor, Emacs, Helix, Neovim
from editors.install import RELEASES
from editors.picture import draw
from midfill.inference.bundle import MANIFEST
from midfill.settings.schema import default_bundle

FOLDER = Path(os.environ.get("MIDFILL_EDITORS", ".nox/editors")).resolve()
"""Where the editors are installed."""
KINDS: dict[str, Callable[..., Editor]] = {"nvim": Neovim, "emacs": Emacs, "hx": Helix}
WITH_GHOST_TEXT = [name for name, release in RELEASES.items() if release.program != "hx"]

if "MIDFILL_EDITORS" not in os.environ:  # the plain test run installs no editors
    names = ["ghost_text", "emacs", "emacs_next_edit", "helix", "llama_vim", "neovim"]
    names += [f"neovim_{part}" for part in ("install", "keys", "next_edit", "predictions", "program")]
    collect_ignore = [f"test_{name}.py" for name in names]

Start = Callable[..., Editor]


def launcher(name: str) -> Path:
    """Return the program of an installed editor."""
    return FOLDER / name / RELEASES[name].program


@pytest.fixture(scope="session")
def bundle() -> None:
    """Fail at once where there is no model, rather than wait for what it would write."""
    if not (default_bundle() / MANIFEST).is_file():
        pytest.fail(f"There is no model bundle at {default_bundle()}: run `make try`, or set MIDFILL_BUNDLE.", False)


@pytest.fixture(scope="session", params=WITH_GHOST_TEXT)
def editor(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, bundle: None) -> Iterator[Editor]:
    """Return each editor in turn, started once for all tests."""
    name = request.param
    started = KINDS[RELEASES[name].program](launcher(name), tmp_path_factory.mktemp(name))
    with started.terminal:
        yield started


@pytest.fixture
def start(request: pytest.FixtureRequest, tmp_path: Path, bundle: None) -> Iterator[Start]:
    """Return a function that starts an editor for one test: `start("neovim-0.12", ...)`."""
    with ExitStack() as running:

        def run(name: str, kind: type[Editor] | None = None, **options: object) -> Editor:
            editor = (kind or KINDS[RELEASES[name].program])(launcher(name), tmp_path / name, **options)  # type: ignore[arg-type]
            running.enter_context(editor.terminal)
            request.node.editors = [*getattr(request.node, "editors", []), editor]
            return editor

        yield run


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of an editor that is started once in one process, and those of a file, of several processes.

    Emacs comes first, because it takes longest.
    """
    items.sort(key=lambda item: "emacs" not in item.nodeid)
    for item in items:
        shared = getattr(item, "callspec", None) and item.callspec.params.get("editor")  # type: ignore[attr-defined]
        item.add_marker(pytest.mark.xdist_group(shared or item.path.stem))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Keep the screen of each editor of a failed test, as a picture beside the editors."""
    report = yield
    if call.when == "call" and call.excinfo:
        name = re.sub(r"[^\w.-]+", "_", item.name)
        funcargs = getattr(item, "funcargs", {})
        for editor in [*filter(None, [funcargs.get("editor")]), *getattr(item, "editors", [])]:
            kept = FOLDER / "failures" / f"{name}.svg"
            kept.parent.mkdir(exist_ok=True)
            kept.write_text(draw(editor.terminal.screen, item.name))
            item.add_report_section("call", "screen", f"{editor.screen}\n\nKept as {kept}")
    return report
