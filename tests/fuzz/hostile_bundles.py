"""Bundles and GGUF files that nobody should trust, each made by a seed."""

from __future__ import annotations

import hashlib
import json
import os
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

from fuzz.values import mutated
from midfill.inference.bundle import GRAPH, MANIFEST, TOKENIZER

_NUMBERS = (-1, 0, 1, 2**31, 2**53, 2**63, 10**30, 1e308, True, "7")
_NAMES = ("../../etc/passwd", "/etc/passwd", "v1/../..", "a\x1b[2Jb", "\0", "a" * 5_000, "con", "\ud800", "-")
_TEMPLATES = (
    "{% for i in range(999999999) %}x{% endfor %}",
    "{{ 'x' * 999999999 }}",
    "{% for",
    "{{ ''.__class__.__mro__ }}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{{ nothing.at.all }}",
)


def make_bundle(sound: Path, folder: Path, seed: int) -> str:
    """Make a hostile bundle of a sound one in ``folder``; return what was done."""
    chance = Random(seed)  # noqa: S311 -- repeatable
    folder.mkdir()
    for file in sound.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    ways: Sequence[tuple[str, Callable[[Path, Random], None]]] = (
        ("manifest with other values", _odd_manifest),
        ("manifest with absurd numbers", _absurd_numbers),
        ("manifest with other names", _odd_names),
        ("damaged manifest", _damaged_manifest),
        ("damaged file with its right hash", _damaged_file),
        ("something else in a file's place", _no_file),
        ("chat template that does not end", _endless_template),
    )
    name, make = chance.choice(ways)
    make(folder, chance)
    return name


def make_gguf(path: Path, seed: int) -> str:
    """Write a hostile GGUF file; return what was done."""
    chance = Random(seed)  # noqa: S311 -- repeatable
    sound = _gguf([("general.name", 8, b"tiny"), ("whole", 4, 7)], [("weights", (32, 4))])
    ways: Sequence[tuple[str, Callable[[], bytes]]] = (
        ("flipped", lambda: _flipped(sound, chance)),
        ("cut short", lambda: sound[: chance.randrange(len(sound))]),
        (
            "absurd counts",
            lambda: sound[:8] + struct.pack("<QQ", *chance.choices((0, 1, 2**31, 2**62), k=2)) + sound[24:],
        ),
        ("many empty strings", lambda: _array(8, bytes(8 * 400_000), 400_000)),
        ("array of a huge count", lambda: _array(4, b"", chance.choice((2**31, 2**60, 2**64 - 1)))),
        ("nested arrays", lambda: _array(9, struct.pack("<IQ", 9, 1) * 200_000, 1)),
        ("huge tensors", lambda: _gguf([], [("w", (2**40, 2**40))])),
        ("tensors of no size", lambda: _gguf([], [("w", (0, 0))])),
        ("odd alignment", lambda: _gguf([("general.alignment", 4, chance.choice((0, 1, 3, 2**31)))], [("w", (32,))])),
        ("escape codes", lambda: _gguf([("general.architecture", 8, b"\x1b[2J\n")], [("\x1b[2J", (32,))])),
    )
    name, make = chance.choice(ways)
    path.write_bytes(make())
    return f"GGUF, {name}"


def _edit(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    manifest = _manifest(folder)
    change(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest))


def _manifest(folder: Path) -> dict[str, Any]:
    """Return a manifest without a checksum: a stranger leaves it out, as the first versions of Midfill did."""
    values: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    values.pop("checksum", None)
    return values


def _odd_manifest(folder: Path, chance: Random) -> None:
    (folder / MANIFEST).write_text(json.dumps(mutated(_manifest(folder), chance)))


def _absurd_numbers(folder: Path, chance: Random) -> None:
    def change(manifest: dict[str, Any]) -> None:
        for holder, key in chance.sample(
            [
                (manifest, "context_length"),
                (manifest, "vocabulary"),
                (manifest, "format"),
                (manifest["kv"], "layers"),
                (manifest["kv"], "heads"),
                (manifest["kv"], "head_size"),
                (manifest["fim"], "prefix"),
                (manifest["fim"], "middle"),
                (manifest["verification"], "positions"),
                (manifest["verification"], "mean_kl"),
            ],
            2,
        ):
            holder[key] = chance.choice(_NUMBERS)
        manifest["stop_tokens"] = chance.choice(([], [-1], [2**40], list(range(300)), "none", manifest["stop_tokens"]))

    _edit(folder, change)


def _odd_names(folder: Path, chance: Random) -> None:
    def change(manifest: dict[str, Any]) -> None:
        name = chance.choice(_NAMES)
        for holder, key in chance.sample(
            [(manifest, "name"), (manifest, "folder"), (manifest["source"], "license")], 2
        ):
            holder[key] = name
        manifest["files"][chance.choice(_NAMES)] = {"size": 1, "sha256": "0" * 64}

    _edit(folder, change)


def _damaged_manifest(folder: Path, chance: Random) -> None:
    data = (folder / MANIFEST).read_bytes()
    ways = (_flipped(data, chance), data[: chance.randrange(len(data))], b"[" * 200_000, b'{"format": 1' + b"0" * 9_000)
    (folder / MANIFEST).write_bytes(chance.choice(ways))


def _damaged_file(folder: Path, chance: Random) -> None:
    name = chance.choice((GRAPH, TOKENIZER))
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(
        chance.choice((_flipped(data, chance), data[: chance.randrange(len(data))], b"", b"{}", b"null", data * 2))
    )
    changed = (folder / name).read_bytes()
    entry = {"size": len(changed), "sha256": hashlib.sha256(changed).hexdigest()}
    _edit(folder, lambda manifest: manifest["files"].update({name: entry}))


def _no_file(folder: Path, chance: Random) -> None:
    file = folder / chance.choice((MANIFEST, GRAPH, TOKENIZER, f"{GRAPH}.data"))
    file.unlink()
    what = chance.randrange(4)
    if what == 0:
        file.symlink_to("/dev/zero")
    elif what == 1:
        os.mkfifo(file)
    elif what == 2:
        file.mkdir()


def _endless_template(folder: Path, chance: Random) -> None:
    _edit(folder, lambda manifest: manifest.update(chat_template=chance.choice(_TEMPLATES)))


def _flipped(data: bytes, chance: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 30)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _gguf(fields: Sequence[tuple[str, int, Any]], tensors: Sequence[tuple[str, tuple[int, ...]]]) -> bytes:
    """Return a GGUF file with text fields (kind 8), number fields (kind 4) and tensors of FP32."""
    parts = [b"GGUF", struct.pack("<IQQ", 3, len(tensors), len(fields))]
    for name, kind, value in fields:
        parts += [_string(name.encode()), struct.pack("<I", kind)]
        parts.append(_string(value) if kind == 8 else struct.pack("<I", value))
    for name, shape in tensors:
        parts += [_string(name.encode()), struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, 0)]
    return b"".join(parts) + bytes(4_096)


def _array(element: int, data: bytes, count: int) -> bytes:
    head = b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + _string(b"tokenizer.ggml.tokens")
    return head + struct.pack("<IIQ", 9, element, count) + data


def _string(data: bytes) -> bytes:
    return struct.pack("<Q", len(data)) + data
