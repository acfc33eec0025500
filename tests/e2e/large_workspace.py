"""A workspace of 10,000 files, and somebody typing meanwhile: `nox -s large_workspace`; too long for every change.

Times are told, not judged: they are the machine's. What is judged is that all files are indexed, in bounded memory.
"""

from __future__ import annotations

import shutil
import statistics
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from e2e.raw_client import MIDFILL, RawClient
from midfill.code.source_files import read_source
from waiting import wait_until

FILES = 10_000
MOST_BYTES = 300_000_000
KEYS = 40
TYPED = "def total_price(items, tax):\n    return sum(item.price * item.quantity for item in items) * (1 + tax)\n"


def sources() -> Iterator[Path]:
    """Yield source files of installed packages, the same ones every time."""
    for folder in (sysconfig.get_path("purelib"), sysconfig.get_path("stdlib")):
        for path in sorted(Path(folder).rglob("*.py")):
            if "__pycache__" not in path.parts and read_source(path):
                yield path


def typing_milliseconds(client: RawClient, uri: str, first_number: int) -> list[float]:
    """Type, and return how long each keystroke's request took."""
    client.open("", uri)
    times, text = [], ""
    for number, key in enumerate(TYPED[:KEYS]):
        line, character = text.count("\n"), len(text) - text.rfind("\n") - 1
        place = {"line": line, "character": character}
        text += key
        change = {"range": {"start": place, "end": place}, "text": key}
        identity = {"uri": uri, "version": number + 1}
        client.notify("textDocument/didChange", {"textDocument": identity, "contentChanges": [change]})
        started = time.perf_counter()
        client.ask(first_number + number, line, character + 1, uri)
        client.answer_to(first_number + number)
        times.append(1000 * (time.perf_counter() - started))
    return times


def watch_index(client: RawClient, child: psutil.Process) -> tuple[int, int]:
    """Wait until the index is built; return the most memory that its process had, and the most files it told of."""
    peak, told = 0, []

    def is_built() -> bool:
        nonlocal peak, told
        peak = max(peak, child.memory_info().rss)
        told = [n["params"]["value"] for n in client.notifications if n["method"] == "$/progress"]
        ended = [value for value in told if value["kind"] == "end"]
        return len(ended) == 2  # loading and indexing

    wait_until(is_built, "the index", limit=1800)
    counts = [int(value["message"].split()[0].replace(",", "")) for value in told if _tells_files(value)]
    return peak, max(counts)


@pytest.mark.bundle
@pytest.mark.timeout(3600)
def test_ten_thousand_files(bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All are indexed in the background, in at most 300 MB."""
    folder = tmp_path / "work"
    for number, (source, _) in enumerate(zip(sources(), range(FILES), strict=False)):
        target = folder / f"part{number % 100:02}" / f"{source.parent.name}_{number}_{source.name}"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    count = sum(1 for _ in folder.rglob("*.py"))
    with RawClient(MIDFILL, tmp_path / "stderr") as client:
        capabilities = {"window": {"workDoneProgress": True}, "textDocument": {"inlineCompletion": {}}}
        params = {"processId": None, "rootUri": folder.as_uri(), "capabilities": capabilities}
        client.request(0, "initialize", {**params, "initializationOptions": {"prefetch": False}})
        client.notify("initialized", {})
        started = time.perf_counter()
        client.wait_until_loaded()
        [child] = psutil.Process(client.process.pid).children()
        during = typing_milliseconds(client, (folder / "during.py").as_uri(), 1000)
        peak, seen = watch_index(client, child)
        seconds = time.perf_counter() - started
        after = typing_milliseconds(client, (folder / "after.py").as_uri(), 2000)
    with capsys.disabled():
        print(  # noqa: T201 - whoever waits wants to see the figures
            f"\n{count} files indexed in {seconds:.0f} s, {peak / 1e6:.0f} MB at most; median of a keystroke's request "
            f"{statistics.median(during):.0f} ms while indexing, {statistics.median(after):.0f} ms afterwards"
        )
    assert count == FILES
    assert seen > FILES // 2
    assert peak < MOST_BYTES


def _tells_files(value: dict[str, str]) -> bool:
    return value["kind"] == "report" and value.get("message", "").endswith("files read")
