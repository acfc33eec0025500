"""The cores of a processor, from what Linux, Windows and macOS report about well-known machines."""

from __future__ import annotations

import struct
import sys
from collections import Counter
from pathlib import Path

import pytest

from midfill.inference import topology
from midfill.inference.topology import Core, equal_cores, linux_cores, mac_cores, windows_cores


def described(cores: list[Core]) -> Counter[tuple[int, float]]:
    """Count the cores by their number of hardware threads and their speed."""
    return Counter((len(core.threads), core.speed) for core in cores)


def write_system(folder: Path, siblings: list[str], **files: list[str]) -> Path:
    """Write a folder like /sys. ``siblings`` has the hardware threads of each one's core, ``files`` its other files."""
    processor = folder / "devices/system/cpu"
    for number, of_core in enumerate(siblings):
        texts = {"topology/thread_siblings_list": of_core, **{name: values[number] for name, values in files.items()}}
        for name, text in texts.items():
            file = processor / f"cpu{number}" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{text}\n")
    (processor / "online").write_text(f"0-{len(siblings) - 1}\n")
    return folder


def write_kinds(system: Path, **numbers: str) -> None:
    """Write which hardware threads each kind of core of a hybrid processor has."""
    for kind, text in numbers.items():
        (system / f"devices/cpu_{kind}").mkdir()
        (system / f"devices/cpu_{kind}/cpus").write_text(f"{text}\n")


def test_linux_on_a_hybrid_laptop(tmp_path: Path) -> None:
    """A Core i7-12700H has 6 performance cores of two hardware threads each, and 8 efficiency cores."""
    pairs = [f"{n}-{n + 1}" for n in range(0, 12, 2) for _ in range(2)]
    system = write_system(tmp_path, [*pairs, *(str(n) for n in range(12, 20))])
    write_kinds(system, core="0-11", atom="12-19")
    assert described(linux_cores(system)) == {(2, 1.0): 6, (1, 0.4): 8}


def test_linux_on_an_arm_board(tmp_path: Path) -> None:
    """The capacity of a core is its speed."""
    capacities = ["414"] * 4 + ["1024"] * 4
    system = write_system(tmp_path, [str(n) for n in range(8)], cpu_capacity=capacities)
    assert described(linux_cores(system)) == {(1, 414.0): 4, (1, 1024.0): 4}


def test_linux_on_a_processor_of_two_clock_rates(tmp_path: Path) -> None:
    """Where all capacities are equal, the highest clock rate tells cores apart."""
    rates = {"cpu_capacity": ["1024"] * 4, "cpufreq/cpuinfo_max_freq": ["4900000", "4900000", "3500000", "3500000"]}
    system = write_system(tmp_path, ["0,1", "0,1", "2,3", "2,3"], **rates)
    assert described(linux_cores(system)) == {(2, 4900000.0): 1, (2, 3500000.0): 1}


def test_linux_with_an_offline_hardware_thread(tmp_path: Path) -> None:
    """A core has only those hardware threads that are online."""
    system = write_system(tmp_path, ["0,2", "1,3", "0,2", "1,3"])
    (system / "devices/system/cpu/online").write_text("0-2\n")
    assert linux_cores(system) == [Core(frozenset({0, 2})), Core(frozenset({1}))]


@pytest.mark.parametrize("rates", [["4900000", "", "1", "1"], ["x", "y", "z", "0"]])
def test_linux_with_incomplete_files(tmp_path: Path, rates: list[str]) -> None:
    """Without a usable speed of each core, all count as equal."""
    system = write_system(tmp_path, ["0", "1", "2", "3"], **{"cpufreq/cpuinfo_max_freq": rates})
    assert described(linux_cores(system)) == {(1, 1.0): 4}


def test_linux_without_files(tmp_path: Path) -> None:
    """A sandbox may hide the files."""
    assert linux_cores(tmp_path) == []


