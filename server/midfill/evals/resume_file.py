"""The file of ``--resume``: each result is added at once, as a JSON line, so that an interrupted run can continue."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from midfill.common.errors import EvalError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Result = TypeVar("Result")


def read_results(file: Path | None, kind: type[Result]) -> list[Result]:
    """Return the results in the file, which are of class ``kind``; none if there is no file.

    Raises:
        EvalError: the file cannot be read, or a line is not such a result.
    """
    if file is None or not file.exists():
        return []
    try:
        return [kind(**json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError, TypeError) as error:
        raise EvalError(
            f"{file} is not a file of this suite's results ({type(error).__name__}): name another with --resume."
        ) from error


def append_result(file: Path | None, row: DataclassInstance) -> None:
    """Add a result to the file; do nothing if ``file`` is None.

    Raises:
        EvalError: the file cannot be written.
    """
    if file is None:
        return
    try:
        with file.open("a", encoding="utf-8") as stream:
            stream.write(f"{json.dumps(dataclasses.asdict(row))}\n")
    except OSError as error:
        raise EvalError(f"{file} cannot be written: {type(error).__name__}.") from error
