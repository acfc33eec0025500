"""A core for each of several test processes."""

from __future__ import annotations

import os


def take_a_core() -> None:
    """Give this test process, and all that it starts, a core of its own, if there are several such processes.

    Otherwise the threads of two models take turns on the same cores, and each waits for its slowest thread.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker and hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[int(worker.removeprefix("gw")) % len(cores)]})