def test_macos_on_apple_silicon() -> None:
    """An M1 Pro has 8 performance and 2 efficiency cores; no two cores have the same hardware thread."""
    values = {
        "hw.nperflevels": 2, "hw.perflevel0.physicalcpu": 8, "hw.perflevel0.logicalcpu": 8,
        "hw.perflevel1.physicalcpu": 2, "hw.perflevel1.logicalcpu": 2, "hw.physicalcpu": 10,
    }  # fmt: skip
    cores = mac_cores(lambda name: values.get(name, 0))
    assert described(cores) == {(1, 1.0): 8, (1, 0.4): 2}
    assert len(frozenset().union(*(core.threads for core in cores))) == 10


def test_macos_on_intel() -> None:
    """An Intel Mac has no performance levels."""
    values = {"hw.physicalcpu": 4, "hw.logicalcpu": 8}
    assert described(mac_cores(lambda name: values.get(name, 0))) == {(2, 1.0): 4}


def test_macos_without_an_answer() -> None:
    """Nothing is known when no name is known."""
    assert mac_cores(lambda _: 0) == []


def record(efficiency: int, *masks: tuple[int, int], kind: int = 0) -> bytes:
    """Return what Windows says of one core: its class, and masks of its hardware threads with their groups."""
    groups = b"".join(struct.pack("<QH6x", mask, group) for mask, group in masks)
    return struct.pack("<IIBB20xH", kind, 32 + len(groups), len(masks) > 1, efficiency, len(masks)) + groups


HYBRID = [record(1, (0b11 << n, 0)) for n in range(0, 12, 2)] + [record(0, (1 << n, 0)) for n in range(12, 20)]


def test_windows_on_a_hybrid_laptop() -> None:
    """The performance cores have the higher class."""
    assert described(windows_cores(b"".join(HYBRID))) == {(2, 1.0): 6, (1, 0.4): 8}


def test_windows_with_three_classes() -> None:
    """Each class is slower than the one above it."""
    cores = windows_cores(record(2, (1, 0)) + record(1, (2, 0)) + record(0, (4, 0)))
    assert [core.speed for core in cores] == pytest.approx([1.0, 0.4, 0.16])


def test_windows_with_two_groups() -> None:
    """Hardware threads of another group have other numbers, and records of other kinds are skipped."""
    cores = windows_cores(record(0, (1, 0)) + record(0, (7, 0), kind=2) + record(0, (1, 1)))
    assert cores == [Core(frozenset({0})), Core(frozenset({64}))]


@pytest.mark.parametrize("records", [b"", b"\0" * 100, HYBRID[0][:40], record(0, (0, 0))])
def test_windows_with_damaged_records(records: bytes) -> None:
    """Records that describe no core give none."""
    assert windows_cores(records) == []


@pytest.mark.parametrize(
    ("threads", "cores", "sizes"), [(8, 4, [2] * 4), (4, 4, [1] * 4), (6, 4, [2, 2, 1, 1]), (2, 8, [1, 1])]
)
def test_equal_cores(threads: int, cores: int, sizes: list[int]) -> None:
    """All hardware threads belong to a core, and each core has one."""
    made = equal_cores(threads, cores)
    assert [len(core.threads) for core in made] == sizes
    assert frozenset().union(*(core.threads for core in made)) == frozenset(range(threads))


@pytest.mark.parametrize("platform", ["linux", "freebsd"])
def test_this_machine_has_a_core(monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    """There is always a core, also on a system that is not known."""
    monkeypatch.setattr(sys, "platform", platform)
    assert topology.read()


def test_simulated_macos(monkeypatch: pytest.MonkeyPatch) -> None:
    """On macOS the answers of sysctl decide."""
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(topology, "_sysctl", lambda name: {"hw.physicalcpu": 2, "hw.logicalcpu": 4}.get(name, 0))
    assert described(topology.read()) == {(2, 1.0): 2}


def test_simulated_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows the records decide."""
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(topology, "_windows_records", lambda: b"".join(HYBRID))
    assert described(topology.read()) == {(2, 1.0): 6, (1, 0.4): 8}
