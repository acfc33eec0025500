"""Results kept as they come, a JSON line each, so that a run of hours may be broken off and gone on with."""

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
    """Return the rows of ``kind`` that a file has; none without a file.

    Raises:
        EvalError: it cannot be read, or has something else in it.
    """
    if file is None or not file.exists():
        return []
    try:
        return [kind(**json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError, TypeError) as error:
        raise EvalError(f"{file} cannot be gone on with: {type(error).__name__}.") from error


def append_result(file: Path | None, row: DataclassInstance) -> None:
    """Add a row to a file, if there is one.

    Raises:
        EvalError: it cannot be written.
    """
    if file is None:
        return
    try:
        with file.open("a", encoding="utf-8") as stream:
            stream.write(f"{json.dumps(dataclasses.asdict(row))}\n")
    except OSError as error:
        raise EvalError(f"{file} cannot be written: {type(error).__name__}.") from error
