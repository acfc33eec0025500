"""Uses hostile bundles and GGUF files, as a process of its own.

For each seed there are two lines of JSON on standard output: what was made, before it is used, and what came of it.

usage: python -m fuzz.bundle_worker SOUND-BUNDLE FOLDER, with seeds on standard input
"""

from __future__ import annotations

import contextlib
import io
import json
import resource
import shutil
import sys
from pathlib import Path

from fuzz.hostile_bundles import make_bundle, make_gguf
from midfill.cli.main import main as midfill
from midfill.common.errors import MidfillError
from midfill_export.loaders.gguf_file import open_gguf
from midfill_export.loaders.gguf_tokenizer import read_tokenizer

_MOST_MEMORY = 4 << 30
_GGUF_EVERY = 4
"""One case in this many is a GGUF file."""


def main(sound: Path, folder: Path) -> None:
    """Do one case after the other."""
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    code = folder / "code.py"
    code.write_text("def add(left, right):\n    return \n")
    for line in sys.stdin:
        seed = int(line)
        case = folder / "case"
        is_gguf = seed % _GGUF_EVERY == 0
        kind = make_gguf(case, seed) if is_gguf else make_bundle(sound, case, seed)
        _say(kind)
        if is_gguf:
            exit_code, said = _read_gguf(case)
        else:
            exit_code, said = _run("complete", f"{code}:2:12", "--bundle", str(case))
            if exit_code == 0 and "template" in kind:
                exit_code, said = _run("do", "explain", str(code), "--bundle", str(case))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        _say({"code": exit_code, "said": said, "peak": peak})
        shutil.rmtree(case) if case.is_dir() else case.unlink()


def _say(value: object) -> None:
    sys.stdout.write(f"{json.dumps(value)}\n")
    sys.stdout.flush()


def _run(*arguments: str) -> tuple[int, str]:
    """Run a command; return its exit code and what it wrote to standard error."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as errors:
        code = midfill(arguments)
    return code, errors.getvalue()


def _read_gguf(path: Path) -> tuple[int, str]:
    code, said = _run("pull", str(path))
    try:
        gguf = open_gguf(path)
        read_tokenizer(gguf)
        for tensor in gguf.tensors.values():
            for _ in tensor.in_parts():
                pass
    except MidfillError as error:
        return 1, f"midfill: {error}\n"
    except Exception as error:
        return 1, f"midfill: unexpected {type(error).__name__} of the GGUF reader\n"
    return code, said


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
